"""The table of blocks whose transaction root could not be proven.

``chain_unproven`` has a row for each such block of ours, from far below the solid head
to the head: what depends on all blocks of a range must know of them after a restart
too. When old rows are dropped, the newest of them stays and stands for the others.
"""

from typing import Final

from lucidtrond.chain.tables import KEPT_BLOCKS
from lucidtrond.ports import Migration, Tx
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.units import UnixMillis
from lucidtrond.tron.unproven import UnprovenBlocks, UnprovenSummary

NEWEST: Final = 20

MIGRATIONS: Final = (
    Migration(
        "unproven",
        1,
        """
        CREATE TABLE chain_unproven (
            number INT64 PRIMARY KEY,
            id BYTES NOT NULL,
            parent_timestamp_ms INT64 NOT NULL
        )
        """,
    ),
)


def summary(tx: Tx) -> UnprovenSummary:
    """How many there are, and the newest `NEWEST`."""
    [(count,)] = tx.execute("SELECT count(*) FROM chain_unproven")
    rows = tx.execute(
        "SELECT number FROM chain_unproven ORDER BY number DESC LIMIT ?", (NEWEST,)
    )
    return UnprovenSummary(count, tuple(number for (number,) in reversed(rows)))


def around(tx: Tx, *, after: int, number: int | None) -> UnprovenBlocks:
    """Those that decide on one transaction: at most three of the many there may be.

    *after* is its reference block, *number* the block that it is said to stand in. What
    `UnprovenBlocks.holds` says of *number* and `may_hold` of *after* is what it would
    say with all of them.
    """
    rows = tx.execute(
        "SELECT number, parent_timestamp_ms FROM chain_unproven WHERE number IN ("
        "(SELECT min(number) FROM chain_unproven),"
        " (SELECT min(number) FROM chain_unproven WHERE number > ?), ?)"
        " ORDER BY number",
        (after, after if number is None else number),
    )
    return UnprovenBlocks(
        tuple(number for number, _ in rows), tuple(UnixMillis(time) for _, time in rows)
    )


def is_marked(tx: Tx, number: int) -> bool:
    """Whether block *number* is known to be unproven."""
    rows = tx.execute("SELECT 1 FROM chain_unproven WHERE number = ?", (number,))
    return bool(rows)


def insert(tx: Tx, number: int, block_id: BlockId) -> None:
    """Mark block *number*, whose parent is held unless it is our first block."""
    rows = tx.execute(
        "SELECT timestamp_ms FROM chain_block WHERE number = ?", (number - 1,)
    )
    parent_ms = rows[0][0] if rows else 0
    tx.execute(
        "INSERT INTO chain_unproven (number, id, parent_timestamp_ms) VALUES (?, ?, ?)",
        (number, bytes.fromhex(block_id), parent_ms),
    )


def delete(tx: Tx, number: int) -> None:
    """Forget block *number*, which is reverted."""
    tx.execute("DELETE FROM chain_unproven WHERE number = ?", (number,))


def prune(tx: Tx, solid: int) -> None:
    """Drop rows as old as headers that are dropped, but for the newest of them."""
    [(newest,)] = tx.execute(
        "SELECT max(number) FROM chain_unproven WHERE number < ?",
        (solid - KEPT_BLOCKS,),
    )
    if newest is None:
        return
    tx.execute("DELETE FROM chain_unproven WHERE number < ?", (newest,))
    tx.execute(
        "UPDATE chain_unproven SET parent_timestamp_ms = 0 WHERE number = ?", (newest,)
    )
