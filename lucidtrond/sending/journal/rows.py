"""Rows of the journal as values. Pure."""

from typing import Final

from lucidtrond.events.types import Payment
from lucidtrond.ports import Row
from lucidtrond.sending.intent import Intent
from lucidtrond.sending.journal.entry import Entry
from lucidtrond.sending.kinds.table import kind_of
from lucidtrond.sending.plan import Attempt, Inclusion, in_flight_until
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.transaction import Transaction
from lucidtrond.tron.units import Sun, UnixMillis

INTENT_COLUMNS: Final = (
    "p.kind, p.idempotency_key, p.owner, p.recipient, p.asset, p.amount, p.memo,"
    " p.fee_limit_sun, p.max_burn_sun, p.details"
)
_INTENT_WIDTH: Final = 10
_ATTEMPT_COLUMNS: Final = (
    "p.seq, p.payment_id, p.created_ms, a.number, a.raw, a.signature,"
    " a.reference_number, a.expiration_ms, a.state, a.sent, a.last_sent_ms, a.code,"
    " a.message, a.accepted, a.reason, a.block_number, a.block_id,"
    " a.block_timestamp_ms, a.contract_ret, a.fee_sun, a.updated_ms, a.fee_limit_sun,"
    " a.burn_sun, a.renewals, a.buried, a.arrived, a.proof"
)
SELECT_ENTRY: Final = (
    f"SELECT {INTENT_COLUMNS}, {_ATTEMPT_COLUMNS} FROM sending_payment p"  # noqa: S608 - constants
    " JOIN sending_attempt a ON a.payment_seq = p.seq"
)


def read_intent_row(row: Row) -> Intent:
    """Read `INTENT_COLUMNS`."""
    kind, key, owner, to, asset, amount, memo, fee_limit, max_burn, details = row
    return Intent(
        kind,
        key,
        Address(owner),
        Address(to),
        asset,
        int.from_bytes(amount, "big"),
        memo=memo,
        fee_limit=None if fee_limit is None else Sun(fee_limit),
        max_burn=None if max_burn is None else Sun(max_burn),
        details=details,
    )


def read_entry_row(row: Row) -> Entry:
    """Read what `SELECT_ENTRY` selects."""
    intent = read_intent_row(row[:_INTENT_WIDTH])
    (
        seq,
        payment_id,
        created_ms,
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
    ) = row[_INTENT_WIDTH:]
    by_log = kind_of(intent).proven_by_log
    arrived_raw = None if arrived is None else int.from_bytes(arrived, "big")
    inclusion = None
    if block_number is not None:
        inclusion = Inclusion(
            block_number,
            BlockId(block_id.hex()),
            UnixMillis(block_timestamp_ms),
            contract_ret=contract_ret,
            fee=Sun(fee_sun),
            # Rows of before this was kept have none: no log proves what they moved.
            arrived=(arrived_raw or 0) if by_log else None,
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
        abandoned=bool(buried),
    )
    transaction = Transaction(raw, () if signature is None else (signature,))
    payment = Payment(
        payment_id=payment_id,
        idempotency_key=intent.key,
        state=state,
        from_address=intent.owner.base58,
        to_address=intent.to.base58,
        asset=intent.asset,
        amount=str(intent.amount),
        memo_hex=intent.memo.hex(),
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
    return Entry(seq, intent, attempt, transaction, payment)


def _text(amount: int | None) -> str | None:
    return None if amount is None else str(amount)
