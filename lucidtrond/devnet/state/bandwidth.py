"""Bandwidth: what is used, how it recovers, who pays for a transaction.

The formulas are java-tron's (ResourceProcessor and BandwidthProcessor), with its
integer divisions and its one floating-point factor, so that figures come out equal.
"""

import math
from typing import Final

from attrs import frozen
from msgspec.structs import replace

from lucidtrond.devnet.state.account import Account
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.world import World
from lucidtrond.tron.units import SUN_PER_TRX, Sun

PRECISION: Final = 1_000_000
DAY_SLOTS: Final = 28_800
WINDOW_PRECISION: Final = 1000
DAY_WINDOW: Final = DAY_SLOTS * WINDOW_PRECISION
# DynamicPropertiesStore.PUBLIC_NET_LIMIT: free bandwidth of all accounts together.
PUBLIC_NET_LIMIT: Final = 14_400_000_000


@frozen
class NetBill:
    """How bandwidth was paid: in bytes from a limit, or in burned sun."""

    usage: int = 0
    fee: Sun = Sun(0)


@frozen
class Meter:
    """Usage of a stake's resource, as recorded at a slot.

    It recovers over *window*, in thousandths of a slot; 0 stands for the whole day.
    """

    usage: int
    slot: int
    window: int

    def joined(self, usage: int, window: int, now: int) -> "Meter":
        """Recover until slot *now*, then take over *usage* that another had.

        ResourceProcessor.unDelegateIncreaseV2.
        """
        own = self.increased(0, now)
        total = own.usage + usage
        if not total:
            return Meter(0, now, DAY_WINDOW)
        mean = _ceil(own.usage * own.window + usage * window, total)
        return Meter(total, now, min(mean, DAY_WINDOW))

    def increased(self, more: int, now: int) -> "Meter":
        """Recover until slot *now*, then add.

        ResourceProcessor.increaseV2: the window is the weighted mean of old and new.
        """
        window = _window_slots(self.window)
        old = _average(self.usage, self.slot, now, window)
        left = old * window // PRECISION
        new = _ceil(more * PRECISION, DAY_SLOTS)
        usage = (old * window + new * DAY_SLOTS) // PRECISION
        if not left:
            return Meter(usage, now, DAY_WINDOW)
        passed = (now - self.slot) * WINDOW_PRECISION
        remaining = (self.window or DAY_WINDOW) - passed
        mean = _ceil(left * remaining + more * DAY_WINDOW, usage)
        return Meter(usage, now, min(mean, DAY_WINDOW))


def recovered(usage: int, since: int, now: int, window: int = DAY_SLOTS) -> int:
    """What is left at slot *now* of usage recorded at slot *since*."""
    return _average(usage, since, now, window) * window // PRECISION


def recovered_net(account: Account, now: int) -> Account:
    """The account with its staked bandwidth's usage as of *now*."""
    return use_net(account, 0, now)


def net_used(account: Account, now: int) -> int:
    """What is left at slot *now* of the usage of staked bandwidth, in bytes."""
    window = _window_slots(account.net_window)
    return recovered(account.net_usage, account.net_slot, now, window)


def net_limit(account: Account, world: World, genesis: Genesis) -> int:
    """Bytes a day that the account's stake gives."""
    total = world.globals.total_net_weight
    staked = Sun(account.staked_net + account.borrowed_net)
    return share_of(staked, genesis.parameters.total_net_limit, total)


def share_of(staked: Sun, limit: int, weight: int) -> int:
    """What *staked* gives of *limit* where all stake is *weight* TRX."""
    if not weight or not staked:
        return 0
    return int(staked / SUN_PER_TRX * (limit / weight))


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
    fee = (
        parameters.create_account_fee
        if creating
        else Sun(size * parameters.transaction_fee)
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
    own = recovered(account.free_net_usage, account.free_net_slot, now)
    public = recovered(properties.public_net_usage, properties.public_net_slot, now)
    if size > genesis.parameters.free_net_limit - own:
        return False
    if size > PUBLIC_NET_LIMIT - public:
        return False
    world.put_account(
        replace(
            account,
            free_net_usage=with_usage(own, size),
            free_net_slot=now,
            operation_ms=properties.timestamp,
        )
    )
    world.globals = replace(
        properties, public_net_usage=with_usage(public, size), public_net_slot=now
    )
    return True


def with_usage(usage: int, more: int) -> int:
    """Free usage as recorded when *more* bytes come on what is left of it."""
    averages = _ceil(usage * PRECISION, DAY_SLOTS) + _ceil(more * PRECISION, DAY_SLOTS)
    return averages * DAY_SLOTS // PRECISION


def _window_slots(window: int) -> int:
    return DAY_SLOTS if window < WINDOW_PRECISION else window // WINDOW_PRECISION


def use_net(account: Account, more: int, now: int) -> Account:
    """Add staked bandwidth used at slot *now*; the slot itself stays as it was."""
    meter = Meter(account.net_usage, account.net_slot, account.net_window)
    used = meter.increased(more, now)
    return replace(account, net_usage=used.usage, net_window=used.window)


def _average(usage: int, since: int, now: int, window: int) -> int:
    average = _ceil(usage * PRECISION, window)
    if since == now:
        return average
    if since + window <= now:
        return 0
    # Math.round of java: half up.
    return math.floor(average * ((window - (now - since)) / window) + 0.5)


def _ceil(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)
