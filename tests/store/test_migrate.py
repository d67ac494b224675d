"""Migrations: ordered, remembered, all or nothing, never backwards."""

from operator import methodcaller
from pathlib import Path

import pytest

from lucidtrond.errors import ConstraintBroken, StoreError
from lucidtrond.ports import Migration, Tx
from lucidtrond.store.database import open_store
from lucidtrond.store.migrate import migrate, statements

ONE = Migration("a", 1, "CREATE TABLE a_x (k SERIAL, n INT64, t TEXT, b BYTES, f FLAG)")
TWO = Migration("a", 2, "CREATE INDEX a_x_n ON a_x (n); CREATE TABLE a_y (k INT64)")
OTHER = Migration("b", 1, "CREATE TABLE b_z (k TEXT PRIMARY KEY)")
BROKEN = Migration("b", 2, "CREATE TABLE b_ok (k INT64); CREATE TABLE b_z (k INT64)")


def tables(tx: Tx) -> set[str]:
    return {
        name
        for (name,) in tx.execute("SELECT name FROM sqlite_master WHERE type='table'")
    } - {"sqlite_sequence"}


async def test_missing_steps_are_applied_once_and_in_order(tmp_path: Path) -> None:
    for wanted, steps in ((2, [ONE, OTHER]), (1, [ONE, TWO, OTHER]), (0, [ONE, TWO])):
        async with open_store(tmp_path / "db") as db:
            assert await migrate(db, steps) == wanted
    async with open_store(tmp_path / "db") as db:
        assert await db.read(tables) == {"store_migration", "a_x", "a_y", "b_z"}


async def test_a_half_migration_is_rolled_back_with_all_others_of_its_call() -> None:
    async with open_store(None) as db:
        with pytest.raises(StoreError, match=r"migration b 2: .*already exists"):
            await migrate(db, [ONE, OTHER, BROKEN])
        assert await db.read(tables) == set()
        assert await migrate(db, [ONE, OTHER]) == 2


async def test_a_step_that_changed_since_it_was_applied_is_refused() -> None:
    async with open_store(None) as db:
        await migrate(db, [ONE])
        with pytest.raises(StoreError, match="migration a 1 has changed"):
            await migrate(db, [Migration("a", 1, ONE.sql + "; SELECT 1"), TWO])
        assert await db.read(tables) == {"store_migration", "a_x"}


async def test_the_indentation_of_a_step_may_change() -> None:
    async with open_store(None) as db:
        await migrate(db, [ONE])
        respaced = Migration("a", 1, ONE.sql.replace(" ", "\n    "))
        assert await migrate(db, [respaced]) == 0


async def test_an_older_program_refuses_a_newer_database() -> None:
    async with open_store(None) as db:
        await migrate(db, [ONE, TWO])
        with pytest.raises(StoreError, match="a newer program made it"):
            await migrate(db, [ONE])


@pytest.mark.parametrize(
    "steps", [[TWO], [TWO, ONE], [ONE, ONE], [ONE, Migration("a", 3, "SELECT 1")]]
)
async def test_gaps_and_disorder_are_refused(steps: list[Migration]) -> None:
    async with open_store(None) as db:
        with pytest.raises(StoreError, match="expected versions 1 to"):
            await migrate(db, steps)


async def test_the_five_types_keep_what_they_say_and_refuse_the_rest() -> None:
    async with open_store(None) as db:
        await migrate(db, [ONE])
        insert = "INSERT INTO a_x (n, t, b, f) VALUES (?, ?, ?, ?) RETURNING *"
        row = (2**63 - 1, "é", b"\0\xff", True)
        assert await db.write(lambda tx: tx.execute(insert, row)) == [(1, *row)]
        for bad in ((b"x", "", b"", 0), (0, b"", b"", 0), (0, "", "", 0)):
            with pytest.raises(ConstraintBroken):
                await db.write(methodcaller("execute", insert, bad))


