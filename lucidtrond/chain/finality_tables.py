"""The table of the producers that finality is counted by, kept with their blocks.

``producer_set`` has a row for each key of each member: it counted in blocks from
*from_block* up to *until_block* (null: it still does). *of* is how many active
producers there were. Rows of the past stay for audits, at most `MAX_PAST` of them.

What else `chain.finality` knows follows from the blocks that are held.
"""

from collections.abc import Iterable, Mapping
from typing import Final, cast

from attrs import evolve, frozen

from lucidtrond.chain import tables
from lucidtrond.chain.finality import (
    ORIGINS,
    Finality,
    Member,
    MemberOrigin,
    ProducerSet,
    SetChange,
    SignedBlock,
    final_rounds,
)
from lucidtrond.ports import Migration, Tx
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockHeader, BlockId
from lucidtrond.tron.producers import KeyChange

MAX_PAST: Final = 4096
NOBODY: Final = Address(b"\x41" + bytes(20))
"""No producer's key."""

MIGRATIONS: Final = (
    Migration(
        "finality",
        1,
        """
        CREATE TABLE producer_set (
            producer BYTES NOT NULL,
            from_block INT64 NOT NULL,
            key_address BYTES NOT NULL,
            until_block INT64,
            origin TEXT NOT NULL,
            producers INT64 NOT NULL,
            PRIMARY KEY (producer, from_block)
        );
        CREATE INDEX producer_set_until ON producer_set (until_block)
        """,
    ),
)


@frozen
class FirstSet:
    """What the set begins with, and where that is from.

    *as_of* is the block that it is known to be right at; None is the present.
    """

    producers: ProducerSet
    origin: MemberOrigin
    as_of: int | None = None

    def begin(
        self, solid: int, solid_id: BlockId, *, is_proven: bool = False
    ) -> Finality:
        """See `Finality.begin`."""
        return Finality.begin(
            self.producers,
            self.origin,
            solid=solid,
            solid_id=solid_id,
            is_proven=is_proven,
        )


def load(tx: Tx, first: FirstSet | None) -> Finality | None:
    """Go on where the database stands; None before the first block or without a set.

    A pin, or a snapshot renewed by headers, that is not the stored one takes the place
    of all that was stored.
    """
    row = tables.read_cursor(tx)
    if row is None:
        return None
    cursor, _ = row
    [solid_id] = tables.read_ids(tx, cursor.solid, cursor.solid)
    stored = _read_members(tx)
    if first is not None and (not stored or _is_another(tx, first)):
        finality = first.begin(cursor.solid, solid_id)
        finality.changes[:0] = [SetChange(member, cursor.solid) for _, member in stored]
    elif stored:
        n = stored[0][0]
        finality = Finality.resume(
            n,
            [member for _, member in stored],
            solid=cursor.solid,
            solid_id=solid_id,
            final=_read_blocks(tx, cursor.solid - final_rounds(n), cursor.solid),
            named=_read_named(tx, cursor.solid),
        )
    else:
        return None
    changes = _read_changes(tx, cursor.solid)
    for block in _read_blocks(tx, cursor.solid, cursor.head):
        finality.observe(evolve(block, changes=tuple(changes.get(block.number, ()))))
    return finality


def _read_blocks(tx: Tx, above: int, up_to: int) -> list[SignedBlock]:
    """Blocks ``above < number <= up_to``, ascending, without what they change."""
    ids = tables.read_ids(tx, max(above, 0) + 1, up_to)
    headers = tables.held_headers(tx, max(above, 0), up_to)
    return [_signed(*pair) for pair in zip(headers, ids, strict=True)]


def _signed(header: BlockHeader, block_id: BlockId) -> SignedBlock:
    """A stored block; if the kept columns are not all of its header, nobody's."""
    if header.id == block_id:
        return SignedBlock.of(header)
    producer = Address(header.witness)
    return SignedBlock(header.number, block_id, header.parent_id, producer, NOBODY)


def write_changes(tx: Tx, n: int, changes: Iterable[SetChange]) -> None:
    """Write what happened to the set, in order; *n* producers are active."""
    for change in changes:
        member = change.member
        tx.execute(
            "INSERT INTO producer_set (producer, from_block, key_address, until_block,"
            " origin, producers) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (producer, from_block) DO UPDATE SET"
            " key_address = excluded.key_address, until_block = excluded.until_block,"
            " origin = excluded.origin, producers = excluded.producers",
            (
                member.producer.raw,
                member.from_block,
                member.key.raw,
                change.until,
                member.origin,
                n,
            ),
        )
        if change.until is not None:
            tx.execute(
                "DELETE FROM producer_set WHERE until_block < (SELECT until_block FROM"
                " producer_set WHERE until_block IS NOT NULL"
                " ORDER BY until_block DESC LIMIT 1 OFFSET ?)",
                (MAX_PAST,),
            )


def _read_members(tx: Tx) -> list[tuple[int, Member]]:
    """Those that count now, each with the number of active producers."""
    rows = tx.execute(
        "SELECT producers, producer, key_address, from_block, origin FROM producer_set"
        " WHERE until_block IS NULL ORDER BY producer"
    )
    return [
        (n, Member(Address(producer), Address(key), number, _origin(origin)))
        for n, producer, key, number, origin in rows
    ]


def _is_another(tx: Tx, first: FirstSet) -> bool:
    """Whether *first* is newer than what the stored set goes back to."""
    if first.origin not in ("pin", "headers"):
        return False
    rows = tx.execute(
        "SELECT producer, key_address FROM producer_set WHERE origin = ?"
        " AND from_block = (SELECT max(from_block) FROM producer_set"
        " WHERE origin = ?)",
        (first.origin, first.origin),
    )
    stored = {Address(producer): Address(key) for producer, key in rows}
    return stored != dict(first.producers.keys)


def _read_named(tx: Tx, solid: int) -> Mapping[Address, Address]:
    """Proven keys of producers: the newest that a final block named, or with which one
    left."""
    rows = tx.execute(
        "SELECT from_block, producer, key_address FROM producer_key"
        " WHERE origin = 'block' AND from_block <= ?"
        " UNION ALL SELECT until_block, producer, key_address FROM producer_set"
        " WHERE until_block IS NOT NULL ORDER BY 1",
        (solid + 1,),
    )
    return {Address(producer): Address(key) for _, producer, key in rows}


def _read_changes(tx: Tx, solid: int) -> Mapping[int, list[KeyChange]]:
    """Changes of keys that blocks above *solid* hold, by their numbers."""
    rows = tx.execute(
        "SELECT from_block, producer, key_address FROM producer_key"
        " WHERE origin = 'block' AND from_block > ?",
        (solid + 1,),
    )
    changes: dict[int, list[KeyChange]] = {}
    for from_block, producer, key in rows:
        change = KeyChange(Address(producer), Address(key))
        changes.setdefault(from_block - 1, []).append(change)
    return changes


def _origin(text: str) -> MemberOrigin:
    if text not in ORIGINS:
        raise AssertionError(f"no such origin of a member: {text}")
    return cast("MemberOrigin", text)
