"""Contracts about TRX that is moved, staked, delegated, voted with and earned."""

from enum import IntEnum

from msgspec import Struct

from lucidtrond.tron.address import Address
from lucidtrond.tron.units import Sun


class Resource(IntEnum):
    """What staked TRX gives."""

    BANDWIDTH = 0
    ENERGY = 1
    TRON_POWER = 2


class Transfer(Struct, frozen=True):
    """TransferContract (1): *amount* sun from *owner* to *to*."""

    owner: Address
    to: Address
    amount: Sun


class FreezeBalance(Struct, frozen=True):
    """FreezeBalanceContract (11), Stake 1.0; *frozen_duration* in days."""

    owner: Address
    frozen_balance: Sun
    frozen_duration: int
    resource: Resource = Resource.BANDWIDTH
    receiver: Address | None = None


class UnfreezeBalance(Struct, frozen=True):
    """UnfreezeBalanceContract (12), Stake 1.0."""

    owner: Address
    resource: Resource = Resource.BANDWIDTH
    receiver: Address | None = None


class WithdrawBalance(Struct, frozen=True):
    """WithdrawBalanceContract (13): claim voting and witness rewards."""

    owner: Address


class FreezeBalanceV2(Struct, frozen=True):
    """FreezeBalanceV2Contract (54): stake."""

    owner: Address
    frozen_balance: Sun
    resource: Resource = Resource.BANDWIDTH


class UnfreezeBalanceV2(Struct, frozen=True):
    """UnfreezeBalanceV2Contract (55): unstake; withdrawable some days later."""

    owner: Address
    unfreeze_balance: Sun
    resource: Resource = Resource.BANDWIDTH


class WithdrawExpireUnfreeze(Struct, frozen=True):
    """WithdrawExpireUnfreezeContract (56): take what was unstaked long enough ago."""

    owner: Address


class DelegateResource(Struct, frozen=True):
    """DelegateResourceContract (57): lend what *balance* sun of stake give.

    *lock_period* counts blocks of three seconds; 0 with *lock* means three days.
    """

    owner: Address
    receiver: Address
    balance: Sun
    resource: Resource = Resource.BANDWIDTH
    lock: bool = False
    lock_period: int = 0


class UnDelegateResource(Struct, frozen=True):
    """UnDelegateResourceContract (58): take lent resources back."""

    owner: Address
    receiver: Address
    balance: Sun
    resource: Resource = Resource.BANDWIDTH


class CancelAllUnfreezeV2(Struct, frozen=True):
    """CancelAllUnfreezeV2Contract (59): stake again what waits to be withdrawn."""

    owner: Address


class Vote(Struct, frozen=True):
    """One vote per staked TRX."""

    vote: Address
    vote_count: int


class VoteWitness(Struct, frozen=True):
    """VoteWitnessContract (4): replaces all earlier votes."""

    owner: Address
    votes: tuple[Vote, ...]
    support: bool = False
