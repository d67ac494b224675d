"""Transfers of our addresses, as the follower booked them."""

from typing import Annotated

import msgspec

from lucidtrond.api import (
    AddressText,
    Context,
    InvalidInput,
    LedgerEntry,
    Limit,
    NoConfig,
    Params,
    Plugin,
    Result,
    read_address,
)

plugin = Plugin("history")

KINDS = ("trx", "trc20", "trc10", "internal")


class ListHistory(Params, frozen=True):
    """Times are block times in ms, both inclusive. *cursor* is of the page before."""

    address: AddressText | None = None
    limit: Limit = 100
    cursor: str | None = None
    skip: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    from_ms: int | None = None
    to_ms: int | None = None
    kinds: tuple[str, ...] = ()
    asset: str | None = None


class History(Result, frozen=True):
    """Newest first. *next_cursor* is null on the last page."""

    entries: list[LedgerEntry]
    next_cursor: str | None
    total: int
    complete_from: int | None
    """Since this block nothing was missed; before it nothing was looked at."""


@plugin.method(
    "history.list",
    example={"address": "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH", "limit": 20},
)
async def list_history(ctx: Context[NoConfig], params: ListHistory) -> History:
    """List transfers of watched addresses, newest first."""
    unknown = [kind for kind in params.kinds if kind not in KINDS]
    if unknown:
        raise InvalidInput(f"kinds: expected some of {', '.join(KINDS)}, got {unknown}")
    address = None if params.address is None else read_address(params.address)
    entries, following, total = await ctx.ledger.entries(
        address,
        limit=params.limit,
        cursor=params.cursor,
        skip=params.skip,
        from_ms=params.from_ms,
        to_ms=params.to_ms,
        kinds=params.kinds,
        asset=params.asset,
    )
    return History(
        entries=entries,
        next_cursor=following,
        total=total,
        complete_from=ctx.ledger.position().complete_from,
    )
