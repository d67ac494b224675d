"""An account's stake by resource: what is its own, lent to others, borrowed."""

from typing import Final

from google.protobuf.message import Message
from msgspec.structs import replace

from lucidtrond.devnet.state.account import Account
from lucidtrond.devnet.state.accounts import is_address
from lucidtrond.devnet.state.candidate import CandidateOf
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.world import World
from lucidtrond.tron.resources import Usage
from lucidtrond.tron.units import SUN_PER_TRX, Sun

# ResourceCode of common.proto; TRON_POWER (2) needs the new resource model.
BANDWIDTH: Final = 0
ENERGY: Final = 1
RESOURCES: Final = (BANDWIDTH, ENERGY)


def staked(account: Account, resource: int) -> Sun:
    """Stake that is neither lent nor on its way back."""
    return account.staked_energy if resource == ENERGY else account.staked_net


def lent(account: Account, resource: int) -> Sun:
    """Stake whose resource others have."""
    return account.lent_energy if resource == ENERGY else account.lent_net


def borrowed(account: Account, resource: int) -> Sun:
    """Others' stake whose resource this account has."""
    return account.borrowed_energy if resource == ENERGY else account.borrowed_net


def with_staked(account: Account, resource: int, amount: int) -> Account:
    """With *amount* more stake, or less."""
    if resource == ENERGY:
        return replace(account, staked_energy=Sun(account.staked_energy + amount))
    return replace(account, staked_net=Sun(account.staked_net + amount))


def with_lent(account: Account, resource: int, amount: int) -> Account:
    """With *amount* moved from stake to what is lent, or back."""
    account = with_staked(account, resource, -amount)
    if resource == ENERGY:
        return replace(account, lent_energy=Sun(account.lent_energy + amount))
    return replace(account, lent_net=Sun(account.lent_net + amount))


def with_borrowed(account: Account, resource: int, amount: int) -> Account:
    """With *amount* more of others' stake, or less."""
    if resource == ENERGY:
        return replace(account, borrowed_energy=Sun(account.borrowed_energy + amount))
    return replace(account, borrowed_net=Sun(account.borrowed_net + amount))


def usage_of(account: Account, resource: int) -> Usage:
    """The recorded usage of its stake's resource."""
    if resource == ENERGY:
        return Usage(account.energy_usage, account.energy_slot, account.energy_window)
    return Usage(account.net_usage, account.net_slot, account.net_window)


def with_usage(account: Account, resource: int, usage: Usage) -> Account:
    """With another recorded usage."""
    amount, slot, window = usage.amount, usage.slot, usage.window
    if resource == ENERGY:
        return replace(
            account, energy_usage=amount, energy_slot=slot, energy_window=window
        )
    return replace(account, net_usage=amount, net_slot=slot, net_window=window)


def totals(world: World, genesis: Genesis, resource: int) -> tuple[int, int]:
    """What a day has of the resource, and the TRX that share it."""
    properties, parameters = world.globals, genesis.parameters
    if resource == ENERGY:
        return parameters.total_energy_limit, properties.total_energy_weight
    return parameters.total_net_limit, properties.total_net_weight


def tron_power(account: Account) -> Sun:
    """What votes come from: all stake, lent or not (getTronPower)."""
    return Sun(
        sum(
            staked(account, resource) + lent(account, resource)
            for resource in RESOURCES
        )
    )


def weight_of(account: Account, resource: int) -> int:
    """Whole TRX that the account adds to the resource's total weight."""
    return (staked(account, resource) + lent(account, resource)) // SUN_PER_TRX


def restake(world: World, before: Account, after: Account) -> None:
    """Write an account whose stake changed, and the weights with it."""
    properties = world.globals
    net, energy = (
        weight_of(after, resource) - weight_of(before, resource)
        for resource in RESOURCES
    )
    world.globals = replace(
        properties,
        total_net_weight=properties.total_net_weight + net,
        total_energy_weight=properties.total_energy_weight + energy,
    )
    world.put_account(after)


def known_owner(
    world: World, candidate: CandidateOf[Message], *, unknown: str = "not exists"
) -> Account:
    """The owner, as the actuators of stake look for it first.

    Raises:
        Invalid: no address, or nobody's.
    """
    if not is_address(candidate.owner):
        raise Invalid("Invalid address")
    account = world.accounts.get(candidate.owner)
    if account is None:
        raise Invalid(f"Account[{candidate.owner.hex()}] {unknown}")
    return account
