"""Transfers of our addresses, as the follower booked them."""

from typing import Annotated, Literal

import msgspec

from lucidtrond.api import (
    AddressText,
    Context,
    Cursor,
    InvalidInput,
    LedgerEntry,
    Limit,
    NoConfig,
    Params,
    Plugin,
    Proof,
    Result,
    read_address,
    read_token,
)
from lucidtrond.tron.address import Address

plugin = Plugin("history")

Kind = Literal["trx", "trc20", "trc10", "internal"]
TimeMs = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Asset = Annotated[
    str,
    msgspec.Meta(
        max_length=64,
        description="TRX, a token's address or known symbol, or a TRC-10 id.",
    ),
]


class ListHistory(Params, frozen=True):
    """Times are block times in ms, both inclusive. *cursor* is of the page before.

    *min_proof* leaves out rows whose proof is less, from ``one_source`` over
    ``two_sources`` to ``signatures``; one that reaches it later is there then.
    """

    address: AddressText | None = None
    limit: Limit = 100
    cursor: Cursor | None = None
    skip: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    from_ms: TimeMs | None = None
    to_ms: TimeMs | None = None
    kinds: tuple[Kind, ...] = ()
    asset: Asset | None = None
    min_proof: Proof | None = None


class History(Result, frozen=True):
    """Newest first. *next_cursor* is null on the last page. *total* counts the rows of
    all pages, so one page with ``limit`` 1 is enough to count.

    Since block *complete_from* nothing was missed; before it nothing was looked at.
    *watched* false: of this address only transfers with watched ones are kept, so an
    empty list says nothing.
    """

    entries: list[LedgerEntry]
    next_cursor: str | None
    total: int
    complete_from: int | None
    watched: bool | None


@plugin.method(
    "history.list",
    example={"address": "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH", "limit": 20},
    errors=(InvalidInput,),
)
async def list_history(ctx: Context[NoConfig], params: ListHistory) -> History:
    """List transfers of watched addresses, newest first."""
    first, last = params.from_ms, params.to_ms
    if first is not None and last is not None and first > last:
        raise InvalidInput(f"from_ms: expected at most to_ms ({last}), got {first}")
    address = None if params.address is None else read_address(params.address)
    entries, following, total = await ctx.ledger.entries(
        address,
        limit=params.limit,
        cursor=params.cursor,
        skip=params.skip,
        from_ms=params.from_ms,
        to_ms=params.to_ms,
        kinds=params.kinds,
        asset=None if params.asset is None else _read_asset(params.asset, ctx),
        min_proof=params.min_proof,
    )
    return History(
        watched=None if address is None else await _is_watched(ctx, address),
        entries=entries,
        next_cursor=following,
        total=total,
        complete_from=ctx.ledger.position().complete_from,
    )


def _read_asset(text: str, ctx: Context[NoConfig]) -> str:
    """As the ledger writes it."""
    if text == "TRX" or (text.isascii() and text.isdigit()):
        return text
    return read_token(text, ctx.tokens, name="asset").base58


async def _is_watched(ctx: Context[NoConfig], address: Address) -> bool:
    return await ctx.store.read(lambda tx: ctx.ledger.is_watched(tx, address))
