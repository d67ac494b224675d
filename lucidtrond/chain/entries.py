"""``chain_entry``: the movements that touched a watched address.

(block_number, place) is both the order of rows and their key, since there is one block
per number. Amounts are 32 bytes big-endian for every asset: a token's exceed 64 bits.
*item* is the movement's index, -1 while the log that would give it is missing. A row
that *waits* is not shown as final while it is one endpoint's word (`chain.versions`).
"""

from collections.abc import Collection, Sequence
from itertools import count
from typing import Final

from msgspec import Struct

from lucidtrond.chain.read import Movement
from lucidtrond.chain.tables import slices
from lucidtrond.events.types import LedgerEntry
from lucidtrond.ports import Row, Tx
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockId
from lucidtrond.tron.tokens import KnownTokens
from lucidtrond.tron.transaction import TxId

ENTRY_COLUMNS: Final = (
    "block_number, place, txid, kind, item, from_address, to_address, asset, amount,"
    " success, fee_sun, memo, block_id, block_timestamp_ms, energy, bandwidth,"
    " proof, cost_proof, contradicted, waits"
)


def insert_entries(
    tx: Tx,
    block: Block,
    block_id: BlockId,
    movements: Sequence[Movement],
    *,
    waits: bool = False,
) -> None:
    """Keep movements of a block."""
    header_id = bytes.fromhex(block_id)
    tx.execute_many(
        f"INSERT INTO chain_entry ({ENTRY_COLUMNS}, receipt_proof)"  # noqa: S608 - a constant
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                block.header.number,
                movement.place,
                bytes.fromhex(movement.txid),
                movement.kind,
                movement.index,
                movement.sender.raw,
                movement.recipient.raw,
                str(movement.asset),
                movement.amount.to_bytes(32, "big"),
                int(movement.success),
                movement.fee,
                movement.memo,
                header_id,
                block.header.timestamp,
                movement.energy,
                movement.bandwidth,
                movement.proof,
                movement.cost_proof,
                int(movement.contradicted),
                int(waits),
                movement.receipt_proof,
            )
            for movement in movements
        ],
    )


def entries_between(
    tx: Tx, above: int, up_to: int, *, solid: int, tokens: KnownTokens
) -> list[LedgerEntry]:
    """Entries of blocks ``above < number <= up_to``, in the order they happened."""
    rows = tx.execute(
        f"SELECT {ENTRY_COLUMNS} FROM chain_entry"  # noqa: S608 - a constant
        " WHERE block_number > ? AND block_number <= ?"
        " ORDER BY block_number, place",
        (above, up_to),
    )
    return [entry_of(row, solid=solid, tokens=tokens) for row in rows]


def delete_entries(tx: Tx, number: int) -> None:
    """Forget the movements of a block that is reverted."""
    tx.execute("DELETE FROM chain_entry WHERE block_number = ?", (number,))


def entry_of(row: Row, *, solid: int, tokens: KnownTokens) -> LedgerEntry:
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
        block_id,
        timestamp,
        energy,
        bandwidth,
        proof,
        cost_proof,
        contradicted,
        waits,
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
        solidified=block_number <= solid and not (waits and proof == "one_source"),
        fee_sun=str(fee),
        memo_hex=memo.hex(),
        single_source=proof == "one_source",
        proof=proof,
        cost_proof=cost_proof,
        contradicted=bool(contradicted),
        # A TRC-10 token is on no list, whatever it is called.
        unknown_token=kind in ("trc20", "trc10") and tokens.at(asset) is None,
        energy_used=energy,
        bandwidth_used=bandwidth,
    )


def numbers_of(tx: Tx, txids: Collection[TxId]) -> dict[TxId, int]:
    """The blocks in which those of *txids* stand that have rows."""
    numbers: dict[TxId, int] = {}
    for some in slices(txids):
        marks = ", ".join("?" * len(some))
        rows = tx.execute(
            "SELECT DISTINCT txid, block_number FROM chain_entry"  # noqa: S608 - only question marks
            f" WHERE txid IN ({marks})",
            [bytes.fromhex(txid) for txid in some],
        )
        numbers.update((TxId(txid.hex()), number) for txid, number in rows)
    return numbers


def delete_transaction(
    tx: Tx, txid: TxId, *, solid: int, tokens: KnownTokens
) -> list[LedgerEntry]:
    """Delete the rows of a transaction; give them, the last first."""
    rows = tx.execute(
        f"SELECT {ENTRY_COLUMNS} FROM chain_entry WHERE txid = ?"  # noqa: S608 - a constant
        " ORDER BY place DESC",
        (bytes.fromhex(txid),),
    )
    tx.execute("DELETE FROM chain_entry WHERE txid = ?", (bytes.fromhex(txid),))
    return [entry_of(row, solid=solid, tokens=tokens) for row in rows]


class Unread(Struct, frozen=True):
    """A row whose log is missing; see `chain.committed`."""

    block_number: int
    place: int
    txid: TxId
    token: Address
    sender: Address
    recipient: Address
    amount: int


def unread_rows(tx: Tx, *, limit: int) -> list[Unread]:
    """The newest *limit* of them."""
    rows = tx.execute(
        "SELECT block_number, place, txid, asset, from_address, to_address, amount"
        " FROM chain_entry WHERE item < 0"
        " ORDER BY block_number DESC, place DESC LIMIT ?",
        (limit,),
    )
    return [
        Unread(
            block_number=number,
            place=place,
            txid=TxId(txid.hex()),
            token=Address.from_base58(asset),
            sender=Address(sender),
            recipient=Address(recipient),
            amount=int.from_bytes(amount, "big"),
        )
        for number, place, txid, asset, sender, recipient, amount in rows
    ]


def settle(
    tx: Tx, row: Unread, index: int, *, solid: int, tokens: KnownTokens
) -> LedgerEntry | None:
    """Make *row* the movement of the log at *index*; None: it is no more.

    Where another row has that index, since the receipt that lacked this log counted its
    others without it, the next free one is taken: rows in events keep their index.
    """
    taken = tx.execute(
        "SELECT item FROM chain_entry WHERE txid = ? AND kind = 'trc20'",
        (bytes.fromhex(row.txid),),
    )
    items = {item for (item,) in taken}
    index = next(item for item in count(index) if item not in items)
    settled = tx.execute(
        "UPDATE chain_entry SET item = ?, success = 1, contradicted = 0"  # noqa: S608 - a constant
        " WHERE block_number = ? AND place = ? AND txid = ? AND item < 0"
        f" RETURNING {ENTRY_COLUMNS}",
        (index, row.block_number, row.place, bytes.fromhex(row.txid)),
    )
    for updated in settled:
        return entry_of(updated, solid=solid, tokens=tokens)
    return None
