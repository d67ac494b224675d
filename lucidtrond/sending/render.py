"""Quotes and results of receipts in wire form. Pure."""

from lucidtrond.events.types import Payment, PaymentEstimate
from lucidtrond.sending.intent import Intent
from lucidtrond.sending.quote import Quote
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.revert import read_revert
from lucidtrond.tron.transaction import TxId


def result_of(receipt: Receipt) -> str:
    """The name of what the contract ended with, and its reason if it gave one."""
    result = receipt.vm_result or "unknown"
    reason = read_revert(receipt.contract_result) if receipt.failed else None
    return result if reason is None else f"{result}: {reason}"


def checked(intent: Intent, quote: Quote, *, attempt: int = 0) -> Payment:
    """The payment that an accepted intent would be, by its transaction *attempt*."""
    return Payment(
        payment_id=intent.payment_id,
        idempotency_key=intent.key,
        state="checked",
        attempt=attempt,
        from_address=intent.owner.base58,
        to_address=intent.to.base58,
        asset=intent.asset,
        amount=str(intent.amount),
        memo_hex=intent.memo.hex(),
        fee_limit_sun=None if quote.fee_limit is None else str(quote.fee_limit),
        burn_sun=str(quote.cost.worst),
        safe_to_retry=True,
    )


def adoptable(intent: Intent, txid: TxId) -> Payment:
    """The payment that an intent would be by a transaction that is on the chain."""
    return Payment(
        payment_id=intent.payment_id,
        idempotency_key=intent.key,
        state="checked",
        from_address=intent.owner.base58,
        to_address=intent.to.base58,
        asset=intent.asset,
        amount=str(intent.amount),
        memo_hex=intent.memo.hex(),
        txid=txid,
        adopted=True,
    )


def estimated(quote: Quote) -> PaymentEstimate:
    """A quote in wire form."""
    cost, limit, view = quote.cost, quote.fee_limit, quote.views[0]
    return PaymentEstimate(
        bandwidth_bytes=quote.size,
        energy=quote.energy,
        bandwidth_burn_sun=str(cost.bandwidth),
        energy_burn_sun=str(cost.energy),
        activation_sun=str(cost.activation),
        memo_sun=str(cost.memo),
        total_burn_sun=str(cost.expected),
        most_burn_sun=str(cost.most),
        fee_limit_sun=None if limit is None else str(limit),
        balance_sun=str(view.trx),
        token_balance_raw=None if view.token is None else str(view.token),
        activates_recipient=quote.creates,
        as_of_block=view.as_of_block,
        origin_energy=quote.origin_energy,
        arrives_raw=None if quote.arrives is None else str(quote.arrives),
    )
