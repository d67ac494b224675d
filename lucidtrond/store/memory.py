"""A database in memory, worked by trio's own thread: for tests.

The same groups, savepoints and errors as with the real threads, but nothing happens
outside trio's sight: tests are deterministic, and an autojump clock does not jump while
a statement runs. The one connection serves writes first, then reads, in each turn.
"""

import trio

from lucidtrond.store.engine import Connection
from lucidtrond.store.jobs import Job, wake
from lucidtrond.store.writer import Writer, run_read


class MemoryThread:
    """Stands in for writer and readers; works off what was put, once per turn."""

    def __init__(self, connection: Connection, writer: Writer) -> None:
        self._connection = connection
        self._writer = writer
        self._token = trio.lowlevel.current_trio_token()
        self._jobs: list[Job] = []
        self.reads = 0

    def put(self, job: Job) -> None:
        self._jobs.append(job)
        self._token.run_sync_soon(self.work, idempotent=True)

    def work(self) -> None:
        """Do all that waits; in trio's thread."""
        jobs, self._jobs = self._jobs, []
        writes = [job for job in jobs if not job.is_read]
        self._writer.write(writes)
        for job in jobs:
            if job.is_read:
                self._read(job)
        wake(jobs)

    def _read(self, job: Job) -> None:
        self.reads += 1
        if job.is_abandoned:
            return
        self._connection.control("PRAGMA query_only=ON")
        run_read(job, self._connection)
        self._connection.control("PRAGMA query_only=OFF")
