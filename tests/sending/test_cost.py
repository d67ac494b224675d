"""What a payment burns: never more than its limits let it, and never less than zero."""

from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.sending.cost import PaymentShape, cost_of, fee_limits
from lucidtrond.tron.account import Resources
from lucidtrond.tron.contract_terms import EnergyShares
from lucidtrond.tron.units import Sun
from tests.sending.model import PRICES

amounts = st.integers(0, 500_000)
resources = st.builds(
    Resources,
    free_net_used=amounts,
    free_net_limit=amounts,
    net_used=amounts,
    net_limit=amounts,
    energy_used=amounts,
    energy_limit=amounts,
)
shapes = st.builds(
    PaymentShape,
    size=st.integers(200, 2000),
    has_memo=st.booleans(),
    energy=amounts,
)


@given(shapes, resources, st.booleans())
def test_what_is_free_or_staked_only_ever_lowers_what_is_burned(
    shape: PaymentShape,
    left: Resources,
    creates: bool,  # noqa: FBT001 - hypothesis'
) -> None:
    trx = PaymentShape(shape.size, has_memo=shape.has_memo)
    cost = cost_of(trx, PRICES, creates=creates, resources=left)
    none = cost_of(trx, PRICES, creates=creates, resources=Resources())
    assert 0 <= cost.expected == cost.most <= cost.worst == none.expected == none.worst
    base = PRICES.memo_fee * shape.has_memo
    burned = 1_100_000 if creates else shape.size * 1000
    assert none.worst == base + burned


@given(shapes, resources)
def test_the_most_that_a_call_burns_is_bounded_by_its_fee_limit(
    shape: PaymentShape, left: Resources
) -> None:
    shares = EnergyShares(shape.energy, origin=0, needed=shape.energy)
    needed, proposed = fee_limits(shape.energy, PRICES, shares=shares)
    assert needed == shape.energy * 100
    assert needed <= proposed <= needed * 2
    limited = PaymentShape(
        shape.size, has_memo=shape.has_memo, energy=shape.energy, fee_limit=proposed
    )
    cost = cost_of(limited, PRICES, creates=False, resources=left)
    assert 0 <= cost.energy <= cost.most_energy <= proposed
    assert cost.most - cost.most_energy == cost.expected - cost.energy


@given(shapes)
def test_staked_energy_is_used_before_any_is_burned(shape: PaymentShape) -> None:
    enough = Resources(energy_limit=shape.energy + 7, energy_used=7)
    short = Resources(energy_limit=shape.energy + 6, energy_used=7)
    limited = PaymentShape(
        shape.size,
        has_memo=False,
        energy=shape.energy,
        fee_limit=Sun(shape.energy * 100),
    )
    assert cost_of(limited, PRICES, creates=False, resources=enough).most_energy == 0
    burned = cost_of(limited, PRICES, creates=False, resources=short).energy
    assert burned == (100 if shape.energy else 0)
