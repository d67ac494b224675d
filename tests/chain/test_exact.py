"""When calls of a token prove what they move: the rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.chain.exact import (
    MAINTENANCE_MS,
    PATIENCE_MS,
    Check,
    ExactPolicy,
    ExactRange,
    after_check,
    due_since_ms,
    ended,
    has_lapsed,
)
from lucidtrond.tron.tokens import KnownToken
from tests.chain.model import address

HOUR = 3600 * 1000
START = 100 * MAINTENANCE_MS + HOUR
FIRST = ExactRange(10, 10, START)


def check(number: int, time_ms: int, *, is_zero: bool = True, took: int = 2) -> Check:
    after_ms = time_ms + took * 3000
    return Check(number, time_ms, number + took, after_ms, is_zero=is_zero)


def covers(
    range_: ExactRange, number: int, *, late_ms: int = 0, large: bool = False
) -> bool:
    return range_.covers(
        number, START + late_ms, large=large, interval_ms=MAINTENANCE_MS
    )


def after(
    current: ExactRange | None, made: Check
) -> tuple[ExactRange | None, ExactRange | None]:
    return after_check(current, made, interval_ms=MAINTENANCE_MS)


def due(
    current: ExactRange | None, solid_ms: int, large_ms: int | None = None
) -> int | None:
    return due_since_ms(
        current, solid_ms=solid_ms, large_ms=large_ms, interval_ms=MAINTENANCE_MS
    )


def test_a_first_good_check_covers_what_comes_after_it_and_nothing_before() -> None:
    assert after(None, check(8, START)) == (None, ExactRange(10, 10, START + 6000))
    nothing = ExactRange(10, 10, START + 6000, ended_at=10)
    assert after(None, check(8, START, is_zero=False)) == (None, nothing)
    assert not any(covers(nothing, number) for number in (9, 10, 11))
    assert [covers(FIRST, number) for number in (9, 10, 11, 5000)] == [
        False,
        False,
        True,
        True,
    ]


def test_a_large_credit_waits_for_a_check_at_or_above_its_block() -> None:
    assert not covers(FIRST, 11, large=True)
    grown, begun = after(FIRST, check(11, START + 3000))
    assert (grown, begun) == (ExactRange(10, 11, START + 3000), None)
    assert grown is not None
    assert covers(grown, 11, large=True)
    assert not covers(grown, 12, large=True)
    assert covers(grown, 12)


def test_what_comes_too_long_after_the_last_check_is_not_covered() -> None:
    latest = MAINTENANCE_MS + PATIENCE_MS
    assert covers(FIRST, 99, late_ms=latest)
    assert not covers(FIRST, 99, late_ms=latest + 1)


def test_a_change_ends_it_at_the_last_good_check() -> None:
    grown = ExactRange(10, 20, START)
    over, begun = after(grown, check(30, START + HOUR, is_zero=False))
    assert (over, begun) == (ended(grown, at=32), None)
    assert over is not None
    assert [covers(over, number) for number in (10, 11, 20, 21)] == [
        False,
        True,
        True,
        False,
    ]
    same, begun = after(over, check(40, START + HOUR))
    assert (same, begun) == (over, ExactRange(42, 42, START + HOUR + 6000))


def test_after_a_change_a_good_reading_of_a_node_that_lags_begins_nothing() -> None:
    over = ended(FIRST, at=32)
    for number in (12, 31, 32):
        assert after(over, check(number, START)) == (over, None)
    again, begun = after(over, check(40, START, is_zero=False))
    assert (again, begun) == (ended(FIRST, at=42), None)
    assert again is not None
    assert after(again, check(42, START)) == (again, None)
    assert after(again, check(43, START))[1] == ExactRange(45, 45, START + 6000)


def test_a_missed_maintenance_ends_it_and_another_range_begins() -> None:
    late = START + MAINTENANCE_MS + PATIENCE_MS
    assert after(FIRST, check(90, late)) == (ExactRange(10, 90, late), None)
    over, begun = after(FIRST, check(90, late + 1))
    assert (over, begun) == (ended(FIRST, at=90), ExactRange(92, 92, late + 6001))


@pytest.mark.parametrize("is_zero", [True, False])
def test_an_older_reading_says_nothing(*, is_zero: bool) -> None:
    current = ExactRange(10, 20, START)
    older = check(19, START - 3000, is_zero=is_zero)
    assert after(current, older) == (current, None)


def test_a_check_is_due_at_each_maintenance_and_for_a_large_credit() -> None:
    maintenance = 101 * MAINTENANCE_MS
    assert due(None, START) == START
    assert due(ended(FIRST, at=11), START) == START
    assert due(FIRST, maintenance - 1) is None
    assert due(FIRST, maintenance + 5) == maintenance
    assert due(FIRST, START + 9, large_ms=START + 3) == START + 3
    assert due(FIRST, maintenance + 9, large_ms=maintenance + 3) == maintenance


def test_no_answer_ends_it_after_a_while() -> None:
    due_ms = 101 * MAINTENANCE_MS
    for late, over in ((0, False), (PATIENCE_MS, False), (PATIENCE_MS + 1, True)):
        assert has_lapsed(FIRST, due_ms=due_ms, solid_ms=due_ms + late) is over
    late_ms = due_ms + 2 * PATIENCE_MS
    assert not has_lapsed(None, due_ms=due_ms, solid_ms=late_ms)
    assert not has_lapsed(ended(FIRST, at=11), due_ms=due_ms, solid_ms=late_ms)


def test_what_is_large_is_told_in_whole_units() -> None:
    token = KnownToken(address(100), "XYZ", "", 6)
    assert ExactPolicy(large_credit=7).large(token) == 7_000_000
    assert ExactPolicy(large_credit=0).large(token) == 0


CHECKS = st.lists(
    st.tuples(st.integers(1, 9), st.booleans(), st.integers(0, 3)), max_size=12
)


@given(CHECKS)
def test_a_block_is_proven_for_good_only_between_two_good_checks(
    steps: list[tuple[int, bool, int]],
) -> None:
    """Whatever the order: what a closed or checked part covers lies between readings
    that were good, with none between that was not."""
    current: ExactRange | None = None
    ranges: list[ExactRange] = []
    readings: list[tuple[int, int, bool]] = []
    number = 0
    for step, is_zero, took in steps:
        number += step + took
        made = check(number, START + number * 3000, is_zero=is_zero, took=took)
        readings.append((made.before, made.after, is_zero))
        same, begun = after(current, made)
        ranges = [kept for kept in ranges if same is None or kept.above != same.above]
        ranges += [kept for kept in (same, begun) if kept is not None]
        current = begun or same
    for kept in ranges:
        inside = [
            good for first, _, good in readings if kept.above < first <= kept.checked
        ]
        assert all(inside)
        if kept.is_open or kept.checked > kept.above:
            # It begins with a good reading, above all that were not good before it.
            firsts = [at for at, (_, last, good) in enumerate(readings) if good]
            starts = [at for at in firsts if readings[at][1] == kept.above]
            assert starts
            assert all(
                good or last < kept.above for _, last, good in readings[: starts[0]]
            )
        if kept.checked > kept.above:
            assert (kept.checked, True) in [
                (first, good) for first, _, good in readings
            ]
