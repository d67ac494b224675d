"""Proposals to change chain parameters: checked as on a node, executed by none here.

A chain here keeps the parameters of its definition, so no proposal is ever there.
"""

from typing import Final

from lucidtrond.devnet.state.accounts import is_address
from lucidtrond.devnet.state.candidate import Candidate, read_contract
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import tron_pb2 as pb

KNOWN_CODES: Final = frozenset(
    code
    for first, last in (
        *((0, 26), (29, 33), (35, 35), (39, 41), (44, 49), (51, 53), (59, 63)),
        *((65, 79), (81, 83), (87, 89)),
    )
    for code in range(first, last + 1)
)
"""ProposalUtil.ProposalType."""


def validate_create(world: World, candidate: Candidate, _genesis: Genesis) -> None:
    """ProposalCreateActuator.validate; values are not looked at."""
    wanted = read_contract(pb.ProposalCreateContract, candidate)
    _check_witness(world, candidate)
    if not wanted.parameters:
        raise Invalid("This proposal has no parameter.")
    for each in wanted.parameters:
        if each.key not in KNOWN_CODES:
            raise Invalid(f"Does not support code : {each.key}")


def validate_use(world: World, candidate: Candidate, _genesis: Genesis) -> None:
    """ProposalApproveActuator.validate, ProposalDeleteActuator.validate."""
    _check_witness(world, candidate)
    raise Invalid(f"Proposal[{candidate.int_field(2)}] not exists")


def _check_witness(world: World, candidate: Candidate) -> None:
    if not is_address(candidate.owner):
        raise Invalid("Invalid address")
    if world.accounts.get(candidate.owner) is None:
        raise Invalid(f"Account[{candidate.owner.hex()}] not exists")
    if world.witnesses.get(candidate.owner) is None:
        raise Invalid(f"Witness[{candidate.owner.hex()}] not exists")
