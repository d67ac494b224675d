"""The embedded chain's own methods: money from nothing, blocks on demand."""

from typing import Annotated, Any, TypeVar

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
    RecipientRefused,
    RecipientText,
    Result,
    TokenText,
    TooBusy,
    read_amount,
    read_recipient,
)
from lucidtrond.tron.units import Sun

T = TypeVar("T")

plugin = Plugin("devnet", needs=["devnet"], networks=["devnet"])


class Fund(Params, frozen=True):
    """Exactly one of *amount_sun* (TRX) and *amount_raw* (a token's smallest units);
    a token is named by its symbol or its address. Hex without a checksum needs
    *allow_unchecked_recipient*, as it does with `transfer.send`."""

    address: RecipientText
    amount_sun: AmountText | None = None
    amount_raw: AmountText | None = None
    asset: Annotated[str, msgspec.Meta(max_length=64)] = "TRX"
    allow_unchecked_recipient: bool = False


class Funded(Result, frozen=True):
    txid: str


@plugin.method(
    "devnet.fund",
    caller="spend",
    example={
        "address": "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH",
        "amount_sun": "100000000",
    },
    errors=(InvalidInput, RecipientRefused, InsufficientFunds, TooBusy),
)
async def fund(ctx: Context[NoConfig], params: Fund) -> Funded:
    """Send TRX or tokens from the chain's funded account, by a real transfer."""
    address = read_recipient(
        params.address,
        allow_unchecked=params.allow_unchecked_recipient,
        name="address",
    )
    if params.asset == "TRX":
        if params.amount_sun is None or params.amount_raw is not None:
            raise InvalidInput("TRX: expected amount_sun and no amount_raw")
        sun = Sun(read_amount(params.amount_sun, name="amount_sun"))
        return Funded(txid=await ctx.devnet.fund(address, sun))
    token = ctx.tokens.called(params.asset) or ctx.tokens.at(params.asset)
    if token is None:
        symbols = ", ".join(offered.symbol for offered in ctx.tokens)
        raise InvalidInput(
            f"asset: expected TRX, {symbols} or a known token's address,"
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


class Jump(Params, frozen=True):
    seconds: Annotated[float, msgspec.Meta(gt=0, le=400 * 86_400)]


@plugin.method(
    "devnet.jump",
    caller="spend",
    example={"seconds": 86_400},
    errors=(InvalidInput,),
)
async def jump(ctx: Context[NoConfig], params: Jump) -> Mined:
    """Make a block that is so much later than the head."""
    return await _control(ctx, "jump", params, Mined)


class Fork(Params, frozen=True):
    """*blocks* others replace *depth* newest ones; 0 is one more than are replaced.
    With *keep* their transactions go back to the pool, else they vanish."""

    depth: Annotated[int, msgspec.Meta(ge=1)] = 1
    keep: bool = True
    blocks: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0


@plugin.method(
    "devnet.fork", caller="spend", example={"depth": 2}, errors=(InvalidInput,)
)
async def fork(ctx: Context[NoConfig], params: Fork) -> Mined:
    """Take the newest blocks back and make others; never what is solidified."""
    return await _control(ctx, "fork", params, Mined)


class Stall(Params, frozen=True):
    stalled: bool = True


class Stalled(Result, frozen=True):
    stalled: bool


@plugin.method(
    "devnet.stall", caller="spend", example={"stalled": True}, errors=(InvalidInput,)
)
async def stall(ctx: Context[NoConfig], params: Stall) -> Stalled:
    """Keep blocks from being solidified, or let them again."""
    return await _control(ctx, "stall", params, Stalled)


class Shut(Params, frozen=True):
    """Port number *port* (0 is the main one) refuses connections for *for_s* seconds.
    *door* is the older name of *port*."""

    port: Annotated[int, msgspec.Meta(ge=0)] = 0
    for_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 1.0
    door: Annotated[int, msgspec.Meta(ge=0)] | None = None


class ClosedPort(Result, frozen=True):
    port: int
    for_s: float
    door: int


@plugin.method(
    "devnet.shut",
    caller="spend",
    example={"port": 0, "for_s": 2.5},
    errors=(InvalidInput,),
)
async def shut(ctx: Context[NoConfig], params: Shut) -> ClosedPort:
    """Refuse connections at one port for a while, as a node that is down."""
    return await _control(ctx, "shut", params, ClosedPort)


class Nil(Params, frozen=True):
    sender: AddressText
    recipient: AddressText
    token: AddressText


@plugin.method(
    "devnet.nil",
    caller="spend",
    example={
        "sender": "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH",
        "recipient": "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH",
        "token": "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH",
    },
    errors=(InvalidInput,),
)
async def nil(ctx: Context[NoConfig], params: Nil) -> Funded:
    """Plant a transfer of 0 tokens in somebody's history, as look-alikes do."""
    return await _control(ctx, "nil", params, Funded)


class Rule(Params, frozen=True):
    """*honest*: the token moves in blocks what it moves in simulations."""

    token: TokenText
    honest: bool


@plugin.method(
    "devnet.rule",
    caller="spend",
    example={"token": "FICKLE", "honest": False},
    errors=(InvalidInput,),
)
async def rule(ctx: Context[NoConfig], params: Rule) -> Funded:
    """Change the rule of the token FICKLE, from the next block on."""
    return await _control(ctx, "rule", params, Funded)


class Named(Params, frozen=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


@plugin.method(
    "devnet.snapshot",
    caller="spend",
    example={"name": "before"},
    errors=(InvalidInput,),
)
async def snapshot(ctx: Context[NoConfig], params: Named) -> Mined:
    """Remember the chain as it is now, in memory."""
    return await _control(ctx, "snapshot", params, Mined)


@plugin.method(
    "devnet.restore", caller="spend", example={"name": "before"}, errors=(InvalidInput,)
)
async def restore(ctx: Context[NoConfig], params: Named) -> Mined:
    """Be the chain of a snapshot again."""
    return await _control(ctx, "restore", params, Mined)


class Fault(Params, frozen=True):
    """*rule* is one of the chain's fault rules: ``{"fault": "lost_reply", "path":
    "/wallet/broadcast*", "count": 1}``; `lucidtrond devnet --help` lists them."""

    rule: dict[str, Any]


class FaultNumber(Result, frozen=True):
    number: int


@plugin.method(
    "devnet.fault",
    caller="spend",
    example={"rule": {"fault": "lost_reply", "path": "/wallet/broadcast*", "count": 1}},
    errors=(InvalidInput,),
)
async def fault(ctx: Context[NoConfig], params: Fault) -> FaultNumber:
    """Put a fault in force: what its HTTP requests meet from now on."""
    made = await ctx.devnet.control("fault", params.rule)
    return msgspec.convert(made, FaultNumber)


class FaultState(Result, frozen=True):
    number: int
    seen: int
    struck: int
    rule: dict[str, Any]


class FaultStates(Result, frozen=True):
    seed: int
    faults: list[FaultState]


@plugin.method("devnet.faults", errors=(InvalidInput,))
async def faults(ctx: Context[NoConfig]) -> FaultStates:
    """List the faults in force and how often they struck."""
    return msgspec.convert(await ctx.devnet.control("faults", {}), FaultStates)


class Clear(Params, frozen=True):
    """All of them without a *number*."""

    number: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)] | None = None


