"""``chain_exact``: in which blocks a token was exact; and rows that it proves.

A row of ``chain_entry`` that a plain call moves has ``receipt_proof``, what its receipt
alone proves; ``proof`` is ``signatures`` where the token was exact (`chain.exact`).
"""

from collections.abc import Sequence
from typing import Final

from msgspec import structs

from lucidtrond.chain.entries import ENTRY_COLUMNS, entry_of
from lucidtrond.chain.exact import ExactPolicy, ExactRange
from lucidtrond.chain.read import Movement
from lucidtrond.events.types import LedgerEntry
from lucidtrond.ports import Migration, Tx
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockHeader
from lucidtrond.tron.tokens import KnownToken, KnownTokens

MIGRATIONS: Final = (
    Migration(
        "exact",
        1,
        """
        CREATE TABLE chain_exact (
            token BYTES NOT NULL,
            above_number INT64 NOT NULL,
            checked_number INT64 NOT NULL,
            checked_ms INT64 NOT NULL,
            is_open FLAG NOT NULL,
            PRIMARY KEY (token, above_number)
        );
        CREATE INDEX chain_entry_by_call ON chain_entry (asset, block_number)
            WHERE receipt_proof IS NOT NULL
        """,
    ),
    # Of a range that is not open.
    Migration(
        "exact",
        2,
        "ALTER TABLE chain_exact ADD COLUMN ended_at INT64 NOT NULL DEFAULT 0",
    ),
)


def newest_range(tx: Tx, token: Address) -> ExactRange | None:
    """The last one of *token*, open or not."""
    rows = tx.execute(
        "SELECT above_number, checked_number, checked_ms, is_open, ended_at"
        " FROM chain_exact"
        " WHERE token = ? ORDER BY above_number DESC LIMIT 1",
        (token.raw,),
    )
    for above, checked, checked_ms, is_open, ended_at in rows:
        return ExactRange(above, checked, checked_ms, None if is_open else ended_at)
    return None


def put_range(tx: Tx, token: Address, kept: ExactRange) -> None:
    """Write a range; the one that begins with the same block is replaced."""
    tx.execute(
        "INSERT INTO chain_exact (token, above_number, checked_number, checked_ms,"
        " is_open, ended_at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (token, above_number) DO UPDATE SET"
        " checked_number = excluded.checked_number, checked_ms = excluded.checked_ms,"
        " is_open = excluded.is_open, ended_at = excluded.ended_at",
        (
            token.raw,
            kept.above,
            kept.checked,
            kept.checked_ms,
            int(kept.is_open),
            kept.ended_at or 0,
        ),
    )


def prove(
    tx: Tx,
    header: BlockHeader,
    movements: Sequence[Movement],
    *,
    tokens: KnownTokens,
    policy: ExactPolicy,
) -> list[Movement]:
    """The *movements* of a block, those of exact tokens' plain calls proven by them."""
    return [
        _proven(movement)
        if movement.receipt_proof is not None
        and _is_exact(tx, header, movement, tokens=tokens, policy=policy)
        else movement
        for movement in movements
    ]


def _is_exact(
    tx: Tx,
    header: BlockHeader,
    movement: Movement,
    *,
    tokens: KnownTokens,
    policy: ExactPolicy,
) -> bool:
    token = tokens.at(str(movement.asset))
    if token is None or not token.may_be_exact:
        return False
    if not token.zero_while_exact:
        return True
    current = newest_range(tx, token.address)
    return current is not None and current.covers(
        header.number,
        header.timestamp,
        large=movement.amount >= policy.large(token),
        interval_ms=policy.interval_ms,
    )


def _proven(movement: Movement) -> Movement:
    return structs.replace(
        movement, proof="signatures", success=True, contradicted=False
    )


def oldest_unproven_ms(tx: Tx, token: Address, *, above: int, solid: int) -> int | None:
    """The time of the first block ``above < number <= solid`` with a row that a call
    moves and nothing proves yet."""
    [(time_ms,)] = tx.execute(
        "SELECT min(block_timestamp_ms) FROM chain_entry WHERE asset = ?"
        " AND block_number > ? AND block_number <= ? AND receipt_proof IS NOT NULL"
        " AND proof <> 'signatures'",
        (token.base58, above, solid),
    )
    return None if time_ms is None else int(time_ms)


def upgrade(
    tx: Tx,
    token: KnownToken,
    current: ExactRange,
    *,
    policy: ExactPolicy,
    solid: int,
    tokens: KnownTokens,
) -> list[LedgerEntry]:
    """Prove rows that *current* covers and that are not proven; give them."""
    rows = tx.execute(
        "SELECT block_number, place, block_timestamp_ms, amount FROM chain_entry"
        " WHERE asset = ? AND block_number > ? AND receipt_proof IS NOT NULL"
        " AND proof <> 'signatures' ORDER BY block_number, place",
        (token.address.base58, current.above),
    )
    changed: list[LedgerEntry] = []
    for number, place, time_ms, amount in rows:
        large = int.from_bytes(amount, "big") >= policy.large(token)
        if current.covers(number, time_ms, large=large, interval_ms=policy.interval_ms):
            updated = tx.execute(
                "UPDATE chain_entry SET proof = 'signatures', success = 1,"  # noqa: S608 - a constant
                " contradicted = 0 WHERE block_number = ? AND place = ?"
                f" RETURNING {ENTRY_COLUMNS}",
                (number, place),
            )
            changed += [entry_of(row, solid=solid, tokens=tokens) for row in updated]
    return changed


def downgrade(
    tx: Tx, token: KnownToken, *, above: int, solid: int, tokens: KnownTokens
) -> list[LedgerEntry]:
    """Let rows above block *above* rest on their receipts again; give them.

    One without a log is contradicted then.
    """
    rows = tx.execute(
        "SELECT block_number, place FROM chain_entry WHERE asset = ?"
        " AND block_number > ? AND receipt_proof IS NOT NULL AND proof = 'signatures'"
        " ORDER BY block_number, place",
        (token.address.base58, above),
    )
    changed: list[LedgerEntry] = []
    for number, place in rows:
        updated = tx.execute(
            "UPDATE chain_entry SET proof = receipt_proof,"  # noqa: S608 - a constant
            " success = CASE WHEN item < 0 THEN 0 ELSE success END,"
            " contradicted = CASE WHEN item < 0 THEN 1 ELSE contradicted END"
            f" WHERE block_number = ? AND place = ? RETURNING {ENTRY_COLUMNS}",
            (number, place),
        )
        changed += [entry_of(row, solid=solid, tokens=tokens) for row in updated]
    return changed
