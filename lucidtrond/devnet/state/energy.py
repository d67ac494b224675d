"""Energy: what a call may use at most, and who pays for what it used.

The stake of the contract's maker pays a part, if he said so; the caller's stake and
then burned sun the rest (EnergyProcessor).
"""

from msgspec import Struct
from msgspec.structs import replace

from lucidtrond.devnet.state.account import Account
from lucidtrond.devnet.state.bandwidth import burn
from lucidtrond.devnet.state.deployed import Contract
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.invariants import certain, present
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import resources
from lucidtrond.tron.contract_terms import WHOLE, share_energy
from lucidtrond.tron.resources import Usage
from lucidtrond.tron.units import SUN_PER_TRX, Sun


class EnergyBill(Struct, frozen=True):
    """How energy was paid: *usage* from the caller's stake, *fee* in burned sun.

    *origin_usage* came from the stake of the contract's maker.
    """

    usage: int
    fee: Sun
    origin_usage: int = 0


def energy_limit(account: Account, world: World, genesis: Genesis) -> int:
    """Energy a day that own and borrowed stake give."""
    return resources.limit_from_stake(
        Sun(account.staked_energy + account.borrowed_energy),
        total_limit=genesis.parameters.total_energy_limit,
        total_weight=world.globals.total_energy_weight,
    )


def use_energy(account: Account, more: int, now: int) -> Account:
    """Add staked energy used at slot *now*; the slot itself stays as it was."""
    usage = Usage(account.energy_usage, account.energy_slot, account.energy_window)
    used = usage.increased(more, now)
    return replace(account, energy_usage=used.amount, energy_window=used.window)


def energy_used(account: Account, now: int) -> int:
    """What is left at slot *now* of the usage of staked energy."""
    usage = Usage(account.energy_usage, account.energy_slot, account.energy_window)
    return usage.left(now)


def staked_left(account: Account, world: World, genesis: Genesis) -> int:
    """Energy that stake still gives at the head's slot."""
    now = genesis.slot(world.globals.timestamp)
    return max(energy_limit(account, world, genesis) - energy_used(account, now), 0)


def available(
    account: Account, world: World, genesis: Genesis, *, fee_limit: int, value: int
) -> int:
    """Energy that a call of *account* may use; *value* sun go with the call."""
    return resources.energy_limit_of_call(
        Sun(fee_limit),
        staked_left=staked_left(account, world, genesis),
        balance=account.balance,
        call_value=Sun(value),
        energy_fee=genesis.parameters.energy_fee,
    )


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


def offered(
    contract: Contract, caller: bytes, own: int, world: World, genesis: Genesis
) -> int:
    """Energy that the maker of a contract adds to the *own* of a caller.

    VMActuator.getTotalEnergyLimitWithFixRatio.
    """
    percent = contract.caller_percent
    if contract.origin == caller or percent >= WHOLE:
        return 0
    most = _origin_left(contract, world, genesis)
    return min(most, own * (WHOLE - percent) // percent) if percent else most


def _origin_left(contract: Contract, world: World, genesis: Genesis) -> int:
    maker = world.accounts.get(contract.origin)
    left = staked_left(maker, world, genesis) if maker else 0
    return min(left, contract.origin_energy_limit)


def pay_together(
    world: World, contract: Contract, caller: bytes, energy: int, genesis: Genesis
) -> EnergyBill:
    """Take what a call cost from the contract's maker, and the rest from its caller.

    ReceiptCapsule.payEnergyBill.
    """
    if contract.origin == caller or contract.caller_percent >= WHOLE:
        return pay(world, caller, energy, genesis)
    left = _origin_left(contract, world, genesis)
    usage = share_energy(energy, contract.caller_percent, left).origin
    maker = world.accounts.get(contract.origin)
    if maker is not None:
        now = genesis.slot(world.globals.timestamp)
        used = use_energy(maker, usage, now)
        world.put_account(
            replace(used, energy_slot=now, operation_ms=world.globals.timestamp)
        )
    bill = pay(world, caller, energy - usage, genesis)
    return EnergyBill(bill.usage, bill.fee, origin_usage=usage)


def pay(world: World, caller: bytes, energy: int, genesis: Genesis) -> EnergyBill:
    """Take what *energy* costs from an account that `available` looked at."""
    account = present(world.accounts.get(caller))
    left = staked_left(account, world, genesis)
    usage = resources.energy_from_stake(energy, left)
    price = genesis.parameters.energy_fee
    fee = resources.energy_burned(energy, staked_left=left, energy_fee=price)
    certain(account.balance >= fee, "a call was let use more than its caller can pay")
    now = genesis.slot(world.globals.timestamp)
    charged = replace(
        use_energy(account, usage, now),
        balance=Sun(account.balance - fee),
        energy_slot=now,
        operation_ms=world.globals.timestamp,
    )
    world.put_account(charged)
    burn(world, fee)
    return EnergyBill(usage, fee)
