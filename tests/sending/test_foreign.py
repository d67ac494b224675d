"""What the chain shows of ours and the journal does not know stops its wallet."""

from collections.abc import Sequence
from typing import Any, cast

import pytest
import trio
from attrs import evolve

from lucidtrond.errors import Conflict, ForeignTransaction, InDoubt, NotFound
from lucidtrond.events.types import ForeignRow, Payment
from lucidtrond.ports import Row, Tx
from lucidtrond.sending import foreign as foreign_module
from lucidtrond.sending import foreign_rows
from lucidtrond.sending.drafting import ChainHeads, Drafting
from lucidtrond.sending.foreign import ForeignPolicy
from lucidtrond.sending.intent import Intent
from lucidtrond.sending.tag import PURPOSE, tag_of
from lucidtrond.tron import trc20
from lucidtrond.tron.address import Address
from lucidtrond.tron.contracts import Contract, Transfer
from lucidtrond.tron.contracts_smart import Trigger
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.receipt import Log
from lucidtrond.tron.recovery import recover_signer
from lucidtrond.tron.transaction import RawData, Reference, Transaction, TxId
from lucidtrond.tron.units import Sun, UnixMillis
from tests.chain.model import address, emitted
from tests.sending.model import (
    KEYS,
    OWNERS,
    TO,
    TOKEN,
    ModelSigner,
    Process,
    must_find,
    pay,
    process,
)

STRANGER = PrivateKey(bytes([*bytes(31), 99]))


async def lost(
    made: Process,
    key: str = "a",
    *,
    contract: Contract | None = None,
    signers: tuple[PrivateKey, ...] = KEYS[:1],
    memo: bytes = b"",
) -> Transaction:
    """What a lost journal signed for *key*; the default is what `pay` asks for."""
    solid = made.chain.blocks[made.chain.solid].header
    tag = tag_of(await ModelSigner().mac(OWNERS[0], PURPOSE, key.encode()))
    raw = RawData(
        contract or Transfer(OWNERS[0], TO, Sun(5)),
        Reference.to_block(solid.id),
        expiration=tag.expiration(UnixMillis(made.head_time() + 120_000)),
        timestamp=tag.timestamp(made.head_time()),
        memo=memo,
        fee_limit=Sun(0),
    ).encode()
    transaction = Transaction(raw)
    for signer in signers:
        transaction = transaction.with_signature(signer.sign(transaction.digest))
    return transaction


async def include(made: Process, *transactions: Transaction, salt: int = 0) -> None:
    made.chain.grow(*transactions, salt=salt)
    await made.level()


async def foreign(made: Process, **more: Any) -> list[ForeignRow]:
    rows, _ = await made.sender.foreign(**more)
    return rows


async def changes(made: Process) -> list[tuple[str, str]]:
    events = await made.store.read(lambda tx: emitted(tx, "foreign"))
    return [(event["change"], event["transaction"]["txid"]) for event in events]


async def test_it_is_booked_and_stops_its_wallet_and_no_other() -> None:
    async with process() as made:
        transaction = await lost(made)
        await include(made, transaction)
        [row] = await foreign(made)
        assert (row.txid, row.stops, row.flag) == (transaction.txid, True, None)
        assert (row.to_address, row.asset, row.amount) == (TO.base58, "TRX", "5")
        assert row.block_number == made.chain.head
        assert await changes(made) == [("included", transaction.txid)]
        assert dict(made.sender.stopped) == {OWNERS[0]: 1}
        for check in (True, False):
            with pytest.raises(ForeignTransaction) as caught:
                await pay(made, "b", check=check)
            assert caught.value.data["txid"] == transaction.txid
            assert "sending.acknowledge" in caught.value.message
        await pay(made, "c", owner=OWNERS[1])


async def test_payments_of_ours_are_not_foreign() -> None:
    async with process() as made:
        await pay(made)
        await pay(made, "token", asset=TOKEN.base58)
        await made.mine(22)
        assert await foreign(made) == []


async def test_it_outlives_a_restart() -> None:
    async with process() as made:
        await include(made, await lost(made))
        await made.start()
        assert dict(made.sender.stopped) == {OWNERS[0]: 1}
        with pytest.raises(ForeignTransaction):
            await pay(made, "b")


