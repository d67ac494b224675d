"""The journal: every payment, its signed bytes, and what is known of them.

Plain functions over one transaction; the tables are in `tables`.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from attrs import frozen

from lucidtrond.errors import InvalidInput
from lucidtrond.events.types import Payment
from lucidtrond.ports import Row, Tx
from lucidtrond.sending.intent import LIFETIME_MS, TRX, Intent, Terms
from lucidtrond.sending.plan import (
    Attempt,
    Inclusion,
    in_flight_until,
    next_send,
)
from lucidtrond.sending.reserved import Reserved
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.transaction import Transaction, TxId
from lucidtrond.tron.units import Sun, UnixMillis

SQL_BATCH: Final = 400


@frozen
class Entry:
    """An attempt with its bytes, and the payment in wire form as it is now."""

    payment_seq: int
    attempt: Attempt
    transaction: Transaction
    """Without signatures while it is queued."""
    payment: Payment

    @property
    def txid(self) -> TxId:
        return self.transaction.txid


_COLUMNS: Final = (
    "p.seq, p.payment_id, p.idempotency_key, p.owner, p.recipient, p.asset, p.amount,"
    " p.memo, p.created_ms, a.txid, a.number, a.raw, a.signature, a.reference_number,"
    " a.expiration_ms, a.state, a.sent, a.last_sent_ms, a.code, a.message, a.accepted,"
    " a.reason, a.block_number, a.block_id, a.block_timestamp_ms, a.contract_ret,"
    " a.fee_sun, a.updated_ms, a.fee_limit_sun, a.burn_sun,"
    " a.renewals, a.buried, a.arrived, a.proof"
)
_SELECT: Final = (
    f"SELECT {_COLUMNS} FROM sending_payment p"  # noqa: S608 - a constant
    " JOIN sending_attempt a ON a.payment_seq = p.seq"
)


def reserve_timestamp(tx: Tx, owner: Address, at_least: UnixMillis) -> UnixMillis:
    """Give a timestamp that no other transaction of *owner* has, so that ids differ."""
    rows = tx.execute(
        "INSERT INTO sending_clock (owner, last_ms) VALUES (?, ?)"
        " ON CONFLICT (owner) DO UPDATE SET last_ms ="
        " CASE WHEN excluded.last_ms > sending_clock.last_ms"
        " THEN excluded.last_ms ELSE sending_clock.last_ms + 1 END"
        " RETURNING last_ms",
        (owner.raw, at_least),
    )
    return UnixMillis(rows[0][0])


@frozen
class Draft:
    """The bytes of a new attempt and what they may cost."""

    raw: bytes
    expiration: UnixMillis
    reference_number: int
    fee_limit: Sun | None
    burn: Sun


def insert(
    tx: Tx,
    intent: Intent,
    terms: Terms,
    drawn: Draft,
    *,
    head_time: UnixMillis,
    now_ms: int,
) -> Entry:
    """Write a new payment with its first attempt, unsigned."""
    late = terms.give_up_ms
    [(seq,)] = tx.execute(
        "INSERT INTO sending_payment (payment_id, idempotency_key, content, owner,"
        " recipient, asset, amount, memo, created_ms, fee_limit_sun, max_burn_sun,"
        " lifetime_ms, deadline_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq",
        (
            intent.payment_id,
            intent.key,
            intent.content,
            intent.owner.raw,
            intent.to.raw,
            intent.asset,
            intent.amount.to_bytes(32, "big"),
            intent.memo,
            now_ms,
            intent.fee_limit,
            intent.max_burn,
            terms.lifetime_ms,
            None if late is None else head_time + late,
        ),
    )
    row = _NewAttempt(seq, 1, intent.owner.raw, terms.attempts - 1)
    return _insert_attempt(tx, row, drawn, now_ms=now_ms)


def supersede(tx: Tx, entry: Entry) -> None:
    """The dead attempt is settled; another one follows in this transaction."""
    tx.execute(
        "UPDATE sending_attempt SET latest = 0, unresolved = 0, renewals = 0,"
        " buried = 1 WHERE txid = ?",
        (entry.transaction.digest,),
    )


def insert_next(tx: Tx, dead: Entry, drawn: Draft, *, now_ms: int) -> Entry:
    """Write the attempt that follows a superseded one, unsigned."""
    row = _NewAttempt(
        dead.payment_seq,
        dead.payment.attempt + 1,
        Address.from_base58(dead.payment.from_address).raw,
        max(dead.attempt.renewals - 1, 0),
    )
    return _insert_attempt(tx, row, drawn, now_ms=now_ms)


@frozen
class _NewAttempt:
    payment_seq: int
    number: int
    owner: bytes
    renewals: int


def _insert_attempt(tx: Tx, row: _NewAttempt, drawn: Draft, *, now_ms: int) -> Entry:
    attempt = Attempt("queued", drawn.expiration, drawn.reference_number)
    digest = Transaction(drawn.raw).digest
    tx.execute(
        "INSERT INTO sending_attempt (txid, payment_seq, number, raw, reference_number,"
        " expiration_ms, state, unresolved, due_ms, sent, message, accepted,"
        " updated_ms, fee_limit_sun, burn_sun, owner, renewals)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, 0, '', 0, ?, ?, ?, ?, ?)",
        (
            digest,
            row.payment_seq,
            row.number,
            drawn.raw,
            attempt.reference_number,
            attempt.expiration,
            attempt.state,
            next_send(attempt),
            now_ms,
            drawn.fee_limit,
            drawn.burn,
            row.owner,
            row.renewals,
        ),
    )
    return _only(tx, "a.txid = ?", digest)


def intent_of(tx: Tx, payment_seq: int) -> tuple[Intent, int, UnixMillis | None]:
    """The intent, its transactions' lifetime, and when to give it up."""
    [row] = tx.execute(
        "SELECT idempotency_key, owner, recipient, asset, amount, memo, fee_limit_sun,"
        " max_burn_sun, lifetime_ms, deadline_ms FROM sending_payment WHERE seq = ?",
        (payment_seq,),
    )
    key, owner, to, asset, amount, memo, fee_limit, max_burn, lifetime, deadline = row
    intent = Intent(
        key,
        Address(owner),
        Address(to),
        asset,
        int.from_bytes(amount, "big"),
        memo=memo,
        fee_limit=None if fee_limit is None else Sun(fee_limit),
        max_burn=None if max_burn is None else Sun(max_burn),
    )
    lifetime_ms = LIFETIME_MS if lifetime is None else lifetime
    return intent, lifetime_ms, None if deadline is None else UnixMillis(deadline)


