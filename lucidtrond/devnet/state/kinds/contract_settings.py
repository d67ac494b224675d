"""What the maker of a contract may change later: who pays, and that it has no ABI."""

from msgspec.structs import replace

from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.deployed import Contract
from lucidtrond.devnet.state.energy import WHOLE
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.invariants import present
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.stakes import known_owner
from lucidtrond.devnet.state.world import World
from lucidtrond.tron.units import Sun


def validate_percent(world: World, candidate: Candidate, _genesis: Genesis) -> None:
    """UpdateSettingContractActuator.validate."""
    known_owner(world, candidate, unknown="does not exist")
    if not 0 <= candidate.int_field(3) <= WHOLE:
        raise Invalid("percent not in [0, 100]")
    _check_maker(world, candidate, missing="Contract does not exist")


def execute_percent(world: World, candidate: Candidate, _genesis: Genesis) -> Sun:
    percent = candidate.int_field(3)
    _put(world, replace(_contract(world, candidate), caller_percent=percent))
    return Sun(0)


def validate_limit(world: World, candidate: Candidate, _genesis: Genesis) -> None:
    """UpdateEnergyLimitContractActuator.validate."""
    known_owner(world, candidate, unknown="does not exist")
    if candidate.int_field(3) <= 0:
        raise Invalid("origin energy limit must be > 0")
    _check_maker(world, candidate, missing="Contract does not exist")


def execute_limit(world: World, candidate: Candidate, _genesis: Genesis) -> Sun:
    limit = candidate.int_field(3)
    _put(world, replace(_contract(world, candidate), origin_energy_limit=limit))
    return Sun(0)


def validate_clearing(world: World, candidate: Candidate, _genesis: Genesis) -> None:
    """ClearABIContractActuator.validate."""
    known_owner(world, candidate)
    _check_maker(world, candidate, missing="Contract not exists")


def execute_clearing(world: World, candidate: Candidate, _genesis: Genesis) -> Sun:
    _put(world, replace(_contract(world, candidate), has_abi=False))
    return Sun(0)


def _check_maker(world: World, candidate: Candidate, *, missing: str) -> None:
    contract = world.contracts.get(candidate.bytes_field(2))
    if contract is None:
        raise Invalid(missing)
    if contract.origin != candidate.owner:
        name = candidate.owner.hex()
        raise Invalid(f"Account[{name}] is not the owner of the contract")


def _contract(world: World, candidate: Candidate) -> Contract:
    return present(world.contracts.get(candidate.bytes_field(2)))


def _put(world: World, contract: Contract) -> None:
    world.contracts.put(contract.address, contract)
