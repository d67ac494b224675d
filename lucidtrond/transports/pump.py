"""One task that serves whichever connections are ready: the pump.

A trip through trio's loop costs more than a call. So the connections' sockets are in an
epoll of our own, trio watches that one descriptor, and a wake-up serves all that have
come by then, up to `TURN_CALLS`, before other tasks of the daemon get their turn.

Connections work in the pump's own task, inline methods included. One that waits in
spite of its promise keeps that task for itself: another one leads from that moment on
(`Pump.step_down`), so that nobody else is held up, and the old one ends with that
connection's burst.
"""

import os
import select
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from types import coroutine
from typing import Any, Final, Protocol, TypeVar

import trio
from attrs import define, field

T = TypeVar("T")

TURN_CALLS: Final = 128
"""About 2 ms of quick calls."""
MAX_READY: Final = 64
READABLE: Final = select.EPOLLIN
WRITABLE: Final = select.EPOLLOUT
HUNG_UP: Final = select.EPOLLHUP | select.EPOLLERR
"""The kernel tells these whether asked to or not."""


class Worker(Protocol):
    """A connection as the pump sees it."""

    def on_ready(self, events: int) -> bool:
        """Take note of what the kernel says; True to get a turn.

        False if it waits for one already: turns are not counted.
        """

    async def work(self, guard: trio.CancelScope) -> int:
        """Do a bounded piece of it; give how many calls that was, at least 1.

        Whoever cancels *guard* ends only what waits in it at that time.
        """

    def cut_short(self) -> None:
        """Its work was ended by cancelling its guard."""


@define(eq=False)
class Pump:
    """Owned by the server; `run` in the nursery that it was given, then `close`."""

    _nursery: trio.Nursery
    _epoll: select.epoll = field(init=False, factory=select.epoll)
    _wakeup: int = field(init=False)
    _workers: dict[int, Worker] = field(init=False, factory=dict)
    _turns: deque[Worker] = field(init=False, factory=deque)
    _leader: trio.CancelScope | None = None
    _is_asleep: bool = False
    _is_done: bool = False
    now: float = 0.0
    """When it last woke (trio's clock): the present, for who has not waited since."""

    def __attrs_post_init__(self) -> None:
        self._wakeup = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._wakeup, READABLE)

    def close(self) -> None:
        """Give the descriptors back; workers keep theirs."""
        self._epoll.close()
        os.close(self._wakeup)

    def watch(self, fd: int, worker: Worker) -> None:
        """Tell *worker* when *fd* is readable or hung up, until `unwatch`."""
        self._epoll.register(fd, READABLE)
        self._workers[fd] = worker

    def rearm(self, fd: int, events: int) -> None:
        """Change what *fd*'s worker wants to know."""
        self._epoll.modify(fd, events)

    def unwatch(self, fd: int) -> None:
        if self._workers.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def queue(self, worker: Worker) -> None:
        """Give *worker* a turn soon, ready or not; not if it waits for one."""
        self._turns.append(worker)
        self._wake()

    def finish(self) -> None:
        """End `run`; nobody is left to work for."""
        self._is_done = True
        self._wake()

    def _wake(self) -> None:
        if self._is_asleep:
            self._is_asleep = False
            os.eventfd_write(self._wakeup, 1)

    async def run(self) -> None:
        """Lead until `finish`, or until a worker waits and another leads on."""
        worker: Worker | None = None
        turns = self._turns
        with trio.CancelScope() as guard:
            self._leader = guard
            while True:
                if turns:
                    await trio.lowlevel.checkpoint()
                elif self._is_done:
                    return
                else:
                    self._is_asleep = True
                    await trio.lowlevel.wait_readable(self._epoll.fileno())
                    self._is_asleep = False
                self.now = trio.current_time()
                self._take_ready()
                calls = 0
                while turns and calls < TURN_CALLS:
                    worker = turns.popleft()
                    calls += await worker.work(guard)
                    if self._leader is not guard:
                        return
                    if not turns:
                        self._take_ready()
        if worker is not None:
            worker.cut_short()

    def _take_ready(self) -> None:
        worker_of, turns = self._workers.get, self._turns
        for fd, events in self._epoll.poll(0, MAX_READY):
            worker = worker_of(fd)
            if worker is not None:
                if worker.on_ready(events):
                    turns.append(worker)
            elif fd == self._wakeup:
                os.eventfd_read(fd)

    def step_down(self, guard: trio.CancelScope) -> None:
        """Let another task lead: the one in *guard* is about to wait."""
        if self._leader is guard:
            self._leader = None
            self._nursery.start_soon(self.run)


@coroutine
def notice_waiting(
    running: Coroutine[Any, Any, T], on_wait: Callable[[], None]
) -> Generator[Any, Any, T]:
    """Await *running*; if it does not end without waiting, call *on_wait* first.

    In between it passes on what the two sides of an await say to each other.
    """
    try:
        question = running.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    on_wait()
    step: Callable[[Any], Any]
    while True:
        try:
            said = yield question
            step = running.send
        except BaseException as error:  # noqa: BLE001 - it is *running* that handles it
            said, step = error, running.throw
        try:
            question = step(said)
        except StopIteration as done:
            result = done.value
            return result
