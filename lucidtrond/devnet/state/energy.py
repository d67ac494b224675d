"""Energy: what a call may use at most, and who pays for what it used.

All of it is burned sun so far: staked energy pays nothing yet.
"""

from attrs import frozen
from msgspec.structs import replace

from lucidtrond.devnet.state.account import Account
from lucidtrond.devnet.state.bandwidth import burn
from lucidtrond.devnet.state.certain import certain, present
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.world import World
from lucidtrond.tron.units import SUN_PER_TRX, Sun


@frozen
class EnergyBill:
    """How energy was paid: *usage* from the caller's stake, *fee* in burned sun."""

    usage: int
    fee: Sun


def available(account: Account, genesis: Genesis, *, fee_limit: int, value: int) -> int:
    """Energy that a call of *account* may use.

    VMActuator.getAccountEnergyLimitWithFixRatio; *value* sun go with the call.
    """
    price = genesis.parameters.energy_fee
    affordable = max(account.balance - value, 0) // price
    return min(affordable, fee_limit // price)


def estimated(energy: int, genesis: Genesis) -> int:
    """What Wallet.estimateEnergy says of a call that used *energy*.

    It halves a fee limit's range until that is 1 TRX wide; whatever is tried lies above
    the need, so each trial succeeds.
    """
    price = genesis.parameters.energy_fee
    low = energy * price
    high = min(2 * low, genesis.parameters.max_fee_limit)
    while low + SUN_PER_TRX < high:
        high = (low + high) // 2
    return -(-high // price)


def pay(world: World, caller: bytes, energy: int, genesis: Genesis) -> EnergyBill:
    """Take what *energy* costs from an account that `available` looked at."""
    account = present(world.accounts.get(caller))
    fee = Sun(energy * genesis.parameters.energy_fee)
    certain(account.balance >= fee, "a call was let use more than its caller can pay")
    world.put_account(replace(account, balance=Sun(account.balance - fee)))
    burn(world, fee)
    return EnergyBill(0, fee)
