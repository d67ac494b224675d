"""Paying, at most once per idempotency key."""

from typing import Annotated, Literal

import msgspec
import trio

from lucidtrond.api import (
    AddressText,
    AmountText,
    Conflict,
    Context,
    Cursor,
    ForeignTransaction,
    IdempotencyKey,
    InDoubt,
    InsufficientFunds,
    InvalidInput,
    KeystoreLocked,
    KeystoreMissing,
    Limit,
    LimitTooLow,
    NoConfig,
    NodeError,
    NoSuchKey,
    NotFound,
    Params,
    Payment,
    PaymentEstimate,
    PaymentOrder,
    Plugin,
    PossibleRestore,
    RecipientRefused,
    RecipientText,
    Result,
    TokenText,
    TooLarge,
    TxIdText,
    WouldFail,
    read_address,
    read_amount,
    read_recipient,
    read_token,
    read_txid,
)
from lucidtrond.tron.address import ZERO, Address
from lucidtrond.tron.trc20 import MAX_AMOUNT
from lucidtrond.tron.units import Sun

plugin = Plugin("transfers")

TIMEOUT_S = 180.0
"""A solidified answer takes about a minute on a real chain."""
PATIENCE_S = 170.0
MEMO_BYTES = 1024
TRX = "TRX"
TRX_DECIMALS = 6

Source = Annotated[
    AddressText, msgspec.Meta(description="A wallet id or one of our addresses.")
]
Text = Annotated[str, msgspec.Meta(max_length=MEMO_BYTES)]


class Send(Params, frozen=True, rename={"source": "from"}):
    """Exactly one of *amount_sun* (TRX) and *amount_raw* (a token's smallest units).
    *asset* is TRX, a known token's symbol or a TRC-20 contract's address. *memo* is
    public and costs a fee. *fee_limit_sun* bounds the energy of a token's call,
    *max_burn_sun* all that it may burn; both have defaults in [sending]. *expires_s* is
    how long one transaction may stay in flight (120; on public networks at most
    [sending] restore_wait_s, so that a restored copy of the database knows what can't
    land any more); proven dead, it is followed by another until there were *attempts*
    (1) of them or *give_up_s* are over. The same *idempotency_key* never pays twice. A
    recipient that was never paid and has the first or last letters of one that was is
    refused without *allow_look_alike*,
    one in hex without a checksum without *allow_unchecked_recipient*, and the zero
    address, where money is lost, without *allow_zero_address*.
    *check* is a dry run: refused as the payment would be, or state ``checked``."""

    source: Source
    to: RecipientText
    idempotency_key: IdempotencyKey
    amount_sun: AmountText | None = None
    amount_raw: AmountText | None = None
    asset: TokenText = "TRX"
    memo: Text = ""
    fee_limit_sun: AmountText | None = None
    max_burn_sun: AmountText | None = None
    expires_s: Annotated[float, msgspec.Meta(ge=12, le=86_340)] | None = None
    attempts: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None
    give_up_s: Annotated[float, msgspec.Meta(ge=12, le=604_800)] | None = None
    wait: Literal["none", "included", "solidified"] = "none"
    allow_look_alike: bool = False
    allow_unchecked_recipient: bool = False
    allow_zero_address: bool = False
    check: bool = False


@plugin.method(
    "transfer.send",
    caller="spend",
    timeout_s=TIMEOUT_S,
    example={
        "from": "w_0123456789abcdef",
        "to": "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH",
        "amount_sun": "1500000",
        "idempotency_key": "invoice-4711",
        "wait": "solidified",
    },
    errors=(
        InvalidInput,
        Conflict,
        NotFound,
        NoSuchKey,
        KeystoreLocked,
        KeystoreMissing,
        InsufficientFunds,
        LimitTooLow,
        RecipientRefused,
        WouldFail,
        TooLarge,
        InDoubt,
        ForeignTransaction,
        PossibleRestore,
        NodeError,
    ),
)
async def send(ctx: Context[NoConfig], params: Send) -> Payment:
    """Pay TRX or a token; the same idempotency key always finds the same payment.

    A caller that stops waiting does not stop the payment.
    """
    asset, amount = _read_amount(ctx, params)
    owner = await _owner(ctx, params.source)
    to = read_recipient(params.to, allow_unchecked=params.allow_unchecked_recipient)
    token = ctx.tokens.at(to.base58)
    if token is not None:
        raise RecipientRefused(f"the recipient is the contract of {token.symbol}")
    order = PaymentOrder(
        key=params.idempotency_key,
        owner=owner,
        to=to,
        asset=asset,
        amount=amount,
        memo=_read_memo(params.memo),
        fee_limit=_limit(params.fee_limit_sun, "fee_limit_sun"),
        max_burn=_limit(params.max_burn_sun, "max_burn_sun"),
        lifetime_ms=_ms(params.expires_s),
        attempts=params.attempts,
        give_up_ms=_ms(params.give_up_s),
        allow_look_alike=params.allow_look_alike,
        allow_zero_address=params.allow_zero_address,
    )
    payment = await ctx.sender.send(order, check=params.check)
    if params.wait == "none" or payment.state == "checked":
        return payment
    with trio.move_on_after(PATIENCE_S):
        return await ctx.sender.wait(payment.payment_id, until=params.wait)
    raise InDoubt(
        f"not {params.wait} after {PATIENCE_S:.0f} s; the same idempotency key finds it"
        " again",
        payment_id=payment.payment_id,
        txid=payment.txid,
        safe_to_retry=False,
        in_flight_until_ms=payment.expiration_ms,
    )


