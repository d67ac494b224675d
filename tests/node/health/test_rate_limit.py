"""Rate, daily quota and breaker of one endpoint, without waiting."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lucidtrond.node.health.policy import LONGEST_REST_S
from lucidtrond.node.health.rate_limit import (
    BURST_S,
    FOR_PAYMENTS,
    FREE_PER_S,
    OPEN_AFTER,
    SLOWEST_PER_S,
    Breaker,
    Budget,
    Day,
    RateLimiter,
)

GAPS = st.floats(0, 5)
RATES = st.floats(0.5, 100)


@given(RATES, st.lists(GAPS, max_size=60))
def test_in_no_stretch_of_time_go_more_than_rate_and_burst(
    rate: float, gaps: list[float]
) -> None:
    pace, now, gone = RateLimiter(rate), 0.0, []
    for gap in gaps:
        now += gap
        gone.append(now + pace.take(now))
    assert gone == sorted(gone)
    burst = max(1.0, BURST_S * rate)
    for first, start in enumerate(gone):
        for last in range(first, len(gone)):
            allowed = rate * (gone[last] - start) + burst
            assert last - first + 1 <= allowed + 1 + 1e-6


@given(RATES, st.lists(GAPS, max_size=30))
def test_the_wait_that_is_told_is_the_wait_that_is(
    rate: float, gaps: list[float]
) -> None:
    pace, now = RateLimiter(rate), 0.0
    for gap in gaps:
        now += gap
        assert pace.wait_s(now) == pace.take(now)


def test_who_asks_for_no_more_than_the_rate_never_waits() -> None:
    pace = RateLimiter(4.0)
    assert [pace.take(n / 4) for n in range(100)] == [0.0] * 100


def test_a_payment_goes_at_once_and_the_others_pay_for_it() -> None:
    pace = RateLimiter(1.0)
    assert pace.take(0.0) == 0
    assert [pace.take(0.0, urgent=True) for _ in range(50)] == [0.0] * 50
    # Not fifty seconds: payments bring the others two seconds behind at most.
    assert 0 < pace.take(0.0) <= 3


def test_without_a_rate_nobody_waits_until_the_first_refusal() -> None:
    pace = RateLimiter(None)
    assert [pace.take(0.5) for _ in range(100)] == [0.0] * 100
    pace.note_refusal(0.9, punished=True)
    assert pace.rate == 50  # half of what it got
    assert pace.take(0.9) > 0


def test_refusals_of_one_moment_count_once() -> None:
    pace = RateLimiter(64.0)
    for _ in range(64):
        pace.take(0.0)
    for _ in range(8):
        pace.note_refusal(0.1, punished=True)
    assert pace.rate == 32
    pace.note_refusal(2.0, punished=True)
    assert pace.rate == 16


def test_answers_bring_the_pace_back_to_what_is_configured() -> None:
    pace, now = RateLimiter(10.0), 0.0
    for _ in range(10):
        pace.take(now)
    pace.note_refusal(now, punished=True)
    assert pace.rate == 5
    for _ in range(1000):
        now += 0.1
        pace.note_answer(now)
    assert pace.rate == 10


def test_a_pace_nobody_configured_ends_when_it_is_fast_again() -> None:
    pace, now = RateLimiter(None), 0.0
    for _ in range(300):
        pace.take(now)
    pace.note_refusal(now, punished=True)
    assert pace.rate == 150
    rates: list[float | None] = []
    for _ in range(200_000):
        now += 0.1
        pace.note_answer(now)
        rates.append(pace.rate)
    assert rates[-1] is None
    assert all(rate < FREE_PER_S for rate in rates if rate is not None)


def simulate(
    pace: RateLimiter,
    refuses: Callable[[float, int], bool],
    *,
    seconds: int,
    demand: int,
    start: int = 0,
) -> tuple[float, float]:
    """Let *demand* a second be asked; gives answers a second and refusals' share.

    *refuses* is asked with the time and the requests of that second so far.
    """
    sent = refused = in_second = 0
    for step in range(seconds * demand):
        now = start + step / demand
        if step % demand == 0:
            in_second = 0
        if pace.wait_s(now) > 0:
            continue
        pace.take(now)
        in_second += 1
        sent += 1
        if refuses(now, in_second):
            refused += 1
            pace.note_refusal(now, punished=False)
        else:
            pace.note_answer(now)
    return (sent - refused) / seconds, refused / sent


@pytest.mark.parametrize("share", [0.02, 0.05, 0.12])
@pytest.mark.parametrize("seed", range(3))
def test_refusals_that_have_nothing_to_do_with_the_rate_starve_nobody(
    share: float, seed: int
) -> None:
    chance = random.Random(seed)
    rate, _ = simulate(
        RateLimiter(None), lambda *_: chance.random() < share, seconds=600, demand=100
    )
    assert rate > 30


@pytest.mark.parametrize(
    ("limit", "most"), [(1, 0.35), (4, 0.25), (15, 0.12), (50, 0.1)]
)
def test_a_limit_on_the_rate_is_found_and_used(limit: int, most: float) -> None:
    rate, refused = simulate(
        RateLimiter(None), lambda _, number: number > limit, seconds=900, demand=200
    )
    assert refused < most
    assert rate > 0.7 * limit


def test_a_limit_that_falls_is_followed_within_a_minute() -> None:
    pace = RateLimiter(None)
    simulate(pace, lambda _, number: number > 50, seconds=120, demand=100)
    _, refused = simulate(
        pace, lambda _, number: number > 5, seconds=60, demand=100, start=120
    )
    assert refused < 0.3
    assert pace.rate is not None
    assert pace.rate < 8


class PaceMachine(RuleBasedStateMachine):
    """Whatever happens, the pace stays between its bounds and nobody waits for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.pace = RateLimiter(20.0)

    @rule(gap=GAPS)
    def time_passes(self, gap: float) -> None:
        self.now += gap

    @rule(urgent=st.booleans())
    def somebody_asks(self, urgent: bool) -> None:  # noqa: FBT001 - hypothesis' way
        held = max(0.0, -self.pace.tokens)
        wait_s = self.pace.take(self.now, urgent=urgent)
        assert self.pace.rate is not None
        assert 0 <= wait_s <= (held + 1) / self.pace.rate + 1e-6
        assert not (urgent and wait_s)

    @rule(punished=st.booleans())
    def it_refuses(self, punished: bool) -> None:  # noqa: FBT001 - hypothesis' way
        before = self.pace.rate
        self.pace.note_refusal(self.now, punished=punished)
        assert before is not None
        assert self.pace.rate is not None
        assert self.pace.rate <= before

    @rule()
    def it_answers(self) -> None:
        before = self.pace.rate
        self.pace.note_answer(self.now)
        assert before is not None
        assert self.pace.rate is not None
        assert before <= self.pace.rate
        assert self.pace.rate <= before + 0.2

    @invariant()
    def the_rate_is_within_bounds(self) -> None:
        assert self.pace.rate is not None
        assert SLOWEST_PER_S <= self.pace.rate <= 20.0
        assert self.pace.tokens <= max(1.0, BURST_S * 20.0)


