"""Calls of contracts, which `triggering` runs, and deployments, which nothing does."""

from typing import Final

from lucidtrond.devnet.state.blocks import CallRow
from lucidtrond.devnet.state.candidate import CandidateOf
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.kinds.base import ContractKind
from lucidtrond.devnet.state.triggering import Call, execute_call, validate_call
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import tron_pb2 as pb


def _validate(
    world: World, candidate: CandidateOf[pb.TriggerSmartContract], genesis: Genesis
) -> None:
    wanted = Call.of(candidate.message)
    validate_call(world, wanted, candidate.fee_limit, genesis)


def _execute(
    world: World, candidate: CandidateOf[pb.TriggerSmartContract], genesis: Genesis
) -> CallRow:
    return execute_call(world, Call.of(candidate.message), candidate.fee_limit, genesis)


KINDS: Final = (
    ContractKind(message=pb.CreateSmartContract, checked_by_builder=False),
    ContractKind(
        message=pb.TriggerSmartContract,
        validate=_validate,
        execute=_execute,
        checked_by_builder=False,
        eth_to=lambda call: call.contract_address,
        eth_value=lambda call: call.call_value,
        eth_input=lambda call: call.data,
    ),
)
