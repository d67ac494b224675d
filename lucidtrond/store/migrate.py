"""Bring tables up to date: ordered forward steps per owner, in one transaction.

Each step's checksum is kept. A step that was applied and has changed since, or is not
known any more (an older program over a newer database), refuses the start; either all
new steps are applied or none. Owners that are not named (a plugin that is switched off)
keep their tables untouched.

Columns are declared with five types, which this module maps to the engine's, and tables
are made STRICT, so that SQLite refuses what another engine would refuse.
"""

import hashlib
import re
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final

from lucidtrond.errors import StoreError
from lucidtrond.ports import Migration, Store, Tx

TYPES: Final = {
    "INT64": "INTEGER",
    "TEXT": "TEXT",
    "BYTES": "BLOB",
    "FLAG": "INTEGER",
    # AUTOINCREMENT: a number is never given again, even after all rows are pruned.
    "SERIAL": "INTEGER PRIMARY KEY AUTOINCREMENT",
}
_TYPE_WORD: Final = re.compile(
    r"'(?:[^']|'')*'|--[^\n]*|\bSERIAL(?:\s+PRIMARY\s+KEY)?\b|\b(?:INT64|BYTES|FLAG)\b"
)
_NEW_TABLE: Final = re.compile(r"\s*CREATE\s+TABLE\b", re.IGNORECASE)
_DEFERRED: Final = re.compile(r"\b(?:DEFERRABLE|DEFERRED)\b", re.IGNORECASE)

_OWN_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS store_migration ("
    " owner TEXT NOT NULL,"
    " version INT64 NOT NULL,"
    " checksum TEXT NOT NULL,"
    " PRIMARY KEY (owner, version))"
)


async def migrate(db: Store, migrations: Sequence[Migration]) -> int:
    """Apply the steps that are missing; give how many there were.

    Raises:
        StoreError: a step is out of order, changed, vanished or fails; nothing of this
            call was applied.
    """
    plan = _by_owner(migrations)

    def apply(tx: Tx) -> int:
        _run_step(tx, _OWN_TABLE)
        return sum(_apply_owner(tx, owner, steps) for owner, steps in plan)

    return await db.write(apply)


def _by_owner(migrations: Sequence[Migration]) -> list[tuple[str, list[Migration]]]:
    """Group by owner, owners in the order given, their steps numbered 1, 2, 3…"""
    plan: dict[str, list[Migration]] = {}
    for step in migrations:
        plan.setdefault(step.owner, []).append(step)
    for owner, steps in plan.items():
        versions = [step.version for step in steps]
        if versions != list(range(1, len(steps) + 1)):
            raise StoreError(
                f"migrations of {owner}: expected versions 1 to {len(steps)} in order,"
                f" got {versions}"
            )
    return list(plan.items())


def _apply_owner(tx: Tx, owner: str, steps: Sequence[Migration]) -> int:
    applied: dict[int, str] = dict(
        tx.execute(
            "SELECT version, checksum FROM store_migration WHERE owner = ?", (owner,)
        )
    )
    newest = max(applied, default=0)
    if newest > len(steps):
        raise StoreError(
            f"tables of {owner}: the database is at version {newest}, this program"
            f" knows {len(steps)}; a newer program made it"
        )
    fresh = 0
    for step in steps:
        checksum = checksum_of(step)
        if step.version in applied:
            if applied[step.version] != checksum:
                raise StoreError(
                    f"migration {owner} {step.version} has changed since it was applied"
                )
            continue
        try:
            _run_step(tx, step.sql)
        except StoreError as error:
            raise StoreError(f"migration {owner} {step.version}: {error}") from error
        tx.execute(
            "INSERT INTO store_migration (owner, version, checksum) VALUES (?, ?, ?)",
            (owner, step.version, checksum),
        )
        fresh += 1
    return fresh


def checksum_of(step: Migration) -> str:
    """SHA-256 of the step's words; how it is indented does not matter."""
    return hashlib.sha256(" ".join(step.sql.split()).encode()).hexdigest()


def engine_sql(statement: str) -> str:
    """Write one statement in the engine's own column types."""
    if _DEFERRED.search(statement):
        # It would fail at COMMIT, and take a whole group of other writes along.
        raise StoreError("deferred constraints are not supported")
    mapped = _TYPE_WORD.sub(_map_type, statement)
    if _NEW_TABLE.match(mapped):
        return f"{mapped.rstrip().rstrip(';')} STRICT"
    return mapped


def _map_type(match: re.Match[str]) -> str:
    word = match[0]
    if word[0] in "'-":
        return word
    return TYPES[word.split()[0]]


def _run_step(tx: Tx, sql: str) -> None:
    for statement in statements(sql):
        tx.execute(engine_sql(statement))


def statements(sql: str) -> Iterator[str]:
    """Split at the semicolons that end a statement (not those in text or triggers)."""
    pending = ""
    for piece in re.split(r"(?<=;)", sql):
        pending += piece
        if sqlite3.complete_statement(pending):
            yield pending.strip()
            pending = ""
    if pending.strip():
        yield pending.strip()
