"""One peer's connection as the methods see it: who it is and what it may hold.

Bounds and their answers to "full": requests in flight (the transport stops reading),
bytes waiting to be sent (events are refused, see `Outlet.push`), subscriptions
(`TooBusy`).
"""

from collections.abc import Callable
from typing import Final, Protocol

from attrs import define, field
from msgspec import Struct

from lucidtrond.api.caller import Caller
from lucidtrond.errors import NotFound, TooBusy


class SessionLimits(Struct, frozen=True):
    """What one connection may hold."""

    in_flight: int = 256
    subscriptions: int = 64
    out_bytes: int = 8 << 20
    """Waiting answers; beyond it nothing more is read from the peer."""
    event_bytes: int = 1 << 20
    """Waiting bytes beyond which an event finds no room."""


DEFAULT_LIMITS: Final = SessionLimits()


class Outlet(Protocol):
    """Where frames leave: a connection's outbox."""

    def push(self, frame: bytes) -> bool:
        """Take *frame* without blocking; False when full, then nothing was taken."""


@define(eq=False)
class Session:
    """Made by a transport for each connection and closed by it.

    It is a sink for the event bus: `push` never blocks.
    """

    caller: Caller
    outlet: Outlet
    limits: SessionLimits = DEFAULT_LIMITS
    is_closed: bool = False
    _subscriptions: dict[str, Callable[[], object]] = field(init=False, factory=dict)
    _deferred: list[Callable[[], None]] = field(init=False, factory=list)

    def push(self, frame: bytes) -> bool:
        """Send *frame* some time; False when there is no room for it now."""
        return not self.is_closed and self.outlet.push(frame)

    def hold(self, subscription: str, end: Callable[[], object]) -> None:
        """Remember a subscription; *end* is called when it is released or we close.

        Raises:
            TooBusy: there are as many as a connection may have, or it has closed;
                *end* was called.
        """
        try:
            self.check_capacity()
        except TooBusy:
            end()
            raise
        self._subscriptions[subscription] = end

    def check_capacity(self) -> None:
        """Raises TooBusy when no further subscription may be held."""
        if self.is_closed:
            raise TooBusy("this connection is closing", retryable=False)
        if len(self._subscriptions) >= self.limits.subscriptions:
            raise TooBusy(
                f"this connection holds {self.limits.subscriptions} subscriptions",
                retryable=False,
            )

    def release(self, subscription: str) -> None:
        """End a subscription of this connection.

        Raises:
            NotFound: there is none of that name here.
        """
        end = self._subscriptions.pop(subscription, None)
        if end is None:
            raise NotFound("no such subscription on this connection")
        end()

    def forget(self, subscription: str) -> None:
        """Note that a subscription ended by itself."""
        self._subscriptions.pop(subscription, None)

    @property
    def has_subscriptions(self) -> bool:
        return bool(self._subscriptions)

    def after_answer(self, action: Callable[[], None]) -> None:
        """Run *action* when the answer to the present call is on its way.

        So that the name of a subscription arrives before its first event.
        """
        self._deferred.append(action)

    def answered(self) -> None:
        """Called by the transport behind each answer."""
        if self._deferred:
            deferred, self._deferred = self._deferred, []
            for action in deferred:
                action()

    def close(self) -> None:
        """End all subscriptions; safe to call twice."""
        self.is_closed = True
        self._deferred.clear()
        subscriptions, self._subscriptions = self._subscriptions, {}
        for end in subscriptions.values():
            end()
