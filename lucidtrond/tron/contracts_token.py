"""Contracts about TRC-10 tokens and their exchanges; token ids are ASCII digits."""

from msgspec import Struct

from lucidtrond.tron.address import Address
from lucidtrond.tron.units import Sun, UnixMillis


class FrozenSupply(Struct, frozen=True):
    """Part of a new token that its issuer can't move for a while."""

    frozen_amount: int
    frozen_days: int


class AssetIssue(Struct, frozen=True):
    """AssetIssueContract (6): *num* tokens for *trx_num* sun during the sale."""

    owner: Address
    name: bytes
    abbr: bytes
    total_supply: int
    trx_num: int
    num: int
    start_time: UnixMillis
    end_time: UnixMillis
    description: bytes = b""
    url: bytes = b""
    precision: int = 0
    frozen_supply: tuple[FrozenSupply, ...] = ()
    free_asset_net_limit: int = 0
    public_free_asset_net_limit: int = 0
    public_free_asset_net_usage: int = 0
    public_latest_free_net_time: int = 0
    vote_score: int = 0
    order: int = 0
    id: str = ""


class TransferAsset(Struct, frozen=True):
    """TransferAssetContract (2): *amount* smallest units of a token."""

    owner: Address
    to: Address
    asset_name: bytes
    amount: int


class ParticipateAssetIssue(Struct, frozen=True):
    """ParticipateAssetIssueContract (9): buy from the issuer, *amount* in sun."""

    owner: Address
    to: Address
    asset_name: bytes
    amount: Sun


class UnfreezeAsset(Struct, frozen=True):
    """UnfreezeAssetContract (14): release one's frozen supply."""

    owner: Address


class UpdateAsset(Struct, frozen=True):
    """UpdateAssetContract (15)."""

    owner: Address
    description: bytes
    url: bytes
    new_limit: int
    new_public_limit: int


class VoteAsset(Struct, frozen=True):
    """VoteAssetContract (3); no node executes it."""

    owner: Address
    vote: tuple[Address, ...]
    support: bool = False
    count: int = 0


class ExchangeCreate(Struct, frozen=True):
    """ExchangeCreateContract (41); the token id of TRX is ``_``."""

    owner: Address
    first_token_id: bytes
    first_token_balance: int
    second_token_id: bytes
    second_token_balance: int


class ExchangeInject(Struct, frozen=True):
    """ExchangeInjectContract (42)."""

    owner: Address
    exchange_id: int
    token_id: bytes
    quant: int


class ExchangeWithdraw(Struct, frozen=True):
    """ExchangeWithdrawContract (43)."""

    owner: Address
    exchange_id: int
    token_id: bytes
    quant: int


class ExchangeTransaction(Struct, frozen=True):
    """ExchangeTransactionContract (44): sell *quant* for at least *expected*."""

    owner: Address
    exchange_id: int
    token_id: bytes
    quant: int
    expected: int


class MarketSellAsset(Struct, frozen=True):
    """MarketSellAssetContract (52): a limit order."""

    owner: Address
    sell_token_id: bytes
    sell_token_quantity: int
    buy_token_id: bytes
    buy_token_quantity: int


class MarketCancelOrder(Struct, frozen=True):
    """MarketCancelOrderContract (53)."""

    owner: Address
    order_id: bytes