class Estimate(Params, frozen=True, rename={"source": "from"}):
    """As `transfer.send` takes them; *from* may be any address."""

    source: Source
    to: AddressText
    amount_sun: AmountText | None = None
    amount_raw: AmountText | None = None
    asset: TokenText = "TRX"
    memo: Text = ""
    fee_limit_sun: AmountText | None = None


class Estimated(Result, frozen=True):
    """*symbol* and *decimals* are the known token's (or TRX's), null for any other.
    *warnings* are for people: what `transfer.send` would refuse about the recipient
    unless a flag allows it."""

    asset: str
    symbol: str | None
    decimals: int | None
    amount: str
    cost: PaymentEstimate
    warnings: list[str]


@plugin.method(
    "transfer.estimate",
    example={
        "from": "w_0123456789abcdef",
        "to": "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH",
        "amount_raw": "2000000",
        "asset": "USDT",
    },
    errors=(
        InvalidInput,
        NotFound,
        InsufficientFunds,
        RecipientRefused,
        WouldFail,
        TooLarge,
        NodeError,
    ),
)
async def estimate(ctx: Context[NoConfig], params: Estimate) -> Estimated:
    """Tell what a payment would burn.

    A token's call is simulated with these very addresses and this amount.
    """
    asset, amount = _read_amount(ctx, params)
    to = read_recipient(params.to, allow_unchecked=True)
    order = PaymentOrder(
        key="estimate",
        owner=await _owner(ctx, params.source),
        to=to,
        asset=asset,
        amount=amount,
        memo=_read_memo(params.memo),
        fee_limit=_limit(params.fee_limit_sun, "fee_limit_sun"),
    )
    cost = await ctx.sender.estimate(order)
    listed = ctx.tokens.at(asset)
    symbol, decimals = (listed.symbol, listed.decimals) if listed else (None, None)
    if asset == TRX:
        symbol, decimals = TRX, TRX_DECIMALS
    return Estimated(
        asset=asset,
        symbol=symbol,
        decimals=decimals,
        amount=str(amount),
        cost=cost,
        warnings=_warnings(params.to, to),
    )


def _warnings(text: str, to: Address) -> list[str]:
    warnings = []
    try:
        read_recipient(text, allow_unchecked=False)
    except RecipientRefused as refusal:
        warnings.append(refusal.message)
    if to == ZERO:
        warnings.append("the recipient is the zero address: what it gets is lost")
    return warnings


class Status(Params, frozen=True):
    """Exactly one of them."""

    payment_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    idempotency_key: IdempotencyKey | None = None
    txid: TxIdText | None = None


@plugin.method(
    "transfer.status",
    example={"idempotency_key": "invoice-4711"},
    errors=(NotFound, InvalidInput, InDoubt),
)
async def status(ctx: Context[NoConfig], params: Status) -> Payment:
    """Show a payment by its id, its idempotency key or its txid."""
    ids = (params.payment_id, params.idempotency_key, params.txid)
    given = len(ids) - ids.count(None)
    if given != 1:
        raise InvalidInput(
            f"expected exactly one of payment_id, idempotency_key and txid, got {given}"
        )
    txid = None if params.txid is None else read_txid(params.txid)
    payment = await ctx.sender.find(
        payment_id=params.payment_id, key=params.idempotency_key, txid=txid
    )
    if payment is None:
        raise NotFound("no such payment of ours")
    return payment


class ListPayments(Params, frozen=True, rename={"source": "from"}):
    """*from* narrows to one of our wallets; *unresolved* to what is not settled."""

    source: Source | None = None
    limit: Limit = 100
    cursor: Cursor | None = None
    unresolved: bool = False


class Payments(Result, frozen=True):
    """Newest first. *next_cursor* is null on the last page."""

    payments: list[Payment]
    next_cursor: str | None


@plugin.method(
    "transfer.list",
    example={"limit": 20, "unresolved": True},
    errors=(NotFound, InvalidInput),
)
async def list_payments(ctx: Context[NoConfig], params: ListPayments) -> Payments:
    """List payments of ours, newest first."""
    owner = None if params.source is None else await _owner(ctx, params.source)
    payments, following = await ctx.sender.payments(
        limit=params.limit,
        cursor=params.cursor,
        owner=owner,
        unresolved=params.unresolved,
    )
    return Payments(payments=payments, next_cursor=following)


def _read_amount(ctx: Context[NoConfig], params: Send | Estimate) -> tuple[str, int]:
    """The asset as the sender names it, and how much of it."""
    if (params.amount_sun is None) == (params.amount_raw is None):
        given = "none" if params.amount_sun is None else "both"
        raise InvalidInput(
            f"expected exactly one of amount_sun and amount_raw, got {given}"
        )
    if params.asset.strip().upper() == TRX:
        if params.amount_sun is None:
            raise InvalidInput("amount_raw belongs to a token; TRX takes amount_sun")
        return TRX, read_amount(params.amount_sun, name="amount_sun")
    token = read_token(params.asset, ctx.tokens, name="asset")
    if params.amount_raw is None:
        raise InvalidInput("amount_sun belongs to TRX; a token takes amount_raw")
    amount = read_amount(params.amount_raw, name="amount_raw", limit=MAX_AMOUNT)
    return token.base58, amount


def _read_memo(text: str) -> bytes:
    memo = text.encode()
    if len(memo) > MEMO_BYTES:
        raise InvalidInput(
            f"memo: expected at most {MEMO_BYTES} bytes, got {len(memo)}"
        )
    return memo


async def _owner(ctx: Context[NoConfig], text: str) -> Address:
    if text.startswith("w_"):
        wallet = await ctx.call("wallet.get", {"wallet": text})
        return Address.from_base58(wallet.address)
    return read_address(text, name="from")


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1000)


def _limit(text: str | None, name: str) -> Sun | None:
    return None if text is None else Sun(read_amount(text, name=name))
