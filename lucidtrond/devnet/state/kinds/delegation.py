"""Delegation: lending the resource of stake to others, and taking it back."""

from typing import Final

from msgspec.structs import replace

from lucidtrond.devnet.state.account import Account, Delegation, delegation_key
from lucidtrond.devnet.state.accounts import is_address, owner_of
from lucidtrond.devnet.state.candidate import CandidateOf
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.kinds.base import ContractKind, Get
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.stakes import (
    BANDWIDTH,
    ENERGY,
    RESOURCES,
    borrowed,
    known_owner,
    staked,
    totals,
    usage_of,
    with_borrowed,
    with_lent,
    with_usage,
)
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.block import BLOCK_INTERVAL_MS
from lucidtrond.tron.resources import Usage, limit_from_stake, stake_in_use
from lucidtrond.tron.units import SUN_PER_TRX, Sun, UnixMillis

DEFAULT_LOCK_SLOTS: Final = 86_400  # ChainConstant.DELEGATE_PERIOD: 3 days
DELEGATE_COST_BASE_BYTES: Final = 275  # ChainConstant.DELEGATE_COST_BASE_SIZE
_STAKE: Final = {BANDWIDTH: "FreezeBandwidthV2", ENERGY: "FreezeEnergyV2"}
_NAMES: Final = {BANDWIDTH: "BANDWIDTH", ENERGY: "ENERGY"}
_INSUFFICIENT: Final = {
    BANDWIDTH: "insufficient delegatedFrozenBalance(BANDWIDTH)",
    ENERGY: "insufficient delegateFrozenBalance(Energy)",
}


def delegation(
    world: World, owner: bytes, receiver: bytes, *, locked: bool
) -> Delegation | None:
    """What is lent now, if anything."""
    row = world.delegations.get(delegation_key(owner, receiver, locked=locked))
    return None if row is None or row.is_empty else row


def borrowers(world: World, owner: bytes) -> list[bytes]:
    """To whom *owner* lends, in order of the last change."""
    return list({row.receiver: None for row in _rows(world) if row.owner == owner})


def lenders(world: World, receiver: bytes) -> list[bytes]:
    """Who lends to *receiver*, in order of the last change."""
    return list({row.owner: None for row in _rows(world) if row.receiver == receiver})


def _rows(world: World) -> list[Delegation]:
    rows = [row for row in world.delegations.values() if not row.is_empty]
    return sorted(rows, key=lambda row: row.since_ms)


def delegatable(
    world: World, account: Account, resource: int, genesis: Genesis, *, building: bool
) -> int:
    """Stake that no usage of *account* needs, in sun; may be below 0.

    What is borrowed covers usage first. *building* sets aside the bandwidth that the
    delegating transaction will take (Wallet.calcCanDelegatedBandWidthMaxSize).
    """
    now = genesis.slot(world.globals.timestamp)
    limit, weight = totals(world, genesis, resource)
    used = usage_of(account, resource).left(now)
    if building and resource == BANDWIDTH:
        used += _own_bytes(staked(account, BANDWIDTH), genesis)
    needed = stake_in_use(used, total_limit=limit, total_weight=weight)
    return staked(account, resource) - max(needed - borrowed(account, resource), 0)


def _own_bytes(balance: int, genesis: Genesis) -> int:
    # TransactionUtil.estimateConsumeBandWidthSize
    long = pb.DelegateResourceContract(
        lock=True, lock_period=genesis.parameters.max_lock_slots, balance=balance
    )
    short = pb.DelegateResourceContract(balance=SUN_PER_TRX)
    return DELEGATE_COST_BASE_BYTES + max(long.ByteSize() - short.ByteSize(), 0)


