"""Asking for a payment once more: the same bytes while they may land, then another."""

import pytest
import trio
from trio.testing import MockClock

from lucidtrond.api import (
    AlreadyFinal,
    Expired,
    InDoubt,
    InsufficientFunds,
    InvalidInput,
    NodeUnavailable,
    NotFound,
)
from lucidtrond.ports import Tx
from lucidtrond.testing import Workbench
from lucidtrond.tron.address import Address
from lucidtrond.tron.contracts import Transfer
from lucidtrond.tron.transaction import RawData, Reference, Transaction
from lucidtrond.tron.units import Sun, UnixMillis
from lucidtrond_retry import Retried
from tests.plugins.bench import NO_TXID, STRANGER, make_shop, open_shipped, payment


def pooled(bench: Workbench) -> list[str]:
    return [pending.candidate.txid.hex() for pending in bench.node.chain.pool]


async def test_a_lost_broadcast_is_sent_again_with_the_same_txid(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        bench.node.trouble_with_broadcasts = NodeUnavailable("local", 1)
        sent = await bench.call("transfer.send", payment(shop))
        assert pooled(bench) == []
        bench.node.trouble_with_broadcasts = None
        again = await bench.call("tx.retry", {"txid": sent.txid})
        assert again.txid == again.payment.txid == sent.txid
        assert pooled(bench) == [sent.txid]
        await bench.settle()
        done = await bench.call("transfer.status", {"txid": sent.txid})
        assert (done.state, done.attempt) == ("solidified", 1)


async def test_what_is_settled_or_unknown_is_not_sent_again(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        sent = await bench.call("transfer.send", payment(shop))
        await bench.settle()
        with pytest.raises(AlreadyFinal):
            await bench.call("tx.retry", {"txid": sent.txid})
        with pytest.raises(NotFound):
            await bench.call("tx.retry", {"txid": NO_TXID})


async def test_a_dead_payment_is_paid_by_another_transaction_of_the_same(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        bench.node.trouble_with_broadcasts = NodeUnavailable("local", 1)
        sent = await bench.call("transfer.send", payment(shop, expires_s=12))
        await bench.mine(5)
        with pytest.raises(InDoubt) as caught:  # not proven yet
            await bench.call("tx.retry", {"txid": sent.txid})
        assert caught.value.data["in_flight_until_ms"] == sent.expiration_ms
        await bench.mine(10)
        await bench.settle()
        assert (await bench.call("tx.pending")).pending == []
        bench.node.trouble_with_broadcasts = None
        again = await bench.call("tx.retry", {"txid": sent.txid})
        assert (again.original_txid, again.action) == (sent.txid, "paid_anew")
        assert again.txid == again.payment.txid != sent.txid
        assert (again.payment.payment_id, again.payment.attempt) == (
            sent.payment_id,
            2,
        )
        assert pooled(bench) == [again.txid]
        # Asked for the first or for the second: the same bytes, while they may land.
        for txid in (sent.txid, again.txid):
            once_more = await bench.call("tx.retry", {"txid": txid})
            assert (once_more.txid, once_more.action) == (again.txid, "sent_again")
        await bench.mine(1)
        nothing = await bench.call("tx.retry", {"txid": sent.txid})
        assert (nothing.txid, nothing.action) == (again.txid, "nothing")
        await bench.settle()
        for txid in (sent.txid, again.txid):
            with pytest.raises(AlreadyFinal):
                await bench.call("tx.retry", {"txid": txid})


async def test_a_dry_run_says_what_would_be_done_and_does_nothing(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)

        async def check(txid: str) -> Retried:
            before = await written(bench)
            retried: Retried = await bench.call(
                "tx.retry", {"txid": txid, "check": True}
            )
            assert await written(bench) == before
            assert retried.checked
            return retried

        bench.node.trouble_with_broadcasts = NodeUnavailable("local", 1)
        sent = await bench.call("transfer.send", payment(shop, expires_s=12))
        bench.node.trouble_with_broadcasts = None
        retried = await check(sent.txid)
        assert (retried.action, retried.txid) == ("sent_again", sent.txid)
        assert pooled(bench) == []
        bench.node.trouble_with_broadcasts = NodeUnavailable("local", 1)
        await bench.mine(15)
        await bench.settle()
        bench.node.trouble_with_broadcasts = None
        retried = await check(sent.txid)
        assert (retried.action, retried.txid) == ("paid_anew", sent.txid)
        assert retried.payment is not None
        assert (retried.payment.state, retried.payment.attempt) == ("checked", 2)
        assert retried.payment.txid is None
        assert pooled(bench) == []
        again = await bench.call("tx.retry", {"txid": sent.txid})
        await bench.mine(1)
        assert (await check(again.txid)).action == "nothing"
        await bench.settle()
        with pytest.raises(AlreadyFinal):
            await check(again.txid)


async def test_a_dry_run_refuses_what_there_is_no_money_for_any_more(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        held = await bench.call("wallet.balance", {"wallet": shop.wallet_id})
        most = int(held.balance_sun) - 2_000_000
        bench.node.trouble_with_broadcasts = NodeUnavailable("local", 1)
        big = payment(shop, amount_sun=str(most), expires_s=12)
        sent = await bench.call("transfer.send", big)
        await bench.mine(15)
        await bench.settle()
        bench.node.trouble_with_broadcasts = None
        asked = {"txid": sent.txid, "check": True}
        assert (await bench.call("tx.retry", asked)).action == "paid_anew"
        await bench.call("transfer.send", payment(shop, idempotency_key="other"))
        await bench.settle()
        for check in (True, False):
            with pytest.raises(InsufficientFunds):
                await bench.call("tx.retry", {**asked, "check": check})


async def written(bench: Workbench) -> list[object]:
    """All that the journal and the outbox hold."""
    questions = (
        "SELECT * FROM sending_payment",
        "SELECT * FROM sending_attempt",
        "SELECT * FROM event_outbox",
    )

    def read(tx: Tx) -> list[object]:
        return [list(tx.execute(question)) for question in questions]

    return await bench.store.read(read)


async def test_many_who_retry_a_dead_payment_at_once_make_one_transaction(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        bench.node.trouble_with_broadcasts = NodeUnavailable("local", 1)
        sent = await bench.call("transfer.send", payment(shop, expires_s=12))
        await bench.mine(15)
        await bench.settle()
        bench.node.trouble_with_broadcasts = None
        answers: list[str] = []

        async def ask() -> None:
            try:
                answers.append((await bench.call("tx.retry", {"txid": sent.txid})).txid)
            except (AlreadyFinal, InDoubt):
                answers.append("refused")

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(ask)
        assert len(pooled(bench)) == 1
        assert set(answers) <= {"refused", *pooled(bench)}
        assert pooled(bench)[0] in answers


async def test_what_was_signed_elsewhere_is_sent_as_it_is(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        signed = await signed_elsewhere(bench, shop.address)
        asked = {"transaction_hex": signed.encode().hex()}
        with pytest.raises(NotFound, match="who has its bytes may give"):
            await bench.call("tx.retry", {"txid": signed.txid})
        accepted = await bench.call("tx.broadcast", asked)
        assert (accepted.txid, accepted.accepted, accepted.code) == (
            signed.txid,
            True,
            "SUCCESS",
        )
        assert pooled(bench) == [signed.txid]
        again = await bench.call("tx.retry", {"txid": signed.txid})
        assert (again.action, again.payment) == ("sent_again", None)
        assert again.broadcast_code == "DUP_TRANSACTION_ERROR"
        await bench.mine(1)
        assert (await bench.call("tx.retry", {"txid": signed.txid})).action == "nothing"
        await bench.settle()
        with pytest.raises(AlreadyFinal):
            await bench.call("tx.retry", {"txid": signed.txid})
        refused = await bench.call("tx.broadcast", asked)
        assert (refused.accepted, refused.code) == (False, "DUP_TRANSACTION_ERROR")
        assert (await bench.call("tx.pending")).pending == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "transaction_hex"),
        ("xyz", "non-hexadecimal"),
        ("0a", "transaction_hex"),
        ("0a02080112", "transaction_hex"),
    ],
)
async def test_what_is_no_signed_transaction_is_not_sent(
    text: str, complaint: str
) -> None:
    async with open_shipped() as bench:
        with pytest.raises(InvalidInput, match=complaint):
            await bench.call("tx.broadcast", {"transaction_hex": text})


async def test_unsigned_bytes_are_not_sent(autojump_clock: MockClock) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        signed = await signed_elsewhere(bench, shop.address)
        unsigned = Transaction(signed.raw).encode().hex()
        with pytest.raises(InvalidInput, match="expected a signed transaction"):
            await bench.call("tx.broadcast", {"transaction_hex": unsigned})


async def test_a_transaction_can_be_looked_at_before_it_is_sent(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        signed = await signed_elsewhere(bench, shop.address)
        asked = {"transaction_hex": signed.encode().hex(), "check": True}
        checked = await bench.call("tx.broadcast", asked)
        assert (checked.txid, checked.accepted, checked.code) == (
            signed.txid,
            False,
            "CHECKED",
        )
        long = Transaction(signed.raw, (signed.signatures[0] + bytes(3),))
        asked_long = {**asked, "transaction_hex": long.encode().hex()}
        assert (await bench.call("tx.broadcast", asked_long)).code == "CHECKED"
        assert pooled(bench) == []
        forged = Transaction(signed.raw, (bytes(65),)).encode().hex()
        with pytest.raises(InvalidInput, match="transaction_hex"):
            await bench.call("tx.broadcast", {**asked, "transaction_hex": forged})
        await bench.mine(25)
        await bench.handled()
        with pytest.raises(Expired, match="it expired at"):
            await bench.call("tx.broadcast", asked)


async def signed_elsewhere(bench: Workbench, address: str) -> Transaction:
    """A transaction that our journal knows nothing of."""
    owner = Address.from_base58(address)
    head = await bench.node.fetch_head()
    raw = RawData(
        Transfer(owner, Address.from_base58(STRANGER), Sun(1)),
        Reference.to_block(head.id),
        expiration=UnixMillis(head.timestamp + 60_000),
        timestamp=head.timestamp,
    ).encode()
    signature = await bench.vault.sign(owner, Transaction(raw).digest)
    return Transaction(raw, (signature,))


async def test_the_pending_list_says_until_when_each_may_land(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        assert (await bench.call("tx.pending")).pending == []
        for number in range(3):
            key = f"k{number}"
            await bench.call("transfer.send", payment(shop, idempotency_key=key))
        first = await bench.call("tx.pending", {"limit": 2})
        rest = await bench.call("tx.pending", {"limit": 2, "cursor": first.next_cursor})
        rows = [*first.pending, *rest.pending]
        assert [row.payment.idempotency_key for row in rows] == ["k2", "k1", "k0"]
        assert rest.next_cursor is None
        for row in rows:
            assert row.in_flight_until_ms == row.payment.expiration_ms
            assert (row.safe_to_retry, row.dead) == (False, False)
        await bench.settle()
        assert (await bench.call("tx.pending")).pending == []


async def test_foreign_transactions_are_listed_and_acknowledged(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        listed = await bench.call("sending.foreign", {"address": STRANGER})
        assert (listed.transactions, listed.next_cursor) == ([], None)
        assert listed.held_back is None
        with pytest.raises(InvalidInput):
            await bench.call("sending.acknowledge", {})
        with pytest.raises(NotFound):
            await bench.call("sending.acknowledge", {"txids": ["0" * 64]})
        done = await bench.call("sending.acknowledge", {"restore": True})
        assert (done.transactions, done.released) == ([], False)
