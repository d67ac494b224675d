"""What the store promises to everybody who writes and reads."""

import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.errors import ConstraintBroken, StoreError
from lucidtrond.ports import Tx
from lucidtrond.store import database
from lucidtrond.store.database import Database, open_store
from tests.store.rows import (
    insert,
    insert_then_fail,
    keys,
    open_rows,
    writer_held,
)

BOTH_STORES = pytest.mark.parametrize("where", ["file", "memory"])


def path_for(where: str, tmp_path: Path) -> Path | None:
    return tmp_path / "db.sqlite" if where == "file" else None


@BOTH_STORES
async def test_what_was_written_is_read_back_and_survives_reopening(
    where: str, tmp_path: Path
) -> None:
    path = path_for(where, tmp_path)
    async with open_rows(path) as db:
        assert await db.write(insert(7)) == 7
        assert await db.read(keys) == [7]
    if path is not None:
        async with open_rows(path) as db:
            assert await db.read(keys) == [7]


@BOTH_STORES
async def test_a_read_can_not_write(where: str, tmp_path: Path) -> None:
    async with open_rows(path_for(where, tmp_path)) as db:
        with pytest.raises(StoreError, match="readonly"):
            await db.read(insert(1))
        assert await db.write(insert(2)) == 2
        assert await db.read(keys) == [2]


Plan = list[tuple[int, str]]
steps = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from(["insert", "fail", "delete"])),
    max_size=30,
)


def step(key: int, what: str) -> Callable[[Tx], list[int]]:
    def fn(tx: Tx) -> list[int]:
        if what == "delete":
            tx.execute("DELETE FROM t_row WHERE k = ?", (key,))
        else:
            insert(key)(tx)
        if what == "fail":
            raise KeyError(key)
        return keys(tx)

    return fn


Answers = dict[int, str]


async def attempt(db: Database, number: int, plan: Plan, answers: Answers) -> None:
    try:
        answers[number] = repr(await db.write(step(*plan[number])))
    except (KeyError, ConstraintBroken) as error:
        answers[number] = repr(error)


async def one_by_one(plan: Plan) -> Answers:
    answers: Answers = {}
    async with open_rows(None) as db:
        for number in range(len(plan)):
            await attempt(db, number, plan, answers)
        return {**answers, -1: repr(await db.read(keys))}


async def as_one_group(plan: Plan) -> Answers:
    answers: Answers = {}
    with TemporaryDirectory() as folder:
        async with open_rows(Path(folder) / "db") as db:
            async with writer_held(db) as nursery:
                for number in range(len(plan)):
                    nursery.start_soon(attempt, db, number, plan, answers)
                    await trio.testing.wait_all_tasks_blocked()
            assert db.statistics().largest_group == max(len(plan), 1)
            return {**answers, -1: repr(await db.read(keys))}


@given(steps)
@settings(max_examples=40, deadline=None)
async def test_a_group_of_writes_equals_the_same_writes_one_after_another(
    plan: Plan,
) -> None:
    assert await as_one_group(plan) == await one_by_one(plan)


async def test_one_failing_function_of_a_group_leaves_nothing_and_hides_nobody(
    tmp_path: Path,
) -> None:
    async with open_rows(tmp_path / "db") as db:
        answers: dict[int, str] = {}

        async def one(key: int) -> None:
            try:
                await db.write((insert_then_fail if key % 2 else insert)(key))
                answers[key] = "ok"
            except KeyError:
                answers[key] = "failed"

        async with writer_held(db) as nursery:
            for key in range(10):
                nursery.start_soon(one, key)
        assert answers == {key: "failed" if key % 2 else "ok" for key in range(10)}
        assert await db.read(keys) == [0, 2, 4, 6, 8]
        assert db.statistics().largest_group == 10


async def test_answers_come_only_after_the_commit(tmp_path: Path) -> None:
    path = tmp_path / "db"
    async with open_rows(path) as db:
        other = sqlite3.connect(path)
        for key in range(20):
            await db.write(insert(key))
            count = other.execute("SELECT count(*) FROM t_row").fetchone()
            assert count == (key + 1,)
        other.close()


