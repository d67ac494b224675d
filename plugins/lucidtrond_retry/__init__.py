"""What is still in flight, and sending the same signed bytes again.

Sending the same bytes again can never pay twice: one txid, one inclusion. Signing anew
can, so nothing here signs.
"""

from lucidtrond.api import (
    AlreadyFinal,
    Context,
    Cursor,
    Expired,
    InvalidInput,
    Limit,
    NoConfig,
    NotFound,
    Params,
    Payment,
    Plugin,
    Result,
    TxIdText,
    read_txid,
)

plugin = Plugin("retry")


class Retry(Params, frozen=True):
    txid: TxIdText


class Retried(Result, frozen=True):
    """*txid* is the one that was given: the bytes are the same."""

    txid: str
    payment: Payment


@plugin.method(
    "tx.retry",
    caller="spend",
    timeout_s=60,
    example={"txid": "0" * 64},
    errors=(NotFound, AlreadyFinal, Expired, InvalidInput),
)
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


class ListPending(Params, frozen=True):
    limit: Limit = 100
    cursor: Cursor | None = None


class Pending(Result, frozen=True):
    """Newest first. *next_cursor* is null on the last page."""

    pending: list[PendingRow]
    next_cursor: str | None


@plugin.method("tx.pending", example={"limit": 100}, errors=(InvalidInput,))
async def pending(ctx: Context[NoConfig], params: ListPending) -> Pending:
    """List payments that are not settled yet."""
    found, following = await ctx.sender.payments(
        limit=params.limit, cursor=params.cursor, unresolved=True
    )
    return Pending(
        next_cursor=following,
        pending=[
            PendingRow(
                payment=payment,
                safe_to_retry=payment.safe_to_retry,
                in_flight_until_ms=payment.in_flight_until_ms,
                dead=payment.state == "expired",
            )
            for payment in found
        ],
    )
