"""Stake 1.0, which is closed: nothing can be frozen, and nothing ever was.

What the actuators say of a contract follows their order, since a client sees the first
complaint.
"""

from typing import Final, NoReturn

from lucidtrond.devnet.state.accounts import is_address
from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.stakes import BANDWIDTH, ENERGY, known_owner
from lucidtrond.devnet.state.world import World
from lucidtrond.tron.units import SUN_PER_TRX

FROZEN_DAYS: Final = 3
"""DynamicPropertiesStore: MIN_FROZEN_TIME and MAX_FROZEN_TIME."""


def validate_freeze(world: World, candidate: Candidate, _genesis: Genesis) -> None:
    """FreezeBalanceActuator.validate."""
    owner = known_owner(world, candidate)
    amount, days = candidate.int_field(2), candidate.int_field(3)
    if amount <= 0:
        raise Invalid("frozenBalance must be positive")
    if amount < SUN_PER_TRX:
        raise Invalid("frozenBalance must be greater than or equal to 1 TRX")
    if amount > owner.balance:
        raise Invalid("frozenBalance must be less than or equal to accountBalance")
    if days != FROZEN_DAYS:
        raise Invalid(
            f"frozenDuration must be less than {FROZEN_DAYS} days"
            f" and more than {FROZEN_DAYS} days"
        )
    if candidate.int_field(10) not in (BANDWIDTH, ENERGY):
        raise Invalid("ResourceCode error,valid ResourceCode[BANDWIDTH、ENERGY]")
    receiver = _check_receiver(candidate)
    if receiver and world.accounts.get(receiver) is None:
        raise Invalid(f"Account[{receiver.hex()}] not exists")
    if receiver and world.contracts.get(receiver) is not None:
        raise Invalid("Do not allow delegate resources to contract addresses")
    raise Invalid("freeze v2 is open, old freeze is closed")


def validate_unfreeze(world: World, candidate: Candidate, _genesis: Genesis) -> None:
    """UnfreezeBalanceActuator.validate."""
    known_owner(world, candidate, unknown="does not exist")
    resource = candidate.int_field(10)
    if _check_receiver(candidate):
        raise Invalid("delegated Resource does not exist")
    if resource == BANDWIDTH:
        raise Invalid("no frozenBalance(BANDWIDTH)")
    if resource == ENERGY:
        raise Invalid("no frozenBalance(Energy)")
    raise Invalid("ResourceCode error.valid ResourceCode[BANDWIDTH、Energy]")


def _check_receiver(candidate: Candidate) -> bytes:
    receiver = candidate.bytes_field(15)
    if receiver and receiver == candidate.owner:
        raise Invalid("receiverAddress must not be the same as ownerAddress")
    if receiver and not is_address(receiver):
        raise Invalid("Invalid receiverAddress")
    return receiver


def execute(_world: World, candidate: Candidate, _genesis: Genesis) -> NoReturn:
    raise AssertionError(f"contract type {candidate.type} is always refused before")
