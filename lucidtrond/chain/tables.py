"""The follower's tables, and plain functions over one transaction of them.

``chain_block`` holds the recent blocks, one per number, without a gap from the solid
head to the head. ``chain_entry`` holds the movements that touched a watched address;
see `chain.entries`. ``chain_cursor`` has one row, or none before the first block.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar

from msgspec import Struct

from lucidtrond.ports import Migration, Tx
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockHeader, BlockId
from lucidtrond.tron.transaction import TxId
from lucidtrond.tron.units import UnixMillis

T = TypeVar("T")

OWNER: Final = "chain"
KEPT_BLOCKS: Final = 70_000
"""More than the 65,536 that a reference (TAPOS) may be old."""
SQL_BATCH: Final = 400
"""Parameters per statement; SQLite's oldest limit is 999."""

MIGRATIONS: Final = (
    Migration(
        OWNER,
        1,
        """
        CREATE TABLE chain_cursor (
            one INT64 PRIMARY KEY CHECK (one = 1),
            genesis_id BYTES NOT NULL,
            head_number INT64 NOT NULL,
            solid_number INT64 NOT NULL,
            complete_from INT64 NOT NULL
        );
        CREATE TABLE chain_block (
            number INT64 PRIMARY KEY,
            id BYTES NOT NULL,
            parent_id BYTES NOT NULL,
            timestamp_ms INT64 NOT NULL,
            witness BYTES NOT NULL,
            version INT64 NOT NULL,
            tx_trie_root BYTES NOT NULL,
            witness_signature BYTES NOT NULL,
            transactions INT64 NOT NULL
        );
        CREATE TABLE chain_watch (
            address BYTES PRIMARY KEY,
            since_number INT64
        );
        CREATE TABLE chain_entry (
            block_number INT64 NOT NULL,
            place INT64 NOT NULL,
            txid BYTES NOT NULL,
            kind TEXT NOT NULL,
            item INT64 NOT NULL,
            from_address BYTES NOT NULL,
            to_address BYTES NOT NULL,
            asset TEXT NOT NULL,
            amount BYTES NOT NULL,
            success FLAG NOT NULL,
            fee_sun INT64 NOT NULL,
            memo BYTES NOT NULL,
            single_source FLAG NOT NULL,
            block_id BYTES NOT NULL,
            block_timestamp_ms INT64 NOT NULL,
            PRIMARY KEY (block_number, place),
            UNIQUE (txid, kind, item)
        );
        CREATE INDEX chain_entry_from
            ON chain_entry (from_address, block_number, place);
        CREATE INDEX chain_entry_to
            ON chain_entry (to_address, block_number, place)
        """,
    ),
    Migration(
        OWNER,
        2,
        """
        ALTER TABLE chain_entry ADD COLUMN energy INT64;
        ALTER TABLE chain_entry ADD COLUMN bandwidth INT64
        """,
    ),
    # What a cost was read from was not kept: all of it came from one node's receipts.
    Migration(
        OWNER,
        3,
        """
        ALTER TABLE chain_entry ADD COLUMN proof TEXT NOT NULL DEFAULT 'one_source';
        ALTER TABLE chain_entry
            ADD COLUMN cost_proof TEXT NOT NULL DEFAULT 'one_source';
        ALTER TABLE chain_entry ADD COLUMN contradicted FLAG NOT NULL DEFAULT 0;
        UPDATE chain_entry SET proof = 'signatures' WHERE single_source = 0;
        ALTER TABLE chain_entry DROP COLUMN single_source
        """,
    ),
    Migration(
        OWNER,
        4,
        "CREATE INDEX chain_entry_contradicted ON chain_entry (contradicted,"
        " block_number, place)",
    ),
    # What moved of one asset is found without the address's rows of all others.
    Migration(
        OWNER,
        5,
        """
        CREATE INDEX chain_entry_from_asset
            ON chain_entry (from_address, asset, block_number, place);
        CREATE INDEX chain_entry_to_asset
            ON chain_entry (to_address, asset, block_number, place)
        """,
    ),
    # Rows that older programs wrote do not tell whether a plain call moved them.
    Migration(
        OWNER,
        6,
        """
        ALTER TABLE chain_entry ADD COLUMN receipt_proof TEXT;
        DROP INDEX chain_entry_contradicted;
        CREATE INDEX chain_entry_unread ON chain_entry (block_number, place)
            WHERE item < 0
        """,
    ),
    Migration(
        OWNER,
        7,
        """
        ALTER TABLE chain_entry ADD COLUMN waits FLAG NOT NULL DEFAULT 0;
        CREATE INDEX chain_entry_waits ON chain_entry (block_number, place)
            WHERE waits = 1
        """,
    ),
)


class Cursor(Struct, frozen=True):
    """How far we are; both numbers are of blocks that we hold."""

    head: int
    solid: int
    complete_from: int


def read_cursor(tx: Tx) -> tuple[Cursor, BlockId] | None:
    """Give the cursor and the genesis id that it belongs to."""
    rows = tx.execute(
        "SELECT head_number, solid_number, complete_from, genesis_id FROM chain_cursor"
    )
    for head, solid, complete_from, genesis in rows:
        return Cursor(head, solid, complete_from), BlockId(genesis.hex())
    return None


