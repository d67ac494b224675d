from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.tron.resources import (
    DAY_SLOTS,
    DAY_WINDOW,
    Usage,
    bandwidth_fee,
    energy_burned,
    energy_from_stake,
    energy_limit_of_call,
    has_bandwidth,
    increase,
    limit_from_stake,
    recovered,
    stake_in_use,
)
from lucidtrond.tron.units import Sun

usages = st.integers(0, 10**9)
slots = st.integers(0, 10**7)
windows = st.integers(1000, DAY_WINDOW)


@given(usages, slots, st.integers(0, 2 * DAY_SLOTS))
def test_usage_decays_linearly_to_nothing_within_a_day(
    used: int, slot: int, passed: int
) -> None:
    left = Usage(used, slot).left(slot + passed)
    exact = max(Fraction(0), used * (1 - Fraction(passed, DAY_SLOTS)))
    # Averages are kept to a millionth per slot, so a day's rounding is below 0.03.
    assert abs(left - exact) <= 1
    assert left == 0 or passed < DAY_SLOTS


@given(usages, slots)
def test_nothing_is_recovered_at_once(used: int, slot: int) -> None:
    assert Usage(used, slot).left(slot) == used
    assert recovered(used, slot, slot) == used


@given(usages, usages, slots, st.integers(0, DAY_SLOTS))
def test_increasing_adds_to_what_is_left(
    before: int, more: int, slot: int, passed: int
) -> None:
    now = slot + passed
    after = increase(before, more, slot, now)
    assert abs(after - recovered(before, slot, now) - more) <= 1


@given(usages, usages, slots, st.integers(0, DAY_SLOTS), windows)
def test_using_adds_to_what_is_left(
    before: int, more: int, slot: int, passed: int, window: int
) -> None:
    last, now = Usage(before, slot, window), slot + passed
    after = last.increased(more, now)
    assert abs(after.amount - last.left(now) - more) <= 1
    assert after.slot == now


@given(usages, usages, slots, st.integers(0, DAY_SLOTS), windows)
def test_a_merged_window_lies_between_the_rest_of_the_old_and_a_day(
    before: int, more: int, slot: int, passed: int, window: int
) -> None:
    last, now = Usage(before, slot, window), slot + passed
    after = last.increased(more, now)
    rest = window - passed * 1000
    if last.left(now) == 0:
        assert after.window == DAY_WINDOW
    else:
        assert min(rest, DAY_WINDOW) <= after.window + 1000
        assert after.window <= DAY_WINDOW


@given(usages, slots, windows, st.integers(1, DAY_SLOTS))
def test_usage_never_grows_by_waiting(
    used: int, slot: int, window: int, passed: int
) -> None:
    last = Usage(used, slot, window)
    assert last.left(slot + passed) <= last.left(slot + passed - 1) <= used


def test_half_a_day_leaves_half_and_a_fresh_window_merges() -> None:
    """By hand, after ResourceProcessor.increaseV2 of java-tron."""
    half = DAY_SLOTS // 2
    after = Usage(1000, 0).increased(1000, half)
    assert after == Usage(1500, half, 24_000_000)  # (500 * 14.4 + 1000 * 28.8) / 1500
    assert after.left(half + 12_000) == 750
    assert Usage(1000, 0).increased(1000, DAY_SLOTS) == Usage(
        1000, DAY_SLOTS, DAY_WINDOW
    )
    assert Usage().increased(268, 7) == Usage(268, 7, DAY_WINDOW)


