"""Reading the journal.

One row that can't be read keeps no other from being read: what gives several payments
leaves it out and hands its fault to *faults*; what gives one raises `RowRefused`.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from msgspec import Struct

from lucidtrond.errors import InvalidInput, StoreError
from lucidtrond.events.types import Payment
from lucidtrond.ports import Row, Tx
from lucidtrond.sending.journal.entry import Entry
from lucidtrond.sending.journal.fault import RowFault, RowRefused, shown
from lucidtrond.sending.journal.rows import (
    ENTRY_COLUMNS,
    FROM_BOTH,
    INTENT_COLUMNS,
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

Faults = Callable[[RowFault], object]


class Page(Struct, frozen=True):
    """Some entries, and the number of the last row if there may be more."""

    entries: list[Entry]
    last: int | None


def ignore(_: RowFault) -> None:
    """For readers beside those that act on payments, which find the same faults."""


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


def dead(tx: Tx, limit: int, *, after: int, faults: Faults) -> Page:
    """Expired ones that no node has confirmed, or that may have a next attempt."""
    where = _Where("a.unresolved = 1 AND a.state = 'expired'")
    return _page(tx, where, limit, after=after, faults=faults)


def reserved(
    tx: Tx, owner: Address, *, instead_of: Entry | None = None
) -> list[Reserved]:
    """What the owner's unsettled payments may take, but for *instead_of*."""
    columns = f"a.burn_sun, a.block_number, {INTENT_COLUMNS}"
    tail = "WHERE a.owner = ? AND a.unresolved = 1 AND a.txid != ?"
    other = b"" if instead_of is None else instead_of.transaction.digest
    rows = _rows(tx, columns, tail, owner.raw, other, faults=ignore)
    return [
        reserved
        for burn, block_number, *row in rows
        if (reserved := _reserved(burn, block_number, row)) is not None
    ]


def under_way(
    tx: Tx, owner: Address, *, instead_of: Entry | None = None
) -> list[Entry]:
    """The same payments, as far as they can be read."""
    tail = "WHERE a.owner = ? AND a.unresolved = 1 AND a.txid != ?"
    other = b"" if instead_of is None else instead_of.transaction.digest
    return _read(tx, tail, owner.raw, other, faults=ignore)


def _reserved(
    burn: int | None, block_number: int | None, row: Sequence[Any]
) -> Reserved | None:
    """None where nothing can be read: it is set aside, and others go on."""
    try:
        intent = read_intent_row(tuple(row))
        spending = kind_of(intent).spending(intent)
    except (ValueError, TypeError, LookupError):
        return None
    return Reserved(spending, Sun(burn or 0), block_number, intent.to)


def by_key(tx: Tx, key: str) -> tuple[Entry, bytes] | None:
    """Find a payment and its content's digest.

    Raises:
        RowRefused: it can't be read, or no attempt is its latest.
    """
    entry = _latest(tx, "p.idempotency_key = ?", key)
    if entry is None:
        return None
    [(content,)] = tx.execute(
        "SELECT content FROM sending_payment WHERE seq = ?", (entry.payment_seq,)
    )
    return entry, content


def by_payment_id(tx: Tx, payment_id: str) -> Entry | None:
    """The latest attempt.

    Raises:
        RowRefused: as of `by_key`.
    """
    return _latest(tx, "p.payment_id = ?", payment_id)


def by_txid(tx: Tx, txid: TxId) -> Entry | None:
    """This very attempt, the latest or not."""
    try:
        digest = bytes.fromhex(txid)
    except ValueError:
        return None
    return _first(tx, "a.txid = ?", digest)


def attempt(tx: Tx, digest: bytes) -> Entry:
    """The one whose transaction has this digest; it is there."""
    entry = _first(tx, "a.txid = ?", digest)
    if entry is None:
        raise AssertionError("a journaled attempt is never deleted")
    return entry


