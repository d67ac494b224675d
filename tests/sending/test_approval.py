"""What was not accepted while the keystore was unlocked waits for an operator."""

from typing import Any

import pytest

from lucidtrond.errors import Conflict, InDoubt, KeystoreLocked, NotFound
from lucidtrond.tron.address import Address
from lucidtrond.tron.contracts import Transfer
from lucidtrond.tron.transaction import RawData, Transaction, TxId, decode_raw
from lucidtrond.tron.units import Sun
from tests.chain.model import address
from tests.sending.model import TOKEN, Process, must_find, pay, process
from tests.sending.test_set_aside import queue

STRIP = (
    "UPDATE sending_payment SET mac = NULL",
    "UPDATE sending_attempt SET mac = NULL, renewal_mac = NULL",
)
ATTACKER = address(123)


async def strip(made: Process) -> None:
    """As an older program, or one that can't ask the keystore, writes rows."""

    def write(tx: Any) -> None:
        for sql in STRIP:
            tx.execute(sql)

    await made.store.write(write)


async def test_it_is_listed_with_totals_and_signed_once_it_is_approved() -> None:
    async with process() as made:
        ids = [
            await queue(made, "a", amount=5),
            await queue(made, "b", amount=7),
            await queue(made, "c", asset=TOKEN.base58, amount=11),
        ]
        await strip(made)
        await made.start()
        await made.mine(2)
        assert made.chain.broadcasts == []
        assert made.sender.waiting_for_approval == 3
        assert made.sender.set_aside == ()
        shown = await made.sender.queued()
        assert [payment.payment_id for payment in shown.payments] == ids
        totals = {total.asset: (total.amount, total.payments) for total in shown.totals}
        assert totals == {"TRX": ("12", 2), TOKEN.base58: ("11", 1)}
        approved = await made.sender.approve(fingerprint=shown.fingerprint)
        assert approved == ids
        await made.mine(2)
        assert len(made.chain.included()) == 3
        assert made.sender.waiting_for_approval == 0
        assert (await made.sender.queued()).payments == []


async def test_what_was_accepted_while_unlocked_needs_none_after_a_crash() -> None:
    async with process() as made:
        await queue(made, "a")
        made.signer.locked = True
        await made.start()
        await made.mine()
        assert made.sender.waiting_for_approval == 0
        assert (await made.sender.queued()).payments == []
        made.signer.locked = False
        await made.mine(2)
        assert (await must_find(made)).state == "included"


async def test_some_are_approved_and_the_others_wait_on() -> None:
    async with process() as made:
        await queue(made, "a")
        chosen = await queue(made, "b", amount=7)
        await strip(made)
        await made.start()
        await made.mine()
        shown = await made.sender.queued([chosen])
        assert [payment.payment_id for payment in shown.payments] == [chosen]
        await made.sender.approve(fingerprint=shown.fingerprint, payment_ids=[chosen])
        await made.mine(2)
        assert (await must_find(made, "a")).state == "queued"
        assert (await must_find(made, "b")).state == "included"
        with pytest.raises(NotFound):
            await made.sender.queued([chosen])
        with pytest.raises(NotFound):
            await made.sender.queued(["unknown"])


async def test_another_list_than_the_one_shown_is_not_approved() -> None:
    async with process() as made:
        await queue(made, "a")
        await strip(made)
        shown = await made.sender.queued()
        await queue(made, "b", amount=800_000_000)
        await strip(made)
        with pytest.raises(Conflict, match="look again"):
            await made.sender.approve(fingerprint=shown.fingerprint)
        made.signer.locked = True
        with pytest.raises(KeystoreLocked):
            await made.sender.approve(fingerprint=shown.fingerprint)
        made.signer.locked = False
        await made.mine(2)
        assert made.chain.broadcasts == []


async def forge(made: Process, key: str, to: Address) -> None:
    """Edit intent and bytes of a payment so that they agree, and strip the MACs."""

    def write(tx: Any) -> None:
        [(seq, raw)] = tx.execute(
            "SELECT p.seq, a.raw FROM sending_payment p JOIN sending_attempt a"
            " ON a.payment_seq = p.seq WHERE p.idempotency_key = ?",
            (key,),
        )
        decoded = decode_raw(raw)
        owner = getattr(decoded.contract, "owner", None)
        assert isinstance(owner, Address)
        forged = RawData(
            Transfer(owner, to, Sun(800_000_000)),
            decoded.reference,
            expiration=decoded.expiration,
            timestamp=decoded.timestamp,
        ).encode()
        tx.execute(
            "UPDATE sending_attempt SET raw = ?, txid = ?, mac = NULL"
            " WHERE payment_seq = ?",
            (forged, Transaction(forged).digest, seq),
        )
        tx.execute(
            "UPDATE sending_payment SET recipient = ?, amount = ?, mac = NULL"
            " WHERE seq = ?",
            (to.raw, (800_000_000).to_bytes(32, "big"), seq),
        )

    await made.store.write(write)


async def test_a_forged_payment_is_shown_as_what_it_is_and_not_signed() -> None:
    async with process() as made:
        await queue(made, "a")
        await forge(made, "a", ATTACKER)
        await made.start()
        await made.mine(2)
        assert made.chain.broadcasts == []
        [payment] = (await made.sender.queued()).payments
        assert (payment.to_address, payment.amount) == (ATTACKER.base58, "800000000")
        assert payment.txid is not None
        with pytest.raises(InDoubt, match="waits for approval"):
            await made.sender.rebroadcast(TxId(payment.txid))


async def test_who_accepts_the_risk_approves_nothing() -> None:
    async with process() as made:
        made.approve_queued = False
        await queue(made, "a")
        await strip(made)
        await made.start()
        await made.mine(2)
        assert (await must_find(made)).state == "included"
        assert made.sender.waiting_for_approval == 0


async def test_a_dead_payment_without_macs_is_followed_once_it_is_approved() -> None:
    async with process() as made:
        made.chain.reply = lambda _: "drop"
        await pay(made, attempts=2)
        await strip(made)
        await made.mine(62)
        assert (await must_find(made)).attempt == 1
        assert made.sender.waiting_for_approval == 1
        shown = await made.sender.queued()
        await made.sender.approve(fingerprint=shown.fingerprint)
        made.chain.reply = lambda _: "take"
        await made.mine(3)
        renewed = await must_find(made)
        assert (renewed.attempt, renewed.state) == (2, "included")


async def test_bytes_of_something_else_can_not_be_approved() -> None:
    async with process() as made:
        payment_id = await queue(made, "a")
        await strip(made)
        sql = "UPDATE sending_payment SET recipient = ?"
        await made.store.write(lambda tx: tx.execute(sql, (ATTACKER.raw,)))
        shown = await made.sender.queued()
        assert shown.payments == []
        [fault] = shown.set_aside
        assert (fault.payment_id, fault.field) == (payment_id, "recipient")
        with pytest.raises(InDoubt, match="was edited or is damaged"):
            await made.sender.queued([payment_id])


async def test_an_abandoned_payment_is_not_revived_by_an_edit() -> None:
    async with process() as made:
        made.chain.reply = lambda _: "drop"
        await pay(made, attempts=3)
        made.chain.balance = 3
        await made.mine(62)
        assert (await must_find(made)).safe_to_retry
        made.chain.balance = 10**15
        sql = "UPDATE sending_attempt SET renewals = 2, buried = 0, unresolved = 1"
        await made.store.write(lambda tx: tx.execute(sql))
        await made.mine(3)
        assert (await must_find(made)).attempt == 1
        [fault] = made.sender.set_aside
        assert fault.field == "renewals"