async def test_its_key_adopts_it() -> None:
    async with process() as made:
        transaction = await lost(made)
        await include(made, transaction)
        dry = await pay(made, check=True)
        assert (dry.state, dry.txid, dry.adopted) == ("checked", transaction.txid, True)
        assert await foreign(made, unexplained=True) != []
        payment = await pay(made)
        assert (payment.state, payment.adopted) == ("included", True)
        assert payment.txid == transaction.txid
        assert made.signer.signatures == 0
        assert await foreign(made, unexplained=True) == []
        assert [change for change, _ in await changes(made)] == ["included", "adopted"]
        assert not made.sender.stopped
        await pay(made, "b")
        await made.mine(22)
        assert (await must_find(made)).state == "solidified"
        assert len(made.chain.included()) == 2


async def test_one_key_adopts_it_and_no_other() -> None:
    async with process() as made:
        made.signer.same_mac = True  # so the tags of all keys are equal
        made.chain.reply = lambda _: "drop"
        tag = tag_of(bytes(32))
        made_by = await lost(made)
        raw = RawData(
            Transfer(OWNERS[0], TO, Sun(5)),
            Reference.to_block(made.chain.blocks[0].header.id),
            expiration=tag.expiration(UnixMillis(made.head_time() + 120_000)),
            timestamp=tag.timestamp(made.head_time()),
        ).encode()
        transaction = evolve(made_by, raw=raw, signatures=())
        signature = KEYS[0].sign(transaction.digest)
        await include(made, transaction.with_signature(signature))
        assert (await pay(made, "a")).adopted
        second = await pay(made, "b")
        assert (second.adopted, second.state) == (False, "pending")
        assert second.txid != transaction.txid


async def test_a_token_payment_is_adopted_with_what_its_log_proves() -> None:
    call = Trigger(OWNERS[0], TOKEN, trc20.transfer(TO, 5))
    async with process() as made:
        await include(made, await lost(made, contract=call))
        payment = await pay(made, asset=TOKEN.base58)
        assert (payment.adopted, payment.arrived_raw) == (True, "5")
        await made.mine(22)
        assert (await must_find(made)).state == "solidified"


@pytest.mark.parametrize(
    "content", [{"amount": 6}, {"to": address(78)}, {"memo": b"x"}]
)
async def test_its_key_with_other_content_is_a_conflict(
    content: dict[str, Any],
) -> None:
    async with process() as made:
        transaction = await lost(made)
        await include(made, transaction)
        with pytest.raises(Conflict) as caught:
            await pay(made, **content)
        assert caught.value.data["txid"] == transaction.txid


async def test_its_key_from_another_wallet_is_a_conflict() -> None:
    async with process() as made:
        await include(made, await lost(made))
        with pytest.raises(Conflict):
            await pay(made, owner=OWNERS[1])


def count_tags(monkeypatch: pytest.MonkeyPatch) -> list[Address]:
    """Whose tags are made from now on."""
    owners: list[Address] = []
    make = ModelSigner.mac

    async def mac(
        signer: ModelSigner, owner: Address, purpose: bytes, data: bytes
    ) -> bytes:
        owners.append(owner)
        return await make(signer, owner, purpose, data)

    monkeypatch.setattr(ModelSigner, "mac", mac)
    return owners