def attempt_numbers(tx: Tx, payment_seq: int) -> list[int]:
    """Of all attempts of a payment, in order."""
    rows = tx.execute(
        "SELECT number FROM sending_attempt WHERE payment_seq = ? ORDER BY number",
        (payment_seq,),
    )
    return [number for (number,) in rows]


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


def among(tx: Tx, txids: Sequence[TxId], *, faults: Faults) -> list[Entry]:
    """Those of *txids* that are ours."""
    entries: list[Entry] = []
    remaining: Iterator[TxId] = iter(txids)
    while batch := list(islice(remaining, SQL_BATCH)):
        marks = ", ".join("?" * len(batch))
        digests = [bytes.fromhex(txid) for txid in batch]
        tail = f"WHERE a.txid IN ({marks}) ORDER BY p.seq"
        entries += _read(tx, tail, *digests, faults=faults)
    return entries


def in_block(tx: Tx, number: int, *, faults: Faults) -> list[Entry]:
    tail = "WHERE a.block_number = ? AND a.unresolved = 1 ORDER BY p.seq"
    return _read(tx, tail, number, faults=faults)


def touched_by_final(
    tx: Tx, number: int, timestamp: UnixMillis, *, faults: Faults
) -> list[Entry]:
    """Unresolved ones that a new solid head may settle or prove dead."""
    tail = (
        "WHERE a.unresolved = 1 AND a.state != 'unproven' AND (a.block_number <= ?"
        " OR (a.block_number IS NULL AND a.expiration_ms <= ?)) ORDER BY p.seq"
    )
    return _read(tx, tail, number, timestamp, faults=faults)


def unauthenticated(tx: Tx, limit: int, *, faults: Faults) -> list[Entry]:
    """Those without MACs of which something is to be signed."""
    tail = (
        "WHERE a.unresolved = 1 AND a.latest = 1 AND (p.mac IS NULL OR a.mac IS NULL)"
        " AND (a.state = 'queued' OR (a.state = 'expired' AND a.renewals > 0))"
        " ORDER BY p.seq LIMIT ?"
    )
    return _read(tx, tail, limit, faults=faults)


def report_orphans(tx: Tx, *, faults: Faults) -> None:
    """Hand over unresolved attempts whose payment is not there."""
    rows = tx.execute(
        "SELECT payment_seq, number FROM sending_attempt WHERE unresolved = 1"
        " AND payment_seq NOT IN (SELECT seq FROM sending_payment)"
    )
    for seq, number in rows:
        txid = _txid_shown(tx, seq, number)
        wanted = "the number of a payment"
        faults(RowFault(None, txid, "payment_seq", wanted, str(seq)))


def unproven(tx: Tx, limit: int, *, faults: Faults) -> list[Entry]:
    """Those in a final block whose receipt does not prove that they paid."""
    tail = "WHERE a.unresolved = 1 AND a.state = 'unproven' ORDER BY p.seq LIMIT ?"
    return _read(tx, tail, limit, faults=faults)


def due(
    tx: Tx,
    head: UnixMillis | None,
    *,
    everything: bool,
    limit: int,
    after: int,
    faults: Faults,
) -> Page:
    """Those to be signed or sent at head time *head*, oldest first."""
    where = _Where("a.due_ms IS NOT NULL")
    if not everything:
        where = where.also("a.due_ms <= ?", 0 if head is None else head)
    if head is not None:
        where = where.also("a.expiration_ms > ?", head)
    return _page(tx, where, limit, after=after, faults=faults)


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
    numbers = tx.execute(
        f"SELECT p.seq {FROM_BOTH} WHERE {where.sql} ORDER BY p.seq DESC LIMIT ?",
        (*where.params, limit + 1),
    )
    if not numbers:
        return [], None
    [last] = numbers[:limit][-1]
    tail = f"WHERE {where.sql} AND p.seq >= ? ORDER BY p.seq DESC"
    entries = _read(tx, tail, *where.params, last, faults=ignore)
    following = str(last) if len(numbers) > limit else None
    return [entry.payment for entry in entries], following


