"""The outbox: what happened, as rows in the transaction in which it happened.

Sequence numbers ascend in commit order because writers are serialised (an engine that
lets several commit at once needs a lock before `append`). They may have holes, and none
is given twice, even after pruning. The outbox keeps a bounded number of newest events;
`oldest_seq` shows a reader whether what it asks for is still here.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from lucidtrond.events.types import PROOFS, Event, Proof
from lucidtrond.ports import Migration, Row, Tx

MIGRATIONS: Final[tuple[Migration, ...]] = (
    Migration(
        "event",
        1,
        """
        CREATE TABLE event_outbox (
            seq SERIAL,
            topic TEXT NOT NULL,
            at_ms INT64 NOT NULL,
            addresses TEXT NOT NULL,
            payload BYTES NOT NULL
        );
        CREATE TABLE event_address (
            address TEXT NOT NULL,
            seq INT64 NOT NULL,
            PRIMARY KEY (address, seq)
        );
        CREATE INDEX event_address_seq ON event_address (seq);
        """,
    ),
    # Of older programs' events it is null: they come, whatever proof is wanted.
    Migration("event", 2, "ALTER TABLE event_outbox ADD COLUMN proof INT64"),
)


class StoredEvent(Struct, frozen=True):
    """An event as it lies in the outbox."""

    seq: int
    topic: str
    at_ms: int
    payload: bytes
    """A JSON object: the event's fields."""
    addresses: tuple[str, ...] = ()
    """Base58 addresses it is about."""
    proof: int | None = None
    """`rank` of what its fact rests on; None: it comes, whatever proof is wanted."""


def rank(proof: Proof) -> int:
    """The better, the greater."""
    return PROOFS.index(proof)


def append(tx: Tx, event: Event, *, at_ms: int) -> int:
    """Put *event* into the outbox within *tx*; give its sequence number."""
    addresses = sorted(set(event.addresses()))
    proof = event.proven_by()
    seq: int
    ((seq,),) = tx.execute(
        "INSERT INTO event_outbox (topic, at_ms, addresses, payload, proof)"
        " VALUES (?, ?, ?, ?, ?) RETURNING seq",
        (
            event.topic,
            at_ms,
            " ".join(addresses),
            msgspec.json.encode(event),
            None if proof is None else rank(proof),
        ),
    )
    for address in addresses:
        tx.execute(
            "INSERT INTO event_address (address, seq) VALUES (?, ?)", (address, seq)
        )
    return seq


def read_since(
    tx: Tx,
    since: int,
    *,
    limit: int,
    topics: Sequence[str] = (),
    address: str | None = None,
    min_proof: Proof | None = None,
) -> list[StoredEvent]:
    """Give the oldest *limit* events above *since*, in order.

    No *topics* means all of them. *min_proof* leaves out what rests on less.
    """
    sql = (
        "SELECT o.seq, o.topic, o.at_ms, o.payload, o.addresses, o.proof"
        " FROM event_outbox o"
    )
    params: list[object] = []
    if address is not None:
        sql += " JOIN event_address a ON a.seq = o.seq AND a.address = ?"
        params.append(address)
    sql += " WHERE o.seq > ?" if address is None else " WHERE a.seq > ?"
    params.append(since)
    if topics:
        sql += f" AND o.topic IN ({', '.join('?' * len(topics))})"
        params += topics
    if min_proof is not None:
        sql += " AND (o.proof IS NULL OR o.proof >= ?)"
        params.append(rank(min_proof))
    sql += " ORDER BY o.seq LIMIT ?" if address is None else " ORDER BY a.seq LIMIT ?"
    params.append(limit)
    return [_stored(row) for row in tx.execute(sql, params)]


def _stored(row: Row) -> StoredEvent:
    seq, topic, at_ms, payload, addresses, proof = row
    return StoredEvent(seq, topic, at_ms, payload, tuple(addresses.split()), proof)


def last_seq(tx: Tx) -> int:
    """The newest event's number; 0 when nothing ever happened."""
    return int(tx.execute("SELECT COALESCE(MAX(seq), 0) FROM event_outbox")[0][0])


def oldest_seq(tx: Tx) -> int:
    """The oldest event that is kept; 1 when nothing ever happened."""
    return int(tx.execute("SELECT COALESCE(MIN(seq), 1) FROM event_outbox")[0][0])


def prune(tx: Tx, keep: int) -> int:
    """Drop all but the newest *keep* (at least 1) numbers; give how many rows went."""
    if keep < 1:
        raise ValueError(f"keep: expected at least 1, got {keep}")
    floor = last_seq(tx) - keep
    tx.execute("DELETE FROM event_address WHERE seq <= ?", (floor,))
    gone = tx.execute("DELETE FROM event_outbox WHERE seq <= ? RETURNING seq", (floor,))
    return len(gone)
