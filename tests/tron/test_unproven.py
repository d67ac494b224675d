"""Which blocks may hold a transaction that nothing proves."""

from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.tron.units import UnixMillis
from lucidtrond.tron.unproven import UnprovenBlocks

blocks = st.dictionaries(st.integers(1, 60), st.integers(1, 3)).map(
    lambda gaps: UnprovenBlocks(
        tuple(sorted(gaps)), tuple(UnixMillis(3000 * n) for n in sorted(gaps))
    )
)


@given(blocks, st.integers(0, 60), st.integers(0, 200_000))
def test_the_first_one_above_the_reference_and_before_the_expiration_counts(
    unproven: UnprovenBlocks, after: int, expiration: int
) -> None:
    expected = [
        number
        for number, parent in zip(unproven.numbers, unproven.parent_times, strict=True)
        if number > after and parent < expiration
    ]
    possible = unproven.may_hold(after=after, expiration=UnixMillis(expiration))
    assert possible == (expected[0] if expected else None)


@given(blocks, st.integers(0, 60))
def test_it_holds_those_numbers_and_no_others(
    unproven: UnprovenBlocks, number: int
) -> None:
    assert unproven.holds(number) == (number in unproven.numbers)


def test_a_marker_stands_for_all_that_were_forgotten() -> None:
    unproven = UnprovenBlocks((50, 60), (UnixMillis(0), UnixMillis(180_000)))
    assert unproven.holds(3)
    assert unproven.holds(50)
    assert not unproven.holds(51)
    assert unproven.may_hold(after=10, expiration=UnixMillis(1)) == 50
    assert unproven.may_hold(after=50, expiration=UnixMillis(1)) is None
