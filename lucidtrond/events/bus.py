"""The fan-out: new rows of the outbox, pushed to whoever subscribed.

The database is the queue. Emitting an event makes its transaction call `Bus.notify`
when it is durable (`Tx.after_commit`), so nobody can forget to; the bus reads the new
rows once, encodes each frame once and pushes it, without blocking, to those whose topic
and address match. A notification too many costs nothing; one that is lost would delay
events until the next one (another process's does not reach us: its events are seen with
our own next one).

A subscription lives through these states::

    held ──start()──▶ replaying ──caught up──▶ live ──sink full──▶ lagging ──▶ (ended)
                          └────sink full for PATIENCE_S, or pruned────▲

- *held*: made, pushes nothing yet, so that its id can be sent before its first event.
- *replaying*: pages are read for it from its own position. Its sink sets the pace.
- *live*: every event above its position, straight from the fan-out. The change from
  replaying happens in one plain function, at a position that is not below what the
  fan-out has done: no event falls between, none comes twice.
- *lagging*: a live sink had no room. It gets no further event, one
  ``events.lagged {subscription, resume_from}`` as soon as it has room, and is ended.
  It can subscribe again with ``since = resume_from`` and misses nothing, as long as the
  outbox still keeps that; otherwise the new subscription says ``gap``.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Final

import trio
from attrs import frozen
from msgspec import Struct

from lucidtrond.errors import InvalidInput
from lucidtrond.events import outbox
from lucidtrond.events.outbox import StoredEvent
from lucidtrond.events.subscription import Index, Sink, Subscription, encode
from lucidtrond.events.types import Event, Proof
from lucidtrond.ports import Clock, Store, Tx

KEEP: Final = 100_000
"""Newest events kept: more than a day of blocks."""
PAGE: Final = 256
SLICE: Final = 256
"""Pushes of one event without a pause: about 4 ms over TCP."""
PATIENCE_S: Final = 10.0
"""How long a replay waits for a full sink before it counts as lagging."""
RETRY_S: Final = 0.05
"""Pause before a full sink is tried again."""


class BusStatistics(Struct, frozen=True):
    subscriptions: int
    replaying: int
    pushed: int
    lagged: int
    last_seq: int


@frozen
class Emitter:
    """Puts events into the outbox within the caller's transaction."""

    _clock: Clock
    _notify: Callable[[], object]
    """Called once the transaction is durable."""

    def __call__(self, tx: Tx, event: Event) -> int:
        tx.after_commit(self._notify)
        return outbox.append(tx, event, at_ms=self._clock.now_ms())


