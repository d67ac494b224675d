"""Contracts about TRX that is moved, staked, delegated, voted with and earned."""

from enum import IntEnum

from attrs import frozen

from lucidtrond.tron.address import Address
from lucidtrond.tron.units import Sun


class Resource(IntEnum):
    """What staked TRX gives."""

    BANDWIDTH = 0
    ENERGY = 1
    TRON_POWER = 2


@frozen
class Transfer:
    """TransferContract (1): *amount* sun from *owner* to *to*."""

    owner: Address
    to: Address
    amount: Sun


@frozen
class FreezeBalance:
    """FreezeBalanceContract (11), Stake 1.0; *frozen_duration* in days."""

    owner: Address
    frozen_balance: Sun
    frozen_duration: int
    resource: Resource = Resource.BANDWIDTH
    receiver: Address | None = None


@frozen
class UnfreezeBalance:
    """UnfreezeBalanceContract (12), Stake 1.0."""

    owner: Address
    resource: Resource = Resource.BANDWIDTH
    receiver: Address | None = None


@frozen
class WithdrawBalance:
    """WithdrawBalanceContract (13): claim voting and witness rewards."""

    owner: Address


@frozen
class FreezeBalanceV2:
    """FreezeBalanceV2Contract (54): stake."""

    owner: Address
    frozen_balance: Sun
    resource: Resource = Resource.BANDWIDTH


@frozen
class UnfreezeBalanceV2:
    """UnfreezeBalanceV2Contract (55): unstake; withdrawable some days later."""

    owner: Address
    unfreeze_balance: Sun
    resource: Resource = Resource.BANDWIDTH


@frozen
class WithdrawExpireUnfreeze:
    """WithdrawExpireUnfreezeContract (56): take what was unstaked long enough ago."""

    owner: Address


@frozen
class DelegateResource:
    """DelegateResourceContract (57): lend what *balance* sun of stake give.

    *lock_period* counts blocks of three seconds; 0 with *lock* means three days.
    """

    owner: Address
    receiver: Address
    balance: Sun
    resource: Resource = Resource.BANDWIDTH
    lock: bool = False
    lock_period: int = 0


@frozen
class UnDelegateResource:
    """UnDelegateResourceContract (58): take lent resources back."""

    owner: Address
    receiver: Address
    balance: Sun
    resource: Resource = Resource.BANDWIDTH


@frozen
class CancelAllUnfreezeV2:
    """CancelAllUnfreezeV2Contract (59): stake again what waits to be withdrawn."""

    owner: Address


@frozen
class Vote:
    """One vote per staked TRX."""

    vote: Address
    vote_count: int


@frozen
class VoteWitness:
    """VoteWitnessContract (4): replaces all earlier votes."""

    owner: Address
    votes: tuple[Vote, ...]
    support: bool = False
