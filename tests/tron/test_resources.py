from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.tron.parameters import ChainParameters
from lucidtrond.tron.resources import (
    DAY_SLOTS,
    DAY_WINDOW,
    Cost,
    Usage,
    energy_limit_of_call,
    estimate_cost,
    fee_limit_for,
    increase,
    limit_from_stake,
    recovered,
    stake_for_limit,
    use,
)
from lucidtrond.tron.units import Sun

usages = st.integers(0, 10**9)
slots = st.integers(0, 10**7)
windows = st.integers(1000, DAY_WINDOW)

MAINNET = ChainParameters(
    transaction_fee=Sun(1000),
    energy_fee=Sun(100),
    create_account_fee=Sun(100_000),
    activation_fee=Sun(1_000_000),
    memo_fee=Sun(1_000_000),
    multi_sign_fee=Sun(1_000_000),
    max_fee_limit=Sun(15_000_000_000),
    free_net_limit=600,
    every={},
)


@given(usages, slots, st.integers(0, 2 * DAY_SLOTS))
def test_usage_decays_linearly_to_nothing_within_a_day(
    used: int, slot: int, passed: int
) -> None:
    left = recovered(Usage(used, slot), slot + passed)
    exact = max(Fraction(0), used * (1 - Fraction(passed, DAY_SLOTS)))
    # Averages are kept to a millionth per slot, so a day's rounding is below 0.03.
    assert abs(left - exact) <= 1
    assert left == 0 or passed < DAY_SLOTS


@given(usages, slots)
def test_nothing_is_recovered_at_once(used: int, slot: int) -> None:
    assert recovered(Usage(used, slot), slot) == used
    assert increase(used, 0, last_slot=slot, now=slot) == used


@given(usages, usages, slots, st.integers(0, DAY_SLOTS))
def test_increasing_adds_to_what_is_left(
    before: int, more: int, slot: int, passed: int
) -> None:
    now = slot + passed
    after = increase(before, more, last_slot=slot, now=now)
    assert abs(after - increase(before, 0, last_slot=slot, now=now) - more) <= 1


@given(usages, usages, slots, st.integers(0, DAY_SLOTS), windows)
def test_using_adds_to_what_is_left(
    before: int, more: int, slot: int, passed: int, window: int
) -> None:
    last, now = Usage(before, slot, window), slot + passed
    after = use(last, more, now)
    assert abs(after.amount - recovered(last, now) - more) <= 1
    assert after.slot == now


@given(usages, usages, slots, st.integers(0, DAY_SLOTS), windows)
def test_a_merged_window_lies_between_the_rest_of_the_old_and_a_day(
    before: int, more: int, slot: int, passed: int, window: int
) -> None:
    last, now = Usage(before, slot, window), slot + passed
    after = use(last, more, now)
    rest = window - passed * 1000
    if recovered(last, now) == 0:
        assert after.window == DAY_WINDOW
    else:
        assert min(rest, DAY_WINDOW) <= after.window + 1000
        assert after.window <= DAY_WINDOW


@given(usages, slots, windows, st.integers(1, DAY_SLOTS))
def test_usage_never_grows_by_waiting(
    used: int, slot: int, window: int, passed: int
) -> None:
    last = Usage(used, slot, window)
    assert recovered(last, slot + passed) <= recovered(last, slot + passed - 1) <= used


def test_half_a_day_leaves_half_and_a_fresh_window_merges() -> None:
    """By hand, after ResourceProcessor.increaseV2 of java-tron."""
    half = DAY_SLOTS // 2
    after = use(Usage(1000, 0), 1000, half)
    assert after == Usage(1500, half, 24_000_000)  # (500 * 14.4 + 1000 * 28.8) / 1500
    assert recovered(after, half + 12_000) == 750
    assert use(Usage(1000, 0), 1000, DAY_SLOTS) == Usage(1000, DAY_SLOTS, DAY_WINDOW)
    assert use(Usage(), 268, 7) == Usage(268, 7, DAY_WINDOW)


