"""Who subscribed hears everything once and in order, or is told that it did not."""

import random
from functools import partial

import msgspec
import pytest
import trio
import trio.testing
from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.errors import InvalidInput
from lucidtrond.events import bus as bus_module
from lucidtrond.events import outbox
from lucidtrond.events.bus import PATIENCE_S, Bus
from lucidtrond.store.database import Database
from tests.events.subscribers import (
    ListSink,
    StoppedClock,
    block,
    emit,
    open_bus,
    open_outbox,
    transfer,
    wallet,
)
from tests.store.held import HeldStore


async def test_a_frame_is_the_notification_that_was_promised() -> None:
    async with open_bus() as (bus, db):
        sink = ListSink()
        subscription = await bus.subscribe(sink)
        subscription.start()
        (seq,) = await emit(bus, db, block(7))
        assert sink.messages() == [
            {
                "jsonrpc": "2.0",
                "method": "events.event",
                "params": {
                    "subscription": subscription.id,
                    "seq": seq,
                    "topic": "block",
                    "at_ms": 1_700_000_000_000,
                    "event": msgspec.to_builtins(block(7)),
                },
            }
        ]


async def test_only_wished_topics_and_addresses_come_and_each_event_once() -> None:
    async with open_bus() as (bus, db):
        sinks = {}
        for topics, address in [
            ((), None),
            (("block",), None),
            (("transfer", "wallet"), None),
            (("transfer", "transfer"), "TA"),
            ((), "TB"),
            (("node",), None),
        ]:
            sinks[topics, address] = sink = ListSink()
            (await bus.subscribe(sink, topics=topics, address=address)).start()
        await emit(
            bus, db, block(1), wallet("TA"), transfer("TA", "TB"), transfer("TB", "TB")
        )
        assert [sink.seqs() for sink in sinks.values()] == [
            [1, 2, 3, 4],
            [1],
            [2, 3, 4],
            [3],
            [3, 4],
            [],
        ]


async def test_nothing_comes_before_start_and_nothing_is_missed_by_starting_late() -> (
    None
):
    async with open_bus() as (bus, db):
        await emit(bus, db, block(1))
        sink = ListSink()
        subscription = await bus.subscribe(sink)
        await emit(bus, db, block(2), block(3))
        assert sink.frames == []
        subscription.start()
        await trio.testing.wait_all_tasks_blocked()
        await settle(bus)
        await emit(bus, db, block(4))
        assert sink.seqs() == [2, 3, 4]


async def settle(bus: Bus) -> None:
    """Wait until no replay is under way."""
    while bus.statistics().replaying:
        await trio.lowlevel.checkpoint()


async def test_a_subscriber_that_left_hears_nothing_more() -> None:
    async with open_bus() as (bus, db):
        sink = ListSink()
        subscription = await bus.subscribe(sink)
        subscription.start()
        await emit(bus, db, block(1))
        assert bus.unsubscribe(subscription.id)
        assert not bus.unsubscribe(subscription.id)
        subscription.start()
        await emit(bus, db, block(2))
        assert sink.seqs() == [1]
        assert bus.statistics().subscriptions == 0


async def test_a_wish_for_the_future_is_refused() -> None:
    async with open_bus() as (bus, db):
        await emit(bus, db, block(1))
        with pytest.raises(InvalidInput, match="expected at most 1, got 2"):
            await bus.subscribe(ListSink(), since=2)


@given(st.integers(0, 2**32), st.integers(1, 5))
@settings(max_examples=40, deadline=None)
async def test_replay_and_live_pushes_join_without_gap_or_double(
    seed: int, page: int
) -> None:
    """Writers and subscribers come in any order; pages are tiny on purpose."""
    chance = random.Random(seed)
    whole_page, bus_module.PAGE = bus_module.PAGE, page  # type: ignore[misc] # Final
    try:
        async with open_bus() as (bus, db):
            wishes: list[tuple[int, ListSink]] = []

            async def write() -> None:
                emit_one = bus.emitter()
                for number in range(20):
                    await db.write(partial(emit_one, event=block(number)))
                    if chance.random() < 0.7:
                        bus.notify()
                    for _ in range(chance.randrange(4)):
                        await trio.lowlevel.checkpoint()

            async def join() -> None:
                for _ in range(chance.randrange(30)):
                    await trio.lowlevel.checkpoint()
                since = chance.randint(0, bus.last_seq)
                sink = ListSink()
                subscription = await bus.subscribe(sink, since=since)
                for _ in range(chance.randrange(5)):
                    await trio.lowlevel.checkpoint()
                wishes.append((since, sink))
                subscription.start()

            async with trio.open_nursery() as nursery:
                nursery.start_soon(write)
                for _ in range(8):
                    nursery.start_soon(join)
            bus.notify()
            await bus.wait_beyond(19)
            await settle(bus)
            for since, sink in wishes:
                assert sink.seqs() == list(range(since + 1, 21))
    finally:
        bus_module.PAGE = whole_page  # type: ignore[misc] # as above


