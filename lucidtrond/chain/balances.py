"""``reconcile_balance``, ``reconcile_account``: what is compared with nodes, and when.

A row of ``reconcile_balance`` is one asset of one watched account: its base, its drift
if there is one, and *due_number*, the oldest block that touched it and is not compared
yet (null when nothing is to be asked): were it the newest, a balance that each block
touches would never be due, since the newest block is never final.
``reconcile_account`` keeps when an account first owned a transaction, from which on its
TRX pay fees that the ledger does not hold, and whether its history is whole
(*start_number*, the block after which all of it is known).
Of accounts that an older program watched, neither is known: they start with what is
read first.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from msgspec import Struct

from lucidtrond.chain.drift import Base
from lucidtrond.chain.read import TRX, Movement
from lucidtrond.ports import BalanceDrift, Migration, Tx
from lucidtrond.tron.address import Address
from lucidtrond.tron.tokens import KnownTokens

OWNER: Final = "reconcile"
MIGRATIONS: Final = (
    Migration(
        OWNER,
        1,
        """
        CREATE TABLE reconcile_balance (
            address BYTES NOT NULL,
            asset TEXT NOT NULL,
            due_number INT64,
            base_number INT64,
            base_amount BYTES,
            drift TEXT,
            drift_from INT64,
            PRIMARY KEY (address, asset)
        );
        CREATE INDEX reconcile_balance_due ON reconcile_balance (due_number);
        CREATE TABLE reconcile_account (
            address BYTES PRIMARY KEY,
            owner_number INT64,
            start_known FLAG NOT NULL,
            start_number INT64
        );
        INSERT INTO reconcile_account (address, start_known, start_number)
            SELECT address, 1, NULL FROM chain_watch
        """,
    ),
)


class DueBalance(Struct, frozen=True):
    """What to ask for. *start_known* is whether `set_start` was called."""

    address: Address
    asset: str
    start_known: bool
    start_number: int | None
    base: Base | None
    drift: int | None

    @property
    def from_base(self) -> Base | None:
        """Where to count from: what was read, or 0 where all history is known."""
        if self.base is None and self.start_number is not None:
            return Base(self.start_number, 0)
        return self.base


def note_block(
    tx: Tx,
    number: int,
    *,
    movements: Iterable[Movement],
    watched: Collection[Address],
    owners: Collection[Address],
    tokens: KnownTokens,
) -> None:
    """Make balances due that *movements* touched; *owners* pay fees from now on."""
    for owner in owners:
        if owner in watched:
            tx.execute(
                "INSERT INTO reconcile_account (address, owner_number, start_known)"
                " VALUES (?, ?, 0) ON CONFLICT (address) DO UPDATE SET owner_number ="
                " coalesce(reconcile_account.owner_number, excluded.owner_number)",
                (owner.raw, number),
            )
    touched = {
        (end.raw, str(movement.asset))
        for movement in movements
        for end in (movement.sender, movement.recipient)
        if end in watched and _is_compared(str(movement.asset), movement.kind, tokens)
    }
    tx.execute_many(
        "INSERT INTO reconcile_balance (address, asset, due_number) VALUES (?, ?, ?)"
        " ON CONFLICT (address, asset) DO UPDATE SET due_number ="
        " coalesce(reconcile_balance.due_number, excluded.due_number)",
        [(address, asset, number) for address, asset in sorted(touched)],
    )


def _is_compared(asset: str, kind: str, tokens: KnownTokens) -> bool:
    return asset == TRX or (kind == "trc20" and tokens.at(asset) is not None)


def forget_block(tx: Tx, number: int) -> None:
    """The block was reverted, and with it who first owned a transaction in it."""
    tx.execute(
        "UPDATE reconcile_account SET owner_number = NULL WHERE owner_number >= ?",
        (number,),
    )


def due_balances(tx: Tx, solid: int, *, limit: int) -> list[DueBalance]:
    """Those that a final block touched, longest waiting first.

    TRX of accounts that own a transaction are left out.
    """
    rows = tx.execute(
        "SELECT b.address, b.asset, a.start_known, a.start_number, b.base_number,"
        " b.base_amount, b.drift"
        " FROM reconcile_balance b LEFT JOIN reconcile_account a"
        " ON a.address = b.address"
        " WHERE b.due_number <= ? AND (b.asset <> ? OR a.owner_number IS NULL)"
        " ORDER BY b.due_number LIMIT ?",
        (solid, TRX, limit),
    )
    return [
        DueBalance(
            address=Address(address),
            asset=asset,
            start_known=bool(start_known),
            start_number=start,
            base=None
            if number is None
            else Base(number, int.from_bytes(amount, "big")),
            drift=None if drift is None else int(drift),
        )
        for address, asset, start_known, start, number, amount, drift in rows
    ]


def make_drifting_due(tx: Tx, solid: int) -> None:
    """Ask again for what drifts, although nothing touched it."""
    tx.execute(
        "UPDATE reconcile_balance SET due_number = ?"
        " WHERE drift IS NOT NULL AND due_number IS NULL",
        (solid,),
    )


def watched_since(
    tx: Tx, address: Address, complete_from: int
) -> tuple[int, int | None]:
    """The block after which all that touched *address* is known, and a time.

    The time is that of the oldest block from there on whose header is kept.
    """
    rows = tx.execute(
        "SELECT since_number FROM chain_watch WHERE address = ?", (address.raw,)
    )
    since = next((since for (since,) in rows), None)
    start = max(complete_from - 1, -1 if since is None else since - 1)
    [(time_ms,)] = tx.execute(
        "SELECT min(timestamp_ms) FROM chain_block WHERE number >= ?", (start,)
    )
    return start, time_ms


def set_start(tx: Tx, address: Address, number: int | None) -> None:
    """Keep whether the history of *address* is whole: from which block on, or not."""
    tx.execute(
        "INSERT INTO reconcile_account (address, start_known, start_number)"
        " VALUES (?, 1, ?) ON CONFLICT (address) DO UPDATE SET start_known = 1,"
        " start_number = excluded.start_number",
        (address.raw, number),
    )


_OF_BLOCKS: Final = "asset = ? AND block_number > ? AND block_number <= ?"


def moved_between(
    tx: Tx, address: Address, asset: str, *, above: int, up_to: int
) -> tuple[int, int]:
    """What moved in blocks ``above < number <= up_to``: (net amount, contradicted rows,
    which count as nothing).

    Amounts exceed what SQL adds up, so rows are read: those of *asset* alone.
    """
    blocks = (asset, above, up_to)
    rows = tx.execute(
        "SELECT 1, amount, success, contradicted FROM chain_entry"  # noqa: S608 - a constant
        f" WHERE to_address = ? AND {_OF_BLOCKS} UNION ALL"
        " SELECT -1, amount, success, contradicted FROM chain_entry"
        f" WHERE from_address = ? AND {_OF_BLOCKS}",
        (address.raw, *blocks, address.raw, *blocks),
    )
    net = sum(
        sign * int.from_bytes(amount, "big")
        for sign, amount, success, _ in rows
        if success
    )
    return net, sum(contradicted for *_, contradicted in rows)


def is_touched_between(
    tx: Tx, address: Address, asset: str, *, above: int, up_to: int
) -> bool:
    """Whether there are rows in blocks ``above < number <= up_to``."""
    blocks = (asset, above, up_to)
    rows = tx.execute(
        "SELECT 1 FROM chain_entry"  # noqa: S608 - a constant
        f" WHERE to_address = ? AND {_OF_BLOCKS} UNION ALL"
        f" SELECT 1 FROM chain_entry WHERE from_address = ? AND {_OF_BLOCKS} LIMIT 1",
        (address.raw, *blocks, address.raw, *blocks),
    )
    return bool(rows)


def set_base(tx: Tx, address: Address, asset: str, base: Base) -> None:
    """The ledger and a node agree: nothing drifts, nothing is due up to there."""
    tx.execute(
        "UPDATE reconcile_balance SET base_number = ?, base_amount = ?, drift = NULL,"
        " drift_from = NULL WHERE address = ? AND asset = ?",
        (base.number, base.amount.to_bytes(32, "big"), address.raw, asset),
    )
    _set_compared(tx, address, asset, up_to=base.number)


def set_drift(
    tx: Tx, address: Address, asset: str, *, drift: int, first: int, read_at: int
) -> None:
    """They do not agree; asked again when it is touched, or after a while."""
    tx.execute(
        "UPDATE reconcile_balance SET drift = ?, drift_from = ?"
        " WHERE address = ? AND asset = ?",
        (str(drift), first, address.raw, asset),
    )
    _set_compared(tx, address, asset, up_to=read_at)


def set_unreadable(tx: Tx, address: Address, asset: str, *, read_at: int) -> None:
    """The node can't say; asked again when it is touched."""
    _set_compared(tx, address, asset, up_to=read_at)


