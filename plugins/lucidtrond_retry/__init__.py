"""What is still in flight, and sending the same signed bytes again.

Sending the same bytes again can never pay twice: one txid, one inclusion. Signing anew
can, so nothing here signs.
"""

from lucidtrond.api import (
    Context,
    NoConfig,
    Params,
    Payment,
    Plugin,
    Result,
    TxIdText,
    read_txid,
)

plugin = Plugin("retry")

PAGE = 1000


class Retry(Params, frozen=True):
    txid: TxIdText


class Retried(Result, frozen=True):
    """*txid* is the one that was given: the bytes are the same."""

    txid: str
    payment: Payment


@plugin.method("tx.retry", caller="spend", timeout_s=60, example={"txid": "0" * 64})
async def retry(ctx: Context[NoConfig], params: Retry) -> Retried:
    """Send a payment's signed bytes again; never pays twice."""
    txid = read_txid(params.txid)
    return Retried(txid=txid, payment=await ctx.sender.rebroadcast(txid))


class PendingRow(Result, frozen=True):
    """*safe_to_retry*: a new payment would not be a second one. Until
    *in_flight_until_ms* (chain time) it may land; *dead* is proven by final blocks."""

    payment: Payment
    safe_to_retry: bool
    in_flight_until_ms: int | None
    dead: bool


class Pending(Result, frozen=True):
    pending: list[PendingRow]


@plugin.method("tx.pending")
async def pending(ctx: Context[NoConfig]) -> Pending:
    """List payments that are not settled yet."""
    found, _ = await ctx.sender.payments(limit=PAGE, unresolved=True)
    return Pending(
        pending=[
            PendingRow(
                payment=payment,
                safe_to_retry=payment.safe_to_retry,
                in_flight_until_ms=payment.in_flight_until_ms,
                dead=payment.state == "expired",
            )
            for payment in found
        ]
    )
