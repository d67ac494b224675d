"""Votes for block producers, becoming one, and taking the rewards."""

from typing import Final

from msgspec.structs import replace

from lucidtrond.devnet.state.account import (
    WITNESS_PERMISSION,
    Permission,
    Permissions,
    Witness,
    active_permission,
    owner_permission,
    permissions_of,
)
from lucidtrond.devnet.state.accounts import is_address, owner_of
from lucidtrond.devnet.state.bandwidth import burn
from lucidtrond.devnet.state.blocks import ReceiptRow
from lucidtrond.devnet.state.candidate import CandidateOf
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.invariants import present
from lucidtrond.devnet.state.kinds.base import ContractKind
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.rewards import owed, settle
from lucidtrond.devnet.state.stakes import known_owner, tron_power
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.units import MAX_SUN, SUN_PER_TRX, Sun

MAX_VOTES: Final = 30  # ChainConstant.MAX_VOTE_NUMBER
MAX_URL_BYTES: Final = 256
CREATION_VALUE: Final = 9_999 * SUN_PER_TRX
"""What the Ethereum interface calls a new witness's value (JsonRpcApiUtil)."""
WITHDRAW_INTERVAL_MS: Final = 86_400_000  # getWitnessAllowanceFrozenTime: 1 day


def _validate_vote(
    world: World, candidate: CandidateOf[pb.VoteWitnessContract], _genesis: Genesis
) -> None:
    """VoteWitnessActuator.validate."""
    wanted = candidate.message
    if not is_address(candidate.owner):
        raise Invalid("Invalid address")
    if not wanted.votes:
        raise Invalid("VoteNumber must more than 0")
    if len(wanted.votes) > MAX_VOTES:
        raise Invalid(f"VoteNumber more than maxVoteNumber {MAX_VOTES}")
    total = 0
    for vote in wanted.votes:
        _check_vote(world, vote.vote_address, vote.vote_count)
        total = _fitting(total + vote.vote_count, "checkedAdd")
    owner = known_owner(world, candidate)
    power = tron_power(owner)
    total = _fitting(total * SUN_PER_TRX, "checkedMultiply")
    if total > power:
        raise Invalid(
            f"The total number of votes[{total}] is greater than the tronPower[{power}]"
        )


def _check_vote(world: World, witness: bytes, count: int) -> None:
    if not is_address(witness):
        raise Invalid("Invalid vote address!")
    if count <= 0:
        raise Invalid("vote count must be greater than 0")
    if world.accounts.get(witness) is None:
        raise Invalid(f"Account[{witness.hex()}] not exists")
    if world.witnesses.get(witness) is None:
        raise Invalid(f"Witness[{witness.hex()}] not exists")


def _fitting(number: int, operation: str) -> int:
    # LongMath of Guava.
    if number > MAX_SUN:
        raise Invalid(f"overflow: {operation}")
    return number


def _execute_vote(
    world: World, candidate: CandidateOf[pb.VoteWitnessContract], genesis: Genesis
) -> Sun:
    wanted = candidate.message
    owner = settle(world, owner_of(world, candidate), genesis)
    votes = tuple((vote.vote_address, vote.vote_count) for vote in wanted.votes)
    world.put_account(replace(owner, votes=votes))
    return Sun(0)


def _validate_withdraw(
    world: World, candidate: CandidateOf[pb.WithdrawBalanceContract], genesis: Genesis
) -> None:
    """WithdrawBalanceActuator.validate."""
    owner = known_owner(world, candidate)
    name = f"Account[{candidate.owner.hex()}]"
    if candidate.owner in genesis.schedule:
        raise Invalid(
            f"{name} is a guard representative and is not allowed to withdraw Balance"
        )
    latest = owner.withdrawn_ms
    if latest and world.globals.timestamp - latest < WITHDRAW_INTERVAL_MS:
        raise Invalid(f"The last withdraw time is {latest}, less than 24 hours")
    amount = owed(world, owner, genesis)
    if amount <= 0:
        raise Invalid("witnessAccount does not have any reward")
    if owner.balance + amount > MAX_SUN:
        raise Invalid("long overflow")


def _execute_withdraw(
    world: World, candidate: CandidateOf[pb.WithdrawBalanceContract], genesis: Genesis
) -> ReceiptRow:
    owner = settle(world, owner_of(world, candidate), genesis)
    world.put_account(
        replace(
            owner,
            balance=Sun(owner.balance + owner.allowance),
            allowance=Sun(0),
            withdrawn_ms=world.globals.timestamp,
        )
    )
    return ReceiptRow(withdrawn=owner.allowance)


