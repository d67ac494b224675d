"""What is dead is settled beside what is alive, and never before it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from lucidtrond.errors import CommitUnknown, StoreError
from lucidtrond.events.types import Payment
from lucidtrond.sending.settling import (
    AGREE_WITHIN_S,
    SETTLE_AT_ONCE,
    SETTLE_WITHIN_S,
)
from lucidtrond.tron.transaction import Transaction, TxId
from tests.sending.model import Process, pay, process
from tests.sending.test_renewal import DEATH, drop, now

Clock = trio.testing.MockClock
BLOCK_S = 3.0
DEAD = 20
SILENT_S = 10.0
"""So long a request to a node that never answers once took."""
HOUR_S = 3600.0


@asynccontextmanager
async def with_dead_ones(*, attempts: int = 1) -> AsyncIterator[Process]:
    """`DEAD` payments are proven dead, which a second node has not confirmed yet."""
    async with process() as made:
        made.chain.sources = 2
        made.chain.reply = drop
        for number in range(DEAD):
            await pay(made, f"dead {number}", attempts=attempts)
        await made.mine(DEATH)
        for number in range(DEAD):
            assert (await now(made, f"dead {number}")).state == "expired"
        yield made


def noting(sent: list[tuple[float, TxId]]) -> Callable[[Transaction], str]:
    """Take no transaction, and note when each came."""

    def reply(transaction: Transaction) -> str:
        sent.append((trio.current_time(), transaction.txid))
        return "drop"

    return reply


async def blocks(made: Process, seconds: float) -> None:
    """Blocks as the network makes them, each followed at once."""
    for _ in range(int(seconds / BLOCK_S)):
        await trio.sleep(BLOCK_S)
        made.chain.mine()
        made.chain.solidify(made.chain.head - 19)
        await made.follower._turn()


async def settled(made: Process) -> list[Payment]:
    found = [await now(made, f"dead {number}") for number in range(DEAD)]
    return [each for each in found if each.safe_to_retry or each.attempt > 1]


@pytest.mark.parametrize("others", [(), ("another",)], ids=["in doubt", "agreed"])
async def test_a_live_payment_is_sent_on_time_whatever_the_dead_ones_wait_for(
    others: tuple[str, ...], autojump_clock: Clock
) -> None:
    async with with_dead_ones() as made:
        made.chain.silence_s = SILENT_S
        made.chain.others = others
        sent: list[tuple[float, TxId]] = []
        made.chain.reply = noting(sent)
        async with trio.open_nursery() as nursery:
            await nursery.start(made.sender.run)
            await blocks(made, 2 * BLOCK_S)  # settling is under way
            assert made.chain.asking_all > 0
            begun = trio.current_time()
            live = await pay(made, "live")
            assert trio.current_time() == begun
            await blocks(made, 114)
            nursery.cancel_scope.cancel()
        # As without any dead ones: at once, after 20 s and after 60 s of chain time.
        times = [at - begun for at, txid in sent if txid == live.txid]
        assert len(times) == 3
        assert times == pytest.approx([0, 21, 63], abs=BLOCK_S)
        assert (await now(made, "live")).state == "pending"
        assert made.chain.most_asking_all <= SETTLE_AT_ONCE
        assert len(await settled(made)) == (DEAD if others else 0)


async def test_what_follows_a_dead_one_is_sent_without_waiting_for_a_block(
    autojump_clock: Clock,
) -> None:
    async with with_dead_ones(attempts=2) as made:
        made.chain.silence_s = SILENT_S
        made.chain.others = ("another",)
        sent: list[tuple[float, TxId]] = []
        made.chain.reply = noting(sent)
        async with trio.open_nursery() as nursery:
            await nursery.start(made.sender.run)
            await blocks(made, BLOCK_S)
            await trio.sleep(DEAD * SILENT_S)
            await trio.testing.wait_all_tasks_blocked()
            renewed = {each.txid for each in await settled(made)}
            assert {txid for _, txid in sent} == renewed
            nursery.cancel_scope.cancel()


async def test_a_round_asks_the_nodes_once_and_ends_when_they_do_not_agree(
    autojump_clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    async with with_dead_ones() as made:
        asked: list[str] = []
        made.chain.before_answer = asked.append
        for _ in range(3):
            await made.sender._settling.settle_due()
        assert asked == ["agreement"] * 3
        told = "dead payments wait for the nodes to agree"
        assert caplog.text.count(told) == 1
        made.chain.others = ("another",)
        await made.sender._settling.settle_due()
        assert len(await settled(made)) == DEAD
        assert caplog.text.count(told) == 1


async def test_a_round_has_an_end_when_no_node_has_one(autojump_clock: Clock) -> None:
    async with with_dead_ones() as made:
        made.chain.silence_s = HOUR_S
        begun = trio.current_time()
        await made.sender._settling.settle_due()
        assert trio.current_time() - begun == pytest.approx(AGREE_WITHIN_S)

        made.chain.others = ("another",)
        made.chain.silence_s = 0

        def fall_silent(what: str) -> None:
            if what == "sightings":
                made.chain.silence_s = HOUR_S

        made.chain.before_answer = fall_silent
        begun = trio.current_time()
        await made.sender._settling.settle_due()
        assert trio.current_time() - begun <= DEAD / SETTLE_AT_ONCE * SETTLE_WITHIN_S
        assert await settled(made) == []


async def test_a_store_that_refuses_ends_no_settling_but_an_unknown_commit_does(
    autojump_clock: Clock,
) -> None:
    async with with_dead_ones() as made:
        made.chain.others = ("another",)
        made.store.nth, made.store.error = 0, StoreError
        await made.sender._settling.settle_due()
        assert len(await settled(made)) == DEAD - 1
        await made.sender._settling.settle_due()
        assert len(await settled(made)) == DEAD
    async with with_dead_ones() as made:
        made.chain.others = ("another",)

        def break_the_store(_: str) -> None:
            made.store.nth, made.store.error, made.store.after = 0, CommitUnknown, True

        made.chain.before_answer = break_the_store
        with pytest.RaisesGroup(CommitUnknown, flatten_subgroups=True):
            await made.sender.run()
