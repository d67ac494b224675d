"""Bandwidth of an account: what it has, what is used, who pays for a transaction.

BandwidthProcessor of java-tron; the arithmetic is in `tron.resources`.
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from lucidtrond.devnet.state.account import Account
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import resources
from lucidtrond.tron.resources import Usage
from lucidtrond.tron.units import Sun

# DynamicPropertiesStore.PUBLIC_NET_LIMIT: free bandwidth of all accounts together.
PUBLIC_NET_LIMIT: Final = 14_400_000_000


class NetBill(Struct, frozen=True):
    """How bandwidth was paid: in bytes from a limit, or in burned sun."""

    usage: int = 0
    fee: Sun = Sun(0)


def recovered_net(account: Account, now: int) -> Account:
    """The account with its staked bandwidth's usage as of *now*."""
    return use_net(account, 0, now)


def net_used(account: Account, now: int) -> int:
    """What is left at slot *now* of the usage of staked bandwidth, in bytes."""
    return Usage(account.net_usage, account.net_slot, account.net_window).left(now)


def net_limit(account: Account, world: World, genesis: Genesis) -> int:
    """Bytes a day that the account's stake gives."""
    return resources.limit_from_stake(
        Sun(account.staked_net + account.borrowed_net),
        total_limit=genesis.parameters.total_net_limit,
        total_weight=world.globals.total_net_weight,
    )


def charge(
    world: World, account: Account, size: int, genesis: Genesis, *, creating: bool
) -> NetBill | None:
    """Take *size* bytes from the first source that has enough; None when none has.

    Sources are never split. Making an account never uses free bandwidth.
    """
    parameters = genesis.parameters
    now = genesis.slot(world.globals.timestamp)
    head_ms = world.globals.timestamp
    wanted = size * parameters.create_account_rate if creating else size
    if wanted <= net_limit(account, world, genesis) - net_used(account, now):
        charged = use_net(account, wanted, now)
        world.put_account(replace(charged, net_slot=now, operation_ms=head_ms))
        return NetBill(usage=wanted)
    if not creating and _use_free(world, account, size, genesis):
        return NetBill(usage=size)
    fee = resources.bandwidth_fee(
        size,
        creates_account=creating,
        transaction_fee=parameters.transaction_fee,
        create_account_fee=parameters.create_account_fee,
    )
    if account.balance < fee:
        return None
    world.put_account(
        replace(account, balance=Sun(account.balance - fee), operation_ms=head_ms)
    )
    burn(world, fee)
    return NetBill(fee=fee)


def burn(world: World, fee: Sun) -> None:
    """Count sun that left the world (getAllowOptimizeBlackHole = 1)."""
    world.globals = replace(world.globals, burned=Sun(world.globals.burned + fee))


def _use_free(world: World, account: Account, size: int, genesis: Genesis) -> bool:
    properties = world.globals
    now = genesis.slot(properties.timestamp)
    own = resources.recovered(account.free_net_usage, account.free_net_slot, now)
    public = resources.recovered(
        properties.public_net_usage, properties.public_net_slot, now
    )
    if size > genesis.parameters.free_net_limit - own:
        return False
    if size > PUBLIC_NET_LIMIT - public:
        return False
    world.put_account(
        replace(
            account,
            free_net_usage=resources.increase(own, size, now, now),
            free_net_slot=now,
            operation_ms=properties.timestamp,
        )
    )
    world.globals = replace(
        properties,
        public_net_usage=resources.increase(public, size, now, now),
        public_net_slot=now,
    )
    return True


def use_net(account: Account, more: int, now: int) -> Account:
    """Add staked bandwidth used at slot *now*; the slot itself stays as it was."""
    usage = Usage(account.net_usage, account.net_slot, account.net_window)
    used = usage.increased(more, now)
    return replace(account, net_usage=used.amount, net_window=used.window)
