"""A store whose reads can be held back after they were asked for."""

from collections.abc import Callable
from typing import TypeVar

import trio

from lucidtrond.ports import Store, Tx

T = TypeVar("T")


class HeldStore:
    """Passes everything on; while `holding`, a read's answer waits for `release`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.holding = False
        self.asked = trio.Event()
        self.release = trio.Event()

    async def write(self, fn: Callable[[Tx], T]) -> T:
        return await self._store.write(fn)

    async def read(self, fn: Callable[[Tx], T]) -> T:
        answer = await self._store.read(fn)
        if self.holding:
            self.asked.set()
            await self.release.wait()
        return answer
