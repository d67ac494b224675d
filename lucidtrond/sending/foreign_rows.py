"""Rows of foreign transactions; see `foreign`.

A row that can't be read keeps no block from being read, and no other wallet from
paying: what reads several for a block leaves it out and logs it, what reads for a
payment or a person raises `RowRefused`, which names it.
"""

import logging
from collections.abc import Collection, Sequence
from typing import Final

from lucidtrond.errors import InvalidInput
from lucidtrond.ports import Row, Tx
from lucidtrond.sending.foreign import Foreign, Movement
from lucidtrond.sending.intent import Intent
from lucidtrond.sending.journal.fault import RowFault, RowRefused
from lucidtrond.sending.plan import Inclusion
from lucidtrond.sending.tag import Tag, read_tag
from lucidtrond.tron.address import Address, InvalidAddress
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.transaction import (
    MalformedTransaction,
    Transaction,
    TxId,
    decode_raw,
)
from lucidtrond.tron.units import Sun, UnixMillis

log = logging.getLogger(__name__)

_COLUMNS: Final = (
    "owner, tag, raw, signature, flag, recipient, asset, amount, expiration_ms,"
    " reference_number, block_number, block_id, block_timestamp_ms, contract_ret,"
    " fee_sun, arrived, proof, result, committed, seen_ms, adopted, acknowledged_ms"
)
_BLOCK_COLUMNS: Final = (
    "block_number",
    "block_id",
    "block_timestamp_ms",
    "contract_ret",
    "fee_sun",
    "arrived",
    "proof",
    "result",
    "committed",
)
_UNEXPLAINED: Final = "flag IS NULL AND adopted = 0 AND acknowledged_ms IS NULL"
_ADOPTABLE: Final = "adopted = 0 AND (flag IS NULL OR flag = 'co_signed')"
MAX_PAGE: Final = 1000


def book(tx: Tx, foreign: Foreign) -> None:
    """Write what a block showed; what is known of it but for its block stays."""
    movement, block = foreign.movement, foreign.inclusion
    updates = ", ".join(f"{name} = excluded.{name}" for name in _BLOCK_COLUMNS)
    marks = ", ".join("?" * 21)
    tx.execute(
        "INSERT INTO sending_foreign (txid, owner, tag, raw, signature, flag,"  # noqa: S608 - constants
        " recipient, asset, amount, expiration_ms, reference_number, seen_ms,"
        f" {', '.join(_BLOCK_COLUMNS)}) VALUES ({marks})"
        f" ON CONFLICT (txid, owner) DO UPDATE SET {updates}",
        (
            foreign.transaction.digest,
            foreign.owner.raw,
            foreign.tag.raw,
            foreign.transaction.raw,
            b"".join(foreign.transaction.signatures[:1]),
            foreign.flag,
            None if movement is None else movement.recipient.raw,
            None if movement is None else movement.asset,
            None if movement is None else movement.amount.to_bytes(32, "big"),
            foreign.expiration,
            foreign.reference_number,
            foreign.seen_ms,
            None if block is None else block.number,
            None if block is None else bytes.fromhex(block.block_id),
            None if block is None else block.timestamp,
            None if block is None else block.contract_ret,
            None if block is None else block.fee,
            _arrived(block),
            None if block is None else block.proof,
            foreign.result,
            int(foreign.committed),
        ),
    )


def as_booked(tx: Tx, foreign: Foreign) -> Foreign:
    """With what was known of it before; as it is where that can't be read."""
    digest, owner = foreign.transaction.digest, foreign.owner.raw
    booked = _readable(tx, "txid = ? AND owner = ?", digest, owner)
    return booked[0] if booked else foreign


def _arrived(block: Inclusion | None) -> bytes | None:
    if block is None or block.arrived is None:
        return None
    return block.arrived.to_bytes(32, "big")


def revert(tx: Tx, number: int) -> list[Foreign]:
    """A fork took block *number* back; give what it held and no payment adopted."""
    taken = _readable(tx, "block_number = ? AND adopted = 0", number)
    tx.execute(
        "UPDATE sending_foreign SET block_number = NULL, block_id = NULL,"
        " block_timestamp_ms = NULL, contract_ret = NULL, fee_sun = NULL"
        " WHERE block_number = ? AND adopted = 0",
        (number,),
    )
    return taken