def _validate_create(
    world: World, candidate: CandidateOf[pb.WitnessCreateContract], genesis: Genesis
) -> None:
    """WitnessCreateActuator.validate."""
    if not is_address(candidate.owner):
        raise Invalid("Invalid address")
    if not 0 < len(candidate.message.url) <= MAX_URL_BYTES:
        raise Invalid("Invalid url")
    owner = world.accounts.get(candidate.owner)
    if owner is None:
        raise Invalid(f"account[{candidate.owner.hex()}] not exists")
    if world.witnesses.get(candidate.owner) is not None:
        raise Invalid(f"Witness[{candidate.owner.hex()}] has existed")
    if owner.balance < genesis.parameters.witness_fee:
        raise Invalid("balance < AccountUpgradeCost")


def _execute_create(
    world: World, candidate: CandidateOf[pb.WitnessCreateContract], genesis: Genesis
) -> Sun:
    """It may be voted for; this chain's blocks stay with its first producers."""
    owner, fee = owner_of(world, candidate), genesis.parameters.witness_fee
    url = candidate.message.url.decode("utf-8", "replace")
    world.witnesses.put(owner.address, Witness(owner.address, url, 0))
    before = permissions_of(owner, genesis.default_operations)
    world.put_account(
        replace(
            owner,
            balance=Sun(owner.balance - fee),
            is_witness=True,
            permissions=_with_witness(owner.address, before, genesis),
        )
    )
    burn(world, fee)
    return fee


def _with_witness(
    address: bytes, before: Permissions | None, genesis: Genesis
) -> Permissions:
    witness = Permission(WITNESS_PERMISSION, 1, "witness", 1, ((address, 1),))
    if before is not None:
        return replace(before, witness=witness)
    actives = (active_permission(address, genesis.default_operations),)
    return Permissions(owner_permission(address), witness, actives)


def _validate_url(
    world: World, candidate: CandidateOf[pb.WitnessUpdateContract], _genesis: Genesis
) -> None:
    """WitnessUpdateActuator.validate."""
    if not is_address(candidate.owner):
        raise Invalid("Invalid address")
    if world.accounts.get(candidate.owner) is None:
        raise Invalid("account does not exist")
    if not 0 < len(candidate.message.update_url) <= MAX_URL_BYTES:
        raise Invalid("Invalid url")
    if world.witnesses.get(candidate.owner) is None:
        raise Invalid("Witness does not exist")


def _execute_url(
    world: World, candidate: CandidateOf[pb.WitnessUpdateContract], _genesis: Genesis
) -> Sun:
    witness = present(world.witnesses.get(candidate.owner))
    url = candidate.message.update_url.decode("utf-8", "replace")
    world.witnesses.put(witness.address, replace(witness, url=url))
    return Sun(0)


def _validate_brokerage(
    world: World, candidate: CandidateOf[pb.UpdateBrokerageContract], _genesis: Genesis
) -> None:
    """UpdateBrokerageActuator.validate."""
    if not is_address(candidate.owner):
        raise Invalid("Invalid ownerAddress")
    if not 0 <= candidate.message.brokerage <= 100:
        raise Invalid("Invalid brokerage")
    if world.witnesses.get(candidate.owner) is None:
        raise Invalid(f"Not existed witness:{candidate.owner.hex()}")


def _execute_brokerage(
    world: World, candidate: CandidateOf[pb.UpdateBrokerageContract], _genesis: Genesis
) -> Sun:
    """It counts from the next maintenance on."""
    witness = present(world.witnesses.get(candidate.owner))
    percent = candidate.message.brokerage
    world.witnesses.put(witness.address, replace(witness, next_brokerage=percent))
    return Sun(0)


def _first_voted(vote: pb.VoteWitnessContract) -> bytes:
    return vote.votes[0].vote_address if vote.votes else b""


KINDS: Final = (
    ContractKind(
        message=pb.VoteWitnessContract,
        validate=_validate_vote,
        execute=_execute_vote,
        path="votewitnessaccount",
        eth_to=_first_voted,
        eth_value=lambda vote: sum(entry.vote_count for entry in vote.votes),
    ),
    ContractKind(
        message=pb.WitnessCreateContract,
        validate=_validate_create,
        execute=_execute_create,
        path="createwitness",
        eth_value=lambda _creation: CREATION_VALUE,
    ),
    ContractKind(
        message=pb.WitnessUpdateContract,
        validate=_validate_url,
        execute=_execute_url,
        path="updatewitness",
    ),
    ContractKind(
        message=pb.WithdrawBalanceContract,
        validate=_validate_withdraw,
        execute=_execute_withdraw,
        path="withdrawbalance",
    ),
    ContractKind(
        message=pb.UpdateBrokerageContract,
        validate=_validate_brokerage,
        execute=_execute_brokerage,
        path="updateBrokerage",
    ),
)
