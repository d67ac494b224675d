"""A bounded memory of answers; equal questions at one time are one (single flight).

The first task to ask holds the call's lock, the others queue for it and have the
answer, or the error, when they get it. When the first is cancelled the lock goes to the
next, which asks again: no task fails because another was cancelled. Forgetting a key
forgets its call too: later tasks ask anew, and the late answer is given to those that
wait for it but not kept.
"""

from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar, cast

import trio
from attrs import define, field

from lucidtrond.errors import NodeError

V = TypeVar("V")


@define(eq=False)
class _Call:
    """One question under way. The lock's holder asks it."""

    lock: trio.Lock = field(factory=trio.Lock)
    is_done: bool = False
    value: Any = None
    error: NodeError | None = None
    waiters: int = 0


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
    """By an equal question that was under way."""
    asked: int = 0


class Cache:
    """A bounded memory of answers with single flight; the least used goes first."""

    def __init__(self, *, size: int) -> None:
        self._size = size
        self.counts = Counts()
        self._kept: dict[Hashable, _Kept] = {}
        self._calls: dict[Hashable, _Call] = {}

    def __len__(self) -> int:
        return len(self._kept)

    async def get(
        self,
        key: Hashable,
        fetch: Callable[[], Awaitable[V]],
        *,
        age_s: Callable[[V], float],
    ) -> V:
        """The kept answer, or that of the call under way, or *fetch*'s own.

        *age_s* says for how long an answer may be kept; 0: not at all.

        Raises:
            NodeError: what *fetch* raised, for all that waited for it.
        """
        kept = self._find(key)
        if kept is not None:
            self.counts.kept += 1
            await trio.lowlevel.checkpoint()
            return cast("V", kept.value)
        call = self._join(key)
        try:
            # Without a turn of the loop when no other task asks.
            try:
                call.lock.acquire_nowait()
            except trio.WouldBlock:
                await call.lock.acquire()
            try:
                if call.is_done:
                    self.counts.joined += 1
                else:
                    self.counts.asked += 1
                    await self._fetch(call, fetch)
                    self._store(key, call, age_s)
            finally:
                call.lock.release()
        finally:
            self._leave(key, call)
        if call.error is not None:
            # One exception for all of them: without the traceback of those before.
            raise call.error.with_traceback(None)
        return cast("V", call.value)

    def forget(self, key: Hashable) -> None:
        """Drop what is kept of *key*; a call under way will not be kept."""
        self._kept.pop(key, None)
        self._calls.pop(key, None)

    def forget_all(self) -> None:
        """`forget` every key."""
        self._kept.clear()
        self._calls.clear()

    def _find(self, key: Hashable) -> _Kept | None:
        kept = self._kept.pop(key, None)
        if kept is None or kept.until <= trio.current_time():
            return None
        self._kept[key] = kept  # used last
        return kept

    def _join(self, key: Hashable) -> _Call:
        call = self._calls.get(key)
        if call is None:
            call = self._calls[key] = _Call()
        call.waiters += 1
        return call

    async def _fetch(self, call: _Call, fetch: Callable[[], Awaitable[object]]) -> None:
        try:
            call.value = await fetch()
        except NodeError as error:
            call.error = error
        call.is_done = True

    def _store(self, key: Hashable, call: _Call, age_s: Callable[[Any], float]) -> None:
        if self._calls.get(key) is not call:
            return  # forgotten on the way
        del self._calls[key]
        if call.error is not None:
            return
        age = age_s(call.value)
        if age <= 0:
            return
        self._kept[key] = _Kept(call.value, trio.current_time() + age)
        while len(self._kept) > self._size:
            del self._kept[next(iter(self._kept))]

    def _leave(self, key: Hashable, call: _Call) -> None:
        call.waiters -= 1
        if call.waiters == 0 and self._calls.get(key) is call:
            del self._calls[key]