class Bus:
    """Owns subscriptions and the outbox's retention; `run` does the work."""

    def __init__(self, store: Store, *, clock: Clock, keep: int = KEEP) -> None:
        self._store = store
        self._clock = clock
        self._keep = keep
        self._ids = count(1)
        self._notified = trio.Event()
        self._moved = trio.Event()
        self._last_seq = 0
        self._pruned_at = 0
        self._all: dict[str, Subscription] = {}
        self._live = Index()
        self._replaying: dict[str, Subscription] = {}
        self._lagging: dict[str, Subscription] = {}
        self._work = trio.Event()
        self._has_run = False
        self._pushed = 0
        self._lagged = 0

    @property
    def last_seq(self) -> int:
        """Up to here everything was fanned out."""
        return self._last_seq

    def notify(self) -> None:
        """Say that rows were committed; cheap, in trio's thread."""
        self._notified.set()

    def emitter(self) -> Emitter:
        """Give the function that puts an event into the outbox, dated by our clock."""
        return Emitter(self._clock, self.notify)

    async def wait_beyond(self, seq: int) -> int:
        """Return the last number as soon as it is above *seq*."""
        while self._last_seq <= seq:
            await self._moved.wait()
        return self._last_seq

    async def subscribe(
        self,
        sink: Sink,
        *,
        topics: Sequence[str] = (),
        address: str | None = None,
        min_proof: Proof | None = None,
        since: int | None = None,
        on_end: Callable[[str], None] | None = None,
    ) -> Subscription:
        """Make a subscription; nothing is pushed before its `start` is called.

        *since* is the last number the subscriber has seen; None means "from now on".
        No *topics* means all. *min_proof* leaves out what rests on less; what takes
        back comes all the same. *on_end* is called with the id when the bus ends it.

        Raises:
            InvalidInput: *since* lies in the future.
        """
        last, oldest = await self._store.read(_bounds)
        if since is not None and since > max(last, self._last_seq):
            raise InvalidInput(f"since: expected at most {last}, got {since}")
        return self._hold(
            sink,
            topics=tuple(dict.fromkeys(topics)),
            address=address,
            min_proof=min_proof,
            since=last if since is None else since,
            oldest=oldest,
            on_end=on_end,
        )

    def _hold(
        self,
        sink: Sink,
        *,
        topics: tuple[str, ...],
        address: str | None,
        min_proof: Proof | None,
        since: int,
        oldest: int,
        on_end: Callable[[str], None] | None,
    ) -> Subscription:
        subscription = Subscription(
            id=f"s{next(self._ids)}",
            topics=topics,
            address=address,
            min_proof=min_proof,
            position=max(since, oldest - 1),
            gap=since + 1 < oldest,
            oldest_seq=oldest,
            sink=sink,
            begin=self._start,
            on_end=on_end,
        )
        self._all[subscription.id] = subscription
        return subscription

    def _start(self, subscription: Subscription) -> None:
        if subscription.id in self._all and not self._go_live(subscription):
            self._replaying[subscription.id] = subscription
            self._work.set()

    def _go_live(self, subscription: Subscription) -> bool:
        if subscription.position < self._last_seq:
            return False
        self._live.add(subscription)
        return True

    def unsubscribe(self, subscription_id: str) -> bool:
        """End it now; False when there is none (it may have ended by itself)."""
        subscription = self._all.pop(subscription_id, None)
        if subscription is None:
            return False
        self._live.discard(subscription)
        self._replaying.pop(subscription_id, None)
        self._lagging.pop(subscription_id, None)
        return True

    def statistics(self) -> BusStatistics:
        return BusStatistics(
            subscriptions=len(self._all),
            replaying=len(self._replaying),
            pushed=self._pushed,
            lagged=self._lagged,
            last_seq=self._last_seq,
        )

    async def run(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Fan out for ever; one at a time."""
        if not self._has_run:  # started again, it goes on where it was
            self._last_seq, oldest = await self._store.read(_bounds)
            self._pruned_at = oldest - 1
            self._has_run = True
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._serve_slow)
            task_status.started()
            while True:
                await self._notified.wait()
                self._notified = trio.Event()
                await self._fan_out()
                await self._prune()

    async def _fan_out(self) -> None:
        while True:
            since = self._last_seq
            events = await self._store.read(partial(_page, since))
            for event in events:
                await self._push_to_all(event)
            if len(events) < PAGE:
                return

    async def _push_to_all(self, event: StoredEvent) -> None:
        """Push to who is live now, a slice at a time; others run in between.

        Who goes live in between is at this event already: `_go_live` sees to that.
        """
        matching = self._live.matching(event)
        body = encode(event) if matching else b""
        self._last_seq = event.seq
        try:
            for start in range(0, len(matching), SLICE):
                self._push_to_slice(matching[start : start + SLICE], event.seq, body)
                await trio.lowlevel.checkpoint()
        except trio.Cancelled:
            self._last_seq = event.seq - 1  # started again, we go on where we were
            raise
        self._moved.set()
        self._moved = trio.Event()
        if not matching:
            await trio.lowlevel.checkpoint()

    def _push_to_slice(
        self, subscriptions: Sequence[Subscription], seq: int, body: bytes
    ) -> None:
        for subscription in subscriptions:
            if seq <= subscription.position or subscription.id not in self._all:
                continue  # its replay was ahead of us, or it has ended
            if subscription.push(seq, body):
                self._pushed += 1
            else:
                subscription.position = seq - 1
                self._fall_behind(subscription)

    def _fall_behind(self, subscription: Subscription) -> None:
        if subscription.id not in self._all:
            return  # its owner ended it while we pushed
        self._live.discard(subscription)
        self._replaying.pop(subscription.id, None)
        self._lagging[subscription.id] = subscription
        self._lagged += 1
        self._work.set()

    async def _prune(self) -> None:
        if self._last_seq - self._pruned_at > self._keep + max(self._keep // 10, 1):
            await self._store.write(lambda tx: outbox.prune(tx, self._keep))
            self._pruned_at = self._last_seq - self._keep

    async def _serve_slow(self) -> None:
        """Read pages for those that replay; end those that lag once they have room."""
        while True:
            while not self._replaying and not self._lagging:
                await self._work.wait()
                self._work = trio.Event()
            for subscription in list(self._lagging.values()):
                self._end_lagged(subscription)
            moved = False
            for subscription in list(self._replaying.values()):
                moved |= await self._replay_page(subscription)
            if not moved and (self._replaying or self._lagging):
                await trio.sleep(RETRY_S)

    def _end_lagged(self, subscription: Subscription) -> None:
        if subscription.push_lagged() and self.unsubscribe(subscription.id):
            subscription.ended()

    async def _replay_page(self, subscription: Subscription) -> bool:
        """Push what its sink takes of one page; False when that was nothing."""
        position = subscription.position

        def read(tx: Tx) -> tuple[list[StoredEvent], int, int]:
            events = outbox.read_since(
                tx,
                position,
                limit=PAGE,
                topics=subscription.topics,
                address=subscription.address,
                min_proof=subscription.min_proof,
            )
            return events, *_bounds(tx)

        events, last, oldest = await self._store.read(read)
        return self._push_page(subscription, events, last=last, oldest=oldest)

    def _push_page(
        self,
        subscription: Subscription,
        events: Sequence[StoredEvent],
        *,
        last: int,
        oldest: int,
    ) -> bool:
        if subscription.id not in self._replaying:
            return True  # ended while its page was read
        if subscription.position + 1 < oldest:
            self._fall_behind(subscription)
            return True
        for number, event in enumerate(events):
            if not subscription.push(event.seq, encode(event)):
                if subscription.full_for(trio.current_time()) > PATIENCE_S:
                    self._fall_behind(subscription)
                return number > 0
            self._pushed += 1
        if len(events) < PAGE and subscription.id in self._all:
            subscription.position = max(subscription.position, last)
            if self._go_live(subscription):
                del self._replaying[subscription.id]
        return True


def _page(since: int, tx: Tx) -> list[StoredEvent]:
    return outbox.read_since(tx, since, limit=PAGE)


def _bounds(tx: Tx) -> tuple[int, int]:
    return outbox.last_seq(tx), outbox.oldest_seq(tx)
