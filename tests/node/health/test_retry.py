"""Asking again, on a clock of our own."""

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.errors import NodeError, NodeRefused, NodeTimeout, NodeUnavailable
from lucidtrond.node.health.policy import RetryPolicy
from lucidtrond.node.health.retry import retrying

GONE = NodeUnavailable("n", 1, "gone")


class Asked:
    """Fails as told, then answers; takes *takes_s* each time; notes when."""

    def __init__(self, *failures: Exception, takes_s: float = 0) -> None:
        self.failures, self.takes_s = list(failures), takes_s
        self.at: list[float] = []
        self.running = 0

    async def __call__(self) -> str:
        self.at.append(trio.current_time())
        self.running += 1
        try:
            await trio.sleep(self.takes_s)
        finally:
            self.running -= 1
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


async def ask(asked: Asked, policy: RetryPolicy | None = None) -> str:
    return await retrying(asked, policy or RetryPolicy(), chance=lambda: 0.5)


async def test_after_waits_of_1_2_and_4_seconds_comes_the_error(
    autojump_clock: trio.testing.MockClock,
) -> None:
    asked = Asked(*[GONE] * 9)
    with pytest.raises(NodeUnavailable) as caught:
        await ask(asked)
    assert asked.at == [0, 1, 3, 7]
    assert caught.value.attempts == 4
    assert caught.value.reason == "gone"
    assert trio.current_time() == 7


async def test_the_kind_of_failure_is_kept(
    autojump_clock: trio.testing.MockClock,
) -> None:
    with pytest.raises(NodeTimeout, match="4 attempts"):
        await ask(Asked(*[NodeTimeout("n", 1)] * 4))


@pytest.mark.parametrize("failures", [0, 1, 2, 3])
async def test_an_answer_ends_it(
    failures: int, autojump_clock: trio.testing.MockClock
) -> None:
    asked = Asked(*[GONE] * failures)
    assert await ask(asked) == "answer"
    assert len(asked.at) == failures + 1
    assert trio.current_time() == 2**failures - 1


async def test_a_refusal_is_not_argued_with(
    autojump_clock: trio.testing.MockClock,
) -> None:
    refused = NodeRefused("n", "no")
    with pytest.raises(NodeRefused) as caught:
        await ask(Asked(GONE, refused, GONE))
    assert caught.value is refused
    assert trio.current_time() == 1


async def test_a_bug_is_not_asked_again() -> None:
    with pytest.raises(ZeroDivisionError):
        await ask(Asked(ZeroDivisionError()))


async def test_the_nodes_own_wait_is_honoured(
    autojump_clock: trio.testing.MockClock,
) -> None:
    asked = Asked(NodeUnavailable("n", 1, retry_after_s=30), GONE)
    assert await ask(asked) == "answer"
    assert asked.at == [0, 30, 32]


async def test_who_is_told_to_wait_too_long_gives_up_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    with pytest.raises(NodeUnavailable) as caught:
        await ask(Asked(NodeUnavailable("n", 1, retry_after_s=3600)))
    assert caught.value.retry_after_s == 3600
    assert trio.current_time() == 0


async def test_jitter_spreads_the_waits(
    autojump_clock: trio.testing.MockClock,
) -> None:
    asked = Asked(GONE, GONE)
    await ask(asked, RetryPolicy(jitter=True))
    assert asked.at == [0, 0.5, 1.5]


@given(st.floats(0, 12), st.floats(0, 3))
def test_it_can_be_cancelled_at_any_point(after_s: float, takes_s: float) -> None:
    asked = Asked(*[GONE] * 9, takes_s=takes_s)
    begins = [0, takes_s + 1, 2 * takes_s + 3, 3 * takes_s + 7]
    ends_s = 4 * takes_s + 7

    async def main() -> None:
        failed: list[NodeError] = []
        with trio.move_on_after(after_s) as scope:
            try:
                await ask(asked)
            except NodeError as error:
                failed.append(error)
        # At the very instant of a wake-up either may come first.
        if abs(after_s - ends_s) > 1e-6:
            assert scope.cancelled_caught == (after_s < ends_s)
            assert bool(failed) == (after_s > ends_s)
        assert trio.current_time() <= min(after_s, ends_s) + 1e-6

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert asked.running == 0
    certain = [begin for begin in begins if begin < after_s - 1e-6]
    possible = [begin for begin in begins if begin <= after_s + 1e-6]
    assert len(certain) <= len(asked.at) <= max(1, len(possible))


async def test_the_deadline_is_the_callers(
    autojump_clock: trio.testing.MockClock,
) -> None:
    with pytest.raises(trio.TooSlowError), trio.fail_after(5):
        await ask(Asked(*[GONE] * 9))
    assert trio.current_time() == 5


async def test_a_question_may_use_nurseries(
    autojump_clock: trio.testing.MockClock,
) -> None:
    inner = ExceptionGroup("inner", [NodeRefused("b", "no"), GONE])
    asked = Asked(ExceptionGroup("outer", [inner]), GONE)
    assert await ask(asked) == "answer"
    assert asked.at == [0, 1, 3]
    lasting = ExceptionGroup("", [NodeRefused("a", "no"), NodeRefused("b", "no")])
    with pytest.raises(NodeRefused, match="a: no"):
        await ask(Asked(lasting))


async def test_a_bug_in_a_group_is_not_hidden() -> None:
    group = ExceptionGroup("", [GONE, ZeroDivisionError()])
    with pytest.raises(ExceptionGroup) as caught:
        await ask(Asked(group))
    assert caught.value is group


async def test_many_in_one_nursery_wait_side_by_side(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(ask, Asked(GONE, GONE))
    assert trio.current_time() == 3