@define(eq=False)
class Crowd:
    """Comes and goes at random, while the bus is stopped and started at random."""

    bus: Bus
    chance: random.Random
    stayed: list[tuple[int, ListSink]] = field(factory=list)
    left: list[tuple[ListSink, list[bytes]]] = field(factory=list)

    async def pause(self, most: int) -> None:
        for _ in range(self.chance.randrange(most)):
            await trio.lowlevel.checkpoint()

    async def join(self) -> None:
        await self.pause(40)
        since = self.chance.randint(0, self.bus.last_seq)
        sink = ListSink()
        subscription = await self.bus.subscribe(sink, since=since)
        subscription.start()
        if self.chance.random() < 0.7:
            self.stayed.append((since, sink))
            return
        await self.pause(20)
        self.bus.unsubscribe(subscription.id)
        self.left.append((sink, list(sink.frames)))

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        for _ in range(self.chance.randrange(1, 4)):
            async with trio.open_nursery() as nursery:
                await nursery.start(self.bus.run)
                task_status.started()
                task_status = trio.TASK_STATUS_IGNORED
                await self.pause(12)
                nursery.cancel_scope.cancel()
        await self.bus.run()


@given(st.integers(0, 2**32), st.integers(1, 4))
@settings(max_examples=40, deadline=None)
async def test_who_comes_goes_or_stops_the_bus_between_two_slices_makes_nobody_miss_one(
    seed: int, size: int
) -> None:
    whole_slice, bus_module.SLICE = bus_module.SLICE, size  # type: ignore[misc] # Final
    try:
        async with open_outbox() as db, trio.open_nursery() as nursery:
            bus = Bus(db, clock=StoppedClock())
            crowd = Crowd(bus, random.Random(seed))
            await nursery.start(crowd.run)
            async with trio.open_nursery() as joining:
                for _ in range(12):
                    joining.start_soon(crowd.join)
                for number in range(10):
                    await db.write(partial(bus.emitter(), event=block(number)))
                    bus.notify()
                    await crowd.pause(6)
            await trio.testing.wait_all_tasks_blocked()
            bus.notify()
            await trio.testing.wait_all_tasks_blocked()
            for since, sink in crowd.stayed:
                assert sink.seqs() == list(range(since + 1, 11))
            assert all(sink.frames == then for sink, then in crowd.left)
            nursery.cancel_scope.cancel()
    finally:
        bus_module.SLICE = whole_slice  # type: ignore[misc] # as above


async def test_one_event_for_many_leaves_room_for_others_in_between() -> None:
    class Noting(ListSink):
        def push(self, frame: bytes) -> bool:
            order.append("push")
            return super().push(frame)

    order: list[str] = []
    async with open_bus() as (bus, db):
        for _ in range(1000):
            (await bus.subscribe(Noting())).start()
        await db.write(partial(bus.emitter(), event=block(1)))
        bus.notify()
        while order.count("push") < 1000:
            order.append("other")
            await trio.lowlevel.checkpoint()
    runs = [len(run) for run in "".join(word[0] for word in order).split("o")]
    assert max(runs) <= 512  # two slices: trio shuffles who goes first in a round


async def test_a_replay_that_matches_nothing_goes_live_all_the_same() -> None:
    async with open_bus() as (bus, db):
        await emit(bus, db, wallet("TA"), block(1), block(2))
        sink = ListSink()
        (await bus.subscribe(sink, topics=["wallet"], since=1)).start()
        await settle(bus)
        assert bus.statistics().replaying == 0
        await emit(bus, db, block(3), wallet("TB"))
        assert sink.seqs() == [5]