TestPaceMachine = PaceMachine.TestCase
TestPaceMachine.settings = settings(max_examples=40, stateful_step_count=40)


# The day


@given(
    st.integers(1, 300),
    st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=400),
)
def test_no_day_takes_more_than_its_quota_and_payments_keep_their_part(
    per_day: int, asked: list[tuple[int, bool]]
) -> None:
    day, total = Day(per_day), {True: 0, False: 0}
    newest = -1
    for number, urgent in asked:
        if number > newest:
            newest, total = number, {True: 0, False: 0}
        if day.take(number, urgent=urgent):
            total[urgent] += 1
        else:
            left = per_day - sum(total.values())
            assert left == 0 or (not urgent and left <= per_day * FOR_PAYMENTS)
        assert sum(total.values()) == day.used <= per_day
        assert day.left(number) == per_day - day.used


def test_without_a_quota_a_day_has_no_end() -> None:
    day = Day(None)
    assert all(day.take(1) for _ in range(1000))
    assert day.left(1) is None
    assert day.used == 1000


# The breaker


class BreakerMachine(RuleBasedStateMachine):
    """An open breaker lets one request through at a time, after a rest."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.breaker = Breaker()
        self.failed = 0
        self.failed_at = 0.0
        self.probe = False

    @rule(gap=st.floats(0, 40))
    def time_passes(self, gap: float) -> None:
        self.now += gap

    @precondition(lambda self: self.breaker.may_ask(self.now))
    @rule()
    def somebody_asks(self) -> None:
        assert not self.probe
        self.probe = self.breaker.begin()
        assert self.probe == (self.failed >= OPEN_AFTER)

    @precondition(lambda self: self.probe)
    @rule()
    def the_probe_is_cancelled(self) -> None:
        self.breaker.end()
        self.probe = False

    @rule()
    def a_failure_comes(self) -> None:
        self.breaker.note_failure(self.now)
        self.failed, self.failed_at = self.failed + 1, self.now

    @rule()
    def an_answer_comes(self) -> None:
        self.breaker.note_answer()
        self.breaker.end()
        self.failed, self.probe = 0, False
        assert self.breaker.may_ask(self.now)

    @invariant()
    def it_is_open_when_it_should_be(self) -> None:
        may = self.breaker.may_ask(self.now)
        if self.failed < OPEN_AFTER:
            assert may
        elif self.probe:
            assert not may
        elif self.now - self.failed_at > LONGEST_REST_S:
            assert may


TestBreakerMachine = BreakerMachine.TestCase
TestBreakerMachine.settings = settings(max_examples=40, stateful_step_count=30)


@pytest.mark.parametrize("wrong", [{"per_second": 0.0}, {"per_day": 0}])
def test_a_budget_of_nothing_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="per_"):
        Budget(**wrong)
