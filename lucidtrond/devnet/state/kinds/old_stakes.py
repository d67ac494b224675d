"""Stake 1.0, which is closed: nothing can be frozen, and nothing ever was.

What the actuators say of a contract follows their order, since a client sees the first
complaint.
"""

from typing import Final, NoReturn

from google.protobuf.message import Message

from lucidtrond.devnet.state.accounts import is_address
from lucidtrond.devnet.state.candidate import CandidateOf
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.kinds.base import ContractKind, Get
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.stakes import BANDWIDTH, ENERGY, known_owner
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.units import SUN_PER_TRX

FROZEN_DAYS: Final = 3
"""DynamicPropertiesStore: MIN_FROZEN_TIME and MAX_FROZEN_TIME."""


def _validate_freeze(
    world: World, candidate: CandidateOf[pb.FreezeBalanceContract], _genesis: Genesis
) -> None:
    """FreezeBalanceActuator.validate."""
    owner = known_owner(world, candidate)
    wanted = candidate.message
    amount, days = wanted.frozen_balance, wanted.frozen_duration
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
    if wanted.resource not in (BANDWIDTH, ENERGY):
        raise Invalid("ResourceCode error,valid ResourceCode[BANDWIDTH、ENERGY]")
    receiver = _check_receiver(wanted)
    if receiver and world.accounts.get(receiver) is None:
        raise Invalid(f"Account[{receiver.hex()}] not exists")
    if receiver and world.contracts.get(receiver) is not None:
        raise Invalid("Do not allow delegate resources to contract addresses")
    raise Invalid("freeze v2 is open, old freeze is closed")


def _validate_unfreeze(
    world: World, candidate: CandidateOf[pb.UnfreezeBalanceContract], _genesis: Genesis
) -> None:
    """UnfreezeBalanceActuator.validate."""
    known_owner(world, candidate, unknown="does not exist")
    wanted = candidate.message
    resource = wanted.resource
    if _check_receiver(wanted):
        raise Invalid("delegated Resource does not exist")
    if resource == BANDWIDTH:
        raise Invalid("no frozenBalance(BANDWIDTH)")
    if resource == ENERGY:
        raise Invalid("no frozenBalance(Energy)")
    raise Invalid("ResourceCode error.valid ResourceCode[BANDWIDTH、Energy]")


def _check_receiver(
    wanted: pb.FreezeBalanceContract | pb.UnfreezeBalanceContract,
) -> bytes:
    receiver = wanted.receiver_address
    if receiver and receiver == wanted.owner_address:
        raise Invalid("receiverAddress must not be the same as ownerAddress")
    if receiver and not is_address(receiver):
        raise Invalid("Invalid receiverAddress")
    return receiver


def _execute(
    _world: World, candidate: CandidateOf[Message], _genesis: Genesis
) -> NoReturn:
    raise AssertionError(f"contract type {candidate.type} is always refused before")


KINDS: Final = (
    ContractKind(
        message=pb.FreezeBalanceContract,
        validate=_validate_freeze,
        execute=_execute,
        path="freezebalance",
        get=Get.REFUSED,
    ),
    ContractKind(
        message=pb.UnfreezeBalanceContract,
        validate=_validate_unfreeze,
        execute=_execute,
        path="unfreezebalance",
    ),
)
