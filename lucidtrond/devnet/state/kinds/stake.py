"""Stake 2.0: freezing TRX for a resource, and the way back over the delay."""

from typing import Final

from msgspec.structs import replace

from lucidtrond.devnet.state.account import Account, Unfreezing
from lucidtrond.devnet.state.accounts import owner_of
from lucidtrond.devnet.state.blocks import ReceiptRow
from lucidtrond.devnet.state.candidate import CandidateOf
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.kinds.base import ContractKind, Get
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.rewards import settle
from lucidtrond.devnet.state.stakes import (
    BANDWIDTH,
    ENERGY,
    RESOURCES,
    known_owner,
    restake,
    staked,
    tron_power,
    with_staked,
)
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.units import MAX_SUN, SUN_PER_TRX, Sun, UnixMillis

MAX_UNFREEZINGS: Final = 32  # UnfreezeBalanceV2Actuator.UNFREEZE_MAX_TIMES
DAY_MS: Final = 86_400_000
_NONE_FROZEN: Final = {
    BANDWIDTH: "no frozenBalance(BANDWIDTH)",
    ENERGY: "no frozenBalance(Energy)",
}


def _validate_freeze(
    world: World, candidate: CandidateOf[pb.FreezeBalanceV2Contract], _genesis: Genesis
) -> None:
    """FreezeBalanceV2Actuator.validate."""
    owner = known_owner(world, candidate)
    wanted = candidate.message
    amount, resource = wanted.frozen_balance, wanted.resource
    if amount <= 0:
        raise Invalid("frozenBalance must be positive")
    if amount < SUN_PER_TRX:
        raise Invalid("frozenBalance must be greater than or equal to 1 TRX")
    if amount > owner.balance:
        raise Invalid("frozenBalance must be less than or equal to accountBalance")
    if resource not in RESOURCES:
        raise Invalid("ResourceCode error, valid ResourceCode[BANDWIDTH、ENERGY]")


def _execute_freeze(
    world: World, candidate: CandidateOf[pb.FreezeBalanceV2Contract], _genesis: Genesis
) -> Sun:
    owner = owner_of(world, candidate)
    wanted = candidate.message
    amount, resource = wanted.frozen_balance, wanted.resource
    poorer = replace(owner, balance=Sun(owner.balance - amount))
    restake(world, owner, with_staked(poorer, resource, amount))
    return Sun(0)


def unfreezings_left(account: Account, now: int) -> int:
    """How many more may be on their way at *now*, expired ones not counted."""
    live = sum(unfreezing.expires_ms > now for unfreezing in account.unfreezing)
    return MAX_UNFREEZINGS - live


def withdrawable(account: Account, at: int) -> Sun:
    """Unfreezing stake whose delay is over at *at*."""
    return Sun(
        sum(
            unfreezing.amount
            for unfreezing in account.unfreezing
            if unfreezing.expires_ms <= at
        )
    )


def _validate_unfreeze(
    world: World,
    candidate: CandidateOf[pb.UnfreezeBalanceV2Contract],
    _genesis: Genesis,
) -> None:
    """UnfreezeBalanceV2Actuator.validate."""
    owner = known_owner(world, candidate, unknown="does not exist")
    wanted = candidate.message
    amount, resource = wanted.unfreeze_balance, wanted.resource
    if resource not in RESOURCES:
        raise Invalid("ResourceCode error.valid ResourceCode[BANDWIDTH、Energy]")
    frozen = staked(owner, resource)
    if not frozen:
        raise Invalid(_NONE_FROZEN[resource])
    if not 0 < amount <= frozen:
        raise Invalid(f"Invalid unfreeze_balance, [{amount}] is error")
    if unfreezings_left(owner, world.globals.timestamp) <= 0:
        raise Invalid("Invalid unfreeze operation, unfreezing times is over limit")


