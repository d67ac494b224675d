"""The store: durable writes through one thread, snapshot reads through a few.

`write` and `read` take a plain function of a `Tx` and run it in a store thread, so that
no SQL runs in trio's thread and no transaction is ever held across an ``await``.

Bounds: `QUEUE` writes and as many reads may be on their way; the next caller waits
(and may still be cancelled while it waits). A write that is queued runs whether or not
its caller is cancelled meanwhile; the caller is cancelled at its next
checkpoint, when it has the outcome. A cancelled read is interrupted.
"""

import queue
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final, NoReturn, TypeVar, cast

import trio
from msgspec import Struct

from lucidtrond.errors import CommitUnknown, StoreError
from lucidtrond.ports import Tx
from lucidtrond.store.engine import Connection, open_reader, open_writer
from lucidtrond.store.jobs import Job, wake
from lucidtrond.store.memory import MemoryThread
from lucidtrond.store.reader import Reader
from lucidtrond.store.writer import Writer

T = TypeVar("T")

QUEUE: Final = 1024
READERS: Final = 2
_CLOSE_S: Final = 30.0


class StoreStatistics(Struct, frozen=True):
    """Counters since the store was opened."""

    writes: int
    groups: int
    """Commits, each with one fsync; writes / groups is the mean group."""
    largest_group: int
    refused: int
    reads: int
    queued: int


class Database:
    """`ports.Store` over SQLite; made by `open_store`."""

    def __init__(self, writer: Connection, readers: Sequence[Connection]) -> None:
        self._token = trio.lowlevel.current_trio_token()
        self._writer = Writer(writer, answer=self._answer, failed=self._note_failure)
        self._reads: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._readers = [
            Reader(
                connection,
                self._reads,
                answer=self._answer,
                name=f"lucidtrond-reader-{number}",
            )
            for number, connection in enumerate(readers)
        ]
        # Without readers the database is in memory, and its own thread is trio's.
        self._memory = None if readers else MemoryThread(writer, self._writer)
        self._write_slots = trio.Semaphore(QUEUE)
        self._read_slots = trio.Semaphore(QUEUE)
        self._failed = trio.Event()
        self._closed = False
        if self._memory is None:
            self._writer.start()
        for reader in self._readers:
            reader.start()

    async def write(self, fn: Callable[[Tx], T]) -> T:
        """Run *fn* in the writer; its effects are durable when this returns.

        *fn* gets no second call: when it raises, or when its group is refused, nothing
        of it stays. Not cancelled once queued.

        Raises:
            StoreError: refused (disk full, closed); nothing was written.
            CommitUnknown: it may or may not be there; the store refuses all else.
        """
        async with self._write_slots:
            self._check()
            job = Job(fn, is_read=False)
            (self._memory or self._writer).put(job)
            return cast(
                T, await trio.lowlevel.wait_task_rescheduled(_stay_until_answered)
            )

    async def read(self, fn: Callable[[Tx], T]) -> T:
        """Run *fn* on one consistent snapshot of what was committed.

        Raises:
            StoreError: *fn* tried to write, or the database can't be read.
        """
        async with self._read_slots:
            self._check()
            job = Job(fn, is_read=True)

            def abandon(raise_cancel: Callable[[], NoReturn]) -> trio.lowlevel.Abort:
                job.abandon(raise_cancel)
                return (
                    trio.lowlevel.Abort.FAILED
                )  # its statement stops and it is answered

            (self._memory or self._reads).put(job)
            return cast(T, await trio.lowlevel.wait_task_rescheduled(abandon))

    async def wait_failed(self) -> CommitUnknown:
        """Return once a commit's outcome is unknown: then the daemon must stop."""
        await self._failed.wait()
        assert self._writer.failure is not None  # noqa: S101 - set before the event
        return self._writer.failure

    def statistics(self) -> StoreStatistics:
        writer = self._writer
        return StoreStatistics(
            writes=writer.writes,
            groups=writer.groups,
            largest_group=writer.largest_group,
            refused=writer.refused,
            reads=sum(reader.reads for reader in self._readers)
            + (self._memory.reads if self._memory else 0),
            queued=writer.queued() + self._reads.qsize(),
        )

    async def aclose(self) -> None:
        """Finish what is queued, then close; what comes later is refused."""
        if self._closed:
            return
        self._closed = True
        if self._memory is not None:
            self._memory.work()
            self._writer.connection.close()
            return
        self._writer.finish()
        for _ in self._readers:
            self._reads.put(None)
        with trio.move_on_after(_CLOSE_S, shield=True):
            await trio.to_thread.run_sync(self._join, abandon_on_cancel=True)
        # The answers of the last group were given to trio before its thread ended.
        await trio.lowlevel.cancel_shielded_checkpoint()

    def _join(self) -> None:
        for reader in self._readers:
            reader.join()
            reader.connection.close()
        self._writer.join()
        self._writer.connection.close()

    def _check(self) -> None:
        if self._writer.failure is not None:
            raise CommitUnknown("refused: an earlier commit's outcome is unknown")
        if self._closed:
            raise StoreError("the store is closed")

    def _answer(self, jobs: Sequence[Job]) -> None:
        self._soon(partial(wake, jobs))

    def _note_failure(self) -> None:
        self._soon(self._failed.set)

    def _soon(self, fn: Callable[[], object]) -> None:
        # Once trio has ended nothing waits for it; the rows are there.
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(fn)


def _stay_until_answered(_: Callable[[], NoReturn]) -> trio.lowlevel.Abort:
    return trio.lowlevel.Abort.FAILED


@asynccontextmanager
async def open_store(
    path: Path | None, *, readers: int = READERS
) -> AsyncIterator[Database]:
    """Open the database at *path* (None: in memory, for tests) and close it after.

    Raises:
        StoreError: it can't be opened.
    """
    if path is None:  # no file to wait for, and no thread for a test's clock to miss
        await trio.lowlevel.checkpoint()
        connections = _open_all(path, readers)
    else:
        connections = await trio.to_thread.run_sync(_open_all, path, readers)
    database = Database(connections[0], connections[1:])
    try:
        yield database
    finally:
        await database.aclose()


def _open_all(path: Path | None, readers: int) -> list[Connection]:
    opened = [open_writer(path)]
    try:
        if path is not None:
            opened += [open_reader(path) for _ in range(readers)]
    except BaseException:
        for connection in opened:
            connection.close()
        raise
    return opened
