"""Who pays for a call's energy."""

from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.tron.address import Address
from lucidtrond.tron.contract_terms import ContractTerms, share_energy

MAKER, CALLER = (Address(b"\x41" + bytes([n]) * 20) for n in (1, 2))


@given(st.integers(0, 3000), st.integers(0, 100), st.integers(0, 3000))
def test_the_least_limit_lets_the_call_run_and_one_less_does_not(
    energy: int, percent: int, available: int
) -> None:
    shares = share_energy(energy, percent, available)
    assert shares.caller + shares.origin == energy
    assert 0 <= shares.origin <= available
    assert shares.origin <= energy * (100 - percent) // 100

    def reach(own: int) -> int:
        """VMActuator.getTotalEnergyLimitWithFixRatio."""
        if percent == 100:
            return own
        offered = available
        if percent:
            offered = min(available, own * (100 - percent) // percent)
        return own + offered

    assert reach(shares.needed) >= energy
    assert shares.needed == 0 or reach(shares.needed - 1) < energy


def test_a_maker_who_pays_70_percent_leaves_30_rounded_up() -> None:
    shares = share_energy(28_297, 30, 10**9)
    assert (shares.caller, shares.origin) == (8_490, 19_807)


def test_the_maker_of_a_contract_pays_for_its_own_calls() -> None:
    terms = ContractTerms(MAKER, caller_percent=30)
    assert terms.shares_cost_with(CALLER)
    assert not terms.shares_cost_with(MAKER)
    assert not ContractTerms(MAKER).shares_cost_with(CALLER)
