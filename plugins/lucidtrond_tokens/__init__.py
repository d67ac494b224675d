"""TRC-20 tokens: which are known, and what any contract says of itself.

Known is who stands on the network's list; what a contract claims (its name, its symbol,
its decimals) is shown as a claim.
"""

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
    Result,
    TokenText,
    read_address,
    read_token,
)
from lucidtrond.tron import trc20
from lucidtrond.tron.address import Address
from lucidtrond.tron.tokens import KnownTokens
from lucidtrond_tokens.asking import Claims, ask_amount, ask_claims

plugin = Plugin("tokens")

_ERRORS = (InvalidInput, NotFound, NodeError)
_TOKEN = {"token": "USDT"}
_HOLDER = "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH"

Holder = Annotated[
    AddressText, msgspec.Meta(description="Any address, or a wallet's id.")
]


class KnownTokenView(Result, frozen=True):
    token: str
    symbol: str
    name: str
    decimals: int


class KnownTokenViews(Result, frozen=True):
    network: str
    tokens: list[KnownTokenView]


@plugin.method("token.list")
async def list_tokens(ctx: Context[NoConfig]) -> KnownTokenViews:
    """List the known tokens; transfers of others are booked as unknown_token."""
    views = [
        KnownTokenView(
            token=token.address.base58,
            symbol=token.symbol,
            name=token.name,
            decimals=token.decimals,
        )
        for token in ctx.tokens
    ]
    return KnownTokenViews(network=ctx.network, tokens=views)


class OfToken(Params, frozen=True):
    token: TokenText


class TokenView(Result, frozen=True):
    """*name*, *symbol* and *decimals* are what the contract says; *imitates* is the
    known token (or ``TRX``) that its name or symbol reads like, whatever letters, case
    and marks it is written with, without being it. *decimals* is null when the contract
    tells none."""

    token: str
    known: bool
    imitates: str | None
    name: str | None
    symbol: str | None
    decimals: int | None
    total_supply_raw: str


@plugin.method("token.info", example=_TOKEN, errors=_ERRORS)
async def info(ctx: Context[NoConfig], params: OfToken) -> TokenView:
    """Ask a token's contract what it is."""
    token = read_token(params.token, ctx.tokens)
    listed = ctx.tokens.at(token.base58)
    claims = await ask_claims(ctx.node, token)
    return TokenView(
        token=token.base58,
        known=listed is not None,
        imitates=None if listed else _imitated(ctx.tokens, claims),
        name=claims.name,
        symbol=claims.symbol,
        decimals=claims.decimals,
        total_supply_raw=str(claims.total_supply),
    )


def _imitated(tokens: KnownTokens, claims: Claims) -> str | None:
    # Only asked for here: its tables take 8 ms and 110 KB, which a start saves.
    from lucidtrond_tokens.naming import imitated  # noqa: PLC0415

    return imitated(tokens, claims.symbol, claims.name)


class OfHolder(OfToken, frozen=True):
    address: Holder


class TokenBalance(Result, frozen=True):
    """*symbol* and *decimals* are the known token's, null for any other."""

    token: str
    known: bool
    symbol: str | None
    decimals: int | None
    address: str
    balance_raw: str


@plugin.method("token.balance", example={**_TOKEN, "address": _HOLDER}, errors=_ERRORS)
async def balance(ctx: Context[NoConfig], params: OfHolder) -> TokenBalance:
    """Ask a token how much an address has, in its smallest units."""
    token = read_token(params.token, ctx.tokens)
    holder = await _holder(ctx, params.address, "address")
    amount = await ask_amount(
        ctx.node, token, trc20.BALANCE_OF, trc20.balance_of(holder)
    )
    listed = ctx.tokens.at(token.base58)
    return TokenBalance(
        token=token.base58,
        known=listed is not None,
        symbol=listed.symbol if listed else None,
        decimals=listed.decimals if listed else None,
        address=holder.base58,
        balance_raw=str(amount),
    )


class OfSpender(OfToken, frozen=True):
    owner: Holder
    spender: Holder


class TokenAllowance(Result, frozen=True):
    """*allowance_raw* is what *spender* may still take; 2**256 - 1 usually means:
    without end."""

    token: str
    owner: str
    spender: str
    allowance_raw: str


@plugin.method(
    "token.allowance",
    example={**_TOKEN, "owner": _HOLDER, "spender": _HOLDER},
    errors=_ERRORS,
)
async def allowance(ctx: Context[NoConfig], params: OfSpender) -> TokenAllowance:
    """Ask a token how much of the owner's a spender may still take."""
    token = read_token(params.token, ctx.tokens)
    owner = await _holder(ctx, params.owner, "owner")
    spender = await _holder(ctx, params.spender, "spender")
    amount = await ask_amount(
        ctx.node, token, trc20.ALLOWANCE, trc20.allowance(owner, spender)
    )
    return TokenAllowance(
        token=token.base58,
        owner=owner.base58,
        spender=spender.base58,
        allowance_raw=str(amount),
    )


async def _holder(ctx: Context[NoConfig], text: str, name: str) -> Address:
    if text.startswith("w_"):
        wallet = await ctx.call("wallet.get", {"wallet": text})
        return Address.from_base58(wallet.address)
    return read_address(text, name=name)
