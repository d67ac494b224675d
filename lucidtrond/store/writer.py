"""The thread that writes: whatever waits is committed together, with one fsync.

A group: ``BEGIN IMMEDIATE``; each function in a SAVEPOINT of its own, so that one which
fails leaves nothing behind and takes nobody along; ``COMMIT``; only then the answers.

What a failing database means for a group:

- SQLite gave the transaction up while a function ran (disk full, I/O error): the
  functions that ran so far are refused (nothing of them stays), the others go into a
  new transaction.
- COMMIT fails with "full" or "busy": a clean refusal. In WAL mode the frame that makes
  a transaction valid is the last one written, so it is not there.
- COMMIT fails in any other way (a failed fsync): nobody knows whether the next start
  will find the rows. The group gets `CommitUnknown`, and from then on the store refuses
  everything; only a restart can tell.
"""

import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Final

from lucidtrond.errors import CommitUnknown, StoreError
from lucidtrond.store import engine
from lucidtrond.store.engine import Connection, primary_code, translated
from lucidtrond.store.jobs import Job

LARGEST_GROUP: Final = 256
"""A bound on how long the first of a group waits for the last."""
_CLEAN_REFUSALS: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY})


class Writer:
    """Owns the writing connection; answers jobs through *answer* (thread-safe)."""

    def __init__(
        self,
        connection: Connection,
        *,
        answer: Callable[[Sequence[Job]], None],
        failed: Callable[[], None],
    ) -> None:
        self.connection = connection
        self.failure: CommitUnknown | None = None
        self.groups = 0
        self.writes = 0
        self.refused = 0
        self.largest_group = 0
        self._answer = answer
        self._failed = failed
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(
            target=self._run, name="lucidtrond-writer", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def put(self, job: Job) -> None:
        self._queue.put(job)

    def finish(self) -> None:
        """Make the thread end after what is queued."""
        self._queue.put(None)

    def join(self) -> None:
        self._thread.join()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def queued(self) -> int:
        return self._queue.qsize()

    def _run(self) -> None:
        more = True
        while more:
            jobs, more = self._take_group()
            if jobs:
                self.write(jobs)
                self._answer(jobs)

    def _take_group(self) -> tuple[list[Job], bool]:
        jobs: list[Job] = []
        job = self._queue.get()
        while job is not None:
            jobs.append(job)
            if len(jobs) == LARGEST_GROUP:
                return jobs, True
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                return jobs, True
        return jobs, False

    def write(self, jobs: Sequence[Job]) -> None:
        """Run and commit *jobs*; then each has its answer."""
        while jobs and self.failure is None:
            jobs = self._commit_some(jobs)
        for job in jobs:
            job.refuse(CommitUnknown("refused: an earlier commit's outcome is unknown"))

    def _commit_some(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Try one transaction for *jobs*; give those that did not get to run."""
        try:
            self.connection.control(engine.BEGIN_WRITE)
        except sqlite3.Error as error:
            self._refuse(jobs, translated(error))
            return ()
        for number, job in enumerate(jobs, start=1):
            lost = self._run_one(job)
            if lost is not None:
                self._refuse(jobs[:number], lost)
                self._roll_back(lost)
                return jobs[number:]
        self._commit(jobs)
        return ()

    def _run_one(self, job: Job) -> StoreError | None:
        """Run one function in its savepoint; an error when the whole group is lost."""
        try:
            self.connection.control(engine.SAVEPOINT)
            job.run(self.connection)
            if not self.connection.in_transaction:
                return StoreError("rolled back by the database: nothing was written")
            if job.failed:
                self.connection.control(engine.ROLLBACK_TO)
            self.connection.control(engine.RELEASE)
        except sqlite3.Error as error:
            return translated(error)
        return None

    def _commit(self, jobs: Sequence[Job]) -> None:
        try:
            self.connection.control(engine.COMMIT)
        except sqlite3.Error as error:
            if primary_code(error) in _CLEAN_REFUSALS:
                self._refuse(jobs, translated(error))
                self._roll_back(error)
            else:
                self._give_up(error)
                for job in jobs:
                    job.refuse(CommitUnknown("it may or may not have been written"))
            return
        self.groups += 1
        self.writes += len(jobs)
        self.largest_group = max(self.largest_group, len(jobs))

    def _roll_back(self, reason: Exception) -> None:
        try:
            if self.connection.in_transaction:
                self.connection.control(engine.ROLLBACK)
        except sqlite3.Error:
            self._give_up(reason)

    def _refuse(self, jobs: Sequence[Job], error: StoreError) -> None:
        self.refused += len(jobs)
        for job in jobs:
            job.refuse(error)

    def _give_up(self, reason: Exception) -> None:
        self.failure = CommitUnknown(f"a commit's outcome is unknown: {reason}")
        self._failed()


def run_read(job: Job, connection: Connection) -> None:
    """Run a job on one snapshot; whatever it changed is rolled back."""
    try:
        connection.control(engine.BEGIN_READ)
        job.run(connection)
        if connection.in_transaction:
            connection.control(engine.ROLLBACK)
    except sqlite3.Error as error:
        job.refuse(translated(error))