def write_cursor(tx: Tx, cursor: Cursor, genesis_id: BlockId) -> None:
    """Make or move the one row."""
    tx.execute(
        "INSERT INTO chain_cursor"
        " (one, genesis_id, head_number, solid_number, complete_from)"
        " VALUES (1, ?, ?, ?, ?)"
        " ON CONFLICT (one) DO UPDATE SET head_number = excluded.head_number,"
        " solid_number = excluded.solid_number",
        (
            bytes.fromhex(genesis_id),
            cursor.head,
            cursor.solid,
            cursor.complete_from,
        ),
    )


def insert_block(tx: Tx, block: Block, block_id: BlockId) -> None:
    """Keep the header; its number must be free."""
    header = block.header
    tx.execute(
        "INSERT INTO chain_block (number, id, parent_id, timestamp_ms, witness,"
        " version, tx_trie_root, witness_signature, transactions)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            header.number,
            bytes.fromhex(block_id),
            bytes.fromhex(header.parent_id),
            header.timestamp,
            header.witness,
            header.version,
            header.tx_trie_root,
            header.witness_signature,
            len(block.transactions),
        ),
    )


def delete_block(tx: Tx, number: int) -> BlockId:
    """Forget a block that we hold; its entries are the caller's."""
    rows = tx.execute(
        "DELETE FROM chain_block WHERE number = ? RETURNING id", (number,)
    )
    for (block_id,) in rows:
        return BlockId(block_id.hex())
    raise AssertionError(f"block {number} is between solid head and head")


def newest_time(tx: Tx) -> UnixMillis | None:
    """The time of the newest block that we hold."""
    rows = tx.execute(
        "SELECT timestamp_ms FROM chain_block ORDER BY number DESC LIMIT 1"
    )
    return UnixMillis(rows[0][0]) if rows else None


def held_header(tx: Tx, number: int) -> BlockHeader:
    """Give the header of a block from the solid head to the head."""
    for header in held_headers(tx, number - 1, number):
        return header
    raise AssertionError(f"block {number} is between solid head and head")


def held_headers(tx: Tx, above: int, up_to: int) -> list[BlockHeader]:
    """Give the headers of blocks ``above < number <= up_to``, ascending."""
    rows = tx.execute(
        "SELECT number, timestamp_ms, parent_id, tx_trie_root, witness, version,"
        " witness_signature FROM chain_block WHERE number > ? AND number <= ?"
        " ORDER BY number",
        (above, up_to),
    )
    return [
        BlockHeader(
            number=number,
            timestamp=UnixMillis(timestamp),
            parent_id=BlockId(parent.hex()),
            tx_trie_root=root,
            witness=witness,
            version=version,
            witness_signature=signature,
        )
        for number, timestamp, parent, root, witness, version, signature in rows
    ]


def read_ids(tx: Tx, first: int, last: int) -> tuple[BlockId, ...]:
    """Give the ids of our blocks *first* to *last*, ascending."""
    rows = tx.execute(
        "SELECT id FROM chain_block WHERE number BETWEEN ? AND ? ORDER BY number",
        (first, last),
    )
    return tuple(BlockId(block_id.hex()) for (block_id,) in rows)


def are_linked(tx: Tx, first: int, last: int, last_id: BlockId) -> bool:
    """Whether we hold all blocks from *first* to *last*, each on the one before it."""
    [(links,)] = tx.execute(
        "SELECT count(*) FROM chain_block b JOIN chain_block f"
        " ON f.number = b.number + 1 AND f.parent_id = b.id"
        " WHERE b.number >= ? AND b.number < ?",
        (first, last),
    )
    return bool(links == last - first and read_ids(tx, last, last) == (last_id,))


def block_of(tx: Tx, txid: TxId) -> int | None:
    """The number of a block that holds an entry of *txid*."""
    rows = tx.execute(
        "SELECT block_number FROM chain_entry WHERE txid = ? LIMIT 1",
        (bytes.fromhex(txid),),
    )
    return rows[0][0] if rows else None


def prune_blocks(tx: Tx, solid: int) -> None:
    """Forget headers that nothing needs any more; a range scan of what is too old."""
    tx.execute("DELETE FROM chain_block WHERE number < ?", (solid - KEPT_BLOCKS,))


def watched_among(tx: Tx, addresses: Collection[Address]) -> set[Address]:
    """Say which of *addresses* are watched."""
    watched: set[Address] = set()
    for some in slices(addresses):
        marks = ", ".join("?" * len(some))
        rows = tx.execute(
            f"SELECT address FROM chain_watch WHERE address IN ({marks})",  # noqa: S608 - only question marks
            [address.raw for address in some],
        )
        watched.update(Address(raw) for (raw,) in rows)
    return watched


def slices(values: Iterable[T]) -> Iterator[list[T]]:
    """As many at a time as one statement takes as parameters."""
    remaining = iter(values)
    while some := list(islice(remaining, SQL_BATCH)):
        yield some