async def test_who_leaves_while_its_page_is_read_hears_nothing() -> None:
    async with open_outbox() as db, trio.open_nursery() as nursery:
        store = HeldStore(db)
        bus = Bus(store, clock=StoppedClock())
        await nursery.start(bus.run)
        await emit(bus, db, block(1), block(2))
        sink = ListSink()
        subscription = await bus.subscribe(sink, since=0)
        store.holding = True
        subscription.start()
        await store.asked.wait()
        bus.unsubscribe(subscription.id)
        store.release.set()
        await trio.testing.wait_all_tasks_blocked()
        assert sink.frames == []
        nursery.cancel_scope.cancel()


async def test_who_leaves_at_its_last_replayed_event_does_not_go_live() -> None:
    async with open_bus() as (bus, db):

        class Satisfied(ListSink):
            def push(self, frame: bytes) -> bool:
                bus.unsubscribe(subscription.id)
                return super().push(frame)

        sink = Satisfied()
        await emit(bus, db, block(1))
        subscription = await bus.subscribe(sink, since=0)
        subscription.start()
        await settle(bus)
        await emit(bus, db, block(2))
        assert sink.seqs() == [1]


async def test_subscriptions_that_ended_leave_nothing_behind() -> None:
    async with open_bus() as (bus, _):
        for number in range(100):
            subscription = await bus.subscribe(
                ListSink(), topics=["block", "wallet"], address=f"T{number}"
            )
            subscription.start()
            bus.unsubscribe(subscription.id)
        assert (bus._live._by, bus._all) == ({}, {})


