"""A process that writes for ever and reports each row that was acknowledged.

Arguments: database path, first key, and optionally the bytes a file may grow to.
"""

import resource
import sys
from functools import partial
from pathlib import Path

import trio

from lucidtrond.errors import CommitUnknown
from lucidtrond.ports import Tx
from lucidtrond.store.database import Database
from tests.store.rows import open_rows

WRITERS = 8


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def write_for_ever(db: Database, key: int, step: int) -> None:
    while True:

        def fn(tx: Tx, key: int = key) -> None:
            for row in (key, -key):  # a transaction: both or none
                tx.execute("INSERT INTO t_row (k, v) VALUES (?, ?)", (row, bytes(200)))

        await db.write(fn)
        say(str(key))
        key += step


async def main(path: str, first: str, *limits: str) -> None:
    async with open_rows(Path(path)) as db:
        for limit in limits:
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
        try:
            async with trio.open_nursery() as nursery:
                for number in range(WRITERS):
                    nursery.start_soon(write_for_ever, db, int(first) + number, WRITERS)
        except* CommitUnknown:
            error = await db.wait_failed()
            say(f"unknown: {type(error).__name__}")


if __name__ == "__main__":
    trio.run(partial(main, *sys.argv[1:]))
