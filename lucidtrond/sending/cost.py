"""What a payment burns beside its amount; an estimate from answers of nodes. Pure.

TransferActuator of java-tron; which bandwidth and energy are burned is in
`tron.resources`.
"""

from functools import partial
from typing import Final

from msgspec import Struct

from lucidtrond.tron.account import Resources
from lucidtrond.tron.contract_terms import EnergyShares
from lucidtrond.tron.parameters import ChainParameters
from lucidtrond.tron.resources import bandwidth_fee, energy_burned, has_bandwidth
from lucidtrond.tron.units import Sun

_MARGIN_PERCENT: Final = 20
"""For a recipient or a busy contract that changes between estimate and inclusion."""


class PaymentShape(Struct, frozen=True):
    """What the cost depends on; *size* is the bandwidth it is charged.

    *energy* is what the owner pays for of what a node's simulation used (0 for TRX),
    *fee_limit* in sun.
    """

    size: int
    has_memo: bool
    energy: int = 0
    fee_limit: Sun | None = None


class Cost(Struct, frozen=True):
    """What is burned, in sun, if nothing changes.

    *most_energy* is at the fee limit; *spare* what bandwidth may cost beside, should
    other transactions of the owner use up what is free or staked.
    """

    bandwidth: Sun
    activation: Sun
    memo: Sun
    energy: Sun = Sun(0)
    most_energy: Sun = Sun(0)
    spare: Sun = Sun(0)

    @property
    def expected(self) -> Sun:
        return Sun(self.bandwidth + self.activation + self.memo + self.energy)

    @property
    def most(self) -> Sun:
        """With all the energy that the fee limit lets it take."""
        return Sun(self.bandwidth + self.activation + self.memo + self.most_energy)

    @property
    def worst(self) -> Sun:
        """The most, whatever else the owner sends meanwhile."""
        return Sun(self.most + self.spare)


def cost_of(
    shape: PaymentShape,
    prices: ChainParameters,
    *,
    creates: bool,
    resources: Resources,
) -> Cost:
    """What it burns; *creates*: a payment of TRX makes the recipient's account."""
    price = bandwidth_fee(
        shape.size,
        creates_account=creates,
        transaction_fee=prices.transaction_fee,
        create_account_fee=prices.create_account_fee,
    )
    burns_nothing = has_bandwidth(
        shape.size,
        staked_left=resources.net_limit - resources.net_used,
        free_left=resources.free_net_limit - resources.free_net_used,
        creates_account=creates,
    )
    bandwidth = Sun(0) if burns_nothing else price
    most = 0
    if shape.fee_limit is not None and prices.energy_fee:
        most = shape.fee_limit // prices.energy_fee
    burned = partial(
        energy_burned,
        staked_left=resources.energy_limit - resources.energy_used,
        energy_fee=prices.energy_fee,
    )
    return Cost(
        bandwidth=bandwidth,
        activation=Sun(prices.activation_fee if creates else 0),
        memo=_memo(shape, prices),
        energy=burned(shape.energy),
        spare=Sun(price - bandwidth),
        most_energy=burned(most),
    )


def fee_limits(
    energy: int, prices: ChainParameters, *, shares: EnergyShares
) -> tuple[Sun, Sun]:
    """The least fee limit that a call of so much energy needs, and one with a margin.

    A fee limit bounds all energy of the caller, staked energy too. The one with a
    margin lets the caller pay for the whole call, should the contract's maker not pay
    its part any more: else the call would fail, and cost its energy.
    """
    whole = energy * prices.energy_fee
    needed = Sun(shares.needed * prices.energy_fee)
    return needed, Sun(whole + whole * _MARGIN_PERCENT // 100)


def _memo(shape: PaymentShape, prices: ChainParameters) -> Sun:
    return Sun(prices.memo_fee if shape.has_memo else 0)
