"""Reading the journal."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

from msgspec import Struct

from lucidtrond.errors import InvalidInput
from lucidtrond.events.types import Payment
from lucidtrond.ports import Tx
from lucidtrond.sending.journal.entry import Entry
from lucidtrond.sending.journal.rows import (
    INTENT_COLUMNS,
    SELECT_ENTRY,
    read_entry_row,
    read_intent_row,
)
from lucidtrond.sending.kinds.table import kind_of
from lucidtrond.sending.reserved import Reserved
from lucidtrond.sending.terms import LIFETIME_MS
from lucidtrond.tron.address import Address
from lucidtrond.tron.transaction import TxId
from lucidtrond.tron.units import Sun, UnixMillis

SQL_BATCH: Final = 400


def time_limits(tx: Tx, payment_seq: int) -> tuple[int, UnixMillis | None]:
    """The lifetime of a payment's transactions in ms, and when to give it up."""
    [(lifetime_ms, deadline)] = tx.execute(
        "SELECT lifetime_ms, deadline_ms FROM sending_payment WHERE seq = ?",
        (payment_seq,),
    )
    return (
        LIFETIME_MS if lifetime_ms is None else lifetime_ms,
        None if deadline is None else UnixMillis(deadline),
    )


def dead(tx: Tx, limit: int) -> list[Entry]:
    """Expired ones that no node has confirmed, or that may have a next attempt."""
    rows = tx.execute(
        f"{SELECT_ENTRY} WHERE a.unresolved = 1 AND a.state = 'expired'"
        " ORDER BY p.seq LIMIT ?",
        (limit,),
    )
    return [read_entry_row(row) for row in rows]


def reserved(
    tx: Tx, owner: Address, *, instead_of: Entry | None = None
) -> list[Reserved]:
    """What the owner's unsettled payments may take, but for *instead_of*."""
    rows = tx.execute(
        f"SELECT a.burn_sun, a.block_number, {INTENT_COLUMNS}"  # noqa: S608 - constants
        " FROM sending_attempt a JOIN sending_payment p ON p.seq = a.payment_seq"
        " WHERE a.owner = ? AND a.unresolved = 1 AND a.txid != ?",
        (owner.raw, b"" if instead_of is None else instead_of.transaction.digest),
    )
    return [_reserved(burn, block_number, row) for burn, block_number, *row in rows]


def _reserved(
    burn: int | None, block_number: int | None, row: Sequence[Any]
) -> Reserved:
    intent = read_intent_row(tuple(row))
    spending = kind_of(intent).spending(intent)
    return Reserved(spending, Sun(burn or 0), block_number, intent.to)


def by_key(tx: Tx, key: str) -> tuple[Entry, bytes] | None:
    """Find a payment and its content's digest."""
    entry = _first(tx, "p.idempotency_key = ? AND a.latest = 1", key)
    if entry is None:
        return None
    [(content,)] = tx.execute(
        "SELECT content FROM sending_payment WHERE seq = ?", (entry.payment_seq,)
    )
    return entry, content


def by_payment_id(tx: Tx, payment_id: str) -> Entry | None:
    """The latest attempt."""
    return _first(tx, "p.payment_id = ? AND a.latest = 1", payment_id)


def by_txid(tx: Tx, txid: TxId) -> Entry | None:
    """This very attempt, the latest or not."""
    try:
        digest = bytes.fromhex(txid)
    except ValueError:
        return None
    return _first(tx, "a.txid = ?", digest)


def attempt(tx: Tx, digest: bytes) -> Entry:
    """The one whose transaction has this digest; it is there."""
    [entry] = _all(tx, "a.txid = ?", digest)
    return entry


def is_journaled(tx: Tx, digest: bytes) -> bool:
    """Whether an attempt's transaction has this digest."""
    sql = "SELECT 1 FROM sending_attempt WHERE txid = ?"
    return bool(tx.execute(sql, (digest,)))