def test_a_window_below_one_slot_is_a_whole_day() -> None:
    assert recovered(Usage(1000, 0, 999), DAY_SLOTS // 2) == 500


totals = st.integers(1, 10**12)


@given(st.integers(0, 10**17).map(Sun), totals, totals)
def test_limits_are_the_share_of_the_stake(
    staked: Sun, limit: int, weight: int
) -> None:
    got = limit_from_stake(staked, total_limit=limit, total_weight=weight)
    exact = Fraction(staked, 10**6) * Fraction(limit, weight)
    assert abs(got - exact) <= 1 + exact / 10**15 * 8


def test_no_weight_no_limit() -> None:
    assert limit_from_stake(Sun(10**9), total_limit=10**9, total_weight=0) == 0


def test_fractions_of_a_trx_count() -> None:
    """Since Stake 2.0; Nile's totals."""
    share = {"total_limit": 180_000_000_000, "total_weight": 2_411_528_185}
    assert limit_from_stake(Sun(1_000_000), **share) == 74
    assert limit_from_stake(Sun(1_500_000), **share) == 111


@given(st.integers(0, 10**9), st.integers(10**9, 10**12), st.integers(1, 10**11))
def test_the_stake_for_a_limit_gives_it_and_a_trx_less_does_not(
    wanted: int, limit: int, weight: int
) -> None:
    totals_ = {"total_limit": limit, "total_weight": weight}
    stake = stake_for_limit(wanted, **totals_)
    assert limit_from_stake(stake, **totals_) >= wanted
    if stake:
        less = limit_from_stake(Sun(stake - 1_000_000), **totals_)
        assert less <= wanted  # equal only where the doubles round up


def cost(size: int = 300, **changes: int) -> Cost:
    left = {"net_left": 0, "free_left": 0, "energy": 0, "energy_left": 0, **changes}
    return estimate_cost(size, MAINNET, **left)  # type: ignore[arg-type] # ints only


def test_bandwidth_comes_whole_from_one_source() -> None:
    assert cost(net_left=300, free_left=600).bandwidth_burned == 0
    assert cost(net_left=299, free_left=300) == Cost(bandwidth_used=300)
    assert cost(net_left=299, free_left=299) == Cost(bandwidth_burned=Sun(300_000))


def test_activation_costs_1_1_trx_or_1_with_staked_bandwidth() -> None:
    """Recorded: activation 1.1 TRX, never from the free allowance."""
    burned = estimate_cost(
        267, MAINNET, net_left=0, free_left=600, creates_account=True
    )
    assert burned.bandwidth_burned == 100_000
    assert burned.activation == 1_000_000
    assert burned.burned == 1_100_000
    staked = estimate_cost(
        267, MAINNET, net_left=267, free_left=0, creates_account=True
    )
    assert staked.burned == 1_000_000
    assert staked.bandwidth_used == 267


def test_energy_that_is_not_staked_is_burned() -> None:
    """tron-protocol appendix B: 29,650 energy burned are 2.965 TRX."""
    assert cost(free_left=345, size=345, energy=29_650).burned == 2_965_000
    part = cost(free_left=345, size=345, energy=29_650, energy_left=9_650)
    assert (part.energy_used, part.energy_burned) == (9_650, 2_000_000)
    assert cost(free_left=300, energy=5, energy_left=-7).energy_burned == 500


def test_memo_and_second_signatures_cost_a_trx_each() -> None:
    made = estimate_cost(
        400, MAINNET, net_left=400, free_left=0, has_memo=True, signatures=2
    )
    assert (made.memo, made.multi_sign, made.burned) == (
        1_000_000,
        1_000_000,
        2_000_000,
    )


def test_the_fee_limit_caps_staked_energy_too() -> None:
    def limit(fee: int, left: int, balance: int, value: int = 0) -> int:
        return energy_limit_of_call(
            Sun(fee),
            MAINNET,
            energy_left=left,
            balance=Sun(balance),
            call_value=Sun(value),
        )

    assert limit(1_000_000, 50_000, 10**9) == 10_000
    assert limit(10**9, 50_000, 1_000_000) == 60_000
    assert limit(10**9, 50_000, 1_000_000, value=500_000) == 55_000
    assert limit(10**9, 50_000, 0, value=10) == 50_000
    assert limit(10**9, -5, 1_000_000) == 10_000


@pytest.mark.parametrize(("margin", "wanted"), [(0.0, 2_965_000), (0.2, 3_558_000)])
def test_a_fee_limit_has_its_margin(margin: float, wanted: int) -> None:
    assert fee_limit_for(29_650, MAINNET, margin=margin) == wanted


def test_a_fee_limit_stays_below_the_chains() -> None:
    assert fee_limit_for(10**12, MAINNET, margin=0.2) == MAINNET.max_fee_limit
