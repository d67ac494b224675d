"""What one subscriber asked for, how far it was served, how to find it by event."""

from collections.abc import Callable
from typing import Final, Protocol

from attrs import define, field

from lucidtrond.events.outbox import StoredEvent, rank
from lucidtrond.events.types import Proof

_ALL: Final = "*"


class Sink(Protocol):
    """Where a subscription's frames go, usually a connection."""

    def push(self, frame: bytes) -> bool:
        """Take one JSON text without blocking; False when full: nothing was taken."""


@define(eq=False, kw_only=True)
class Subscription:
    """Made by `Bus.subscribe`; its states are drawn in `events.bus`."""

    id: str
    topics: tuple[str, ...]
    address: str | None
    min_proof: Proof | None = None
    position: int
    """Everything that matches up to here was pushed, or was not asked for."""
    gap: bool
    """True when events between the requested ``since`` and `oldest_seq` are gone."""
    oldest_seq: int
    _sink: Sink
    _begin: "Callable[[Subscription], None]"
    _on_end: Callable[[str], None] | None
    _head: bytes = field(init=False)
    _full_since_s: float | None = None

    def __attrs_post_init__(self) -> None:
        self._head = (
            b'{"jsonrpc":"2.0","method":"events.event","params":{"subscription":"%b",'
            % self.id.encode()
        )

    def takes(self, event: StoredEvent) -> bool:
        """Whether *event*, of its topic and address, is proven enough for it."""
        return (
            self.min_proof is None
            or event.proof is None
            or event.proof >= rank(self.min_proof)
        )

    def start(self) -> None:
        """Let events come, from its position on."""
        self._begin(self)

    def push(self, seq: int, body: bytes) -> bool:
        """Send what `encode` made of event *seq*; False when the sink is full."""
        if not self._sink.push(self._head + body):
            return False
        self.position = seq
        self._full_since_s = None
        return True

    def push_lagged(self) -> bool:
        """Say from where to resume; False when there is still no room."""
        return self._sink.push(
            b'{"jsonrpc":"2.0","method":"events.lagged","params":'
            b'{"subscription":"%b","resume_from":%d}}'
            % (self.id.encode(), self.position)
        )

    def full_for(self, now_s: float) -> float:
        """Note that the sink is full now; give for how long it has been."""
        if self._full_since_s is None:
            self._full_since_s = now_s
        return now_s - self._full_since_s

    def ended(self) -> None:
        """Tell its owner that the bus has ended it."""
        if self._on_end is not None:
            self._on_end(self.id)


def encode(event: StoredEvent) -> bytes:
    """A frame from behind the subscription's id on: the same for all subscribers."""
    return b'"seq":%d,"topic":"%b","at_ms":%d,"event":%b}}' % (
        event.seq,
        event.topic.encode(),
        event.at_ms,
        event.payload,
    )


@define(eq=False)
class Index:
    """Subscriptions by topic and address: who does not match costs nothing."""

    _by: dict[tuple[str, str | None], dict[str, Subscription]] = field(factory=dict)

    def add(self, subscription: Subscription) -> None:
        for topic in subscription.topics or (_ALL,):
            key = (topic, subscription.address)
            self._by.setdefault(key, {})[subscription.id] = subscription

    def discard(self, subscription: Subscription) -> None:
        for topic in subscription.topics or (_ALL,):
            key = (topic, subscription.address)
            subscriptions = self._by.get(key, {})
            subscriptions.pop(subscription.id, None)
            if len(subscriptions) == 0:
                self._by.pop(key, None)

    def matching(self, event: StoredEvent) -> list[Subscription]:
        """Each at most once: an event has one topic, a subscription one address."""
        return [
            subscription
            for topic in (event.topic, _ALL)
            for address in (None, *event.addresses)
            for subscription in self._by.get((topic, address), {}).values()
            if subscription.takes(event)
        ]
