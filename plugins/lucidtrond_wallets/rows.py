"""The plugin's tables, and what is read from and written to them."""

import hashlib
import json
import secrets
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from lucidtrond.api import Conflict, InvalidInput, NotFound, Tx
from lucidtrond.tron.address import Address, InvalidAddress, parse_address

TABLES: Final = """
CREATE TABLE wallets_wallet (
    seq SERIAL,
    wallet_id TEXT NOT NULL UNIQUE,
    address BYTES NOT NULL UNIQUE,
    label TEXT NOT NULL,
    created_ms INT64 NOT NULL
);
CREATE TABLE wallets_request (
    idempotency_key TEXT NOT NULL PRIMARY KEY,
    content BYTES NOT NULL,
    wallet_ids TEXT NOT NULL
)
"""
_SELECT: Final = "SELECT seq, wallet_id, address, label, created_ms FROM wallets_wallet"


class Wallet(Struct, frozen=True):
    """One row; *seq* orders them by creation."""

    seq: int
    wallet_id: str
    address: Address
    label: str
    created_ms: int


def new_id() -> str:
    """An id that no other process can come up with too."""
    return f"w_{secrets.token_hex(8)}"


def insert(
    tx: Tx, addresses: Sequence[Address], labels: Sequence[str], *, now_ms: int
) -> list[Wallet]:
    """Add wallets in their order."""
    ids = [new_id() for _ in addresses]
    tx.execute_many(
        "INSERT INTO wallets_wallet (wallet_id, address, label, created_ms)"
        " VALUES (?, ?, ?, ?)",
        [
            (wallet_id, address.raw, label, now_ms)
            for wallet_id, address, label in zip(ids, addresses, labels, strict=True)
        ],
    )
    return _by_ids(tx, ids)


def find(tx: Tx, text: str) -> Wallet:
    """By wallet id or by address in any form.

    Raises:
        NotFound: none of ours.
        InvalidInput: it is neither.
    """
    if text.startswith("w_"):
        return _by_id(tx, text)
    try:
        address = parse_address(text.strip())
    except InvalidAddress as exc:
        raise InvalidInput(
            f"wallet: expected a wallet id or an address; {exc}"
        ) from None
    rows = tx.execute(_SELECT + " WHERE address = ?", (address.raw,))
    if not rows:
        raise NotFound(f"no wallet of ours has the address {address}")
    return _wallet(rows[0])


def page(tx: Tx, *, after: int, limit: int) -> list[Wallet]:
    """Oldest first, behind row *after*."""
    rows = tx.execute(
        _SELECT + " WHERE seq > ? ORDER BY seq LIMIT ?",
        (after, limit),
    )
    return [_wallet(row) for row in rows]


def made_before(tx: Tx, key: str, labels: Sequence[str]) -> list[Wallet] | None:
    """What this idempotency key made before.

    Raises:
        Conflict: it was used with other content.
    """
    rows = tx.execute(
        "SELECT content, wallet_ids FROM wallets_request WHERE idempotency_key = ?",
        (key,),
    )
    if not rows:
        return None
    content, wallet_ids = rows[0]
    if content != _content(labels):
        raise Conflict(f"idempotency_key: {key!r} made other wallets before")
    return _by_ids(tx, json.loads(wallet_ids))


def remember_request(
    tx: Tx, key: str, labels: Sequence[str], wallets: Sequence[Wallet]
) -> None:
    """Part of the transaction that makes the wallets."""
    tx.execute(
        "INSERT INTO wallets_request (idempotency_key, content, wallet_ids)"
        " VALUES (?, ?, ?)",
        (key, _content(labels), json.dumps([wallet.wallet_id for wallet in wallets])),
    )


def _by_id(tx: Tx, wallet_id: str) -> Wallet:
    rows = tx.execute(_SELECT + " WHERE wallet_id = ?", (wallet_id,))
    if not rows:
        raise NotFound(f"no wallet {wallet_id[:40]}")
    return _wallet(rows[0])


def _by_ids(tx: Tx, wallet_ids: Sequence[str]) -> list[Wallet]:
    marks = ", ".join("?" * len(wallet_ids))
    rows = tx.execute(
        f"{_SELECT} WHERE wallet_id IN ({marks}) ORDER BY seq",
        wallet_ids,
    )
    return [_wallet(row) for row in rows]


def _wallet(row: tuple[int, str, bytes, str, int]) -> Wallet:
    seq, wallet_id, address, label, created_ms = row
    return Wallet(seq, wallet_id, Address(address), label, created_ms)


def _content(labels: Sequence[str]) -> bytes:
    return hashlib.sha256(json.dumps(list(labels)).encode()).digest()
