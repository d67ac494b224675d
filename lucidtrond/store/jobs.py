"""A function on its way to a store thread, and its answer on the way back."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

import outcome
import trio

from lucidtrond.ports import Tx
from lucidtrond.store.engine import Connection, SqliteTx

Answer = outcome.Value[Any] | outcome.Error


class Job:
    """One call of `write` or `read`; the waiting task belongs to it."""

    __slots__ = ("answer", "callbacks", "fn", "is_read", "raise_cancel", "task", "tx")

    def __init__(self, fn: Callable[[Tx], Any], *, is_read: bool) -> None:
        self.fn = fn
        self.is_read = is_read
        self.task = trio.lowlevel.current_task()
        self.answer: Answer | None = None
        self.tx: SqliteTx | None = None
        self.callbacks: Iterable[Callable[[], object]] = ()
        self.raise_cancel: Callable[[], NoReturn] | None = None
        """Set when the caller was cancelled; raised there instead of the answer."""

    def run(self, connection: Connection) -> None:
        """Call the function inside the transaction that is open."""
        tx = self.tx = SqliteTx(connection)
        if self.is_abandoned:
            tx.stopped = "the caller of this read went away"
        try:
            with connection.function_runs(tx):
                self.answer = outcome.Value(self.fn(tx))
            self.callbacks = () if self.is_read else tx.callbacks
        except BaseException as error:  # noqa: BLE001 - the caller's task raises it
            self.answer = outcome.Error(error)
        finally:
            tx.stopped = "this transaction has ended"
            self.tx = None

    def refuse(self, error: Exception) -> None:
        """Answer with *error*, unless the function failed by itself already."""
        if not isinstance(self.answer, outcome.Error):
            self.answer = outcome.Error(error)

    def abandon(self, raise_cancel: Callable[[], NoReturn]) -> None:
        """The caller was cancelled: answer soon, its statements stop."""
        self.raise_cancel = raise_cancel
        if self.tx is not None:
            self.tx.stopped = "the caller of this read went away"

    @property
    def is_abandoned(self) -> bool:
        return self.raise_cancel is not None

    @property
    def failed(self) -> bool:
        return isinstance(self.answer, outcome.Error)

    def reschedule(self) -> None:
        """Wake the caller; in trio's thread only."""
        if self.raise_cancel is not None:
            trio.lowlevel.reschedule(self.task, outcome.capture(self.raise_cancel))
        else:
            assert self.answer is not None  # noqa: S101 - its thread answered it
            trio.lowlevel.reschedule(self.task, self.answer)


def wake(jobs: Sequence[Job]) -> None:
    """Wake the callers and call what their transactions asked for; in trio's thread.

    A caller runs after all of it: waking it only schedules its task.
    """
    durable: dict[Callable[[], object], None] = {}
    for job in jobs:
        job.reschedule()
        if not job.failed:
            durable.update(dict.fromkeys(job.callbacks))
    for callback in durable:
        callback()