class Cleared(Result, frozen=True):
    cleared: int


@plugin.method(
    "devnet.clear", caller="spend", example={"number": 1}, errors=(InvalidInput,)
)
async def clear(ctx: Context[NoConfig], params: Clear) -> Cleared:
    """Lift one fault, or all."""
    return await _control(ctx, "clear", params, Cleared)


class Seed(Params, frozen=True):
    seed: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Seeded(Result, frozen=True):
    seed: int


@plugin.method(
    "devnet.seed", caller="spend", example={"seed": 7}, errors=(InvalidInput,)
)
async def seed(ctx: Context[NoConfig], params: Seed) -> Seeded:
    """Lift all faults and begin anew with other chances, repeatably."""
    return await _control(ctx, "seed", params, Seeded)


async def _control(
    ctx: Context[NoConfig], verb: str, params: Params, kind: type[T]
) -> T:
    given = msgspec.to_builtins(params)
    return msgspec.convert(await ctx.devnet.control(verb, given), kind)


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
    """*about*: what is odd about it, "" for none."""

    address: str
    symbol: str
    name: str
    decimals: int
    about: str


class Info(Result, frozen=True):
    """*url* speaks java-tron's HTTP API. Chain time is not always real time."""

    url: str
    genesis_id: str
    block_time_s: float
    head: HeadView
    solid_number: int
    witnesses: list[str]
    replicas: list[str]
    accounts: list[FundedAccount]
    tokens: list[Token]
    fake_tokens: list[Token]


@plugin.method("devnet.info")
async def info(ctx: Context[NoConfig]) -> Info:
    """Show the embedded chain: its URL, block time, witnesses, funded accounts."""
    return msgspec.convert(ctx.devnet.info(), Info)
