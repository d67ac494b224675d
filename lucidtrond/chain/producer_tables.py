"""The table of producers' keys, and plain functions over one transaction of it.

``producer_key`` holds at most `producers.MAX_ROWS` rows for a producer; see
`chain.producers` for what a row says. Addresses are 21 bytes.
"""

from typing import Final, cast

from lucidtrond.chain.producers import ORIGINS, KeyChange, KeyOrigin, KeyRow
from lucidtrond.ports import Migration, Tx
from lucidtrond.tron.address import Address

MIGRATIONS: Final = (
    Migration(
        "producers",
        1,
        """
        CREATE TABLE producer_key (
            producer BYTES NOT NULL,
            from_block INT64 NOT NULL,
            key_address BYTES NOT NULL,
            origin TEXT NOT NULL,
            PRIMARY KEY (producer, from_block)
        )
        """,
    ),
)


def read_rows(tx: Tx) -> list[KeyRow]:
    """Give all rows, for each producer in the order of blocks."""
    rows = tx.execute(
        "SELECT producer, key_address, from_block, origin FROM producer_key"
        " ORDER BY producer, from_block"
    )
    return [
        KeyRow(Address(producer), Address(key), number, _origin(origin))
        for producer, key, number, origin in rows
    ]


def write_change(tx: Tx, change: KeyChange) -> None:
    """Turn the rows before into those after."""
    kept = set(change.after)
    tx.execute_many(
        "DELETE FROM producer_key WHERE producer = ? AND from_block = ?",
        [
            (row.producer.raw, row.from_block)
            for row in change.before
            if row not in kept
        ],
    )
    stored = set(change.before)
    tx.execute_many(
        "INSERT INTO producer_key (producer, from_block, key_address, origin)"
        " VALUES (?, ?, ?, ?)",
        [
            (row.producer.raw, row.from_block, row.key.raw, row.origin)
            for row in change.after
            if row not in stored
        ],
    )


def _origin(text: str) -> KeyOrigin:
    if text not in ORIGINS:
        raise AssertionError(f"no such origin of a key: {text}")
    return cast("KeyOrigin", text)
