"""Rows of ``chain_entry`` that wait for a second source; see `chain.versions`."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from lucidtrond.chain.entries import ENTRY_COLUMNS, entry_of
from lucidtrond.chain.versions import MovementKey
from lucidtrond.events.types import LedgerEntry, Proof
from lucidtrond.ports import Tx
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.tokens import KnownTokens
from lucidtrond.tron.transaction import TxId

KEPT: Final = 1000
"""Newest rows that are looked after."""


class WaitingBlock(Struct, frozen=True):
    """*rows*: the place of each row that waits."""

    number: int
    id: BlockId
    rows: Mapping[MovementKey, int]


def blocks(tx: Tx, solid: int) -> list[WaitingBlock]:
    """Final blocks with rows that wait, the newest first.

    A row whose log is missing is not among them: it waits for that (`chain.recheck`).
    """
    rows = tx.execute(
        "SELECT block_number, block_id, place, txid, kind, item, from_address,"
        " to_address, asset, amount, success FROM chain_entry"
        " WHERE waits = 1 AND proof = 'one_source' AND item >= 0 AND block_number <= ?"
        " ORDER BY block_number DESC, place LIMIT ?",
        (solid, KEPT),
    )
    by_block: dict[tuple[int, bytes], dict[MovementKey, int]] = {}
    for number, block_id, place, txid, kind, item, *rest in rows:
        sender, recipient, asset, amount, success = rest
        key = MovementKey(
            txid=TxId(txid.hex()),
            kind=kind,
            index=item,
            sender=sender,
            recipient=recipient,
            asset=asset,
            amount=int.from_bytes(amount, "big"),
            success=bool(success),
        )
        by_block.setdefault((number, block_id), {})[key] = place
    return [
        WaitingBlock(number, BlockId(block_id.hex()), keys)
        for (number, block_id), keys in by_block.items()
    ]


def waits(tx: Tx, txid: TxId, number: int) -> bool:
    """Whether a row of this transaction in block *number* waits."""
    rows = tx.execute(
        "SELECT 1 FROM chain_entry WHERE txid = ? AND block_number = ? AND waits = 1"
        " AND proof = 'one_source' LIMIT 1",
        (bytes.fromhex(txid), number),
    )
    return bool(rows)


def release(
    tx: Tx,
    number: int,
    place: int,
    proof: Proof,
    *,
    solid: int,
    tokens: KnownTokens,
) -> LedgerEntry | None:
    """Let a row rest on *proof*; None: it waits no more."""
    rows = tx.execute(
        "UPDATE chain_entry SET proof = ?, waits = 0 WHERE block_number = ?"  # noqa: S608 - a constant
        " AND place = ? AND waits = 1 AND proof = 'one_source'"
        f" RETURNING {ENTRY_COLUMNS}",
        (proof, number, place),
    )
    for row in rows:
        return entry_of(row, solid=solid, tokens=tokens)
    return None


def delete(
    tx: Tx, number: int, place: int, *, solid: int, tokens: KnownTokens
) -> LedgerEntry | None:
    """Forget a row that a proven version of its block does not hold."""
    rows = tx.execute(
        "DELETE FROM chain_entry WHERE block_number = ? AND place = ? AND waits = 1"  # noqa: S608 - a constant
        f" RETURNING {ENTRY_COLUMNS}",
        (number, place),
    )
    for row in rows:
        return entry_of(row, solid=solid, tokens=tokens)
    return None


def release_all(tx: Tx, *, solid: int, tokens: KnownTokens) -> list[LedgerEntry]:
    """Let no row of a final block wait; give those that did, in their order."""
    rows = tx.execute(
        "UPDATE chain_entry SET waits = 0 WHERE waits = 1 AND proof = 'one_source'"  # noqa: S608 - a constant
        f" AND block_number <= ? RETURNING {ENTRY_COLUMNS}",
        (solid,),
    )
    released = sorted(rows, key=lambda row: row[:2])
    return [entry_of(row, solid=solid, tokens=tokens) for row in released]