def postpone(tx: Tx, address: Address, asset: str, *, read_at: int) -> None:
    """This reading told nothing: asked again after those that wait longer."""
    _set_due(tx, address, asset, read_at)


def _set_compared(tx: Tx, address: Address, asset: str, *, up_to: int) -> None:
    """Due again from the first block above *up_to* that touched it, if there is one."""
    touched = (asset, up_to, address.raw)
    [(first,)] = tx.execute(
        "SELECT min(number) FROM ("
        "SELECT min(block_number) AS number FROM chain_entry"
        " WHERE asset = ? AND block_number > ? AND to_address = ? UNION ALL "
        "SELECT min(block_number) AS number FROM chain_entry"
        " WHERE asset = ? AND block_number > ? AND from_address = ?) AS touched",
        (*touched, *touched),
    )
    _set_due(tx, address, asset, first)


def _set_due(tx: Tx, address: Address, asset: str, number: int | None) -> None:
    tx.execute(
        "UPDATE reconcile_balance SET due_number = ? WHERE address = ? AND asset = ?",
        (number, address.raw, asset),
    )


def count_drifting(tx: Tx) -> int:
    """Balances that drift."""
    [(count,)] = tx.execute(
        "SELECT count(*) FROM reconcile_balance WHERE drift IS NOT NULL"
    )
    return int(count)


def read_drifts(tx: Tx, address: Address) -> Sequence[BalanceDrift]:
    """Those of one account, by asset."""
    rows = tx.execute(
        "SELECT asset, drift, drift_from FROM reconcile_balance"
        " WHERE address = ? AND drift IS NOT NULL ORDER BY asset",
        (address.raw,),
    )
    return [BalanceDrift(asset, int(drift), first) for asset, drift, first in rows]