async def test_a_write_whose_caller_was_cancelled_while_it_was_queued_still_happens(
    tmp_path: Path,
) -> None:
    async with open_rows(tmp_path / "db") as db:
        outcomes: list[object] = []

        async def impatient() -> None:
            with trio.CancelScope() as scope:
                scopes.append(scope)
                outcomes.append(await db.write(insert(1)))
                await trio.lowlevel.checkpoint()
                outcomes.append("not reached")

        scopes: list[trio.CancelScope] = []
        async with writer_held(db) as nursery:
            nursery.start_soon(impatient)
            await trio.testing.wait_all_tasks_blocked()
            scopes[0].cancel()
            await trio.testing.wait_all_tasks_blocked()
            assert outcomes == []
        assert outcomes == [1]
        assert await db.read(keys) == [1]


async def test_a_caller_cancelled_before_its_turn_in_the_full_queue_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "QUEUE", 2)
    async with open_rows(tmp_path / "db") as db:
        scope = trio.CancelScope()

        async def third() -> None:
            with scope:
                await db.write(insert(3))

        async with writer_held(db) as nursery:  # holds one of the two places
            nursery.start_soon(db.write, insert(2))
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(third)
            nursery.start_soon(db.write, insert(4))
            await trio.testing.wait_all_tasks_blocked()
            assert db.statistics().queued == 1
            scope.cancel()
        assert scope.cancelled_caught
        assert await db.read(keys) == [2, 4]


async def test_a_cancelled_read_is_interrupted_and_the_reader_serves_on(
    tmp_path: Path,
) -> None:
    async with open_store(tmp_path / "db", readers=1) as db:
        entered = trio.Event()
        token = trio.lowlevel.current_trio_token()

        def endless(tx: Tx) -> object:
            token.run_sync_soon(entered.set)
            return tx.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
                " SELECT count(*) FROM n"
            )

        def endless_in_python(tx: Tx) -> None:
            while True:
                tx.execute("SELECT 1")
                token.run_sync_soon(entered.set)

        for fn in (endless, endless_in_python):
            entered = trio.Event()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(db.read, fn)
                await entered.wait()
                nursery.cancel_scope.cancel()
            assert await db.read(lambda tx: tx.execute("SELECT 1")) == [(1,)]


async def test_a_read_cancelled_while_it_waits_for_a_reader_never_runs(
    tmp_path: Path,
) -> None:
    async with open_store(tmp_path / "db", readers=1) as db:
        entered, release = trio.Event(), threading.Event()
        token = trio.lowlevel.current_trio_token()

        def hold(_: Tx) -> None:
            token.run_sync_soon(entered.set)
            release.wait(10)

        ran: list[int] = []
        async with trio.open_nursery() as outer:
            outer.start_soon(db.read, hold)
            await entered.wait()
            async with trio.open_nursery() as inner:
                inner.start_soon(db.read, lambda _tx: ran.append(1))
                await trio.testing.wait_all_tasks_blocked()
                inner.cancel_scope.cancel()
                release.set()
        assert ran == []


async def test_a_read_sees_one_snapshot_however_long_it_takes(tmp_path: Path) -> None:
    async with open_rows(tmp_path / "db") as db:
        await db.write(insert(1))
        first, go_on = trio.Event(), threading.Event()
        token = trio.lowlevel.current_trio_token()
        seen: list[list[int]] = []

        def twice(tx: Tx) -> None:
            seen.append(keys(tx))
            token.run_sync_soon(first.set)
            go_on.wait(10)
            seen.append(keys(tx))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(db.read, twice)
            await first.wait()
            await db.write(insert(2))
            go_on.set()
        assert seen == [[1], [1]]
        assert await db.read(keys) == [1, 2]


@pytest.mark.parametrize(
    "sql",
    [
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT x",
        "PRAGMA journal_mode=DELETE",
        "PRAGMA foreign_keys=OFF",
        "ATTACH DATABASE '/etc/passwd' AS other",
        "VACUUM",
    ],
)
async def test_a_function_can_not_end_its_transaction_or_touch_the_engine(
    sql: str, tmp_path: Path
) -> None:
    async with open_rows(tmp_path / "db") as db:

        def fn(tx: Tx) -> None:
            insert(1)(tx)
            tx.execute(sql)

        for call in (db.write, db.read):
            with pytest.raises(StoreError):
                await call(fn)
        assert await db.read(keys) == []
        await db.write(insert(1))


async def test_a_transaction_is_of_no_use_after_its_function_returned() -> None:
    async with open_rows(None) as db:
        kept = await db.write(lambda tx: tx)
        with pytest.raises(StoreError, match="has ended"):
            kept.execute("SELECT 1")
        with pytest.raises(StoreError, match="has ended"):
            kept.execute_many("DELETE FROM t_row WHERE k = ?", [(1,)])


