"""Bandwidth that a token's issuer gives to those who send it."""

from msgspec.structs import replace

from lucidtrond.devnet.state.account import Account
from lucidtrond.devnet.state.assets import asset_of, put_asset
from lucidtrond.devnet.state.bandwidth import (
    NetBill,
    net_limit,
    net_used,
    use_net,
)
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.invariants import present
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.world import World
from lucidtrond.tron.resources import increase, recovered


def charge_issuer(
    world: World, account: Account, token: bytes, size: int, genesis: Genesis
) -> NetBill | None:
    """Take *size* bytes from the issuer's stake, within the token's two daily limits.

    BandwidthProcessor.useAssetAccountNet; None when one of the three has not enough.

    Raises:
        Invalid: there is no such token.
    """
    asset = asset_of(world, token)
    if asset is None:
        name = token.decode("utf-8", "replace")
        raise Invalid(f"asset [{name}] does not exist")
    now = genesis.slot(world.globals.timestamp)
    public = recovered(
        asset.public_free_asset_net_usage, asset.public_latest_free_net_time, now
    )
    if size > asset.public_free_asset_net_limit - public:
        return None
    usage = {
        holding.token: (holding.net_usage, holding.net_slot)
        for holding in account.tokens
    }
    own = recovered(*usage.get(token, (0, 0)), now)
    if size > asset.free_asset_net_limit - own:
        return None
    issuer = present(world.accounts.get(asset.owner_address))
    if size > net_limit(issuer, world, genesis) - net_used(issuer, now):
        return None
    asset.public_free_asset_net_usage = increase(public, size, now, now)
    asset.public_latest_free_net_time = now
    put_asset(world, asset)
    tokens = tuple(
        replace(holding, net_usage=increase(own, size, now, now), net_slot=now)
        if holding.token == token
        else holding
        for holding in account.tokens
    )
    world.put_account(
        replace(account, tokens=tokens, operation_ms=world.globals.timestamp)
    )
    # The issuer's row is written last, as it was: sending its own token leaves only
    # the stake's usage.
    world.put_account(replace(use_net(issuer, size, now), net_slot=now))
    return NetBill(usage=size)
