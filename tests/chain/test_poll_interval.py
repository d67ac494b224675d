"""The pace, against chains of any speed."""

from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.chain.poll_interval import PollInterval


def follow(interval_s: float, *, blocks: int, phase: float) -> tuple[int, float]:
    """Follow a chain of real *interval_s*; give polls and the mean delay in seconds,
    both of the second half."""
    pace = PollInterval(slowest_s=3.0)
    now_s, seen, polls, late_s, counted = phase, 0, 0, 0.0, 0
    while seen < blocks:
        there = int(now_s / interval_s)
        new = there - seen
        if seen >= blocks // 2:
            polls += 1
            for number in range(seen + 1, there + 1):
                late_s += now_s - number * interval_s
                counted += 1
        seen = there
        now_s += pace.seen(new, now_s) if new else pace.nothing()
    return polls, late_s / max(counted, 1)


@given(st.floats(0.3, 3.0), st.floats(0, 3))
def test_a_block_costs_about_one_question_and_is_seen_soon(
    interval_s: float, phase: float
) -> None:
    polls, late_s = follow(interval_s, blocks=400, phase=phase)
    assert polls <= 200 * 1.35
    assert late_s <= interval_s * 0.6


def test_a_standing_chain_is_asked_no_more_often_than_its_block_time() -> None:
    pace = PollInterval(slowest_s=3.0)
    pace.seen(1, 0)
    waits = [pace.nothing() for _ in range(20)]
    assert waits[-1] == 3.0
    assert sum(wait < 3.0 for wait in waits) <= 3
    assert pace.failed() == 3.0


def test_catching_up_teaches_no_haste() -> None:
    pace = PollInterval(slowest_s=3.0)
    for now_s in range(50):
        pace.caught_up(now_s / 100)
    assert pace.seen(1, 3.5) > 2.5