@pytest.mark.parametrize(
    ("sql", "params", "error"),
    [
        ("INSERT INTO t_row (k) VALUES (1)", (), ConstraintBroken),
        ("INSERT INTO t_row (k) VALUES (?)", (2**63,), StoreError),
        ("INSERT INTO t_row (k) VALUES (?)", ("text",), ConstraintBroken),
        ("INSERT INTO t_row (k, v) VALUES (?, ?)", (3, object()), StoreError),
        ("SELECT nothing FROM nowhere", (), StoreError),
        ("SELECT ?", (), StoreError),
    ],
)
async def test_no_error_of_the_engine_crosses_the_floor(
    sql: str, params: tuple[object, ...], error: type[Exception]
) -> None:
    async with open_rows(None) as db:
        await db.write(insert(1))
        with pytest.raises(StoreError) as caught:
            await db.write(lambda tx: tx.execute(sql, params))
        assert type(caught.value) is error
        assert await db.read(keys) == [1]


async def test_foreign_keys_hold(tmp_path: Path) -> None:
    async with open_rows(tmp_path / "db") as db:
        await db.write(
            lambda tx: tx.execute(
                "CREATE TABLE t_child (k INTEGER REFERENCES t_row(k))"
            )
        )
        with pytest.raises(ConstraintBroken):
            await db.write(lambda tx: tx.execute("INSERT INTO t_child VALUES (5)"))


async def test_every_file_of_the_database_is_private(tmp_path: Path) -> None:
    path = tmp_path / "state" / "db"
    async with open_rows(path) as db:
        await db.write(insert(1))
        await db.read(keys)
        files = sorted(path.parent.iterdir())
        assert [file.name for file in files] == ["db", "db-shm", "db-wal"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_a_database_that_others_could_read_is_made_private(
    tmp_path: Path,
) -> None:
    path = tmp_path / "db"
    path.touch(0o644)
    async with open_rows(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_the_database_is_durable_by_its_settings(tmp_path: Path) -> None:
    async with open_rows(tmp_path / "db") as db:
        for connection in (db._writer.connection, db._readers[0].connection):
            settings = {
                name: connection.raw.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("journal_mode", "synchronous", "foreign_keys")
            }
            full = 2
            assert settings == {
                "journal_mode": "wal",
                "synchronous": full,
                "foreign_keys": 1,
            }


@pytest.mark.parametrize("content", [b"not a database, but long enough to be one" * 99])
async def test_a_file_that_is_no_database_is_refused(
    content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="can't be opened"):
        async with open_store(path):
            pass
    assert path.read_bytes() == content


async def test_closing_finishes_what_is_queued_and_refuses_what_comes_later(
    tmp_path: Path,
) -> None:
    async with open_rows(tmp_path / "db") as db:
        done: list[int] = []

        async def one(key: int) -> None:
            done.append(await db.write(insert(key)))

        async with writer_held(db) as nursery:
            for key in range(5):
                nursery.start_soon(one, key)
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(db.aclose)
            await trio.testing.wait_all_tasks_blocked()
            with pytest.raises(StoreError, match="closed"):
                await db.write(insert(9))
            with pytest.raises(StoreError, match="closed"):
                await db.read(keys)
        assert sorted(done) == [0, 1, 2, 3, 4]
    assert not db._writer.is_alive()
    assert not any(reader.is_alive() for reader in db._readers)
    async with open_rows(tmp_path / "db") as db:
        assert await db.read(keys) == [0, 1, 2, 3, 4]


async def test_in_memory_one_turn_of_trio_is_one_group_and_needs_no_thread() -> None:
    threads = threading.active_count()
    async with open_rows(None) as db:
        assert threading.active_count() - threads <= 1  # trio's own, for opening
        before = db.statistics().groups
        async with trio.open_nursery() as nursery:
            for key in range(5):
                nursery.start_soon(db.write, insert(key))
        assert await db.read(keys) == [0, 1, 2, 3, 4]
        assert db.statistics().groups == before + 1
        await db.aclose()
        with pytest.raises(StoreError, match="closed"):
            await db.read(keys)


async def test_two_stores_live_side_by_side_in_one_process(tmp_path: Path) -> None:
    async with open_rows(tmp_path / "a") as a, open_rows(tmp_path / "b") as b:
        await a.write(insert(1))
        await b.write(insert(2))
        assert (await a.read(keys), await b.read(keys)) == ([1], [2])
