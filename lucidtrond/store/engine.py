"""SQLite behind the store: connections, the `Tx` that functions get, error border.

What runs inside a `Tx` can neither end nor nest its transaction, nor touch PRAGMAs or
other files: the connection's authorizer denies those while a function runs. Our own
control statements carry a comment, so that a function's text never equals one of them
in the statement cache (a cached statement is not authorized again).

SQLite sends the statements that it composes itself through the same authorizer, and
which ones it composes differs between versions; see `_INTERNAL_PRAGMAS`.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from lucidtrond.errors import ConstraintBroken, StoreError
from lucidtrond.ports import Row

BEGIN_WRITE: Final = "BEGIN IMMEDIATE /* store */"
BEGIN_READ: Final = "BEGIN /* store */"
COMMIT: Final = "COMMIT /* store */"
ROLLBACK: Final = "ROLLBACK /* store */"
SAVEPOINT: Final = "SAVEPOINT one /* store */"
RELEASE: Final = "RELEASE one /* store */"
ROLLBACK_TO: Final = "ROLLBACK TO one /* store */"

_BUSY_TIMEOUT_S: Final = 10.0
_CACHED_STATEMENTS: Final = 256
_STEPS_BETWEEN_LOOKS: Final = 20_000
"""Instructions of SQLite's machine, about a millisecond of work."""
_DENIED: Final = frozenset(
    {
        sqlite3.SQLITE_TRANSACTION,
        sqlite3.SQLITE_SAVEPOINT,
        sqlite3.SQLITE_PRAGMA,
        sqlite3.SQLITE_ATTACH,
        sqlite3.SQLITE_DETACH,
    }
)
_INTERNAL_PRAGMAS: Final = frozenset({"quick_check"})
"""PRAGMAs that SQLite runs on its own behalf within a statement of the `Tx`.

ALTER TABLE … ADD COLUMN checks the rows of the table with quick_check: where a column
has a CHECK (3.40.1), and on each STRICT table (3.46.1; sqlite3AlterFinishAddColumn in
alter.c). It only reads. Of what else these versions compose themselves, only VACUUM's
ATTACH is among `_DENIED`, and VACUUM is refused within a transaction anyway.
"""


class Connection:
    """One SQLite connection, used by one thread at a time."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self.raw = raw
        self._running: SqliteTx | None = None
        raw.set_authorizer(self._authorize)
        # Not Connection.interrupt(): that is lost on a statement about to start.
        raw.set_progress_handler(self._must_stop, _STEPS_BETWEEN_LOOKS)

    def control(self, sql: str) -> None:
        """Run one of our own statements; raises sqlite3.Error."""
        self.raw.execute(sql)

    @property
    def in_transaction(self) -> bool:
        """False also after SQLite gave a transaction up by itself."""
        return self.raw.in_transaction

    @contextmanager
    def function_runs(self, tx: "SqliteTx") -> Iterator[None]:
        """Deny control statements meanwhile; stop statements when *tx* is stopped."""
        self._running = tx
        try:
            yield
        finally:
            self._running = None

    def close(self) -> None:
        self.raw.close()

    def _authorize(self, action: int, name: str | None, *_rest: str | None) -> int:
        if self._running is None or action not in _DENIED:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_PRAGMA and name in _INTERNAL_PRAGMAS:
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY

    def _must_stop(self) -> bool:
        return self._running is not None and self._running.stopped is not None


class SqliteTx:
    """`ports.Tx` over one connection; ends when its function has returned."""

    __slots__ = ("_connection", "callbacks", "stopped")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.callbacks: dict[Callable[[], object], None] = {}
        """What is to be called when it is durable, in order."""
        self.stopped: str | None = None
        """Why no further statement may run; set from any thread."""

    def execute(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        self._check()
        try:
            return self._connection.raw.execute(sql, params).fetchall()
        except (sqlite3.Error, OverflowError) as error:
            raise translated(error) from error

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        self._check()
        try:
            self._connection.raw.executemany(sql, rows)
        except (sqlite3.Error, OverflowError) as error:
            raise translated(error) from error

    def after_commit(self, fn: Callable[[], object]) -> None:
        self._check()
        self.callbacks[fn] = None

    def _check(self) -> None:
        if self.stopped is not None:
            raise StoreError(self.stopped)
        if not self._connection.in_transaction:
            # After a full disk SQLite may have rolled everything back by itself; the
            # next statement would otherwise commit alone.
            raise StoreError("this transaction was given up by the database")


def translated(error: Exception) -> StoreError:
    """Our error for one of sqlite3's (or for an integer beyond 64 bits)."""
    if isinstance(error, sqlite3.IntegrityError):
        return ConstraintBroken(f"the database refused a row: {error}")
    if primary_code(error) == sqlite3.SQLITE_FULL:
        return StoreError("disk full: nothing of this transaction was written")
    return StoreError(f"database: {error}")


def primary_code(error: Exception) -> int | None:
    """SQLite's primary result code, if the error has one."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def open_writer(path: Path | None) -> Connection:
    """Open (and make, 0600 in a 0700 directory) the database for writing.

    Raises:
        StoreError: it can't be opened, is no database, or does not do WAL.
    """
    try:
        if path is None:
            return _tuned(_connect(":memory:"))
        _make_private(path)
        connection = _connect(_uri(path, "rw"))
        with _closed_on_error(connection):
            mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
            if mode != "wal":
                raise StoreError(
                    f"{path}: needs WAL, which this file system can't ({mode})"
                )
            return _tuned(connection)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{path}: can't be opened: {error}") from error


def open_reader(path: Path) -> Connection:
    """Open a further connection that can't write. Raises StoreError."""
    try:
        return _tuned(_connect(_uri(path, "ro")))
    except sqlite3.Error as error:
        raise StoreError(f"{path}: can't be opened: {error}") from error


def _connect(target: str) -> sqlite3.Connection:
    return sqlite3.connect(
        target,
        uri=True,
        timeout=_BUSY_TIMEOUT_S,
        isolation_level=None,  # transactions are ours, never the module's
        check_same_thread=False,  # opened and closed elsewhere, used by one thread
        cached_statements=_CACHED_STATEMENTS,
    )


def _tuned(connection: sqlite3.Connection) -> Connection:
    with _closed_on_error(connection):
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA temp_store=MEMORY")
        return Connection(connection)


@contextmanager
def _closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _uri(path: Path, mode: str) -> str:
    return f"{path.absolute().as_uri()}?mode={mode}"


def _make_private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        # SQLite gives its -wal and -shm files the mode of the database file.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        # Not opened here: closing any descriptor of the file would drop the POSIX
        # locks that other connections of this process hold (SQLite's FAQ on locks).
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
