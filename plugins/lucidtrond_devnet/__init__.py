"""The embedded chain's own doors: money from nothing, blocks on demand."""

from typing import Annotated, Any

import msgspec

from lucidtrond.api import (
    AddressText,
    AmountText,
    Context,
    NoConfig,
    NotFound,
    Params,
    Plugin,
    Result,
    read_address,
    read_amount,
)
from lucidtrond.tron.units import Sun

plugin = Plugin("devnet")


class Fund(Params, frozen=True):
    address: AddressText
    amount_sun: AmountText


class Funded(Result, frozen=True):
    txid: str


@plugin.method(
    "devnet.fund",
    caller="spend",
    example={
        "address": "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH",
        "amount_sun": "100000000",
    },
)
async def fund(ctx: Context[NoConfig], params: Fund) -> Funded:
    """Send TRX from the chain's funded account, by a real transfer."""
    _check(ctx)
    amount = read_amount(params.amount_sun, name="amount_sun")
    txid = await ctx.devnet.fund(read_address(params.address), Sun(amount))
    return Funded(txid=txid)


class Mine(Params, frozen=True):
    count: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1


class Mined(Result, frozen=True):
    head_number: int


@plugin.method("devnet.mine", caller="spend", example={"count": 3})
async def mine(ctx: Context[NoConfig], params: Mine) -> Mined:
    """Make blocks at once."""
    _check(ctx)
    return Mined(head_number=await ctx.devnet.mine(params.count))


class Info(Result, frozen=True):
    """*url* speaks java-tron's HTTP API; the accounts' keys are test keys."""

    url: str
    details: dict[str, Any]


@plugin.method("devnet.info")
async def info(ctx: Context[NoConfig]) -> Info:
    """Show the embedded chain: its URL, block time, witnesses, funded accounts."""
    _check(ctx)
    details = dict(ctx.devnet.info())
    return Info(url=str(details.pop("url")), details=details)


def _check(ctx: Context[NoConfig]) -> None:
    if ctx.network != "devnet":
        raise NotFound(f"there is no devnet here: the network is {ctx.network}")
