"""Equal questions fly together, and nobody falls out when one gets off."""

from collections import Counter
from collections.abc import Callable

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.errors import NodeError, NodeRefused
from lucidtrond.node.questions.single_flight import Cache


class Upstream:
    """Answers with how often it was asked, after a second."""

    def __init__(self, *, fails: int = 0) -> None:
        self.asked = self.answered = 0
        self.fails = fails

    async def fetch(self) -> int:
        self.asked += 1
        mine = self.asked
        await trio.sleep(1)
        self.answered += 1
        if mine <= self.fails:
            raise NodeRefused("n", f"no {mine}")
        return mine


def kept(_: object) -> float:
    return 10


def not_kept(_: object) -> float:
    return 0


@pytest.mark.parametrize("age_s", [kept, not_kept])
async def test_a_thousand_equal_questions_are_one(
    age_s: Callable[[object], float], autojump_clock: trio.testing.MockClock
) -> None:
    cache, upstream = Cache(size=10), Upstream()
    answers: list[int] = []

    async def ask() -> None:
        answers.append(await cache.get("k", upstream.fetch, age_s=age_s))

    async with trio.open_nursery() as nursery:
        for _ in range(1000):
            nursery.start_soon(ask)
    assert answers == [1] * 1000
    assert upstream.asked == 1


async def test_nobody_fails_because_the_first_asker_was_cancelled(
    autojump_clock: trio.testing.MockClock,
) -> None:
    cache, upstream = Cache(size=10), Upstream()
    answers: list[int] = []
    first = trio.CancelScope()

    async def ask_first() -> None:
        with first:
            await cache.get("k", upstream.fetch, age_s=kept)

    async def ask() -> None:
        answers.append(await cache.get("k", upstream.fetch, age_s=kept))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask_first)
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(1000):
            nursery.start_soon(ask)
        await trio.sleep(0.5)
        first.cancel()
    assert first.cancelled_caught
    assert answers == [2] * 1000
    assert (upstream.asked, upstream.answered) == (2, 1)


@given(
    askers=st.lists(
        st.tuples(
            st.integers(0, 1),  # which question
            st.sampled_from([0, 0.5, 1, 1.5, 2.5]),  # when
            st.sampled_from([0.25, 0.75, 1.25, 99]),  # with how much patience
        ),
        max_size=12,
    ),
    fails=st.integers(0, 2),
    forget_at=st.none() | st.sampled_from([0.25, 0.75, 1.25]),
)
@settings(max_examples=150)
def test_whoever_stays_gets_an_answer_whatever_the_others_do(
    askers: list[tuple[int, float, float]], fails: int, forget_at: float | None
) -> None:
    cache = Cache(size=10)
    upstreams = [Upstream(fails=fails), Upstream(fails=fails)]
    ended: Counter[str] = Counter()
    at_once: Counter[int] = Counter()

    async def ask(which: int, start_s: float, patience_s: float) -> None:
        await trio.sleep(start_s)

        async def fetch() -> int:
            at_once[which] += 1
            try:
                # Only forgetting a flight lets a second one take off.
                assert at_once[which] <= (1 if forget_at is None else 2)
                return await upstreams[which].fetch()
            finally:
                at_once[which] -= 1

        with trio.move_on_after(patience_s) as scope:
            try:
                answer = await cache.get(which, fetch, age_s=kept)
                assert fails < answer <= upstreams[which].asked
                ended["answer"] += 1
            except NodeError:
                ended["error"] += 1
        ended["gone"] += scope.cancelled_caught
        assert not (scope.cancelled_caught and patience_s == 99)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for asker in askers:
                nursery.start_soon(ask, *asker)
            if forget_at is not None:
                await trio.sleep(forget_at)
                cache.forget(0)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert ended.total() == len(askers)
    assert not cache._calls


async def test_an_error_is_everybodys_and_nobodys_afterwards(
    autojump_clock: trio.testing.MockClock,
) -> None:
    cache, upstream = Cache(size=10), Upstream(fails=1)
    errors: list[str] = []

    async def ask() -> None:
        try:
            await cache.get("k", upstream.fetch, age_s=kept)
        except NodeError as error:
            errors.append(str(error))

    async with trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(ask)
    assert errors == ["n: no 1"] * 100
    assert upstream.asked == 1
    assert await cache.get("k", upstream.fetch, age_s=kept) == 2


async def test_a_bug_is_raised_where_it_happened_and_others_ask_again(
    autojump_clock: trio.testing.MockClock,
) -> None:
    cache, asked = Cache(size=10), 0

    async def fetch() -> str:
        nonlocal asked
        asked += 1
        mine = asked
        await trio.sleep(1)
        if mine == 1:
            raise ZeroDivisionError
        return "answer"

    async def ask_first() -> None:
        with pytest.raises(ZeroDivisionError):
            await cache.get("k", fetch, age_s=kept)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask_first)
        await trio.testing.wait_all_tasks_blocked()
        assert await cache.get("k", fetch, age_s=kept) == "answer"


async def test_an_answer_is_kept_for_its_age(
    autojump_clock: trio.testing.MockClock,
) -> None:
    cache, upstream = Cache(size=10), Upstream()
    assert await cache.get("k", upstream.fetch, age_s=kept) == 1
    await trio.sleep(9.9)
    assert await cache.get("k", upstream.fetch, age_s=kept) == 1
    await trio.sleep(0.2)
    assert await cache.get("k", upstream.fetch, age_s=kept) == 2


async def test_a_kept_answer_is_given_at_a_checkpoint(
    autojump_clock: trio.testing.MockClock,
) -> None:
    cache, upstream = Cache(size=10), Upstream()
    await cache.get("k", upstream.fetch, age_s=kept)
    with trio.testing.assert_checkpoints():
        await cache.get("k", upstream.fetch, age_s=kept)


async def test_what_was_forgotten_under_way_is_delivered_but_not_kept(
    autojump_clock: trio.testing.MockClock,
) -> None:
    cache, upstream = Cache(size=10), Upstream()
    answers: list[tuple[str, int]] = []

    async def ask(who: str) -> None:
        answers.append((who, await cache.get("k", upstream.fetch, age_s=kept)))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask, "before")
        await trio.sleep(0.5)
        cache.forget("k")
        nursery.start_soon(ask, "after")
    assert answers == [("before", 1), ("after", 2)]
    assert await cache.get("k", upstream.fetch, age_s=kept) == 2
    cache.forget_all()
    assert await cache.get("k", upstream.fetch, age_s=kept) == 3


@given(st.lists(st.integers(0, 9), max_size=40), st.integers(1, 5))
def test_the_least_used_answers_go_first(keys: list[int], size: int) -> None:
    cache = Cache(size=size)
    recent: list[int] = []
    fetched: list[int] = []

    async def main() -> None:
        for key in keys:

            async def fetch(key: int = key) -> int:
                await trio.lowlevel.checkpoint()
                fetched.append(key)
                return key

            wanted = len(fetched) + (key not in recent[-size:])
            assert await cache.get(key, fetch, age_s=kept) == key
            assert len(fetched) == wanted
            if key in recent:
                recent.remove(key)
            recent.append(key)
            assert len(cache) <= size

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