def must_find(tx: Tx, txid: TxId) -> Entry:
    """An attempt that is known to be there."""
    entry = by_txid(tx, txid)
    if entry is None:
        raise AssertionError("a journaled attempt is never deleted")
    return entry


def among(tx: Tx, txids: Sequence[TxId]) -> list[Entry]:
    """Those of *txids* that are ours."""
    entries: list[Entry] = []
    remaining: Iterator[TxId] = iter(txids)
    while batch := list(islice(remaining, SQL_BATCH)):
        marks = ", ".join("?" * len(batch))
        digests = [bytes.fromhex(txid) for txid in batch]
        entries += _all(tx, f"a.txid IN ({marks})", *digests)
    return entries


def in_block(tx: Tx, number: int) -> list[Entry]:
    return _all(tx, "a.block_number = ? AND a.unresolved = 1", number)


def touched_by_final(tx: Tx, number: int, timestamp: UnixMillis) -> list[Entry]:
    """Unresolved ones that a new solid head may settle or prove dead."""
    return _all(
        tx,
        "a.unresolved = 1 AND a.state != 'unproven' AND (a.block_number <= ?"
        " OR (a.block_number IS NULL AND a.expiration_ms <= ?))",
        number,
        timestamp,
    )


def unproven(tx: Tx, limit: int) -> list[Entry]:
    """Those in a final block whose receipt does not prove that they paid."""
    rows = tx.execute(
        f"{SELECT_ENTRY} WHERE a.unresolved = 1 AND a.state = 'unproven'"
        " ORDER BY p.seq LIMIT ?",
        (limit,),
    )
    return [read_entry_row(row) for row in rows]


def due(
    tx: Tx, head: UnixMillis | None, *, everything: bool, limit: int
) -> list[Entry]:
    """Those to be signed or sent at head time *head*, oldest first."""
    where = _Where("a.due_ms IS NOT NULL")
    if not everything:
        where = where.also("a.due_ms <= ?", 0 if head is None else head)
    if head is not None:
        where = where.also("a.expiration_ms > ?", head)
    rows = tx.execute(
        f"{SELECT_ENTRY} WHERE {where.sql} ORDER BY p.seq LIMIT ?",
        (*where.params, limit),
    )
    return [read_entry_row(row) for row in rows]


def page(
    tx: Tx,
    *,
    limit: int,
    cursor: str | None,
    owner: Address | None,
    unresolved: bool,
) -> tuple[list[Payment], str | None]:
    """Newest first; a cursor is the last payment's number.

    Raises:
        InvalidInput: not a cursor that this gave.
    """
    where = _Where("a.latest = 1")
    if cursor is not None:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
            raise InvalidInput("cursor: not one that this method gave")
        where = where.also("p.seq < ?", int(cursor))
    if owner is not None:
        where = where.also("p.owner = ?", owner.raw)
    if unresolved:
        where = where.also("a.unresolved = 1")
    rows = tx.execute(
        f"{SELECT_ENTRY} WHERE {where.sql} ORDER BY p.seq DESC LIMIT ?",
        (*where.params, limit + 1),
    )
    entries = [read_entry_row(row) for row in rows[:limit]]
    following = str(entries[-1].payment_seq) if len(rows) > limit else None
    return [entry.payment for entry in entries], following


class _Where(Struct, frozen=True):
    """Conditions as SQL text of ours and parameters."""

    sql: str
    params: tuple[object, ...] = ()

    def also(self, sql: str, *params: object) -> "_Where":
        return _Where(f"{self.sql} AND {sql}", (*self.params, *params))


def _first(tx: Tx, condition: str, *params: object) -> Entry | None:
    entries = _all(tx, condition, *params)
    return entries[0] if entries else None


def _all(tx: Tx, condition: str, *params: object) -> list[Entry]:
    rows = tx.execute(f"{SELECT_ENTRY} WHERE {condition} ORDER BY p.seq", params)
    return [read_entry_row(row) for row in rows]