def _validate_delegate(
    world: World, candidate: CandidateOf[pb.DelegateResourceContract], genesis: Genesis
) -> None:
    """DelegateResourceActuator.validate."""
    owner = known_owner(world, candidate)
    wanted = candidate.message
    resource, amount = wanted.resource, wanted.balance
    if amount < SUN_PER_TRX:
        raise Invalid("delegateBalance must be greater than or equal to 1 TRX")
    if resource not in RESOURCES:
        raise Invalid("ResourceCode error, valid ResourceCode[BANDWIDTH、ENERGY]")
    building = candidate.building
    if delegatable(world, owner, resource, genesis, building=building) < amount:
        raise Invalid(
            "delegateBalance must be less than or equal to available"
            f" {_STAKE[resource]} balance"
        )
    receiver = _checked_receiver(wanted)
    if world.accounts.get(receiver) is None:
        raise Invalid(f"Account[{receiver.hex()}] not exists")
    if wanted.lock:
        _check_lock(world, wanted, genesis)
    if world.contracts.get(receiver) is not None:
        raise Invalid("Do not allow delegate resources to contract addresses")


def _checked_receiver(
    wanted: pb.DelegateResourceContract | pb.UnDelegateResourceContract,
) -> bytes:
    receiver = wanted.receiver_address
    if not is_address(receiver):
        raise Invalid("Invalid receiverAddress")
    if receiver == wanted.owner_address:
        raise Invalid("receiverAddress must not be the same as ownerAddress")
    return receiver


def _check_lock(
    world: World, wanted: pb.DelegateResourceContract, genesis: Genesis
) -> None:
    slots, longest = _lock_slots(wanted), genesis.parameters.max_lock_slots
    if not 0 <= slots <= longest:
        raise Invalid(
            "The lock period of delegate resource cannot be less than 0 and cannot"
            f" exceed {longest}!"
        )
    receiver, resource = wanted.receiver_address, wanted.resource
    row = delegation(world, wanted.owner_address, receiver, locked=True)
    if row is None:
        return
    left = _expires(row, resource) - world.globals.timestamp
    if slots * BLOCK_INTERVAL_MS < left:
        name = _NAMES[resource]
        raise Invalid(
            f"The lock period for {name} this time cannot be less than the remaining"
            f" time[{left}ms] of the last lock period for {name}!"
        )


def _lock_slots(wanted: pb.DelegateResourceContract) -> int:
    return wanted.lock_period or DEFAULT_LOCK_SLOTS


def _execute_delegate(
    world: World, candidate: CandidateOf[pb.DelegateResourceContract], _genesis: Genesis
) -> Sun:
    wanted = candidate.message
    receiver, resource = wanted.receiver_address, wanted.resource
    amount, locked = wanted.balance, wanted.lock
    now = world.globals.timestamp
    _unlock(world, candidate.owner, receiver)
    row = delegation(world, candidate.owner, receiver, locked=locked)
    row = row or Delegation(candidate.owner, receiver, locked)
    period = _lock_slots(wanted) * BLOCK_INTERVAL_MS
    expires = UnixMillis(now + period if locked else 0)
    row = _moved(row, resource, amount, expires)
    world.delegations.put(row.key, replace(row, since_ms=now))
    world.put_account(with_lent(owner_of(world, candidate), resource, amount))
    other = world.accounts.get(receiver)
    if other is not None:
        world.put_account(with_borrowed(other, resource, amount))
    return Sun(0)


def _validate_undelegate(
    world: World,
    candidate: CandidateOf[pb.UnDelegateResourceContract],
    _genesis: Genesis,
) -> None:
    """UnDelegateResourceActuator.validate."""
    known_owner(world, candidate, unknown="does not exist")
    wanted = candidate.message
    receiver = _checked_receiver(wanted)
    resource, amount = wanted.resource, wanted.balance
    free = delegation(world, candidate.owner, receiver, locked=False)
    locked = delegation(world, candidate.owner, receiver, locked=True)
    if free is None and locked is None:
        raise Invalid("delegated Resource does not exist")
    if amount <= 0:
        raise Invalid("unDelegateBalance must be more than 0 TRX")
    if resource not in RESOURCES:
        raise Invalid("ResourceCode error.valid ResourceCode[BANDWIDTH、Energy]")
    unlocked = _amount(free, resource) if free else 0
    if locked and _expires(locked, resource) < world.globals.timestamp:
        unlocked += _amount(locked, resource)
    if unlocked < amount:
        raise Invalid(
            f"{_INSUFFICIENT[resource]}, request={amount}, unlock_balance={unlocked}"
        )


