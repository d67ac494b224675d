"""The methods: make wallets, list them, show what they have.

A wallet's row, its key, its place on the watch list and its event are one database
transaction: there is no moment at which a wallet exists that is not watched.
"""

from typing import Annotated

import msgspec

from lucidtrond.api import (
    AddressText,
    Conflict,
    Context,
    Cursor,
    IdempotencyKey,
    InvalidInput,
    KeystoreMissing,
    LedgerEntry,
    Limit,
    NoConfig,
    NodeError,
    NotFound,
    Params,
    Plugin,
    Result,
    Tx,
    WalletCreated,
)
from lucidtrond_wallets import rows
from lucidtrond_wallets.rows import Wallet

plugin = Plugin("wallets")
plugin.migration(1, rows.TABLES)

MOST = 100
_WALLET = {"wallet": "w_0123456789abcdef"}
LABEL_CHARACTERS = 100
Label = Annotated[str, msgspec.Meta(max_length=LABEL_CHARACTERS)]
WalletText = Annotated[
    AddressText, msgspec.Meta(description="A wallet id or one of our addresses.")
]


class WalletView(Result, frozen=True):
    wallet_id: str
    address: str
    label: str
    created_ms: int


class WalletViews(Result, frozen=True):
    """*next_cursor* is null on the last page."""

    wallets: list[WalletView]
    next_cursor: str | None = None


class Create(Params, frozen=True):
    label: Label = ""
    idempotency_key: IdempotencyKey | None = None


@plugin.method(
    "wallet.create",
    caller="spend",
    example={"label": "shop"},
    errors=(KeystoreMissing, Conflict, InvalidInput),
)
async def create(ctx: Context[NoConfig], params: Create) -> WalletView:
    """Make one wallet; works while the keystore is locked."""
    [wallet] = await _make(ctx, [params.label], params.idempotency_key)
    return _view(wallet)


class CreateNamed(Params, frozen=True):
    labels: Annotated[list[Label], msgspec.Meta(min_length=1, max_length=MOST)]
    idempotency_key: IdempotencyKey | None = None


@plugin.method(
    "wallet.create_named",
    caller="spend",
    internal=True,
    example={"labels": ["till-1", "till-2"]},
    errors=(KeystoreMissing, Conflict, InvalidInput),
)
async def create_named(ctx: Context[NoConfig], params: CreateNamed) -> WalletViews:
    """Make one wallet per label, all or none."""
    made = await _make(ctx, params.labels, params.idempotency_key)
    return WalletViews(wallets=[_view(wallet) for wallet in made])


class ListWallets(Params, frozen=True):
    limit: Limit = 100
    cursor: Cursor | None = None


@plugin.method("wallet.list", example={"limit": 100}, errors=(InvalidInput,))
async def list_wallets(ctx: Context[NoConfig], params: ListWallets) -> WalletViews:
    """List wallets, oldest first."""
    after = _read_cursor(params.cursor)
    page = await ctx.store.read(
        lambda tx: rows.page(tx, after=after, limit=params.limit + 1)
    )
    more, page = len(page) > params.limit, page[: params.limit]
    return WalletViews(
        wallets=[_view(wallet) for wallet in page],
        next_cursor=str(page[-1].seq) if more else None,
    )


class One(Params, frozen=True):
    wallet: WalletText


@plugin.method("wallet.get", example=_WALLET, errors=(NotFound, InvalidInput))
async def get(ctx: Context[NoConfig], params: One) -> WalletView:
    """Show one wallet."""
    return _view(await _find(ctx, params.wallet))


class Exported(WalletView, frozen=True):
    """Public data only: no key, nothing that a key follows from."""

    address_hex: str
    exported_ms: int


@plugin.method("wallet.export", example=_WALLET, errors=(NotFound, InvalidInput))
async def export(ctx: Context[NoConfig], params: One) -> Exported:
    """Give a wallet's public data, to be kept elsewhere."""
    wallet = await _find(ctx, params.wallet)
    return Exported(
        wallet_id=wallet.wallet_id,
        address=wallet.address.base58,
        address_hex=wallet.address.hex,
        label=wallet.label,
        created_ms=wallet.created_ms,
        exported_ms=ctx.clock.now_ms(),
    )


class Balance(Result, frozen=True):
    wallet_id: str
    address: str
    balance_sun: str
    activated: bool
    as_of_block: int


@plugin.method(
    "wallet.balance", example=_WALLET, errors=(NotFound, InvalidInput, NodeError)
)
async def balance(ctx: Context[NoConfig], params: One) -> Balance:
    """Show what a wallet has."""
    wallet = await _find(ctx, params.wallet)
    reading = await ctx.node.fetch_account(wallet.address)
    return Balance(
        wallet_id=wallet.wallet_id,
        address=wallet.address.base58,
        balance_sun=str(reading.value.balance),
        activated=reading.value.activated,
        as_of_block=reading.as_of_block,
    )


class WalletHistory(One, frozen=True):
    limit: Limit = 100
    cursor: Cursor | None = None


class History(Result, frozen=True):
    """Newest first. *next_cursor* is null on the last page."""

    wallet_id: str
    address: str
    entries: list[LedgerEntry]
    next_cursor: str | None
    total: int


@plugin.method(
    "wallet.history",
    example={**_WALLET, "limit": 20},
    errors=(NotFound, InvalidInput),
)
async def history(ctx: Context[NoConfig], params: WalletHistory) -> History:
    """List a wallet's transfers, newest first."""
    wallet = await _find(ctx, params.wallet)
    entries, following, total = await ctx.ledger.entries(
        wallet.address, limit=params.limit, cursor=params.cursor
    )
    return History(
        wallet_id=wallet.wallet_id,
        address=wallet.address.base58,
        entries=entries,
        next_cursor=following,
        total=total,
    )


async def _make(
    ctx: Context[NoConfig], labels: list[str], key: str | None
) -> list[Wallet]:
    for label in labels:
        if not label.isprintable():
            raise InvalidInput(
                f"label: expected printable characters only, got {label!r}"
            )
    now_ms = ctx.clock.now_ms()

    def make(tx: Tx) -> list[Wallet]:
        if key is not None:
            earlier = rows.made_before(tx, key, labels)
            if earlier is not None:
                return earlier
        addresses = [derived.address for derived in ctx.keys.allocate(tx, len(labels))]
        made = rows.insert(tx, addresses, labels, now_ms=now_ms)
        for wallet in made:
            ctx.ledger.watch(tx, wallet.address)
            ctx.emit(
                tx,
                WalletCreated(
                    wallet_id=wallet.wallet_id, address=wallet.address.base58
                ),
            )
        if key is not None:
            rows.remember_request(tx, key, labels, made)
        return made

    return await ctx.store.write(make)


async def _find(ctx: Context[NoConfig], text: str) -> Wallet:
    return await ctx.store.read(lambda tx: rows.find(tx, text))


def _read_cursor(text: str | None) -> int:
    if text is None:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidInput(f"cursor: expected a next_cursor of ours, got {text[:40]!r}")
    return int(text)


def _view(wallet: Wallet) -> WalletView:
    return WalletView(
        wallet_id=wallet.wallet_id,
        address=wallet.address.base58,
        label=wallet.label,
        created_ms=wallet.created_ms,
    )