def unburied(tx: Tx, limit: int) -> list[Entry]:
    """Dead ones that the nodes have not agreed on, or that may have a next attempt."""
    rows = tx.execute(
        f"{_SELECT} WHERE a.unresolved = 1 AND a.state = 'expired'"
        " ORDER BY p.seq LIMIT ?",
        (limit,),
    )
    return [_entry(row) for row in rows]


def reserved(tx: Tx, owner: Address, *, beside: Entry | None = None) -> list[Reserved]:
    """What the owner's unsettled payments may take, but for *beside*."""
    rows = tx.execute(
        "SELECT p.asset, p.amount, a.burn_sun, a.block_number, p.recipient"
        " FROM sending_attempt a JOIN sending_payment p ON p.seq = a.payment_seq"
        " WHERE a.owner = ? AND a.unresolved = 1 AND a.txid != ?",
        (owner.raw, b"" if beside is None else beside.transaction.digest),
    )
    found: list[Reserved] = []
    for asset, raw, burn, block_number, recipient in rows:
        amount = int.from_bytes(raw, "big")
        trx = Sun((burn or 0) + (amount if asset == TRX else 0))
        found.append(Reserved(asset, trx, amount, block_number, Address(recipient)))
    return found


def update(tx: Tx, entry: Entry, attempt: Attempt, *, now_ms: int) -> Entry:
    """Write what is known now."""
    block = attempt.inclusion
    tx.execute(
        "UPDATE sending_attempt SET state = ?, unresolved = ?, due_ms = ?, sent = ?,"
        " last_sent_ms = ?, code = ?, message = ?, accepted = ?, reason = ?,"
        " renewals = ?, buried = ?, block_number = ?, block_id = ?,"
        " block_timestamp_ms = ?, contract_ret = ?, fee_sun = ?, arrived = ?,"
        " proof = ?, updated_ms = ?"
        " WHERE txid = ?",
        (
            attempt.state,
            int(attempt.unresolved),
            next_send(attempt),
            attempt.sent,
            attempt.last_sent,
            attempt.code,
            attempt.message,
            int(attempt.accepted),
            attempt.reason,
            attempt.renewals,
            int(attempt.buried),
            None if block is None else block.number,
            None if block is None else bytes.fromhex(block.block_id),
            None if block is None else block.timestamp,
            None if block is None else block.contract_ret,
            None if block is None else block.fee,
            None if block is None else _bytes(block.arrived),
            None if block is None else block.proof,
            now_ms,
            entry.transaction.digest,
        ),
    )
    return _only(tx, "a.txid = ?", entry.transaction.digest)


