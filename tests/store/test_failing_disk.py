"""Full disks and failing commits: a clean refusal, or an honest "unknown"."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
import trio.testing

from lucidtrond.errors import CommitUnknown, StoreError
from lucidtrond.ports import Tx
from lucidtrond.store import engine, writer
from lucidtrond.store.database import Database
from lucidtrond.store.engine import Connection
from tests.store.rows import insert, keys, open_rows, writer_held

BIG = 2_000_000


def limit_pages(db: Database, pages: int) -> None:
    """SQLite's own way to a disk that is full: SQLITE_FULL from the real code path."""
    db._writer.connection.raw.execute(f"PRAGMA max_page_count={pages}")


def insert_big(key: int) -> Callable[[Tx], None]:
    def fn(tx: Tx) -> None:
        tx.execute("INSERT INTO t_row (k, v) VALUES (?, ?)", (key, bytes(BIG)))

    return fn


async def test_a_full_disk_is_a_clean_refusal_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    async with open_rows(tmp_path / "db") as db:
        await db.write(insert(1))
        limit_pages(db, 20)
        with pytest.raises(StoreError, match="disk full") as caught:
            await db.write(insert_big(2))
        assert not isinstance(caught.value, CommitUnknown)
        assert await db.read(keys) == [1]
        assert await db.write(insert(3)) == 3
        limit_pages(db, 10_000)
        await db.write(insert_big(2))
        assert await db.read(keys) == [1, 2, 3]


async def test_a_function_that_ignores_the_full_disk_can_not_write_on(
    tmp_path: Path,
) -> None:
    async with open_rows(tmp_path / "db") as db:
        limit_pages(db, 20)

        def stubborn(tx: Tx) -> str:
            insert(1)(tx)
            for key in (2, 3, 4):  # SQLite gives the whole transaction up at the first
                with pytest.raises(StoreError, match="disk full" if key == 2 else "up"):
                    (insert(key) if key == 3 else insert_big(key))(tx)
            return "all well"

        with pytest.raises(StoreError, match="nothing was written"):
            await db.write(stubborn)
        assert await db.read(keys) == []


class FaultyConnection(Connection):
    """Fails chosen control statements with chosen SQLite codes."""

    faults: dict[str, int]

    def control(self, sql: str) -> None:
        code = self.faults.pop(sql, None)
        if code is not None:
            error = sqlite3.OperationalError("injected")
            error.sqlite_errorcode = code
            raise error
        super().control(sql)


def inject(db: Database, **faults: int) -> None:
    connection = db._writer.connection
    connection.__class__ = FaultyConnection
    assert isinstance(connection, FaultyConnection)
    connection.faults = {getattr(engine, name): code for name, code in faults.items()}


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY])
async def test_a_commit_that_surely_did_not_happen_refuses_its_group_only(
    code: int, tmp_path: Path
) -> None:
    async with open_rows(tmp_path / "db") as db:
        inject(db, COMMIT=code)
        with pytest.raises(StoreError) as caught:
            await db.write(insert(1))
        assert not isinstance(caught.value, CommitUnknown)
        assert await db.read(keys) == []
        assert await db.write(insert(1)) == 1
        assert await db.read(keys) == [1]


@pytest.mark.parametrize(
    "code", [sqlite3.SQLITE_IOERR | (4 << 8), sqlite3.SQLITE_CORRUPT]
)
async def test_a_commit_of_unknown_outcome_ends_the_store(
    code: int, tmp_path: Path
) -> None:
    async with open_rows(tmp_path / "db") as db:
        answers: dict[int, BaseException | int] = {}

        async def one(key: int) -> None:
            try:
                answers[key] = await db.write(insert(key))
            except StoreError as error:
                answers[key] = error

        def arm(_: Tx) -> None:
            inject(db, COMMIT=code)  # in the group itself, before its COMMIT

        async def armer() -> None:
            with pytest.raises(CommitUnknown):
                await db.write(arm)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(db.wait_failed)
            async with writer_held(db) as group:
                for task in (armer, lambda: one(1), lambda: one(2)):
                    group.start_soon(task)
        assert all(isinstance(answers[key], CommitUnknown) for key in (1, 2))
        with pytest.raises(CommitUnknown):
            await db.write(insert(3))
        with pytest.raises(CommitUnknown):
            await db.read(keys)


async def test_what_was_queued_behind_a_commit_of_unknown_outcome_does_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LARGEST_GROUP", 1)
    async with open_rows(tmp_path / "db") as db:
        ran: list[str] = []

        def first(_: Tx) -> None:
            ran.append("first")
            inject(db, COMMIT=sqlite3.SQLITE_IOERR)

        async def refused(fn: Callable[[Tx], None]) -> None:
            with pytest.raises(CommitUnknown):
                await db.write(fn)

        async with writer_held(db) as nursery:
            nursery.start_soon(refused, first)
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(refused, lambda _tx: ran.append("second"))
        assert ran == ["first"]


async def test_a_group_that_can_not_begin_is_refused_and_the_next_one_is_not(
    tmp_path: Path,
) -> None:
    async with open_rows(tmp_path / "db") as db:
        inject(db, BEGIN_WRITE=sqlite3.SQLITE_BUSY)
        with pytest.raises(StoreError):
            await db.write(insert(1))
        assert await db.write(insert(2)) == 2
        assert await db.read(keys) == [2]


async def test_who_ran_before_the_transaction_was_lost_is_refused_others_go_on(
    tmp_path: Path,
) -> None:
    async with open_rows(tmp_path / "db") as db:
        answers: dict[int, BaseException | int] = {}

        def lose(tx: Tx) -> None:
            insert(2)(tx)
            db._writer.connection._running = None
            db._writer.connection.control(engine.ROLLBACK)  # as SQLite may by itself

        async def one(key: int) -> None:
            try:
                answers[key] = await db.write(insert(key))
            except StoreError as error:
                answers[key] = error

        async def loser() -> None:
            with pytest.raises(StoreError, match="nothing was written"):
                await db.write(lose)

        async with writer_held(db) as nursery:
            for task in (lambda: one(1), loser, lambda: one(3)):
                nursery.start_soon(task)
                await trio.testing.wait_all_tasks_blocked()
        assert isinstance(answers[1], StoreError)
        assert answers[3] == 3
        assert db.statistics().refused == 2
        assert await db.read(keys) == [3]
