"""The embedded chain's own doors: money from nothing, blocks on demand."""

from typing import Annotated

import msgspec

from lucidtrond.api import (
    AddressText,
    AmountText,
    Context,
    InsufficientFunds,
    InvalidInput,
    NoConfig,
    Params,
    Plugin,
    Result,
    TooBusy,
    read_address,
    read_amount,
)
from lucidtrond.tron.units import Sun

plugin = Plugin("devnet", needs=["devnet"], networks=["devnet"])


class Fund(Params, frozen=True):
    """Exactly one of *amount_sun* (TRX) and *amount_raw* (a token's smallest units);
    a token is named by its symbol or its address."""

    address: AddressText
    amount_sun: AmountText | None = None
    amount_raw: AmountText | None = None
    asset: Annotated[str, msgspec.Meta(max_length=64)] = "TRX"


class Funded(Result, frozen=True):
    txid: str


@plugin.method(
    "devnet.fund",
    caller="spend",
    example={
        "address": "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH",
        "amount_sun": "100000000",
    },
    errors=(InvalidInput, InsufficientFunds, TooBusy),
)
async def fund(ctx: Context[NoConfig], params: Fund) -> Funded:
    """Send TRX or tokens from the chain's funded account, by a real transfer."""
    address = read_address(params.address)
    if params.asset == "TRX":
        if params.amount_sun is None or params.amount_raw is not None:
            raise InvalidInput("TRX: expected amount_sun and no amount_raw")
        sun = Sun(read_amount(params.amount_sun, name="amount_sun"))
        return Funded(txid=await ctx.devnet.fund(address, sun))
    token = ctx.tokens.called(params.asset) or ctx.tokens.at(params.asset)
    if token is None:
        known = ", ".join(each.symbol for each in ctx.tokens)
        raise InvalidInput(
            f"asset: expected TRX, {known} or a known token's address,"
            f" got {params.asset!r}"
        )
    if params.amount_raw is None or params.amount_sun is not None:
        raise InvalidInput(f"{token.symbol}: expected amount_raw and no amount_sun")
    amount = read_amount(params.amount_raw, name="amount_raw")
    txid = await ctx.devnet.fund_token(address, token.address, amount)
    return Funded(txid=txid)


class Mine(Params, frozen=True):
    count: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1


class Mined(Result, frozen=True):
    head_number: int


@plugin.method("devnet.mine", caller="spend", example={"count": 3})
async def mine(ctx: Context[NoConfig], params: Mine) -> Mined:
    """Make blocks at once."""
    return Mined(head_number=await ctx.devnet.mine(params.count))


class HeadView(Result, frozen=True):
    number: int
    id: str
    timestamp_ms: int


class FundedAccount(Result, frozen=True):
    """*private_key* is a test key that everybody has: never send real money here."""

    name: str
    address: str
    private_key: str
    balance_sun: str


class Token(Result, frozen=True):
    address: str
    symbol: str
    name: str
    decimals: int


class Info(Result, frozen=True):
    """*url* speaks java-tron's HTTP API. Chain time is not always real time."""

    url: str
    genesis_id: str
    block_time_s: float
    head: HeadView
    solid_number: int
    witnesses: list[str]
    accounts: list[FundedAccount]
    tokens: list[Token]


@plugin.method("devnet.info")
async def info(ctx: Context[NoConfig]) -> Info:
    """Show the embedded chain: its URL, block time, witnesses, funded accounts."""
    return msgspec.convert(ctx.devnet.info(), Info)
