"""What the maker of a contract may change later: who pays, and that it has no ABI."""

from typing import Final

from msgspec.structs import replace

from lucidtrond.devnet.state.candidate import CandidateOf
from lucidtrond.devnet.state.deployed import Contract
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.invariants import present
from lucidtrond.devnet.state.kinds.base import ContractKind
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.stakes import known_owner
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.contract_terms import WHOLE
from lucidtrond.tron.units import Sun

Setting = (
    CandidateOf[pb.UpdateSettingContract]
    | CandidateOf[pb.UpdateEnergyLimitContract]
    | CandidateOf[pb.ClearABIContract]
)


def _validate_percent(
    world: World, candidate: CandidateOf[pb.UpdateSettingContract], _genesis: Genesis
) -> None:
    """UpdateSettingContractActuator.validate."""
    known_owner(world, candidate, unknown="does not exist")
    if not 0 <= candidate.message.consume_user_resource_percent <= WHOLE:
        raise Invalid("percent not in [0, 100]")
    _check_maker(world, candidate, missing="Contract does not exist")


def _execute_percent(
    world: World, candidate: CandidateOf[pb.UpdateSettingContract], _genesis: Genesis
) -> Sun:
    percent = candidate.message.consume_user_resource_percent
    _put(world, replace(_contract(world, candidate), caller_percent=percent))
    return Sun(0)


def _validate_limit(
    world: World,
    candidate: CandidateOf[pb.UpdateEnergyLimitContract],
    _genesis: Genesis,
) -> None:
    """UpdateEnergyLimitContractActuator.validate."""
    known_owner(world, candidate, unknown="does not exist")
    if candidate.message.origin_energy_limit <= 0:
        raise Invalid("origin energy limit must be > 0")
    _check_maker(world, candidate, missing="Contract does not exist")


def _execute_limit(
    world: World,
    candidate: CandidateOf[pb.UpdateEnergyLimitContract],
    _genesis: Genesis,
) -> Sun:
    limit = candidate.message.origin_energy_limit
    _put(world, replace(_contract(world, candidate), origin_energy_limit=limit))
    return Sun(0)


def _validate_clearing(
    world: World, candidate: CandidateOf[pb.ClearABIContract], _genesis: Genesis
) -> None:
    """ClearABIContractActuator.validate."""
    known_owner(world, candidate)
    _check_maker(world, candidate, missing="Contract not exists")


def _execute_clearing(
    world: World, candidate: CandidateOf[pb.ClearABIContract], _genesis: Genesis
) -> Sun:
    _put(world, replace(_contract(world, candidate), has_abi=False))
    return Sun(0)


def _check_maker(world: World, candidate: Setting, *, missing: str) -> None:
    contract = world.contracts.get(candidate.message.contract_address)
    if contract is None:
        raise Invalid(missing)
    if contract.origin != candidate.owner:
        name = candidate.owner.hex()
        raise Invalid(f"Account[{name}] is not the owner of the contract")


def _contract(world: World, candidate: Setting) -> Contract:
    return present(world.contracts.get(candidate.message.contract_address))


def _put(world: World, contract: Contract) -> None:
    world.contracts.put(contract.address, contract)


KINDS: Final = (
    ContractKind(
        message=pb.UpdateSettingContract,
        validate=_validate_percent,
        execute=_execute_percent,
        path="updatesetting",
        eth_to=lambda setting: setting.contract_address,
    ),
    ContractKind(
        message=pb.UpdateEnergyLimitContract,
        validate=_validate_limit,
        execute=_execute_limit,
        path="updateenergylimit",
        eth_to=lambda setting: setting.contract_address,
    ),
    ContractKind(
        message=pb.ClearABIContract,
        validate=_validate_clearing,
        execute=_execute_clearing,
        path="clearabi",
        eth_to=lambda clearing: clearing.contract_address,
    ),
)
