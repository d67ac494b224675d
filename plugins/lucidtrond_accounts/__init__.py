"""What the chain knows of any address."""

from typing import Annotated

import msgspec

from lucidtrond.api import (
    AddressText,
    Context,
    InvalidInput,
    NoConfig,
    NodeError,
    NotFound,
    Params,
    Plugin,
    PluginDisabled,
    Result,
    TokenText,
    read_address,
)

plugin = Plugin("accounts")

MOST_TOKENS = 20

_ERRORS = (InvalidInput, NodeError)
_EXAMPLE = {"address": "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH"}


class Of(Params, frozen=True):
    address: AddressText


class DriftView(Result, frozen=True):
    """The account holds *drift_raw* (sun of TRX, a token's smallest units, signed) more
    of *asset* than the ledger says, since *since_block* or a later block."""

    asset: str
    drift_raw: str
    since_block: int


class AccountView(Result, frozen=True):
    """Amounts in sun; *as_of_block* says how new the answer is at least. *drifts* are
    balances of a watched account that are not what the ledger says."""

    address: str
    activated: bool
    is_contract: bool
    balance_sun: str
    staked_bandwidth_sun: str
    staked_energy_sun: str
    created_ms: int | None
    as_of_block: int
    drifts: list[DriftView]


@plugin.method("account.get", example=_EXAMPLE, errors=_ERRORS)
async def get(ctx: Context[NoConfig], params: Of) -> AccountView:
    """Show an account; one that was never activated is not an error."""
    address = read_address(params.address)
    reading = await ctx.node.fetch_account(address)
    account = reading.value
    return AccountView(
        address=account.address.base58,
        activated=account.activated,
        is_contract=account.is_contract,
        balance_sun=str(account.balance),
        staked_bandwidth_sun=str(account.staked_bandwidth),
        staked_energy_sun=str(account.staked_energy),
        created_ms=account.created_ms,
        as_of_block=reading.as_of_block,
        drifts=[
            DriftView(
                asset=drift.asset,
                drift_raw=str(drift.drift),
                since_block=drift.since_block,
            )
            for drift in await ctx.ledger.drifts(address)
        ],
    )


class ResourcesView(Result, frozen=True):
    """Bandwidth in bytes a day, energy in units a day."""

    address: str
    free_bandwidth_left: int
    free_bandwidth_limit: int
    bandwidth_left: int
    bandwidth_limit: int
    energy_left: int
    energy_limit: int
    as_of_block: int


@plugin.method("account.resources", example=_EXAMPLE, errors=_ERRORS)
async def resources(ctx: Context[NoConfig], params: Of) -> ResourcesView:
    """Show bandwidth and energy of an account."""
    address = read_address(params.address)
    reading = await ctx.node.fetch_resources(address)
    usage = reading.value
    return ResourcesView(
        address=address.base58,
        free_bandwidth_left=max(0, usage.free_net_limit - usage.free_net_used),
        free_bandwidth_limit=usage.free_net_limit,
        bandwidth_left=max(0, usage.net_limit - usage.net_used),
        bandwidth_limit=usage.net_limit,
        energy_left=max(0, usage.energy_limit - usage.energy_used),
        energy_limit=usage.energy_limit,
        as_of_block=reading.as_of_block,
    )


class OfBalance(Of, frozen=True):
    """*tokens* are those to ask about, by known symbol or by contract."""

    tokens: Annotated[tuple[TokenText, ...], msgspec.Meta(max_length=MOST_TOKENS)] = ()


class HeldToken(Result, frozen=True):
    """*symbol* and *decimals* are the known token's, null for any other."""

    token: str
    known: bool
    symbol: str | None
    decimals: int | None
    balance_raw: str


class BalanceView(Result, frozen=True):
    """The spendable balance and what can be used without burning TRX."""

    address: str
    activated: bool
    balance_sun: str
    bandwidth_left: int
    energy_left: int
    as_of_block: int
    tokens: list[HeldToken]


@plugin.method(
    "account.balance",
    example={**_EXAMPLE, "tokens": ["USDT"]},
    errors=(*_ERRORS, NotFound, PluginDisabled),
)
async def balance(ctx: Context[NoConfig], params: OfBalance) -> BalanceView:
    """Show the TRX balance, the resources left and chosen tokens."""
    account = await get(ctx, params)
    left = await resources(ctx, params)
    queries = [{"token": token, "address": params.address} for token in params.tokens]
    balances = [await ctx.call("token.balance", query) for query in queries]
    return BalanceView(
        address=account.address,
        activated=account.activated,
        balance_sun=account.balance_sun,
        bandwidth_left=left.free_bandwidth_left + left.bandwidth_left,
        energy_left=left.energy_left,
        as_of_block=min(account.as_of_block, left.as_of_block),
        tokens=[
            HeldToken(
                token=balance.token,
                known=balance.known,
                symbol=balance.symbol,
                decimals=balance.decimals,
                balance_raw=balance.balance_raw,
            )
            for balance in balances
        ],
    )