def keep_signature(tx: Tx, txid: TxId, signature: bytes) -> None:
    """Keep the bytes that will be sent, before they are; the first one stays."""
    tx.execute(
        "UPDATE sending_attempt SET signature = ? WHERE txid = ? AND signature IS NULL",
        (signature, bytes.fromhex(txid)),
    )


def by_key(tx: Tx, key: str) -> tuple[Entry, bytes] | None:
    """Find a payment and its content's digest."""
    entry = _first(tx, "p.idempotency_key = ? AND a.latest = 1", key)
    if entry is None:
        return None
    [(content,)] = tx.execute(
        "SELECT content FROM sending_payment WHERE seq = ?", (entry.payment_seq,)
    )
    return entry, content


def by_payment_id(tx: Tx, payment_id: str) -> Entry | None:
    """The latest attempt."""
    return _first(tx, "p.payment_id = ? AND a.latest = 1", payment_id)


def by_txid(tx: Tx, txid: TxId) -> Entry | None:
    """This very attempt, the latest or not."""
    try:
        digest = bytes.fromhex(txid)
    except ValueError:
        return None
    return _first(tx, "a.txid = ?", digest)


def must_find(tx: Tx, txid: TxId) -> Entry:
    """An attempt that is known to be there."""
    entry = by_txid(tx, txid)
    if entry is None:
        raise AssertionError("a journaled attempt is never deleted")
    return entry


def among(tx: Tx, txids: Sequence[TxId]) -> list[Entry]:
    """Those of *txids* that are ours."""
    found: list[Entry] = []
    remaining: Iterator[TxId] = iter(txids)
    while some := list(islice(remaining, SQL_BATCH)):
        marks = ", ".join("?" * len(some))
        digests = [bytes.fromhex(txid) for txid in some]
        found += _all(tx, f"a.txid IN ({marks})", *digests)
    return found


def in_block(tx: Tx, number: int) -> list[Entry]:
    return _all(tx, "a.block_number = ? AND a.unresolved = 1", number)


def touched_by_final(tx: Tx, number: int, timestamp: UnixMillis) -> list[Entry]:
    """Unresolved ones that a new solid head may settle or prove dead."""
    return _all(
        tx,
        "a.unresolved = 1 AND a.state != 'unproven' AND (a.block_number <= ?"
        " OR (a.block_number IS NULL AND a.expiration_ms <= ?))",
        number,
        timestamp,
    )


def unproven(tx: Tx, limit: int) -> list[Entry]:
    """Those in a final block whose receipt does not prove that they paid."""
    rows = tx.execute(
        f"{_SELECT} WHERE a.unresolved = 1 AND a.state = 'unproven'"
        " ORDER BY p.seq LIMIT ?",
        (limit,),
    )
    return [_entry(row) for row in rows]


def due(
    tx: Tx, head: UnixMillis | None, *, everything: bool, limit: int
) -> list[Entry]:
    """Those to be signed or sent at head time *head*, oldest first."""
    where = _Where("a.due_ms IS NOT NULL")
    if not everything:
        where = where.also("a.due_ms <= ?", 0 if head is None else head)
    if head is not None:
        where = where.also("a.expiration_ms > ?", head)
    rows = tx.execute(
        f"{_SELECT} WHERE {where.sql} ORDER BY p.seq LIMIT ?", (*where.params, limit)
    )
    return [_entry(row) for row in rows]


