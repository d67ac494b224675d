"""A thread that reads: one read-only connection, one snapshot per function."""

import queue
import threading
from collections.abc import Callable, Sequence

from lucidtrond.store.engine import Connection
from lucidtrond.store.jobs import Job
from lucidtrond.store.writer import run_read


class Reader:
    """Takes jobs from a queue that it may share with other readers."""

    def __init__(
        self,
        connection: Connection,
        jobs: "queue.SimpleQueue[Job | None]",
        *,
        answer: Callable[[Sequence[Job]], None],
        name: str,
    ) -> None:
        self.connection = connection
        self.reads = 0
        self._jobs = jobs
        self._answer = answer
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            if not job.is_abandoned:
                run_read(job, self.connection)
            self.reads += 1
            self._answer((job,))