class _Where(Struct, frozen=True):
    """Conditions as SQL text of ours and parameters."""

    sql: str
    params: tuple[object, ...] = ()

    def also(self, sql: str, *params: object) -> "_Where":
        return _Where(f"{self.sql} AND {sql}", (*self.params, *params))


def _page(tx: Tx, where: _Where, limit: int, *, after: int, faults: Faults) -> Page:
    """*limit* rows above number *after*, oldest first; what can't be read is one."""
    unread: list[RowFault] = []
    where = where.also("p.seq > ?", after)
    tail = f"WHERE {where.sql} ORDER BY p.seq LIMIT ?"
    entries = _read(tx, tail, *where.params, limit, faults=unread.append)
    for fault in unread:
        faults(fault)
    if len(entries) + len(unread) < limit:
        return Page(entries, None)
    numbers = tx.execute(f"SELECT p.seq {FROM_BOTH} {tail}", (*where.params, limit))
    return Page(entries, numbers[-1][0])


def _latest(tx: Tx, condition: str, name: str) -> Entry | None:
    """The latest attempt of the payment for which *condition* holds of *name*.

    A payment without one is refused: to call it unknown would be to pay it again.

    Raises:
        RowRefused: it can't be read, or no attempt is the latest.
    """
    entry = _first(tx, f"{condition} AND a.latest = 1", name)
    if entry is None:
        for seq, payment_id in tx.execute(
            f"SELECT p.seq, p.payment_id FROM sending_payment p WHERE {condition}",  # noqa: S608 - conditions of ours
            (name,),
        ):
            numbers = attempt_numbers(tx, seq)
            txid = _txid_shown(tx, seq, numbers[-1]) if numbers else None
            stored = f"none of {len(numbers)} attempts"
            wanted = "1 at one attempt of the payment"
            raise RowRefused(RowFault(payment_id, txid, "latest", wanted, stored))
    return entry


def _first(tx: Tx, condition: str, *params: object) -> Entry | None:
    """The first of those for which *condition* holds.

    Raises:
        RowRefused: it can't be read.
    """
    tail = f"WHERE {condition} ORDER BY p.seq LIMIT 1"
    faults: list[RowFault] = []
    entries = _read(tx, tail, *params, faults=faults.append)
    for fault in faults:
        raise RowRefused(fault)
    return entries[0] if entries else None


def _read(tx: Tx, tail: str, *params: object, faults: Faults) -> list[Entry]:
    """Entries by the conditions and the order of *tail*."""
    entries = []
    for row in _rows(tx, ENTRY_COLUMNS, tail, *params, faults=faults):
        try:
            entries.append(read_entry_row(row))
        except RowRefused as refusal:
            faults(refusal.fault)
    return entries


def _rows(
    tx: Tx, columns: str, tail: str, *params: object, faults: Faults
) -> Iterator[Row]:
    """At once; one by one where the database can't give one of them."""
    try:
        yield from tx.execute(f"SELECT {columns} {FROM_BOTH} {tail}", params)
    except StoreError:
        # Text that is no UTF-8 fails in the engine, for all rows of the statement.
        names = tx.execute(f"SELECT p.seq, a.number {FROM_BOTH} {tail}", params)
    else:
        return
    one = "WHERE p.seq = ? AND a.number = ?"
    for name in names:
        try:
            yield from tx.execute(f"SELECT {columns} {FROM_BOTH} {one}", name)
        except StoreError as error:
            txid = _txid_shown(tx, *name)
            wanted = "a row that the database can give"
            faults(RowFault(None, txid, "row", wanted, str(error)))


def _txid_shown(tx: Tx, payment_seq: object, number: object) -> str | None:
    """What stands in the place of an attempt's txid, for people."""
    try:
        [(txid,)] = tx.execute(
            "SELECT txid FROM sending_attempt WHERE payment_seq = ? AND number = ?",
            (payment_seq, number),
        )
    except StoreError:
        return None  # it is that which the database can't give
    return shown(txid)