def _execute_unfreeze(
    world: World, candidate: CandidateOf[pb.UnfreezeBalanceV2Contract], genesis: Genesis
) -> ReceiptRow:
    """Start the delay; what is through with it is paid out, votes shrink to fit."""
    owner = settle(world, owner_of(world, candidate), genesis)
    wanted = candidate.message
    amount, resource = wanted.unfreeze_balance, wanted.resource
    now = world.globals.timestamp
    paid, account = _paid_out(owner, now)
    expires = UnixMillis(now + genesis.parameters.unfreeze_days * DAY_MS)
    more = Unfreezing(resource, Sun(amount), expires)
    account = replace(account, unfreezing=(*account.unfreezing, more))
    account = with_staked(account, resource, -amount)
    restake(world, owner, replace(account, votes=_shrunk(account)))
    return ReceiptRow(expired_unfreezing=paid)


def _paid_out(account: Account, now: int) -> tuple[Sun, Account]:
    paid = withdrawable(account, now)
    left = tuple(
        unfreezing for unfreezing in account.unfreezing if unfreezing.expires_ms > now
    )
    balance = Sun(account.balance + paid)
    return paid, replace(account, balance=balance, unfreezing=left)


def _shrunk(account: Account) -> tuple[tuple[bytes, int], ...]:
    """Votes in proportion to the power that is left, with java's doubles."""
    total = sum(count for _, count in account.votes)
    power = tron_power(account)
    if power >= total * SUN_PER_TRX:
        return account.votes
    fewer = (
        (witness, int(count / total * power / SUN_PER_TRX))
        for witness, count in account.votes
    )
    return tuple((witness, count) for witness, count in fewer if count)


def _validate_withdraw(
    world: World,
    candidate: CandidateOf[pb.WithdrawExpireUnfreezeContract],
    _genesis: Genesis,
) -> None:
    """WithdrawExpireUnfreezeActuator.validate."""
    owner = known_owner(world, candidate)
    amount = withdrawable(owner, world.globals.timestamp)
    if amount <= 0:
        raise Invalid("no unFreeze balance to withdraw ")
    if owner.balance + amount > MAX_SUN:
        raise Invalid("long overflow")


def _execute_withdraw(
    world: World,
    candidate: CandidateOf[pb.WithdrawExpireUnfreezeContract],
    _genesis: Genesis,
) -> ReceiptRow:
    paid, account = _paid_out(owner_of(world, candidate), world.globals.timestamp)
    world.put_account(account)
    return ReceiptRow(expired_unfreezing=paid)


def _validate_cancel(
    world: World,
    candidate: CandidateOf[pb.CancelAllUnfreezeV2Contract],
    _genesis: Genesis,
) -> None:
    """CancelAllUnfreezeV2Actuator.validate."""
    if not known_owner(world, candidate).unfreezing:
        raise Invalid("No unfreezeV2 list to cancel")


def _execute_cancel(
    world: World,
    candidate: CandidateOf[pb.CancelAllUnfreezeV2Contract],
    _genesis: Genesis,
) -> ReceiptRow:
    """Everything on its way is stake again; what is through is paid out."""
    owner = owner_of(world, candidate)
    paid, account = _paid_out(owner, world.globals.timestamp)
    back = {BANDWIDTH: 0, ENERGY: 0}
    for unfreezing in account.unfreezing:
        back[unfreezing.resource] += unfreezing.amount
        account = with_staked(account, unfreezing.resource, unfreezing.amount)
    restake(world, owner, replace(account, unfreezing=()))
    return ReceiptRow(
        expired_unfreezing=paid, cancelled=(Sun(back[BANDWIDTH]), Sun(back[ENERGY]))
    )


KINDS: Final = (
    ContractKind(
        message=pb.FreezeBalanceV2Contract,
        validate=_validate_freeze,
        execute=_execute_freeze,
        path="freezebalancev2",
        get=Get.REFUSED,
        eth_value=lambda stake: stake.frozen_balance,
    ),
    ContractKind(
        message=pb.UnfreezeBalanceV2Contract,
        validate=_validate_unfreeze,
        execute=_execute_unfreeze,
        path="unfreezebalancev2",
        eth_value=lambda stake: stake.unfreeze_balance,
    ),
    ContractKind(
        message=pb.WithdrawExpireUnfreezeContract,
        validate=_validate_withdraw,
        execute=_execute_withdraw,
        path="withdrawexpireunfreeze",
    ),
    ContractKind(
        message=pb.CancelAllUnfreezeV2Contract,
        validate=_validate_cancel,
        execute=_execute_cancel,
        path="cancelallunfreezev2",
        get=Get.REFUSED,
    ),
)