def reverted_until(tx: Tx, timestamp: UnixMillis) -> list[Foreign]:
    """Those in no block that expired at *timestamp* at the latest, not adopted."""
    return _readable(
        tx, "block_number IS NULL AND adopted = 0 AND expiration_ms <= ?", timestamp
    )


def forget(tx: Tx, foreign: Foreign) -> None:
    """It is proven not to land any more."""
    tx.execute(
        "DELETE FROM sending_foreign WHERE txid = ? AND owner = ?",
        (foreign.transaction.digest, foreign.owner.raw),
    )


def unexplained(tx: Tx, owner: Address) -> Foreign | None:
    """One of *owner*'s that is neither adopted nor acknowledged, if there is any.

    Raises:
        RowRefused: it can't be read.
    """
    rows = _select(tx, f"owner = ? AND {_UNEXPLAINED} LIMIT 1", owner.raw)
    return rows[0] if rows else None


def count_unexplained(tx: Tx) -> dict[Address, int]:
    """How many each address has."""
    rows = tx.execute(
        "SELECT owner, COUNT(*) FROM sending_foreign"  # noqa: S608 - a constant
        f" WHERE {_UNEXPLAINED} GROUP BY owner"
    )
    counts = {_address(owner): count for owner, count in rows}
    return {owner: count for owner, count in counts.items() if owner is not None}


def adoptable_owners(tx: Tx) -> frozenset[Address]:
    """Addresses with transactions that a key may have been lost for."""
    rows = tx.execute(f"SELECT DISTINCT owner FROM sending_foreign WHERE {_ADOPTABLE}")  # noqa: S608 - a constant
    owners = {_address(owner) for (owner,) in rows}
    return frozenset(owner for owner in owners if owner is not None)


def _address(raw: bytes) -> Address | None:
    """None in a damaged row."""
    try:
        return Address(raw)
    except InvalidAddress:
        return None


def tagged(tx: Tx, owner: Address, tag: Tag) -> list[Foreign]:
    """Those of *owner* that may be adopted by a key of this tag."""
    return _select(tx, f"owner = ? AND tag = ? AND {_ADOPTABLE}", owner.raw, tag.raw)


def owners_moving(tx: Tx, intent: Intent) -> frozenset[Address]:
    """Addresses with adoptable transactions that move and say what *intent* does."""
    rows = tx.execute(
        "SELECT owner, raw FROM sending_foreign"  # noqa: S608 - a constant
        f" WHERE recipient = ? AND asset = ? AND amount = ? AND {_ADOPTABLE}",
        (intent.to.raw, intent.asset, intent.amount.to_bytes(32, "big")),
    )
    owners = {_address(owner) for owner, raw in rows if _says(raw, intent.memo)}
    return frozenset(owner for owner in owners if owner is not None)


def _says(raw: bytes, memo: bytes) -> bool:
    """Whether that is its memo, or can't be read: then `tagged` refuses it."""
    try:
        return decode_raw(raw).memo == memo
    except MalformedTransaction:
        return True


def mark_adopted(tx: Tx, foreign: Foreign) -> None:
    """A payment has it as its attempt."""
    tx.execute(
        "UPDATE sending_foreign SET adopted = 1 WHERE txid = ?",
        (foreign.transaction.digest,),
    )


def by_txid(tx: Tx, txid: TxId) -> list[Foreign]:
    """Of each address of ours that it touched."""
    try:
        digest = bytes.fromhex(txid)
    except ValueError:
        return []
    return _select(tx, "txid = ?", digest)


def mark_acknowledged(tx: Tx, digests: Collection[bytes], now_ms: int) -> None:
    """An operator says that they are meant."""
    tx.execute_many(
        "UPDATE sending_foreign SET acknowledged_ms = ?"
        " WHERE txid = ? AND acknowledged_ms IS NULL",
        [(now_ms, digest) for digest in digests],
    )


