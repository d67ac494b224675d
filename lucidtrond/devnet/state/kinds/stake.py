"""Stake 2.0: freezing TRX for a resource, and the way back over the delay."""

from typing import Final

from msgspec.structs import replace

from lucidtrond.devnet.state.account import Account, Unfreezing
from lucidtrond.devnet.state.accounts import owner_of
from lucidtrond.devnet.state.blocks import ReceiptRow
from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.genesis import Genesis
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
from lucidtrond.tron.units import MAX_SUN, SUN_PER_TRX, Sun, UnixMillis

MAX_UNFREEZINGS: Final = 32  # UnfreezeBalanceV2Actuator.UNFREEZE_MAX_TIMES
DAY_MS: Final = 86_400_000
_NONE_FROZEN: Final = {
    BANDWIDTH: "no frozenBalance(BANDWIDTH)",
    ENERGY: "no frozenBalance(Energy)",
}


def validate_freeze(world: World, candidate: Candidate, _genesis: Genesis) -> None:
    """FreezeBalanceV2Actuator.validate."""
    owner = known_owner(world, candidate)
    amount, resource = candidate.int_field(2), candidate.int_field(3)
    if amount <= 0:
        raise Invalid("frozenBalance must be positive")
    if amount < SUN_PER_TRX:
        raise Invalid("frozenBalance must be greater than or equal to 1 TRX")
    if amount > owner.balance:
        raise Invalid("frozenBalance must be less than or equal to accountBalance")
    if resource not in RESOURCES:
        raise Invalid("ResourceCode error, valid ResourceCode[BANDWIDTH、ENERGY]")


def execute_freeze(world: World, candidate: Candidate, _genesis: Genesis) -> Sun:
    owner = owner_of(world, candidate)
    amount, resource = candidate.int_field(2), candidate.int_field(3)
    poorer = replace(owner, balance=Sun(owner.balance - amount))
    restake(world, owner, with_staked(poorer, resource, amount))
    return Sun(0)


def unfreezings_left(account: Account, now: int) -> int:
    """How many more may be on their way at *now*, expired ones not counted."""
    live = sum(each.expires_ms > now for each in account.unfreezing)
    return MAX_UNFREEZINGS - live


def withdrawable(account: Account, at: int) -> Sun:
    """Unfreezing stake whose delay is over at *at*."""
    return Sun(sum(each.amount for each in account.unfreezing if each.expires_ms <= at))


def validate_unfreeze(world: World, candidate: Candidate, _genesis: Genesis) -> None:
    """UnfreezeBalanceV2Actuator.validate."""
    owner = known_owner(world, candidate, unknown="does not exist")
    amount, resource = candidate.int_field(2), candidate.int_field(3)
    if resource not in RESOURCES:
        raise Invalid("ResourceCode error.valid ResourceCode[BANDWIDTH、Energy]")
    frozen = staked(owner, resource)
    if not frozen:
        raise Invalid(_NONE_FROZEN[resource])
    if not 0 < amount <= frozen:
        raise Invalid(f"Invalid unfreeze_balance, [{amount}] is error")
    if unfreezings_left(owner, world.globals.timestamp) <= 0:
        raise Invalid("Invalid unfreeze operation, unfreezing times is over limit")


def execute_unfreeze(
    world: World, candidate: Candidate, genesis: Genesis
) -> ReceiptRow:
    """Start the delay; what is through with it is paid out, votes shrink to fit."""
    owner = settle(world, owner_of(world, candidate), genesis)
    amount, resource = candidate.int_field(2), candidate.int_field(3)
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
    left = tuple(each for each in account.unfreezing if each.expires_ms > now)
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


def validate_withdraw(world: World, candidate: Candidate, _genesis: Genesis) -> None:
    """WithdrawExpireUnfreezeActuator.validate."""
    owner = known_owner(world, candidate)
    amount = withdrawable(owner, world.globals.timestamp)
    if amount <= 0:
        raise Invalid("no unFreeze balance to withdraw ")
    if owner.balance + amount > MAX_SUN:
        raise Invalid("long overflow")


def execute_withdraw(
    world: World, candidate: Candidate, _genesis: Genesis
) -> ReceiptRow:
    paid, account = _paid_out(owner_of(world, candidate), world.globals.timestamp)
    world.put_account(account)
    return ReceiptRow(expired_unfreezing=paid)


def validate_cancel(world: World, candidate: Candidate, _genesis: Genesis) -> None:
    """CancelAllUnfreezeV2Actuator.validate."""
    if not known_owner(world, candidate).unfreezing:
        raise Invalid("No unfreezeV2 list to cancel")


def execute_cancel(world: World, candidate: Candidate, _genesis: Genesis) -> ReceiptRow:
    """Everything on its way is stake again; what is through is paid out."""
    owner = owner_of(world, candidate)
    paid, account = _paid_out(owner, world.globals.timestamp)
    back = {BANDWIDTH: 0, ENERGY: 0}
    for each in account.unfreezing:
        back[each.resource] += each.amount
        account = with_staked(account, each.resource, each.amount)
    restake(world, owner, replace(account, unfreezing=()))
    return ReceiptRow(
        expired_unfreezing=paid, cancelled=(Sun(back[BANDWIDTH]), Sun(back[ENERGY]))
    )
