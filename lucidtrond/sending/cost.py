"""What a payment burns beside its amount; an estimate from answers of nodes. Pure.

TransferActuator, BandwidthProcessor and EnergyProcessor of java-tron: bandwidth is all
or nothing per source, an account that comes to life costs the creation fee in place of
it, and staked energy goes before burned one.
"""

from typing import Final

from attrs import frozen

from lucidtrond.tron.account import Resources
from lucidtrond.tron.contract_terms import EnergyShares
from lucidtrond.tron.parameters import ChainParameters
from lucidtrond.tron.units import Sun

_MARGIN_PERCENT: Final = 20
"""For a recipient or a busy contract that changes between estimate and inclusion."""


@frozen
class PaymentShape:
    """What the cost depends on; *size* is the bandwidth it is charged.

    *energy* is what the owner pays for of what a node's simulation used (0 for TRX),
    *fee_limit* in sun.
    """

    size: int
    has_memo: bool
    energy: int = 0
    fee_limit: Sun | None = None


@frozen
class Cost:
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
    staked_left = resources.net_limit - resources.net_used
    free_left = resources.free_net_limit - resources.free_net_used
    price = shape.size * prices.transaction_fee
    activation, left = 0, max(staked_left, free_left)
    if creates:
        price = prices.create_account_fee
        activation, left = prices.activation_fee, staked_left
    bandwidth = price if left < shape.size else 0
    energy_left = max(resources.energy_limit - resources.energy_used, 0)
    most = 0
    if shape.fee_limit is not None and prices.energy_fee:
        most = shape.fee_limit // prices.energy_fee
    return Cost(
        bandwidth=Sun(bandwidth),
        activation=Sun(activation),
        memo=_memo(shape, prices),
        energy=Sun(max(shape.energy - energy_left, 0) * prices.energy_fee),
        spare=Sun(price - bandwidth),
        most_energy=Sun(max(most - energy_left, 0) * prices.energy_fee),
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
