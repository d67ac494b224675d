"""The follower's tables, and plain functions over one transaction of them.

``chain_block`` holds the recent blocks, one per number, without a gap from the solid
head to the head. ``chain_entry`` holds the movements that touched a watched address;
(block_number, place) is both its order and its key, since there is one block per
number. Amounts are 32 bytes big-endian for every asset: a token's exceed 64 bits.
``chain_cursor`` has one row, or none before the first block.
"""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Final

from attrs import frozen

from lucidtrond.chain.read import Movement
from lucidtrond.events.types import LedgerEntry
from lucidtrond.ports import Migration, Row, Tx
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockHeader, BlockId
from lucidtrond.tron.tokens import KnownTokens
from lucidtrond.tron.units import UnixMillis

OWNER: Final = "chain"
KEPT_BLOCKS: Final = 70_000
"""More than the 65,536 that a reference (TAPOS) may be old."""
_AT_ONCE: Final = 400
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
)

ENTRY_COLUMNS: Final = (
    "block_number, place, txid, kind, item, from_address, to_address, asset, amount,"
    " success, fee_sun, memo, single_source, block_id, block_timestamp_ms,"
    " energy, bandwidth"
)


@frozen
class Cursor:
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


def held_header(tx: Tx, number: int) -> BlockHeader:
    """Give the header of a block from the solid head to the head."""
    rows = tx.execute(
        "SELECT timestamp_ms, parent_id, tx_trie_root, witness, version,"
        " witness_signature FROM chain_block WHERE number = ?",
        (number,),
    )
    for timestamp, parent, root, witness, version, signature in rows:
        return BlockHeader(
            number=number,
            timestamp=UnixMillis(timestamp),
            parent_id=BlockId(parent.hex()),
            tx_trie_root=root,
            witness=witness,
            version=version,
            witness_signature=signature,
        )
    raise AssertionError(f"block {number} is between solid head and head")


def read_ids(tx: Tx, first: int, last: int) -> tuple[BlockId, ...]:
    """Give the ids of our blocks *first* to *last*, ascending."""
    rows = tx.execute(
        "SELECT id FROM chain_block WHERE number BETWEEN ? AND ? ORDER BY number",
        (first, last),
    )
    return tuple(BlockId(block_id.hex()) for (block_id,) in rows)


def prune_blocks(tx: Tx, solid: int) -> None:
    """Forget headers that nothing needs any more; a range scan of what is too old."""
    tx.execute("DELETE FROM chain_block WHERE number < ?", (solid - KEPT_BLOCKS,))


def watched_among(tx: Tx, addresses: Collection[Address]) -> set[Address]:
    """Say which of *addresses* are watched."""
    found: set[Address] = set()
    for some in _slices(addresses):
        marks = ", ".join("?" * len(some))
        rows = tx.execute(
            f"SELECT address FROM chain_watch WHERE address IN ({marks})",  # noqa: S608 - only question marks
            [address.raw for address in some],
        )
        found.update(Address(raw) for (raw,) in rows)
    return found


def insert_entries(
    tx: Tx, block: Block, block_id: BlockId, movements: Sequence[Movement]
) -> None:
    """Keep movements of a block."""
    header_id = bytes.fromhex(block_id)
    tx.execute_many(
        f"INSERT INTO chain_entry ({ENTRY_COLUMNS})"  # noqa: S608 - a constant
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                block.header.number,
                each.place,
                bytes.fromhex(each.txid),
                each.kind,
                each.index,
                each.sender.raw,
                each.recipient.raw,
                str(each.asset),
                each.amount.to_bytes(32, "big"),
                int(each.success),
                each.fee,
                each.memo,
                int(each.single_source),
                header_id,
                block.header.timestamp,
                each.energy,
                each.bandwidth,
            )
            for each in movements
        ],
    )


def entries_between(
    tx: Tx, above: int, up_to: int, *, solid: int, known: KnownTokens
) -> list[LedgerEntry]:
    """Entries of blocks ``above < number <= up_to``, in the order they happened."""
    rows = tx.execute(
        f"SELECT {ENTRY_COLUMNS} FROM chain_entry"  # noqa: S608 - a constant
        " WHERE block_number > ? AND block_number <= ?"
        " ORDER BY block_number, place",
        (above, up_to),
    )
    return [entry_of(row, solid=solid, known=known) for row in rows]


def delete_entries(tx: Tx, number: int) -> None:
    """Forget the movements of a block that was taken back."""
    tx.execute("DELETE FROM chain_entry WHERE block_number = ?", (number,))


def entry_of(row: Row, *, solid: int, known: KnownTokens) -> LedgerEntry:
    """A row of `ENTRY_COLUMNS` in wire form, in the light of what is known today."""
    (
        block_number,
        _place,
        txid,
        kind,
        item,
        sender,
        recipient,
        asset,
        amount,
        success,
        fee,
        memo,
        single_source,
        block_id,
        timestamp,
        energy,
        bandwidth,
    ) = row
    return LedgerEntry(
        txid=txid.hex(),
        kind=kind,
        index=item,
        from_address=Address(sender).base58,
        to_address=Address(recipient).base58,
        asset=asset,
        amount=str(int.from_bytes(amount, "big")),
        success=bool(success),
        block_number=block_number,
        block_id=block_id.hex(),
        block_timestamp_ms=timestamp,
        solidified=block_number <= solid,
        fee_sun=str(fee),
        memo_hex=memo.hex(),
        single_source=bool(single_source),
        unknown_token=kind == "trc20" and known.at(asset) is None,
        energy_used=energy,
        bandwidth_used=bandwidth,
    )


def _slices(addresses: Collection[Address]) -> Iterator[list[Address]]:
    remaining = iter(addresses)
    while some := list(islice(remaining, _AT_ONCE)):
        yield some
