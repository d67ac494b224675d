"""Which failures are waited for, and how long."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.errors import (
    NodeError,
    NodeLied,
    NodeRefused,
    NodeTimeout,
    NodeUnavailable,
    QuotaSpent,
    WrongNetwork,
)
from lucidtrond.node.health.policy import (
    LONGEST_WAIT_S,
    RetryPolicy,
    is_retryable,
    most_telling,
    rest_s,
    retry_after_s,
)

GONE = NodeUnavailable("n", 1)
LASTING: list[NodeError] = [
    NodeRefused("n", "no"),
    NodeLied("n", "no"),
    QuotaSpent("n"),
    WrongNetwork("n", wanted="a", received="b"),
]


def waits(
    policy: RetryPolicy, error: NodeError = GONE, chance: float = 1
) -> list[float]:
    planned: list[float] = []
    for failures in count(1):
        wait = policy.wait_s(failures, error, chance=chance)
        if wait is None:
            return planned
        planned.append(wait)
    raise AssertionError


def test_the_older_services_values_wait_1_2_and_4_seconds() -> None:
    assert waits(RetryPolicy()) == [1, 2, 4]
    assert waits(RetryPolicy(max_retries=0)) == []
    assert (
        waits(RetryPolicy(max_retries=5, backoff=1, initial_delay_s=0.5)) == [0.5] * 5
    )


def test_jitter_is_off_unless_asked_for() -> None:
    assert waits(RetryPolicy(), chance=0) == [1, 2, 4]
    assert waits(RetryPolicy(jitter=True), chance=0.5) == [0.5, 1, 2]


@pytest.mark.parametrize("error", LASTING)
def test_what_would_be_answered_alike_is_not_asked_again(error: NodeError) -> None:
    assert not is_retryable(error)
    assert waits(RetryPolicy(), error) == []


def test_silence_and_timeouts_are_asked_again() -> None:
    assert is_retryable(GONE)
    assert is_retryable(NodeTimeout("n", 1))


@given(asked=st.floats(0, 1e6), jitter=st.booleans(), chance=st.floats(0, 1))
def test_a_wait_that_the_node_asked_for_is_never_shortened(
    *, asked: float, jitter: bool, chance: float
) -> None:
    policy = RetryPolicy(jitter=jitter)
    error = NodeUnavailable("n", 1, retry_after_s=asked)
    planned = waits(policy, error, chance)
    assert all(wait_s >= asked for wait_s in planned)
    assert (planned == []) == (asked > LONGEST_WAIT_S)


@given(st.integers(0, 30), st.floats(1, 1e300), st.floats(0, 1e300), st.floats(0, 1))
def test_waits_grow_and_stay_bounded(
    retries: int, backoff: float, first: float, chance: float
) -> None:
    policy = RetryPolicy(retries, backoff, first)
    planned = waits(policy, chance=chance)
    assert len(planned) == retries
    assert planned == sorted(planned)
    assert all(0 <= wait_s <= LONGEST_WAIT_S for wait_s in planned)


@pytest.mark.parametrize("failures", [1, 2, 3, 10, 10**9])
def test_rests_grow_to_half_a_minute(failures: int) -> None:
    assert rest_s(failures) == min(2.0 ** (min(failures, 9) - 1), 30)


def test_what_may_pass_is_reported_before_what_will_not() -> None:
    assert most_telling([*LASTING, GONE]) is GONE
    assert most_telling(LASTING) is LASTING[0]


@given(
    st.permutations(
        [
            NodeRefused("n", "no"),
            QuotaSpent("n"),
            NodeUnavailable("n", 1, retry_after_s=30),
            NodeUnavailable("n", 1, retry_after_s=5),
            NodeUnavailable("n", 1, "gone"),
        ]
    )
)
def test_of_several_failures_the_one_that_may_pass_soonest_is_reported(
    errors: list[NodeError],
) -> None:
    assert "gone" in str(most_telling(errors))
    waiting = [error for error in errors if "gone" not in str(error)]
    assert retry_after_s(most_telling(waiting)) == 5