def _execute_undelegate(
    world: World,
    candidate: CandidateOf[pb.UnDelegateResourceContract],
    genesis: Genesis,
) -> Sun:
    """Take stake back, and with it the receiver's usage in proportion."""
    wanted = candidate.message
    receiver, resource = wanted.receiver_address, wanted.resource
    amount = wanted.balance
    now = genesis.slot(world.globals.timestamp)
    other = world.accounts.get(receiver)
    moved = None
    if other is not None:
        moved, other = _give_back(world, other, resource, amount, genesis)
        world.put_account(other)
    _unlock(world, candidate.owner, receiver)
    free = delegation(world, candidate.owner, receiver, locked=False)
    if free is not None:
        row = _moved(free, resource, -amount, UnixMillis(0))
        world.delegations.put(row.key, row)
    owner = with_lent(owner_of(world, candidate), resource, -amount)
    if moved is not None and moved.amount:
        usage = usage_of(owner, resource).joined(moved, now)
        owner = with_usage(owner, resource, usage)
    world.put_account(owner)
    return Sun(0)


def _give_back(
    world: World, account: Account, resource: int, amount: int, genesis: Genesis
) -> tuple[Usage, Account]:
    """The usage that goes to the owner, and the receiver without it."""
    now = genesis.slot(world.globals.timestamp)
    usage = usage_of(account, resource).increased(0, now)
    limit, weight = totals(world, genesis, resource)
    held = staked(account, resource) + borrowed(account, resource)
    share = int(usage.amount * (amount / held))
    given = limit_from_stake(Sun(amount), total_limit=limit, total_weight=weight)
    share = min(share, given)
    account = with_borrowed(account, resource, -amount)
    left = Usage(usage.amount - share, now, usage.window)
    return Usage(share, now, usage.window), with_usage(account, resource, left)


def _unlock(world: World, owner: bytes, receiver: bytes) -> None:
    """Move what is locked no longer (DelegatedResourceStore.unLockExpireResource)."""
    locked = delegation(world, owner, receiver, locked=True)
    if locked is None:
        return
    now = world.globals.timestamp
    free = delegation(world, owner, receiver, locked=False)
    free = free or Delegation(owner, receiver, locked=False, since_ms=locked.since_ms)
    for resource in RESOURCES:
        if _expires(locked, resource) < now:
            amount = _amount(locked, resource)
            free = _moved(free, resource, amount, UnixMillis(0))
            locked = _moved(locked, resource, -amount, UnixMillis(0))
    world.delegations.put(locked.key, locked)
    world.delegations.put(free.key, free)


def _amount(row: Delegation, resource: int) -> Sun:
    return row.energy if resource == ENERGY else row.net


def _expires(row: Delegation, resource: int) -> UnixMillis:
    return row.energy_expires_ms if resource == ENERGY else row.net_expires_ms


def _moved(
    row: Delegation, resource: int, amount: int, expires: UnixMillis
) -> Delegation:
    """With *amount* more, all of it until *expires*."""
    if resource == ENERGY:
        energy = Sun(row.energy + amount)
        return replace(row, energy=energy, energy_expires_ms=expires)
    return replace(row, net=Sun(row.net + amount), net_expires_ms=expires)


KINDS: Final = (
    ContractKind(
        message=pb.DelegateResourceContract,
        validate=_validate_delegate,
        execute=_execute_delegate,
        path="delegateresource",
        get=Get.REFUSED,
        eth_to=lambda loan: loan.receiver_address,
        eth_value=lambda loan: loan.balance,
    ),
    ContractKind(
        message=pb.UnDelegateResourceContract,
        validate=_validate_undelegate,
        execute=_execute_undelegate,
        path="undelegateresource",
        eth_to=lambda loan: loan.receiver_address,
        eth_value=lambda loan: loan.balance,
    ),
)
