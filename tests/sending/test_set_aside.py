"""One payment whose row is edited or damaged is set aside; the others go on."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lucidtrond.errors import InDoubt, InsufficientFunds, StoreError
from lucidtrond.ports import Tx
from lucidtrond.sending import delivery, settling
from lucidtrond.sending.intent import TRC20_TRANSFER, TRX_TRANSFER, Intent
from lucidtrond.sending.journal.fault import RowFault, RowRefused
from lucidtrond.sending.kinds.base import OrderKind
from lucidtrond.sending.kinds.table import BY_NAME
from lucidtrond.sending.set_aside import MOST, SetAside
from lucidtrond.tron.address import Address
from lucidtrond.tron.contracts import Transfer
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.transaction import RawData, Transaction, TxId, decode_raw
from lucidtrond.tron.units import Sun
from tests.chain.model import address, emit, emitted
from tests.sending.model import OWNERS, TOKEN, Process, must_find, pay, process

ATTACKER = address(123)


async def queue(made: Process, key: str, **more: Any) -> str:
    """A payment without its signature, as a crash leaves it; gives its id."""
    made.signer.locks_first = True
    queued = await pay(made, key, **more)
    made.signer.locked = False
    assert queued.state == "queued"
    return queued.payment_id


DAMAGE: dict[str, str] = {
    "undecodable bytes": "UPDATE sending_attempt SET raw = x'ffff'",
    "no bytes": "UPDATE sending_attempt SET raw = x''",
    "many bytes": "UPDATE sending_attempt SET raw = zeroblob(2000000)",
    "another txid": "UPDATE sending_attempt SET txid = zeroblob(32)",
    "a long txid": "UPDATE sending_attempt SET txid = zeroblob(99)",
    "a state that there is not": "UPDATE sending_attempt SET state = 'sent'",
    "a dry run": "UPDATE sending_attempt SET state = 'checked'",
    "a block's part": "UPDATE sending_attempt SET block_number = 3",
    "a short block id": "UPDATE sending_attempt SET block_number = 3, block_id = x'00'",
    "a proof that there is not": "UPDATE sending_attempt SET proof = 'mine'",
    "a long amount": "UPDATE sending_attempt SET arrived = zeroblob(100000)",
    "text that is none": "UPDATE sending_attempt SET message = CAST(x'ff' AS TEXT)",
    "a short signature": "UPDATE sending_attempt SET signature = x'00'",
    "an owner that is none": "UPDATE sending_payment SET owner = x'00'",
    "a recipient that is none": "UPDATE sending_payment SET recipient = zeroblob(21)",
    "an asset that is none": "UPDATE sending_payment SET asset = 'TRONIX'",
    "a kind that is none": "UPDATE sending_payment SET kind = 'gift'",
    "a payment's text": "UPDATE sending_payment SET asset = CAST(x'ff' AS TEXT)",
    "a large amount": "UPDATE sending_payment SET amount = zeroblob(100000)",
    "a short amount": "UPDATE sending_payment SET amount = x'05'",
    "a greater amount": (
        "UPDATE sending_payment SET amount = CAST(zeroblob(24) || x'000000002faf0800'"
        " AS BLOB)"
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
async def test_a_damaged_row_is_named_and_the_other_payments_go_on(
    name: str, tmp_path: Path
) -> None:
    async with process(tmp_path / "db") as made:
        bad = await queue(made, "bad")
        good = await pay(made, "good", amount=7)
        table = DAMAGE[name].split()[1]
        key = "payment_seq" if table == "sending_attempt" else "seq"
        with closing(sqlite3.connect(tmp_path / "db")) as other, other:
            assert other.execute(f"{DAMAGE[name]} WHERE {key} = 1").rowcount == 1
        await made.start()
        await made.mine(25)
        assert made.chain.included() == [good.txid]
        assert (await must_find(made, "good")).state == "solidified"
        later = await pay(made, "later", amount=9)
        assert later.state == "pending"
        [fault] = made.sender.set_aside
        assert bad == fault.payment_id or fault.payment_id is None
        events = await made.store.read(lambda tx: emitted(tx, "set_aside"))
        assert [event["field"] for event in events] == [fault.field]
        page, _ = await made.sender.payments()
        assert {"good", "later"} <= {payment.idempotency_key for payment in page}


def stolen(raw: bytes) -> bytes:
    decoded = decode_raw(raw)
    return RawData(
        Transfer(OWNERS[0], ATTACKER, Sun(800_000_000)),
        decoded.reference,
        expiration=decoded.expiration,
        timestamp=decoded.timestamp,
    ).encode()


async def steal(made: Process) -> str:
    """Edit the bytes of the only attempt, consistently; give the new txid."""

    def read(tx: Any) -> bytes:
        [(raw,)] = tx.execute("SELECT raw FROM sending_attempt")
        return bytes(raw)

    raw = stolen(await made.store.read(read))
    txid = Transaction(raw).digest
    sql = "UPDATE sending_attempt SET raw = ?, txid = ?"
    await made.store.write(lambda tx: tx.execute(sql, (raw, txid)))
    return txid.hex()


async def test_other_bytes_are_not_signed_and_an_operator_learns_why() -> None:
    async with process() as made:
        payment_id = await queue(made, "a")
        txid = await steal(made)
        signatures = made.signer.signatures
        await made.start()
        await made.mine(3)
        assert made.signer.signatures == signatures
        assert made.chain.broadcasts == []
        [fault] = made.sender.set_aside
        assert (fault.payment_id, fault.txid) == (payment_id, txid)
        assert (fault.field, fault.stored) == ("recipient", ATTACKER.base58)
        with pytest.raises(InDoubt, match="was edited or is damaged") as caught:
            await made.sender.rebroadcast(TxId(txid))
        assert caught.value.data["safe_to_retry"] is False
        assert (await must_find(made)).state == "queued"


async def test_a_row_that_is_as_it_was_goes_on() -> None:
    async with process() as made:
        await queue(made, "a")
        [(raw, digest)] = await made.store.read(
            lambda tx: tx.execute("SELECT raw, txid FROM sending_attempt")
        )
        await steal(made)
        await made.start()
        await made.mine()
        assert len(made.sender.set_aside) == 1
        sql = "UPDATE sending_attempt SET raw = ?, txid = ?"
        await made.store.write(lambda tx: tx.execute(sql, (raw, digest)))
        await made.mine(2)
        assert made.chain.included() == [digest.hex()]


async def test_an_error_that_nobody_expects_sets_one_payment_aside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with process() as made:
        bad = await queue(made, "bad")
        await queue(made, "good", owner=OWNERS[1], amount=7)
        sign = made.signer.sign

        async def fail(owner: Address, digest: bytes) -> bytes:
            if owner == OWNERS[0]:
                raise RuntimeError("no entropy")
            return await sign(owner, digest)

        monkeypatch.setattr(type(made.signer), "sign", lambda _, *args: fail(*args))
        await made.mine(3)
        [fault] = made.sender.set_aside
        assert (fault.payment_id, fault.field) == (bad, "error")
        assert (await must_find(made, "good")).state == "included"
        monkeypatch.undo()
        await made.mine(2)
        assert (await must_find(made, "bad")).state == "included"
        assert made.sender.set_aside == ()


async def test_a_fault_is_told_once_and_its_event_waits_for_the_store(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with process() as made:
        set_aside = SetAside(made.store, emit=emit)
        fault = RowFault("p", "t", "amount", "5", "800")
        for _ in range(3):
            set_aside.note(fault)
        assert set_aside.faults() == (fault,)
        lines = [row for row in caplog.records if row.message == "payment set aside"]
        assert len(lines) == 1
        made.store.nth, made.store.error = 0, StoreError
        await set_aside.publish()
        made.store.nth = None
        await set_aside.publish()
        await set_aside.publish()
        events = await made.store.read(lambda tx: emitted(tx, "set_aside"))
        assert [event["stored"] for event in events] == ["800"]


async def test_so_many_faults_are_kept_and_no_more() -> None:
    async with process() as made:
        set_aside = SetAside(made.store, emit=emit)
        for number in range(MOST + 5):
            set_aside.note(RowFault("p", str(number), "row", "a", "b"))
        assert len(set_aside.faults()) == MOST
        assert set_aside.total == MOST + 5


async def test_locked_too_nothing_is_sent_whose_intent_was_edited() -> None:
    async with process() as made:
        made.chain.reply = lambda _: "drop"
        bad = await pay(made, "bad")
        good = await pay(made, "good", amount=7)
        made.signer.locked = True
        await made.store.write(
            lambda tx: tx.execute(
                "UPDATE sending_payment SET recipient = ? WHERE seq = 1",
                (ATTACKER.raw,),
            )
        )
        made.chain.broadcasts.clear()
        await made.start()
        await made.mine(3)
        assert set(made.chain.broadcasts) == {good.txid}
        [fault] = made.sender.set_aside
        assert (fault.txid, fault.field) == (bad.txid, "recipient")


@pytest.mark.parametrize("asset", ["TRX", TOKEN.base58])
async def test_a_block_is_followed_though_what_it_means_for_one_payment_fails(
    asset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process() as made:
        bad = await pay(made, "bad", asset=asset, amount=6, attempts=3)
        good = await pay(made, "good", amount=7)
        assert bad.txid is not None
        assert good.txid is not None
        kind = type(kind_named(asset))
        arrived = kind.amount_arrived

        def fail(self: Any, intent: Intent, receipt: Receipt) -> int | None:
            if intent.key == "bad":
                raise RuntimeError("a bug")
            return arrived(self, intent, receipt)

        monkeypatch.setattr(kind, "amount_arrived", fail)
        await made.mine(25)
        assert made.ledger.position().head == made.chain.blocks[-1].header
        assert (await must_find(made, "good")).state == "solidified"
        faults = {fault.txid: fault.field for fault in made.sender.set_aside}
        assert faults == {bad.txid: "block"}
        # It seems dead, and is not paid again.
        await made.mine(60)
        last = await must_find(made, "bad")
        assert (last.attempt, last.safe_to_retry) == (1, False)
        assert sorted(made.chain.included()) == sorted([bad.txid, good.txid])


def kind_named(asset: str) -> OrderKind:
    name = TRX_TRANSFER if asset == "TRX" else TRC20_TRANSFER
    return BY_NAME[name]


def run(sql: str, tx: Tx, *, params: tuple[object, ...] = ()) -> None:
    tx.execute(sql, params)


@pytest.mark.parametrize(
    ("sql", "has_txid"),
    [
        ("UPDATE sending_attempt SET latest = 0", True),
        ("DELETE FROM sending_attempt", False),
    ],
)
async def test_a_payment_without_a_latest_attempt_is_refused_by_its_name(
    sql: str, *, has_txid: bool
) -> None:
    async with process() as made:
        paid = await pay(made)
        await made.store.write(partial(run, sql))
        questions: tuple[Callable[[], Awaitable[object]], ...] = (
            lambda: pay(made),
            lambda: pay(made, check=True),
            lambda: made.sender.find(key="a"),
            lambda: made.sender.find(payment_id=paid.payment_id),
        )
        for ask in questions:
            with pytest.raises(RowRefused, match="latest: expected 1") as caught:
                await ask()
            fault = caught.value.fault
            assert (fault.payment_id, fault.field) == (paid.payment_id, "latest")
            assert fault.txid == (paid.txid if has_txid else None)
            assert caught.value.data["safe_to_retry"] is False
        assert await made.sender.find(key="b") is None
        assert (await pay(made, "b", amount=7)).state == "pending"
        await made.mine(2)
        assert (await must_find(made, "b")).state == "included"


@pytest.mark.parametrize("size", [21, 32])
async def test_what_an_edited_row_says_it_needs_keeps_no_other_from_being_paid(
    size: int,
) -> None:
    async with process() as made:
        await queue(made, "bad")
        amount = (2**160 - 1).to_bytes(size, "big")
        sql = "UPDATE sending_payment SET amount = ?"
        await made.store.write(lambda tx: tx.execute(sql, (amount,)))
        await made.start()
        for check in (True, False):
            await pay(made, "good", amount=7, check=check)
        await made.mine(2)
        assert (await must_find(made, "good")).state == "included"


async def test_what_waits_for_approval_is_set_aside_of_the_balance() -> None:
    async with process() as made:
        await queue(made, "a", amount=10**14)
        for sql in (
            "UPDATE sending_payment SET mac = NULL",
            "UPDATE sending_attempt SET mac = NULL",
        ):
            await made.store.write(partial(run, sql))
        made.chain.balance = 10**14 + 10**9
        with pytest.raises(InsufficientFunds):
            await pay(made, "b", amount=2 * 10**9)


async def test_more_rows_than_a_round_reads_keep_no_other_from_going_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few: Any = 2
    monkeypatch.setattr(delivery, "DUE_AT_ONCE", few)
    monkeypatch.setattr(settling, "SETTLE_PER_ROUND", few)
    async with process() as made:
        made.chain.reply = lambda _: "drop"
        for number in range(5):
            await queue(made, f"bad {number}", amount=100 + number)
        sql = (
            "UPDATE sending_payment SET recipient = ? WHERE seq != 2",
            "UPDATE sending_attempt SET state = 'sent' WHERE payment_seq = 2",
        )
        for statement, params in zip(sql, ((ATTACKER.raw,), ()), strict=True):
            await made.store.write(partial(run, statement, params=params))
        await queue(made, "good", amount=7, attempts=2)
        await made.start()
        made.chain.reply = lambda _: "drop"
        await made.mine(8)
        assert (await must_find(made, "good")).broadcasts > 0
        assert len(made.sender.set_aside) == 5
        # All die; the good one has another attempt, and those before it have none.
        await made.mine(62)
        made.chain.reply = lambda _: "take"
        await made.mine(25)
        good = await must_find(made, "good")
        assert (good.attempt, good.state) == (2, "included")
        assert made.chain.included() == [good.txid]