def page(
    tx: Tx,
    *,
    limit: int,
    cursor: str | None,
    owner: Address | None,
    unresolved: bool,
) -> tuple[list[Payment], str | None]:
    """Newest first; a cursor is the last payment's number.

    Raises:
        InvalidInput: not a cursor that this gave.
    """
    where = _Where("a.latest = 1")
    if cursor is not None:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
            raise InvalidInput("cursor: not one that this method gave")
        where = where.also("p.seq < ?", int(cursor))
    if owner is not None:
        where = where.also("p.owner = ?", owner.raw)
    if unresolved:
        where = where.also("a.unresolved = 1")
    rows = tx.execute(
        f"{_SELECT} WHERE {where.sql} ORDER BY p.seq DESC LIMIT ?",
        (*where.params, limit + 1),
    )
    entries = [_entry(row) for row in rows[:limit]]
    following = str(entries[-1].payment_seq) if len(rows) > limit else None
    return [entry.payment for entry in entries], following


@frozen
class _Where:
    """Conditions as SQL text of ours and parameters."""

    sql: str
    params: tuple[object, ...] = ()

    def also(self, sql: str, *params: object) -> "_Where":
        return _Where(f"{self.sql} AND {sql}", (*self.params, *params))


def _first(tx: Tx, condition: str, *params: object) -> Entry | None:
    found = _all(tx, condition, *params)
    return found[0] if found else None


def _only(tx: Tx, condition: str, *params: object) -> Entry:
    [entry] = _all(tx, condition, *params)
    return entry


def _all(tx: Tx, condition: str, *params: object) -> list[Entry]:
    rows = tx.execute(f"{_SELECT} WHERE {condition} ORDER BY p.seq", params)
    return [_entry(row) for row in rows]


def _entry(row: Row) -> Entry:
    (
        seq,
        payment_id,
        key,
        owner,
        recipient,
        asset,
        amount,
        memo,
        created_ms,
        _txid,
        number,
        raw,
        signature,
        reference_number,
        expiration_ms,
        state,
        sent,
        last_sent_ms,
        code,
        message,
        accepted,
        reason,
        block_number,
        block_id,
        block_timestamp_ms,
        contract_ret,
        fee_sun,
        updated_ms,
        fee_limit_sun,
        burn_sun,
        renewals,
        buried,
        arrived,
        proof,
    ) = row
    arrived_raw = None if arrived is None else int.from_bytes(arrived, "big")
    inclusion = None
    if block_number is not None:
        inclusion = Inclusion(
            block_number,
            BlockId(block_id.hex()),
            UnixMillis(block_timestamp_ms),
            contract_ret=contract_ret,
            fee=Sun(fee_sun),
            # Rows of before this was kept have none: of a token, nothing proves it.
            arrived=None if asset == TRX else arrived_raw or 0,
            proof=proof,
        )
    attempt = Attempt(
        state=state,
        expiration=UnixMillis(expiration_ms),
        reference_number=reference_number,
        sent=sent,
        last_sent=None if last_sent_ms is None else UnixMillis(last_sent_ms),
        code=code,
        message=message,
        accepted=bool(accepted),
        reason=reason,
        inclusion=inclusion,
        renewals=renewals,
        buried=bool(buried),
    )
    transaction = Transaction(raw, () if signature is None else (signature,))
    payment = Payment(
        payment_id=payment_id,
        idempotency_key=key,
        state=state,
        from_address=Address(owner).base58,
        to_address=Address(recipient).base58,
        asset=asset,
        amount=str(int.from_bytes(amount, "big")),
        memo_hex=memo.hex(),
        txid=transaction.txid,
        attempt=number,
        created_ms=created_ms,
        updated_ms=updated_ms,
        expiration_ms=expiration_ms,
        block_number=block_number,
        block_id=None if block_id is None else block_id.hex(),
        block_timestamp_ms=block_timestamp_ms,
        fee_sun=_text(fee_sun),
        arrived_raw=_text(arrived_raw),
        proof=proof,
        fee_limit_sun=_text(fee_limit_sun),
        burn_sun=_text(burn_sun),
        reason=reason,
        broadcast_code=code,
        broadcasts=sent,
        safe_to_retry=attempt.safe_to_retry,
        attempts_left=renewals,
        in_flight_until_ms=in_flight_until(attempt),
    )
    return Entry(seq, attempt, transaction, payment)


def _bytes(amount: int | None) -> bytes | None:
    return None if amount is None else amount.to_bytes(32, "big")


def _text(amount: int | None) -> str | None:
    return None if amount is None else str(amount)