def test_a_window_below_one_slot_is_a_whole_day() -> None:
    assert Usage(1000, 0, 999).left(DAY_SLOTS // 2) == 500


@given(
    st.builds(Usage, usages, slots, windows), st.integers(0, DAY_SLOTS), usages, windows
)
def test_what_another_used_is_taken_over_with_its_window(
    before: Usage, passed: int, moved: int, other_window: int
) -> None:
    now = before.slot + passed
    after = before.joined(Usage(moved, now, other_window), now)
    assert after.amount == before.left(now) + moved
    rest = before.increased(0, now).window
    low, high = sorted((rest, other_window))
    if before.left(now) == 0:
        low = high = other_window
    if after.amount == 0:
        low = high = DAY_WINDOW
    elif moved == 0:
        low = high = rest
    assert low <= after.window <= high


def test_a_window_of_0_is_a_whole_day() -> None:
    """getWindowSizeV2: an account that never had one."""
    half = DAY_SLOTS // 2
    assert Usage(1000, 0, 0).increased(1000, half) == Usage(1500, half, 24_000_000)


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


def test_a_stake_beyond_53_bits_is_rounded_before_it_is_divided() -> None:
    """(double) frozenBalance / TRX_PRECISION of calculateGlobalEnergyLimitV2."""
    staked = Sun(43_168_610_055_960_117)
    share = {"total_limit": 181_845_257_955, "total_weight": 57_533_972_239}
    assert limit_from_stake(staked, **share) == 136_441_248_982


@given(st.integers(0, 10**9), st.integers(10**9, 10**12), st.integers(1, 10**11))
def test_the_stake_in_use_gives_what_is_used(
    used: int, limit: int, weight: int
) -> None:
    share = {"total_limit": limit, "total_weight": weight}
    stake = stake_in_use(used, **share)
    given_ = limit_from_stake(stake, **share)
    # A sun is so much of the day's limit.
    assert abs(given_ - used) <= 1 + limit / weight / 10**6


def bandwidth(size: int, *, creates: bool = False) -> int:
    return bandwidth_fee(
        size,
        creates_account=creates,
        transaction_fee=Sun(1000),
        create_account_fee=Sun(100_000),
    )


def test_bandwidth_comes_whole_from_one_source() -> None:
    def burns_nothing(staked: int, free: int, *, creates: bool = False) -> bool:
        return has_bandwidth(
            300, staked_left=staked, free_left=free, creates_account=creates
        )

    assert burns_nothing(300, 0)
    assert burns_nothing(299, 300)
    assert not burns_nothing(299, 299)
    assert not burns_nothing(-1, -1)
    assert burns_nothing(300, 600, creates=True)
    assert not burns_nothing(299, 600, creates=True)


def test_burned_bandwidth_is_paid_by_the_byte_or_at_once_for_an_account() -> None:
    """Recorded: an activation burns 0.1 TRX beside its fee of 1 TRX."""
    assert bandwidth(300) == 300_000
    assert bandwidth(267, creates=True) == 100_000


def test_energy_that_is_not_staked_is_burned() -> None:
    """tron-protocol appendix B: 29,650 energy burned are 2.965 TRX."""

    def burned(energy: int, left: int) -> int:
        return energy_burned(energy, staked_left=left, energy_fee=Sun(100))

    assert burned(29_650, 0) == 2_965_000
    assert burned(29_650, 9_650) == 2_000_000
    assert burned(5, -7) == 500
    assert burned(5, 7) == 0
    assert energy_from_stake(29_650, 9_650) == 9_650
    assert energy_from_stake(5, -7) == 0
    assert energy_from_stake(5, 7) == 5


def test_the_fee_limit_caps_staked_energy_too() -> None:
    def limit(fee: int, left: int, balance: int, value: int = 0) -> int:
        return energy_limit_of_call(
            Sun(fee),
            staked_left=left,
            balance=Sun(balance),
            call_value=Sun(value),
            energy_fee=Sun(100),
        )

    assert limit(1_000_000, 50_000, 10**9) == 10_000
    assert limit(10**9, 50_000, 1_000_000) == 60_000
    assert limit(10**9, 50_000, 1_000_000, value=500_000) == 55_000
    assert limit(10**9, 50_000, 0, value=10) == 50_000
    assert limit(10**9, -5, 1_000_000) == 10_000
