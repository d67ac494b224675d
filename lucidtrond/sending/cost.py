"""What a TRX transfer burns beside its amount; an estimate from cached answers.

TransferActuator and BandwidthProcessor of java-tron: all or nothing per source of
bandwidth, and an account that comes to life costs the creation fee in place of it.
"""

from attrs import frozen

from lucidtrond.tron.account import Resources
from lucidtrond.tron.parameters import ChainParameters
from lucidtrond.tron.units import Sun


@frozen
class TransferShape:
    """What the cost depends on; *size* is the bandwidth it is charged."""

    size: int
    has_memo: bool


def most_burned(shape: TransferShape, prices: ChainParameters) -> Sun:
    """The most it can burn, whoever receives it and whatever bandwidth is left."""
    memo = prices.memo_fee if shape.has_memo else 0
    activation = prices.activation_fee + prices.create_account_fee
    return Sun(memo + activation + shape.size * prices.transaction_fee)


def burned(
    shape: TransferShape,
    prices: ChainParameters,
    *,
    creates: bool,
    resources: Resources,
) -> Sun:
    """What it burns if nothing changes; *creates*: the recipient has no account yet."""
    staked_left = resources.net_limit - resources.net_used
    free_left = resources.free_net_limit - resources.free_net_used
    cost = prices.memo_fee if shape.has_memo else 0
    if creates:
        cost += prices.activation_fee
        if staked_left < shape.size:
            cost += prices.create_account_fee
    elif max(staked_left, free_left) < shape.size:
        cost += shape.size * prices.transaction_fee
    return Sun(cost)
