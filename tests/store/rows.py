"""One table and a few functions on it, for the store's tests."""

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import trio
import trio.testing

from lucidtrond.ports import Migration, Tx
from lucidtrond.store.database import Database, open_store
from lucidtrond.store.migrate import migrate

TABLE = Migration("t", 1, "CREATE TABLE t_row (k INT64 NOT NULL UNIQUE, v BYTES)")


@asynccontextmanager
async def open_rows(path: Path | None) -> AsyncIterator[Database]:
    async with open_store(path) as db:
        await migrate(db, [TABLE])
        yield db


def insert(key: int) -> Callable[[Tx], int]:
    def fn(tx: Tx) -> int:
        tx.execute("INSERT INTO t_row (k) VALUES (?)", (key,))
        return key

    return fn


def insert_then_fail(key: int) -> Callable[[Tx], int]:
    def fn(tx: Tx) -> int:
        insert(key)(tx)
        raise KeyError(key)

    return fn


def keys(tx: Tx) -> list[int]:
    return [k for (k,) in tx.execute("SELECT k FROM t_row ORDER BY k")]


@asynccontextmanager
async def writer_held(db: Database) -> AsyncIterator[trio.Nursery]:
    """Keep the writer busy: what the nursery starts inside becomes one group."""
    entered, release = trio.Event(), threading.Event()
    token = trio.lowlevel.current_trio_token()

    def hold(_: Tx) -> None:
        token.run_sync_soon(entered.set)
        release.wait(10)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(db.write, hold)
        await entered.wait()
        try:
            yield nursery
            await trio.testing.wait_all_tasks_blocked()
        finally:
            release.set()
