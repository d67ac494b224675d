"""What a block that proves nothing says of a payment: never dead, never failed."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.events.types import PaymentState
from lucidtrond.sending.plan import (
    IN_FLIGHT,
    Attempt,
    Included,
    Inclusion,
    SolidUpTo,
    after,
)
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.units import Sun, UnixMillis
from lucidtrond.tron.unproven import UnprovenBlocks

REFERENCE, EXPIRATION = 10, UnixMillis(3000 * 50)


def at(number: int) -> UnixMillis:
    return UnixMillis(3000 * number)


def unproven(*numbers: int) -> UnprovenBlocks:
    return UnprovenBlocks(numbers, tuple(at(number - 1) for number in numbers))


def solid(number: int, blocks: UnprovenBlocks) -> SolidUpTo:
    return SolidUpTo(number, at(number), 0, blocks)


PENDING = Attempt("pending", EXPIRATION, REFERENCE, sent=1)


@given(
    st.sampled_from(sorted(IN_FLIGHT)),
    st.integers(0, 80),
    st.sets(st.integers(0, 80), max_size=4),
)
def test_it_is_dead_only_if_every_block_that_may_hold_it_is_proven(
    state: PaymentState, number: int, spoilt: set[int]
) -> None:
    attempt = evolve(PENDING, state=state)
    known = after(attempt, solid(number, unproven(*sorted(spoilt))))
    # Block 50 is the last whose parent's time is before the expiration.
    may_hold = any(REFERENCE < each <= 50 for each in spoilt)
    assert (known.state == "expired") == (number >= 50 and not may_hold)
    assert not known.safe_to_retry
    if number >= 50 and may_hold:
        assert known.state == state
        assert "not proven dead" in str(known.reason)


@pytest.mark.parametrize("final", [False, True])
@pytest.mark.parametrize(("shown", "true"), [(1, 2), (2, 1), (1, 1)])
def test_a_proven_block_corrects_what_an_unproven_one_showed(
    shown: int, true: int, *, final: bool
) -> None:
    lie = Inclusion(20, BlockId("00" * 32), at(20), shown, Sun(0))
    known = after(PENDING, Included(lie))
    if final:
        known = after(known, solid(20, unproven(20)))
        assert known.state == ("solidified" if shown == 1 else "unproven")
    truth = Inclusion(21, BlockId("11" * 32), at(21), true, Sun(5))
    assert after(known, Included(truth)) == known
    corrected = after(known, Included(truth, committed=True))
    assert (corrected.state, corrected.inclusion) == ("included", truth)
    again = after(corrected, Included(lie))
    settled = after(again, solid(30, unproven(20)))
    assert settled.state == ("solidified" if true == 1 else "failed")
    assert after(settled, Included(truth, committed=True)) == settled


def test_the_doubt_is_told_once_however_many_blocks_follow_and_are_forgotten() -> None:
    """Each change is an event and a write, and such a payment stays for good."""
    doubted = after(PENDING, solid(60, unproven(20, 30, 90)))
    assert "block 20 may hold it" in str(doubted.reason)
    forgotten = UnprovenBlocks((30, 90), (UnixMillis(0), at(89)))
    assert after(doubted, solid(100, forgotten)) == doubted
    assert after(doubted, solid(100, unproven())).state == "expired"


@pytest.mark.parametrize(
    ("result", "blocks", "state"),
    [
        (1, unproven(20), "solidified"),
        (1, unproven(21), "solidified"),
        (2, unproven(20), "unproven"),
        (2, unproven(21), "failed"),
    ],
)
def test_a_failure_counts_only_in_a_block_that_is_proven(
    result: int, blocks: UnprovenBlocks, state: str
) -> None:
    inclusion = Inclusion(20, BlockId("00" * 32), at(20), result, Sun(0))
    included = after(PENDING, Included(inclusion))
    known = after(included, solid(30, blocks))
    assert known.state == state
    assert known.safe_to_retry == (state == "failed")
