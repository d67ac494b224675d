"""TRC-10 tokens as the state keeps them, and what their issuers may say of them.

An asset is kept as its AssetIssueContract, with the id that it got. It is named by the
ASCII digits of that id everywhere (getAllowSameTokenName = 1).
"""

from typing import Final

from msgspec.structs import replace

from lucidtrond.devnet.state.account import Account, Holding
from lucidtrond.devnet.state.invariants import certain
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.units import MAX_SUN

MAX_DESCRIPTION_BYTES: Final = 200
MAX_URL_BYTES: Final = 256
MAX_NET_LIMIT: Final = 57_600_000_000
"""DynamicPropertiesStore.ONE_DAY_NET_LIMIT, exclusive."""


def asset_of(world: World, token: bytes) -> pb.AssetIssueContract | None:
    """An asset by its id."""
    kept = world.assets.get(token)
    return None if kept is None else pb.AssetIssueContract.FromString(kept)


def put_asset(world: World, asset: pb.AssetIssueContract) -> None:
    """Keep an asset under its id."""
    world.assets.put(asset.id.encode(), asset.SerializeToString(deterministic=True))


def held(account: Account, token: bytes) -> int | None:
    """How much of a token an account has; None when it never had any."""
    return next(
        (holding.amount for holding in account.tokens if holding.token == token), None
    )


def with_more(account: Account, token: bytes, amount: int) -> Account:
    """The account with *amount* more of a token, or less when it is negative."""
    before = held(account, token)
    if before is None:
        return replace(account, tokens=(*account.tokens, Holding(token, amount)))
    certain(0 <= before + amount <= MAX_SUN, "a validated amount of a token fits")
    return replace(
        account,
        tokens=tuple(
            replace(holding, amount=before + amount)
            if holding.token == token
            else holding
            for holding in account.tokens
        ),
    )


def check_description(url: bytes, description: bytes) -> None:
    """Raises Invalid; TransactionUtil.validUrl and validAssetDescription."""
    if not 0 < len(url) <= MAX_URL_BYTES:
        raise Invalid("Invalid url")
    if len(description) > MAX_DESCRIPTION_BYTES:
        raise Invalid("Invalid description")


def check_net_limits(own: int, public: int) -> None:
    """Raises Invalid; bytes a day that the issuer gives."""
    if not 0 <= own < MAX_NET_LIMIT:
        raise Invalid("Invalid FreeAssetNetLimit")
    if not 0 <= public < MAX_NET_LIMIT:
        raise Invalid("Invalid PublicFreeAssetNetLimit")
