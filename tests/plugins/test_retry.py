"""Sending the same bytes again: never another transaction, never after the end."""

import pytest
from trio.testing import MockClock

from lucidtrond.api import AlreadyFinal, Expired, NodeUnavailable, NotFound
from lucidtrond.testing import Workbench
from tests.plugins.bench import NO_TXID, make_shop, open_shipped, payment


def pooled(bench: Workbench) -> list[str]:
    return [each.candidate.txid.hex() for each in bench.node.chain.pool]


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


async def test_a_dead_payment_says_so(autojump_clock: MockClock) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        bench.node.trouble_with_broadcasts = NodeUnavailable("local", 1)
        sent = await bench.call("transfer.send", payment(shop, expires_s=12))
        await bench.mine(10)
        await bench.settle()
        with pytest.raises(Expired) as caught:
            await bench.call("tx.retry", {"txid": sent.txid})
        assert caught.value.data["safe_to_retry"] is True
        assert (await bench.call("tx.pending")).pending == []


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
