"""Proposals to change chain parameters: checked as on a node, executed by none here.

A chain here keeps the parameters of its definition, so no proposal is ever there.
"""

from typing import Final

from google.protobuf.message import Message

from lucidtrond.devnet.state.accounts import is_address
from lucidtrond.devnet.state.candidate import CandidateOf
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.kinds.base import ContractKind
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


def _validate_create(
    world: World, candidate: CandidateOf[pb.ProposalCreateContract], _genesis: Genesis
) -> None:
    """ProposalCreateActuator.validate; values are not looked at."""
    wanted = candidate.message
    _check_witness(world, candidate)
    if not wanted.parameters:
        raise Invalid("This proposal has no parameter.")
    for parameter in wanted.parameters:
        if parameter.key not in KNOWN_CODES:
            raise Invalid(f"Does not support code : {parameter.key}")


def _validate_use(
    world: World,
    candidate: CandidateOf[pb.ProposalApproveContract]
    | CandidateOf[pb.ProposalDeleteContract],
    _genesis: Genesis,
) -> None:
    """ProposalApproveActuator.validate, ProposalDeleteActuator.validate."""
    _check_witness(world, candidate)
    raise Invalid(f"Proposal[{candidate.message.proposal_id}] not exists")


def _check_witness(world: World, candidate: CandidateOf[Message]) -> None:
    if not is_address(candidate.owner):
        raise Invalid("Invalid address")
    if world.accounts.get(candidate.owner) is None:
        raise Invalid(f"Account[{candidate.owner.hex()}] not exists")
    if world.witnesses.get(candidate.owner) is None:
        raise Invalid(f"Witness[{candidate.owner.hex()}] not exists")


KINDS: Final = (
    ContractKind(
        message=pb.ProposalCreateContract,
        validate=_validate_create,
        path="proposalcreate",
    ),
    ContractKind(
        message=pb.ProposalApproveContract,
        validate=_validate_use,
        path="proposalapprove",
    ),
    ContractKind(
        message=pb.ProposalDeleteContract,
        validate=_validate_use,
        path="proposaldelete",
    ),
)