async def test_a_serial_number_is_never_given_twice() -> None:
    async with open_store(None) as db:
        await migrate(db, [ONE])

        def add(tx: Tx) -> object:
            (number,) = tx.execute("INSERT INTO a_x (n) VALUES (1) RETURNING k")[0]
            tx.execute("DELETE FROM a_x")
            return number

        assert [await db.write(add) for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("CREATE TABLE a_q (k DATETIME)", "unknown datatype"),
        ("CREATE TABLE a_q (k INT64 REFERENCES a_p DEFERRABLE)", "deferred"),
        ("PRAGMA user_version=3", "not authorized"),
        ("COMMIT", "not authorized"),
    ],
)
async def test_what_another_engine_would_not_take_is_refused(
    sql: str, why: str
) -> None:
    async with open_store(None) as db:
        with pytest.raises(StoreError, match=why):
            await migrate(db, [Migration("a", 1, sql)])


ALTERATIONS = (
    # SQLite 3.40 runs quick_check within this one only, 3.46 within each ADD COLUMN.
    "ALTER TABLE a_x ADD COLUMN c INT64 CHECK (c > 0)",
    "ALTER TABLE a_x ADD COLUMN d INT64",
    "ALTER TABLE a_x ADD COLUMN e TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE a_x ADD COLUMN g INT64 REFERENCES a_y (k)",
    "ALTER TABLE a_x RENAME COLUMN n TO m",
    "ALTER TABLE a_x DROP COLUMN f",
    "ALTER TABLE a_x RENAME TO a_w",
    "CREATE UNIQUE INDEX a_w_m ON a_w (m) WHERE m > 0",
    "CREATE VIEW a_v AS SELECT k FROM a_w",
    "CREATE TRIGGER a_r AFTER DELETE ON a_w BEGIN DELETE FROM a_y; END",
    "INSERT INTO a_w (m) VALUES (7) ON CONFLICT (k) DO UPDATE SET m = excluded.m",
    "DELETE FROM a_w",
    "DROP TRIGGER a_r",
    "DROP VIEW a_v",
    "DROP INDEX a_w_m",
    "DROP TABLE a_w",
    "DROP TABLE a_y",
)


@pytest.mark.parametrize("where", ["memory", "file"])
async def test_what_sqlite_runs_inside_a_change_of_tables_is_authorized(
    where: str, tmp_path: Path
) -> None:
    """Each kind of statement of our dialect, over a table that has rows."""
    tables_made = Migration("a", 1, "CREATE TABLE a_y (k INT64 PRIMARY KEY);" + ONE.sql)
    row = Migration("a", 2, "INSERT INTO a_x (n, t) VALUES (1, '')")
    changes = [
        Migration("a", number, sql) for number, sql in enumerate(ALTERATIONS, start=3)
    ]
    async with open_store(tmp_path / "db" if where == "file" else None) as db:
        await migrate(db, [tables_made, row])
        assert await migrate(db, [tables_made, row, *changes]) == len(changes)
        assert await db.read(tables) == {"store_migration"}


async def test_a_column_that_breaks_rows_is_refused_by_the_inner_check() -> None:
    row = Migration("a", 2, "INSERT INTO a_x (n) VALUES (1)")
    bad = Migration("a", 3, "ALTER TABLE a_x ADD COLUMN c INT64 CHECK (n > 1)")
    async with open_store(None) as db:
        with pytest.raises(StoreError, match=r"a 3: .*CHECK constraint failed"):
            await migrate(db, [ONE, row, bad])


async def test_type_names_inside_text_stay_as_they_are() -> None:
    sql = (
        "CREATE TABLE a_t (k SERIAL PRIMARY KEY, t TEXT); -- FLAG; here\n"
        "INSERT INTO a_t (t) VALUES ('INT64; BYTES ''FLAG''')"
    )
    async with open_store(None) as db:
        await migrate(db, [Migration("a", 1, sql)])
        rows = await db.read(lambda tx: tx.execute("SELECT * FROM a_t"))
    assert rows == [(1, "INT64; BYTES 'FLAG'")]


def test_statements_end_at_their_own_semicolons() -> None:
    assert list(statements("A 'x;y'; B;\n\n-- c;\nC")) == [
        "A 'x;y';",
        "B;",
        "-- c;\nC",
    ]