async def test_a_full_live_sink_gets_one_lagged_when_it_has_room_and_is_ended(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_bus() as (bus, db):
        slow, quick = ListSink(room=2), ListSink()
        ended: list[str] = []
        for sink in (slow, quick):
            (await bus.subscribe(sink, on_end=ended.append)).start()
        await emit(bus, db, *map(block, range(5)))
        await trio.sleep(1)
        assert (slow.seqs(), slow.lagged(), ended) == ([1, 2], [], [])
        slow.room = 100
        await trio.sleep(1)
        await emit(bus, db, block(9))
        assert (slow.seqs(), slow.lagged(), ended) == ([1, 2], [2], ["s1"])
        assert quick.seqs() == [1, 2, 3, 4, 5, 6]
        again = await bus.subscribe(slow, since=slow.lagged()[0])
        again.start()
        await settle(bus)
        assert slow.seqs() == [1, 2, 3, 4, 5, 6]
        assert bus.statistics().lagged == 1


async def test_lagging_behind_skipped_events_resumes_right_before_the_first_missed(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_bus() as (bus, db):
        sink = ListSink(room=0)
        (await bus.subscribe(sink, topics=["wallet"])).start()
        await emit(bus, db, block(1), block(2), wallet("TA"), block(3))
        sink.room = 1
        await trio.sleep(1)
        assert sink.lagged() == [2]


async def test_a_replay_goes_at_the_pace_of_its_sink(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_bus() as (bus, db):
        await emit(bus, db, *map(block, range(10)))
        sink = ListSink(room=3)
        (await bus.subscribe(sink, since=0)).start()
        for room in (3, 6, 9):
            sink.room = room
            await trio.sleep(PATIENCE_S - 1)
            assert sink.seqs() == list(range(1, room + 1))
        sink.room = 100
        await trio.sleep(1)
        await emit(bus, db, block(10))
        assert sink.seqs() == list(range(1, 12))


async def test_a_replay_whose_sink_stays_full_is_ended_with_lagged(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_bus() as (bus, db):
        await emit(bus, db, *map(block, range(10)))
        sink = ListSink(room=3)
        (await bus.subscribe(sink, since=0)).start()
        await trio.sleep(PATIENCE_S + 1)
        sink.room = 100
        await trio.sleep(1)
        assert (sink.seqs(), sink.lagged()) == ([1, 2, 3], [3])


async def test_a_wish_older_than_what_is_kept_says_gap() -> None:
    async with open_bus() as (bus, db):
        await emit(bus, db, *map(block, range(10)))
        await db.write(lambda tx: outbox.prune(tx, 4))
        for since, gap in ((0, True), (5, True), (6, False), (9, False)):
            sink = ListSink()
            subscription = await bus.subscribe(sink, since=since)
            assert (subscription.gap, subscription.oldest_seq) == (gap, 7)
            subscription.start()
            await settle(bus)
            assert sink.seqs() == list(range(max(since + 1, 7), 11))


async def test_events_pruned_while_a_replay_was_waiting_are_not_passed_over_silently(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_bus() as (bus, db):
        await emit(bus, db, *map(block, range(10)))
        sink = ListSink(room=2)
        (await bus.subscribe(sink, since=0)).start()
        await trio.sleep(1)
        await db.write(lambda tx: outbox.prune(tx, 3))
        sink.room = 100
        await trio.sleep(1)
        assert (sink.seqs(), sink.lagged()) == ([1, 2], [2])
        assert (await bus.subscribe(sink, since=2)).gap


async def test_the_bus_prunes_what_is_more_than_it_keeps() -> None:
    async with open_bus(keep=20) as (bus, db):
        for number in range(60):
            await emit(bus, db, block(number))
        await trio.testing.wait_all_tasks_blocked()
        rows = await db.read(lambda tx: outbox.read_since(tx, 0, limit=999))
        assert 20 <= len(rows) <= 23
        assert rows[-1].seq == 60


async def test_waiting_beyond_a_number_ends_with_the_first_event_above_it() -> None:
    async with open_bus() as (bus, db):
        await emit(bus, db, block(1))
        assert await bus.wait_beyond(0) == 1
        heard: list[int] = []

        async def wait() -> None:
            heard.append(await bus.wait_beyond(1))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await trio.testing.wait_all_tasks_blocked()
            bus.notify()  # with nothing new
            await trio.testing.wait_all_tasks_blocked()
            assert heard == []
            await emit(bus, db, block(2))
        assert heard == [2]


async def test_a_sink_that_ends_its_subscription_while_it_is_pushed_to_is_let_go(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_bus() as (bus, db):

        class Closing(ListSink):
            def push(self, _frame: bytes) -> bool:
                bus.unsubscribe(subscription.id)
                return False

        for since in (None, 0):
            await emit(bus, db, block(1))
            subscription = await bus.subscribe(Closing(), since=since)
            subscription.start()
            await emit(bus, db, block(2))
            await trio.sleep(1)
            assert bus.statistics().subscriptions == 0
        assert bus.statistics().lagged == 0


async def test_a_bus_that_is_started_again_goes_on_where_it_was() -> None:
    async with open_outbox() as db:
        bus = Bus(db, clock=StoppedClock())
        sink = ListSink()
        async with trio.open_nursery() as nursery:
            await nursery.start(bus.run)
            (await bus.subscribe(sink)).start()
            await emit(bus, db, block(1))
            nursery.cancel_scope.cancel()
        await db.write(lambda tx: bus.emitter()(tx, block(2)))
        bus.notify()
        async with trio.open_nursery() as nursery:
            await nursery.start(bus.run)
            await emit(bus, db, block(3))
            nursery.cancel_scope.cancel()
        assert sink.seqs() == [1, 2, 3]


async def test_cancelling_the_bus_at_any_await_loses_and_doubles_nothing() -> None:
    for steps in range(12):
        async with open_outbox() as db:
            bus = Bus(db, clock=StoppedClock())
            sink = ListSink()
            (await bus.subscribe(sink)).start()
            await run_for(steps, bus, db)
            async with trio.open_nursery() as nursery:
                await nursery.start(bus.run)
                await emit(bus, db, block(5))
                await settle(bus)
                nursery.cancel_scope.cancel()
            assert sink.seqs() == [1, 2, 3, 4]


async def run_for(steps: int, bus: Bus, db: Database) -> None:
    """Let the bus run, write three events meanwhile, cancel after *steps*."""
    emit_one = bus.emitter()
    async with trio.open_nursery() as nursery:
        await nursery.start(bus.run)
        for number in range(3):
            await db.write(partial(emit_one, event=block(number)))
            bus.notify()
        for _ in range(steps):
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