@pytest.mark.parametrize(
    "content",
    [
        *({"amount": 6}, {"to": address(78)}, {"memo": b"x"}),
        {"asset": TOKEN.base58},
    ],
)
async def test_a_tag_is_made_once_and_of_no_wallet_that_paid_something_else(
    content: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process() as made:
        await include(made, await lost(made))
        owners = count_tags(monkeypatch)
        assert not (await pay(made, "b", owner=OWNERS[1], **content)).adopted
        assert owners == [OWNERS[1]]


async def test_of_a_wallet_that_paid_the_same_a_tag_is_made_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with process() as made:
        await include(made, await lost(made))
        owners = count_tags(monkeypatch)
        assert not (await pay(made, "b", owner=OWNERS[1])).adopted
        assert owners == [OWNERS[1], OWNERS[0]]


async def test_a_next_attempt_makes_its_tag_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with process() as made:
        made.chain.reply = lambda _: "drop"
        await pay(made, owner=OWNERS[1], attempts=2, lifetime_ms=30_000)
        await include(made, await lost(made, "b", memo=b"b"))
        owners = count_tags(monkeypatch)
        await made.mine(45)
        assert (await must_find(made)).attempt == 2
        assert owners == [OWNERS[1]]


async def test_a_signer_is_recovered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    recovered: list[bytes] = []
    recover = recover_signer

    def recovering(digest: bytes, signature: bytes) -> Address:
        recovered.append(signature)
        return recover(digest, signature)

    async with process() as made:
        transaction = await lost(made, signers=(KEYS[0], STRANGER))
        monkeypatch.setattr(foreign_module, "recover_signer", recovering)
        await include(made, transaction)
        assert len(await foreign(made)) == 1
        assert sorted(recovered) == sorted(transaction.signatures)


async def test_what_is_asked_for_each_payment_uses_an_index() -> None:
    plans: list[str] = []

    class Explained:
        """A transaction that notes the plan of each statement."""

        def __init__(self, tx: Tx) -> None:
            self._tx = tx

        def execute(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
            plan = self._tx.execute(f"EXPLAIN QUERY PLAN {sql}", params)
            plans.append("; ".join(row[3] for row in plan))
            return self._tx.execute(sql, params)

    def ask(tx: Tx) -> None:
        explained = cast("Tx", Explained(tx))
        foreign_rows.unexplained(explained, OWNERS[0])
        foreign_rows.count_unexplained(explained)
        foreign_rows.owners_moving(explained, intent)

    intent = Intent("trx_transfer", "a", OWNERS[0], TO, "TRX", 5)
    async with process() as made:
        await made.store.read(ask)
    one, count, moving = plans
    assert "USING INDEX sending_foreign_unexplained (owner=?)" in one
    assert "INDEX sending_foreign_unexplained" in count
    assert "TEMP B-TREE" not in count
    assert (
        "USING INDEX sending_foreign_movement (recipient=? AND asset=? AND amount=?)"
        in moving
    )


async def test_another_key_of_equal_content_does_not_adopt_it() -> None:
    async with process() as made:
        await include(made, await lost(made))
        with pytest.raises(ForeignTransaction):
            await pay(made, "b")


async def test_acknowledged_it_stops_nothing_and_its_key_still_adopts_it() -> None:
    async with process() as made:
        transaction = await lost(made)
        await include(made, transaction)
        with pytest.raises(NotFound):
            await made.sender.acknowledge([transaction.txid, TxId("00" * 32)])
        assert made.sender.stopped
        [row] = await made.sender.acknowledge([transaction.txid])
        assert (row.acknowledged, row.stops) == (True, False)
        await made.sender.acknowledge([transaction.txid])
        assert [change for change, _ in await changes(made)] == [
            "included",
            "acknowledged",
        ]
        assert not (await pay(made, "b")).adopted
        assert (await pay(made)).txid == transaction.txid


async def test_where_the_policy_warns_nothing_is_stopped() -> None:
    async with process() as made:
        made.foreign = ForeignPolicy(of={OWNERS[0]: "warn"})
        await made.start()
        await include(made, await lost(made))
        [row] = await foreign(made)
        assert not row.stops
        assert (made.sender.unexplained, dict(made.sender.stopped)) == (1, {})
        await pay(made, "b")
        assert (await pay(made)).adopted


def transfer_log(sender: Address, amount: int) -> Log:
    ends = tuple(bytes(12) + end.raw[1:] for end in (sender, TO))
    return Log(TOKEN, (trc20.TRANSFER_TOPIC, *ends), amount.to_bytes(32, "big"))


@pytest.mark.parametrize(("amount", "flag"), [(3, "spender"), (0, "zero_value")])
async def test_what_a_spender_moves_is_flagged(amount: int, flag: str) -> None:
    call = Trigger(STRANGER.address, TOKEN, trc20.transfer_from(OWNERS[0], TO, amount))
    async with process() as made:
        await made.store.write(lambda tx: made.ledger.watch(tx, OWNERS[0]))
        made.chain.spent = (transfer_log(OWNERS[0], amount),)
        await include(made, await lost(made, contract=call, signers=(STRANGER,)))
        [row] = await foreign(made)
        assert (row.flag, row.stops, row.amount) == (flag, False, str(amount))
        assert row.from_address == OWNERS[0].base58
        await pay(made, "b")


async def test_a_token_transfer_of_nothing_is_flagged() -> None:
    call = Trigger(OWNERS[0], TOKEN, trc20.transfer(TO, 0))
    async with process() as made:
        await include(made, await lost(made, contract=call))
        [row] = await foreign(made)
        assert (row.flag, row.stops) == ("zero_value", False)
        await pay(made, "b")


async def test_what_others_signed_too_is_flagged() -> None:
    async with process() as made:
        await include(made, await lost(made, signers=(KEYS[0], STRANGER)))
        [row] = await foreign(made)
        assert (row.flag, row.stops) == ("co_signed", False)
        await pay(made, "b")


async def test_what_only_others_signed_is_not_ours() -> None:
    async with process() as made:
        await include(made, await lost(made, signers=(STRANGER,)))
        await include(made, evolve(await lost(made, "b"), signatures=(bytes(65),)))
        assert await foreign(made) == []


async def test_a_reverted_one_stops_until_it_is_proven_dead() -> None:
    async with process() as made:
        transaction = await lost(made)
        await include(made, transaction)
        made.chain.fork_and_repool(1, salt=1, forget=True)
        await made.level()
        [row] = await foreign(made)
        assert (row.block_number, row.stops) == (None, True)
        with pytest.raises(ForeignTransaction):
            await pay(made, "b")
        await made.mine(70)
        assert await foreign(made) == []
        assert [change for change, _ in await changes(made)] == [
            "included",
            "reverted",
            "expired",
        ]
        await pay(made, "b")


async def test_a_reverted_one_is_adopted_and_sent_again() -> None:
    async with process() as made:
        transaction = await lost(made)
        await include(made, transaction)
        made.chain.fork_and_repool(1, salt=1, forget=True)
        await made.level()
        payment = await pay(made)
        assert (payment.txid, payment.adopted) == (transaction.txid, True)
        await made.mine(25)
        assert (await must_find(made)).state == "solidified"
        assert made.chain.included() == [transaction.txid]


async def test_an_acknowledged_one_stays_so_in_another_block() -> None:
    async with process() as made:
        transaction = await lost(made)
        await include(made, transaction)
        await made.sender.acknowledge([transaction.txid])
        made.chain.fork_and_repool(1, salt=1, forget=False)
        made.chain.mine(salt=1)
        await made.level()
        [row] = await foreign(made)
        assert (row.acknowledged, row.block_number) == (True, made.chain.head)


async def test_pages_follow_one_another() -> None:
    async with process() as made:
        sent = [await lost(made, key, memo=key.encode()) for key in "abcde"]
        await include(made, *sent)
        seen: list[str] = []
        cursor = None
        while True:
            rows, cursor = await made.sender.foreign(limit=2, cursor=cursor)
            seen += [row.txid for row in rows]
            if cursor is None:
                break
        assert seen == [transaction.txid for transaction in reversed(sent)]
        assert await foreign(made, owner=OWNERS[1]) == []


async def test_twenty_that_ask_while_it_is_found_get_the_one_payment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fetch_heads = Drafting.fetch_heads
    async with process() as made:
        transaction = await lost(made)
        payments: list[Payment] = []
        asking = 0
        shown = trio.Event()

        async def fetch_when_shown(drafting: Drafting) -> ChainHeads:
            nonlocal asking
            asking += 1
            if asking == 20:  # nobody has found it
                await include(made, transaction)
                shown.set()
            await shown.wait()
            return await fetch_heads(drafting)

        async def ask() -> None:
            payments.append(await pay(made))

        monkeypatch.setattr(Drafting, "fetch_heads", fetch_when_shown)
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(ask)
        assert {payment.txid for payment in payments} == {transaction.txid}
        await made.mine(22)
        assert made.chain.included() == [transaction.txid]


async def test_a_block_of_many_counts_what_is_unexplained_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counted: list[int] = []
    count = foreign_rows.count_unexplained

    def counting(tx: Tx) -> dict[Address, int]:
        counts = count(tx)
        counted.append(sum(counts.values()))
        return counts

    async with process() as made:
        many = [await lost(made, f"key {number}") for number in range(20)]
        monkeypatch.setattr(foreign_rows, "count_unexplained", counting)
        await include(made, *many)
        assert counted == [20]
        await made.sender.acknowledge([transaction.txid for transaction in many])
        assert counted == [20, 0]


@pytest.mark.parametrize(
    "edit",
    [
        *("owner = x'00'", "recipient = x'01'", "amount = NULL", "block_id = NULL"),
        *("raw = x'ff'", "txid = x'00'", "tag = x'00'"),
    ],
)
async def test_a_damaged_row_stops_at_most_its_wallet_and_is_named(edit: str) -> None:
    async with process() as made:
        await include(made, await lost(made))
        await made.store.write(
            lambda tx: tx.execute(f"UPDATE sending_foreign SET {edit}")
        )
        await made.start()
        await made.mine(2)
        await include(made, await lost(made, "b", memo=b"b"))
        made.chain.fork_and_repool(3, salt=1, forget=True)
        await made.level()
        await pay(made, "c", owner=OWNERS[1])
        await made.mine(45)
        assert (await must_find(made, "c")).state == "solidified"
        with pytest.raises(InDoubt, match="edited or is damaged"):
            await foreign(made)
        if not edit.startswith("owner"):
            with pytest.raises(InDoubt, match="edited or is damaged"):
                await pay(made, "d")
