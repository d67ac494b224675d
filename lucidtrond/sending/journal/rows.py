"""Rows of the journal as values. Pure.

A row may be damaged, or edited by somebody who has the database file, so reading one
refuses whatever this program does not write: see `RowRefused`. Whether its bytes are
those of its intent is another question (`sending.comparison`).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from lucidtrond.events.types import Payment, PaymentState, Proof
from lucidtrond.ports import Row
from lucidtrond.sending.intent import Intent
from lucidtrond.sending.journal.entry import Entry, Stored
from lucidtrond.sending.journal.fault import RowFault, RowRefused, shown
from lucidtrond.sending.kinds.table import kind_of
from lucidtrond.sending.plan import Attempt, Inclusion, in_flight_until
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.transaction import Transaction
from lucidtrond.tron.units import Sun, UnixMillis

_INTENT: Final = (
    *("kind", "idempotency_key", "owner", "recipient", "asset", "amount", "memo"),
    *("fee_limit_sun", "max_burn_sun", "details"),
)
_PAYMENT: Final = (
    *(*_INTENT, "seq", "payment_id", "created_ms", "content", "lifetime_ms"),
    *("deadline_ms", "mac"),
)
_ATTEMPT: Final = (
    *("txid", "number", "raw", "signature", "reference_number", "expiration_ms"),
    *("state", "sent", "last_sent_ms", "code", "message", "accepted", "reason"),
    *("block_number", "block_id", "block_timestamp_ms", "contract_ret", "fee_sun"),
    *("updated_ms", "fee_limit_sun", "burn_sun", "renewals", "buried", "arrived"),
    *("proof", "owner", "mac", "renewal_mac", "adopted"),
)
INTENT_COLUMNS: Final = ", ".join(f"p.{name}" for name in _INTENT)
FROM_BOTH: Final = (
    "FROM sending_payment p JOIN sending_attempt a ON a.payment_seq = p.seq"
)
ENTRY_COLUMNS: Final = ", ".join(
    (*(f"p.{name}" for name in _PAYMENT), *(f"a.{name}" for name in _ATTEMPT))
)
_AMOUNT_SIZE: Final = 32
_DIGEST_SIZE: Final = 32
_STATES: Final = frozenset(get_args(PaymentState)) - {"checked"}
_IN_A_BLOCK: Final = frozenset(("included", "solidified", "failed"))
_PROOFS: Final = frozenset(get_args(Proof))

_Values = Mapping[str, Any]
"""The columns of one table, by name."""
_Difference = tuple[str, str, object]
"""Column, what was expected, what is stored."""


def read_intent_row(row: Row) -> Intent:
    """Read `INTENT_COLUMNS`."""
    return _read_intent(dict(zip(_INTENT, row, strict=True)))


def read_entry_row(row: Row) -> Entry:
    """Read `ENTRY_COLUMNS`.

    Raises:
        RowRefused: it is nothing that this program writes.
    """
    payment = dict(zip(_PAYMENT, row[: len(_PAYMENT)], strict=True))
    attempt = dict(zip(_ATTEMPT, row[len(_PAYMENT) :], strict=True))
    try:
        difference = next(_differences(payment, attempt), None)
        if difference is None:
            return _read_entry(payment, attempt)
    except Exception as error:  # noqa: BLE001 - of one row: see `sending.set_aside`
        text = f"{type(error).__name__}: {error}"
        difference = ("row", "a payment that can be read", text)
    field, wanted, stored = difference
    digest = attempt["txid"]
    raise RowRefused(
        RowFault(
            payment["payment_id"],
            digest.hex() if isinstance(digest, bytes) else None,
            field,
            wanted,
            shown(stored),
        )
    )


def _differences(payment: _Values, attempt: _Values) -> Iterator[_Difference]:
    """Values that are read without an error and that no row of ours has."""
    txid = Transaction(attempt["raw"]).digest
    if attempt["txid"] != txid:
        yield "txid", txid.hex(), attempt["txid"]
    for field, amount in (
        ("amount", payment["amount"]),
        ("arrived", attempt["arrived"]),
    ):
        if amount is not None and len(amount) != _AMOUNT_SIZE:
            yield field, f"{_AMOUNT_SIZE} bytes", f"{len(amount)} bytes"
    state, proof = attempt["state"], attempt["proof"]
    if state not in _STATES:
        yield "state", "a state of a payment", state
    if proof is not None and proof not in _PROOFS:
        yield "proof", "a kind of proof", proof
    if attempt["block_number"] is not None:
        yield from _block_differences(attempt)
    elif state in _IN_A_BLOCK:
        yield "block_number", f"the block of a payment {state}", "none"


def _block_differences(attempt: _Values) -> Iterator[_Difference]:
    if len(attempt["block_id"]) != _DIGEST_SIZE:
        yield "block_id", f"{_DIGEST_SIZE} bytes", attempt["block_id"]
    for field in ("block_timestamp_ms", "contract_ret", "fee_sun"):
        if attempt[field] is None:
            yield field, "a number", "none"


def _read_intent(payment: _Values) -> Intent:
    return Intent(
        payment["kind"],
        payment["idempotency_key"],
        Address(payment["owner"]),
        Address(payment["recipient"]),
        payment["asset"],
        int.from_bytes(payment["amount"], "big"),
        memo=payment["memo"],
        fee_limit=_sun(payment["fee_limit_sun"]),
        max_burn=_sun(payment["max_burn_sun"]),
        details=payment["details"],
    )


def _read_inclusion(attempt: _Values, *, proven_by_log: bool) -> Inclusion | None:
    if attempt["block_number"] is None:
        return None
    return Inclusion(
        attempt["block_number"],
        BlockId(attempt["block_id"].hex()),
        UnixMillis(attempt["block_timestamp_ms"]),
        contract_ret=attempt["contract_ret"],
        fee=Sun(attempt["fee_sun"]),
        # Rows of before this was kept have none: no log proves what they moved.
        arrived=(_raw(attempt["arrived"]) or 0) if proven_by_log else None,
        proof=attempt["proof"],
    )


def _read_entry(payment: _Values, stored: _Values) -> Entry:
    intent = _read_intent(payment)
    last_sent_ms = stored["last_sent_ms"]
    attempt = Attempt(
        state=stored["state"],
        expiration=UnixMillis(stored["expiration_ms"]),
        reference_number=stored["reference_number"],
        sent=stored["sent"],
        last_sent=None if last_sent_ms is None else UnixMillis(last_sent_ms),
        code=stored["code"],
        message=stored["message"],
        accepted=bool(stored["accepted"]),
        reason=stored["reason"],
        inclusion=_read_inclusion(stored, proven_by_log=kind_of(intent).proven_by_log),
        renewals=stored["renewals"],
        abandoned=bool(stored["buried"]),
    )
    signature, block_id = stored["signature"], stored["block_id"]
    transaction = Transaction(stored["raw"], () if signature is None else (signature,))
    return Entry(
        payment["seq"],
        intent,
        attempt,
        transaction,
        Payment(
            payment_id=payment["payment_id"],
            idempotency_key=intent.key,
            state=stored["state"],
            from_address=intent.owner.base58,
            to_address=intent.to.base58,
            asset=intent.asset,
            amount=str(intent.amount),
            memo_hex=intent.memo.hex(),
            txid=transaction.txid,
            attempt=stored["number"],
            created_ms=payment["created_ms"],
            updated_ms=stored["updated_ms"],
            expiration_ms=stored["expiration_ms"],
            block_number=stored["block_number"],
            block_id=None if block_id is None else block_id.hex(),
            block_timestamp_ms=stored["block_timestamp_ms"],
            fee_sun=_text(stored["fee_sun"]),
            arrived_raw=_text(_raw(stored["arrived"])),
            proof=stored["proof"],
            fee_limit_sun=_text(stored["fee_limit_sun"]),
            burn_sun=_text(stored["burn_sun"]),
            reason=stored["reason"],
            broadcast_code=stored["code"],
            broadcasts=stored["sent"],
            safe_to_retry=attempt.safe_to_retry,
            attempts_left=stored["renewals"],
            in_flight_until_ms=in_flight_until(attempt),
            adopted=bool(stored["adopted"]),
        ),
        Stored(payment, stored),
    )


def _sun(amount: int | None) -> Sun | None:
    return None if amount is None else Sun(amount)


def _raw(amount: bytes | None) -> int | None:
    return None if amount is None else int.from_bytes(amount, "big")


def _text(amount: int | None) -> str | None:
    return None if amount is None else str(amount)
