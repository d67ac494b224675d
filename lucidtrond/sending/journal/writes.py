"""Writing the journal: new attempts, signatures, and what became of them."""

from msgspec import Struct

from lucidtrond.ports import Tx
from lucidtrond.sending.intent import Intent
from lucidtrond.sending.journal import queries
from lucidtrond.sending.journal.entry import Draft, Entry, Macs
from lucidtrond.sending.plan import Attempt, next_send
from lucidtrond.sending.terms import Terms
from lucidtrond.tron.transaction import Transaction, TxId
from lucidtrond.tron.units import UnixMillis


def insert(
    tx: Tx,
    intent: Intent,
    terms: Terms,
    draft: Draft,
    *,
    head_time: UnixMillis,
    now_ms: int,
) -> Entry:
    """Write a new payment with its first attempt, unsigned."""
    give_up_ms = terms.give_up_ms
    [(seq,)] = tx.execute(
        "INSERT INTO sending_payment (payment_id, idempotency_key, content, owner,"
        " recipient, asset, amount, memo, created_ms, fee_limit_sun, max_burn_sun,"
        " lifetime_ms, deadline_ms, kind, details)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq",
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
            None if give_up_ms is None else head_time + give_up_ms,
            intent.kind,
            intent.details,
        ),
    )
    row = _NewAttempt(seq, 1, intent.owner.raw, terms.attempts - 1)
    return _insert_attempt(tx, row, draft, now_ms=now_ms)


def supersede(tx: Tx, entry: Entry) -> None:
    """The dead attempt is settled; another one follows in this transaction."""
    tx.execute(
        "UPDATE sending_attempt SET latest = 0, unresolved = 0, renewals = 0,"
        " renewal_mac = NULL, buried = 1 WHERE txid = ?",
        (entry.transaction.digest,),
    )


def insert_next(tx: Tx, dead: Entry, draft: Draft, *, now_ms: int) -> Entry:
    """Write the attempt that follows a superseded one, unsigned."""
    row = _NewAttempt(
        dead.payment_seq,
        dead.payment.attempt + 1,
        dead.intent.owner.raw,
        max(dead.attempt.renewals - 1, 0),
    )
    return _insert_attempt(tx, row, draft, now_ms=now_ms)


class _NewAttempt(Struct, frozen=True):
    payment_seq: int
    number: int
    owner: bytes
    renewals: int


def _insert_attempt(tx: Tx, row: _NewAttempt, draft: Draft, *, now_ms: int) -> Entry:
    attempt = Attempt("queued", draft.expiration, draft.reference_number)
    digest = Transaction(draft.raw).digest
    tx.execute(
        "INSERT INTO sending_attempt (txid, payment_seq, number, raw, reference_number,"
        " expiration_ms, state, unresolved, due_ms, sent, message, accepted,"
        " updated_ms, fee_limit_sun, burn_sun, owner, renewals)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, 0, '', 0, ?, ?, ?, ?, ?)",
        (
            digest,
            row.payment_seq,
            row.number,
            draft.raw,
            attempt.reference_number,
            attempt.expiration,
            attempt.state,
            next_send(attempt),
            now_ms,
            draft.fee_limit,
            draft.burn,
            row.owner,
            row.renewals,
        ),
    )
    return queries.attempt(tx, digest)


def update(tx: Tx, entry: Entry, attempt: Attempt, *, now_ms: int) -> Entry:
    """Write the attempt as it is now."""
    block = attempt.inclusion
    tx.execute(
        "UPDATE sending_attempt SET state = ?, unresolved = ?, due_ms = ?, sent = ?,"
        " last_sent_ms = ?, code = ?, message = ?, accepted = ?, reason = ?,"
        " renewals = ?, renewal_mac = CASE WHEN ? = 0 THEN NULL ELSE renewal_mac END,"
        " buried = ?, block_number = ?, block_id = ?,"
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
            attempt.renewals,
            int(attempt.abandoned),
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
    return queries.attempt(tx, entry.transaction.digest)


def authenticate(tx: Tx, entry: Entry, macs: Macs) -> Entry:
    """Write the MACs of both rows; the payment's first one stays."""
    tx.execute(
        "UPDATE sending_payment SET mac = ? WHERE seq = ? AND mac IS NULL",
        (macs.payment, entry.payment_seq),
    )
    tx.execute(
        "UPDATE sending_attempt SET mac = ?, renewal_mac = ? WHERE txid = ?",
        (macs.attempt, macs.renewals, entry.transaction.digest),
    )
    return queries.attempt(tx, entry.transaction.digest)


def keep_signature(tx: Tx, txid: TxId, signature: bytes) -> None:
    """Keep the bytes that will be sent, before they are; the first one stays."""
    tx.execute(
        "UPDATE sending_attempt SET signature = ? WHERE txid = ? AND signature IS NULL",
        (signature, bytes.fromhex(txid)),
    )


def mark_adopted(tx: Tx, txid: TxId) -> None:
    """The transaction was found on the chain: another journal's, which is lost."""
    tx.execute(
        "UPDATE sending_attempt SET adopted = 1 WHERE txid = ?", (bytes.fromhex(txid),)
    )


def _bytes(amount: int | None) -> bytes | None:
    return None if amount is None else amount.to_bytes(32, "big")
