"""Protocols that layers share, so that siblings need not import one another."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from attrs import field, frozen
from msgspec import Struct

T = TypeVar("T")
Row = tuple[Any, ...]
"""One row of an answer; its values are int, str, bytes or None."""


class Tx(Protocol):
    """One database transaction, seen from a plain function in the store's thread."""

    def execute(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        """Run one statement and give all its rows (``[]`` for none)."""

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one statement for each row of parameters."""

    def after_commit(self, fn: Callable[[], object]) -> None:
        """Call *fn* in trio's thread once this transaction is durable.

        Once, however often it is asked for; never when nothing of it stays, or in a
        read. It must not raise and not block.
        """


class Store(Protocol):
    """Where rows are kept; knows no engine."""

    async def write(self, fn: Callable[[Tx], T]) -> T:
        """Run *fn* in the writer; its effects are durable when this returns.

        A queued write is not cancelled with its caller. What *fn* raises comes out
        here and nothing of it stays.
        """

    async def read(self, fn: Callable[[Tx], T]) -> T:
        """Run *fn* on one consistent snapshot of what was committed."""


class Clock(Protocol):
    """Wall time as an input."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch."""


class Migration(Struct, frozen=True):
    """One forward step of one owner's tables.

    Columns are declared with the five types that ``store`` maps to its engine:
    INT64, TEXT, BYTES, FLAG (0 or 1), SERIAL (an ascending primary key).
    """

    owner: str
    version: int
    sql: str


@frozen
class AbsenceDoubt:
    """Why blocks do not prove that a transaction is in none of them; text for people.

    *is_edited*: nobody who follows the rules wrote that they do.
    """

    text: str
    is_edited: bool = True


@frozen
class LedgerHealth:
    """What is known to be wrong with the ledger or with where it comes from."""

    without_internals: tuple[str, ...] = ()
    """Endpoints that keep no internal transactions."""
    internals_seen: bool = False
    """An endpoint was seen to keep them."""
    problems: Mapping[Any, int] = field(factory=dict)
    """How many of each kind since the start; kinds as `LedgerProblem` has them."""
    drifting: int = 0
    """Balances (of one account in one asset) that are not what the ledger says."""
    reconcile_per_minute: int = 0
    """Balances compared with it, at most."""
    warnings: tuple[str, ...] = ()
    """What of it an operator has to do something about, and what; text for people."""


class BalanceDrift(Struct, frozen=True):
    """An account holds *drift* more of *asset* than the ledger says; sun or raw units.

    It can have arisen in any block from *since_block* on.
    """

    asset: str
    drift: int
    since_block: int


class KeystoreStatus(Struct, frozen=True):
    """What anyone may know of the keystore; *keys* counts addresses handed out."""

    exists: bool
    locked: bool
    unlocked_until_ms: int | None
    keys: int
