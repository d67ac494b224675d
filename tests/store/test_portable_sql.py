"""SQL outside `store` is the part that SQLite and PostgreSQL share."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STATEMENT = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER|DROP|WITH|PRAGMA)\s"
)
FOREIGN = re.compile(
    r"\bINSERT\s+OR\b|\bREPLACE\s+INTO\b|\b_?rowid\b|\bPRAGMA\b|\bAUTOINCREMENT\b"
    r"|\bsqlite_\w+|\b(?:IFNULL|IIF|STRFTIME|JULIANDAY|PRINTF|INSTR|TYPEOF|TOTAL"
    r"|GROUP_CONCAT|JSON_\w+|LAST_INSERT_\w+|CHANGES|RANDOMBLOB|HEX|UNHEX)\s*\("
    r"|\b(?:DATE|TIME|DATETIME)\s*\(|\bGLOB\b|\bCOLLATE\s+NOCASE\b",
    re.IGNORECASE,
)
FOREIGN_TYPE = re.compile(
    r"\b(?:INTEGER|INT|BIGINT|BLOB|REAL|NUMERIC|VARCHAR|BOOLEAN|DATETIME)\b"
)


def sql_of(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and STATEMENT.match(node.value)
        ):
            yield node.value


def faults_of(sql: str) -> list[str]:
    faults = FOREIGN.findall(sql)
    if re.search(r"\b(?:CREATE|ALTER)\s+TABLE\b", sql):
        faults += FOREIGN_TYPE.findall(sql)
    return faults


def test_no_statement_outside_the_store_speaks_sqlite_only() -> None:
    faults = []
    for folder in ("lucidtrond", "plugins"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.is_relative_to(ROOT / "lucidtrond" / "store"):
                continue
            for sql in sql_of(path.read_text()):
                faults += [f"{path}: {fault} in: {sql}" for fault in faults_of(sql)]
    assert faults == []


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT OR IGNORE INTO t VALUES (1)",
        "SELECT rowid FROM t",
        "PRAGMA user_version",
        "CREATE TABLE t (k INTEGER)",
        "SELECT datetime('now')",
        "UPDATE t SET a = ifnull(a, 1)",
        "SELECT name FROM sqlite_master",
    ],
)
def test_the_check_sees_what_it_looks_for(sql: str) -> None:
    assert [faults_of(statement) for statement in sql_of(f"execute({sql!r})")] != [[]]
    assert list(sql_of(f"execute({sql!r})")) == [sql]


def test_the_check_lets_our_own_dialect_pass() -> None:
    ours = "CREATE TABLE t (k SERIAL, a INT64 NOT NULL, b BYTES, f FLAG, t TEXT)"
    assert faults_of(ours) == []
    assert faults_of("INSERT INTO t VALUES (1) ON CONFLICT (k) DO NOTHING") == []
