"""The ``events.`` methods: subscribe on a connection that stays, poll without one."""

from typing import Annotated, Any, Final

import msgspec
import trio
from msgspec import Meta, Raw

from lucidtrond.errors import InvalidInput
from lucidtrond.events import outbox
from lucidtrond.events.bus import Bus
from lucidtrond.events.outbox import StoredEvent
from lucidtrond.events.types import TOPICS, Proof
from lucidtrond.ports import Store, Tx
from lucidtrond.rpc.dispatch import Call, Method
from lucidtrond.tron.address import Address

MAX_WAIT_MS: Final = 60_000

Seq = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class SubscribeParams(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """No *topics* means all; *since* is the last number seen, None is now.

    *min_proof* leaves out transfers whose proof is less, from ``one_source`` over
    ``two_sources`` to ``signatures``. One that reaches it later comes then, mostly as
    ``proven``; what takes one back (``reverted``, ``downgraded``) always comes.
    """

    topics: tuple[str, ...] = ()
    address: str | None = None
    since: Seq | None = None
    min_proof: Proof | None = None


class Subscribed(msgspec.Struct, frozen=True):
    """*since* is where events begin; *gap* says that older ones are gone by now."""

    subscription: str
    since: int
    gap: bool
    oldest_seq: int


class UnsubscribeParams(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    subscription: str


class Unsubscribed(msgspec.Struct, frozen=True):
    subscription: str


class PollParams(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Like `SubscribeParams`; *wait_ms* is how long to wait for a first event."""

    since: Seq | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    wait_ms: Annotated[int, Meta(ge=0, le=MAX_WAIT_MS)] = 0
    topics: tuple[str, ...] = ()
    address: str | None = None
    min_proof: Proof | None = None


class PolledEvent(msgspec.Struct, frozen=True):
    seq: int
    topic: str
    at_ms: int
    event: Raw


class Polled(msgspec.Struct, frozen=True):
    """Go on with ``since = next_since``; *gap* says that older events are gone."""

    events: list[PolledEvent]
    next_since: int
    gap: bool


class Topics(msgspec.Struct, frozen=True):
    topics: tuple[str, ...]


def events_methods(bus: Bus, store: Store) -> list[Method]:
    """Make the four methods over one bus and its outbox."""

    async def subscribe(call: Call, params: SubscribeParams) -> Subscribed:
        session = call.session
        if session is None:
            raise InvalidInput("a subscription needs a connection that stays open")
        _check(params.topics, params.address)
        session.check_capacity()
        subscription = await bus.subscribe(
            session,
            topics=params.topics,
            address=params.address,
            min_proof=params.min_proof,
            since=params.since,
            on_end=session.forget,
        )
        session.hold(subscription.id, lambda: bus.unsubscribe(subscription.id))
        session.after_answer(subscription.start)
        return Subscribed(
            subscription=subscription.id,
            since=subscription.position,
            gap=subscription.gap,
            oldest_seq=subscription.oldest_seq,
        )

    async def unsubscribe(call: Call, params: UnsubscribeParams) -> Unsubscribed:
        if call.session is None:
            raise InvalidInput("this connection has no subscriptions")
        call.session.release(params.subscription)
        return Unsubscribed(params.subscription)

    async def poll(_: Call, params: PollParams) -> Polled:
        _check(params.topics, params.address)
        page = await _read_page(store, params, params.since)
        since = page.since
        with trio.move_on_after(params.wait_ms / 1000):
            while not page.events and params.wait_ms:
                await bus.wait_beyond(page.last)
                page = await _read_page(store, params, since)
        return page.to_wire()

    async def topics(_: Call) -> Topics:
        return Topics(TOPICS)

    example: dict[str, Any] = {"topics": ["transfer"], "since": 0}
    return [
        Method(
            "events.subscribe",
            subscribe,
            params=SubscribeParams,
            result=Subscribed,
            summary="Send events over this connection, from a number on.",
            example=example,
        ),
        Method(
            "events.unsubscribe",
            unsubscribe,
            params=UnsubscribeParams,
            result=Unsubscribed,
            inline=True,
            summary="End a subscription of this connection.",
            example={"subscription": "s1"},
        ),
        Method(
            "events.poll",
            poll,
            params=PollParams,
            result=Polled,
            timeout_s=MAX_WAIT_MS / 1000 + 10,
            summary="Give events after a number, waiting for the first if asked to.",
            example={**example, "limit": 100, "wait_ms": 1000},
        ),
        Method(
            "events.topics",
            topics,
            result=Topics,
            inline=True,
            summary="List the topics.",
            example={},
        ),
    ]


class _Page(msgspec.Struct, frozen=True):
    """What one look into the outbox showed."""

    events: list[StoredEvent]
    since: int
    last: int
    oldest: int

    def to_wire(self) -> Polled:
        return Polled(
            events=[
                PolledEvent(event.seq, event.topic, event.at_ms, Raw(event.payload))
                for event in self.events
            ],
            next_since=self.events[-1].seq if self.events else self.last,
            gap=self.since + 1 < self.oldest,
        )


async def _read_page(store: Store, params: PollParams, since: int | None) -> _Page:
    def read(tx: Tx) -> _Page:
        last, oldest = outbox.last_seq(tx), outbox.oldest_seq(tx)
        start = last if since is None else since
        if start > last:
            raise InvalidInput(f"since: expected at most {last}, got {start}")
        events = outbox.read_since(
            tx,
            start,
            limit=params.limit,
            topics=params.topics,
            address=params.address,
            min_proof=params.min_proof,
        )
        return _Page(events, start, last, oldest)

    return await store.read(read)


def _check(topics: tuple[str, ...], address: str | None) -> None:
    unknown = sorted(set(topics) - set(TOPICS))
    if unknown:
        raise InvalidInput(f"topics: no topic is called {unknown[0][:40]!r}")
    if address is not None:
        try:
            Address.from_base58(address)
        except ValueError:
            raise InvalidInput("address: expected a base58 address") from None