def page(
    tx: Tx, *, limit: int, cursor: str | None, owner: Address | None, unexplained: bool
) -> tuple[list[Foreign], str | None]:
    """Newest seen first; a cursor is ``seen_ms-txid-owner`` of the last one.

    Raises:
        InvalidInput: not a cursor that this gave.
    """
    conditions, params = ["1 = 1"], list[object]()
    if cursor is not None:
        conditions.append("(seen_ms, txid, owner) < (?, ?, ?)")
        params += _read_cursor(cursor)
    if owner is not None:
        conditions.append("owner = ?")
        params.append(owner.raw)
    if unexplained:
        conditions.append(_UNEXPLAINED)
    order = f" ORDER BY seen_ms DESC, txid DESC, owner DESC LIMIT {limit + 1}"
    rows = _select(tx, " AND ".join(conditions) + order, *params)
    shown = rows[:limit]
    following = None
    if len(rows) > limit:
        last = shown[-1]
        following = f"{last.seen_ms}-{last.txid}-{last.owner.raw.hex()}"
    return shown, following


def _read_cursor(cursor: str) -> tuple[int, bytes, bytes]:
    number, *digests = cursor.split("-")
    try:
        txid, owner = map(bytes.fromhex, digests)
        if number.isascii() and number.isdigit() and len(number) <= 18:
            return int(number), txid, owner
    except ValueError:
        pass
    raise InvalidInput("cursor: not one that this method gave")


def _select(tx: Tx, condition: str, *params: object) -> list[Foreign]:
    """Raises RowRefused: one can't be read."""
    return [_read_named(row) for row in _rows(tx, condition, params)]


def _readable(tx: Tx, condition: str, *params: object) -> list[Foreign]:
    """Those that can be read."""
    readable: list[Foreign] = []
    for row in _rows(tx, condition, params):
        try:
            readable.append(_read_named(row))
        except RowRefused as refusal:
            extra = {"txid": refusal.fault.txid, "reason": refusal.fault.stored}
            log.error("foreign transaction can't be read", extra=extra)  # noqa: TRY400
    return readable


def _rows(tx: Tx, condition: str, params: Sequence[object]) -> list[Row]:
    """With the txid in front of `_COLUMNS`."""
    return tx.execute(
        f"SELECT txid, {_COLUMNS} FROM sending_foreign WHERE {condition}",  # noqa: S608 - ours
        params,
    )


def _read_named(row: Row) -> Foreign:
    digest, *columns = row
    try:
        foreign = _read(tuple(columns))
        tag = read_tag(decode_raw(foreign.transaction.raw))
        stored = foreign.transaction.digest
    except Exception as error:  # noqa: BLE001 - of one row, as in the journal
        text = f"{type(error).__name__}: {error}"
    else:
        if (stored, tag) == (digest, foreign.tag):
            return foreign
        text = f"bytes of {stored.hex()}, tag {foreign.tag.raw.hex()}"
    wanted = "a foreign transaction that can be read"
    raise RowRefused(RowFault(None, digest.hex(), "row", wanted, text))


def _read(row: Row) -> Foreign:
    (
        owner,
        tag,
        raw,
        signature,
        flag,
        recipient,
        asset,
        amount,
        expiration_ms,
        reference_number,
        block_number,
        block_id,
        block_timestamp_ms,
        contract_ret,
        fee_sun,
        arrived,
        proof,
        result,
        committed,
        seen_ms,
        adopted,
        acknowledged_ms,
    ) = row
    movement = inclusion = None
    if recipient is not None:
        movement = Movement(Address(recipient), asset, int.from_bytes(amount, "big"))
    if block_number is not None:
        inclusion = Inclusion(
            block_number,
            BlockId(block_id.hex()),
            UnixMillis(block_timestamp_ms),
            contract_ret=contract_ret,
            fee=Sun(fee_sun),
            arrived=None if arrived is None else int.from_bytes(arrived, "big"),
            proof=proof,
        )
    return Foreign(
        Address(owner),
        Transaction(raw, (signature,) if signature else ()),
        Tag(tag),
        flag,
        movement,
        UnixMillis(expiration_ms),
        reference_number,
        inclusion,
        result=result,
        committed=bool(committed),
        seen_ms=seen_ms,
        adopted=bool(adopted),
        acknowledged=acknowledged_ms is not None,
    )
