"""A bounded memory of answers in which equal questions fly together.

Single flight. Of equal questions at one time one is asked: its asker holds the flight's
lock, the others queue for it and find the answer, or the error, when they get it. When
the asker is cancelled the lock goes to the next, who asks again: nobody fails because
somebody else went away. Forgetting a key takes its flight down too: who comes later
asks anew, and the late answer is given to those who wait for it but not kept.
"""

from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar, cast

import trio
from attrs import define, field

from lucidtrond.errors import NodeError

V = TypeVar("V")


@define(eq=False)
class _Flight:
    """One question on its way. The lock's holder asks it."""

    lock: trio.Lock = field(factory=trio.Lock)
    landed: bool = False
    value: Any = None
    error: NodeError | None = None
    aboard: int = 0


@define
class _Kept:
    value: Any
    until: float


@define
class Counts:
    """How questions were answered, since the start."""

    kept: int = 0
    """From memory."""
    joined: int = 0
    """By a question of somebody else that was under way."""
    asked: int = 0


class Cache:
    """A bounded memory of answers with single flight; the least used goes first."""

    def __init__(self, *, size: int) -> None:
        self._size = size
        self.counts = Counts()
        self._kept: dict[Hashable, _Kept] = {}
        self._flights: dict[Hashable, _Flight] = {}

    def __len__(self) -> int:
        return len(self._kept)

    async def get(
        self,
        key: Hashable,
        fetch: Callable[[], Awaitable[V]],
        *,
        age_s: Callable[[V], float],
    ) -> V:
        """The kept answer, or that of the flight under way, or *fetch*'s own.

        *age_s* says for how long an answer may be kept; 0: not at all.

        Raises:
            NodeError: what *fetch* raised, for everybody who waited for it.
        """
        kept = self._find(key)
        if kept is not None:
            self.counts.kept += 1
            await trio.lowlevel.checkpoint()
            return cast("V", kept.value)
        flight = self._board(key)
        try:
            # Without a turn of the loop when nobody else flies.
            try:
                flight.lock.acquire_nowait()
            except trio.WouldBlock:
                await flight.lock.acquire()
            try:
                if flight.landed:
                    self.counts.joined += 1
                else:
                    self.counts.asked += 1
                    await self._fly(flight, fetch)
                    self._land(key, flight, age_s)
            finally:
                flight.lock.release()
        finally:
            self._leave(key, flight)
        if flight.error is not None:
            # One exception for all of them: without the traceback of those before.
            raise flight.error.with_traceback(None)
        return cast("V", flight.value)

    def forget(self, key: Hashable) -> None:
        """Drop what is kept of *key*; a flight under way will not be kept."""
        self._kept.pop(key, None)
        self._flights.pop(key, None)

    def forget_all(self) -> None:
        """`forget` every key."""
        self._kept.clear()
        self._flights.clear()

    def _find(self, key: Hashable) -> _Kept | None:
        kept = self._kept.pop(key, None)
        if kept is None or kept.until <= trio.current_time():
            return None
        self._kept[key] = kept  # used last
        return kept

    def _board(self, key: Hashable) -> _Flight:
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight()
        flight.aboard += 1
        return flight

    async def _fly(
        self, flight: _Flight, fetch: Callable[[], Awaitable[object]]
    ) -> None:
        try:
            flight.value = await fetch()
        except NodeError as error:
            flight.error = error
        flight.landed = True

    def _land(
        self, key: Hashable, flight: _Flight, age_s: Callable[[Any], float]
    ) -> None:
        if self._flights.get(key) is not flight:
            return  # forgotten on the way
        del self._flights[key]
        if flight.error is not None:
            return
        age = age_s(flight.value)
        if age <= 0:
            return
        self._kept[key] = _Kept(flight.value, trio.current_time() + age)
        while len(self._kept) > self._size:
            del self._kept[next(iter(self._kept))]

    def _leave(self, key: Hashable, flight: _Flight) -> None:
        flight.aboard -= 1
        if flight.aboard == 0 and self._flights.get(key) is flight:
            del self._flights[key]
