"""What following will use of a day's budgets."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from lucidtrond.chain import reconcile
from lucidtrond.chain.poll_interval import PollInterval
from lucidtrond.node.health import rate_limit
from lucidtrond.node.questions import head_comparison, second_source
from lucidtrond.tron.block import BLOCK_INTERVAL_MS
from lucidtrond_network.plan import (
    BLOCK_S,
    FOR_PAYMENTS,
    HEADS_PER_MINUTE,
    KEPT_FOR_FOLLOWING,
    REQUESTS_PER_ROUND,
    ROUNDS_PER_BLOCK,
    make_plan,
)
from tests.plugins.bench import open_shipped


def shown(name: str, per_day: int | None) -> dict[str, Any]:
    return {
        "endpoint": name,
        "per_day": per_day,
        "left_today": per_day,
        "requests_today": 0,
    }


def test_its_numbers_are_those_of_the_pool() -> None:
    assert BLOCK_S * 1000 == BLOCK_INTERVAL_MS
    assert FOR_PAYMENTS == rate_limit.FOR_PAYMENTS
    plan = make_plan([shown("a", None), shown("b", None)], reconcile_per_minute=10)
    assert plan.comparing_per_day * head_comparison.COMPARE_EVERY_S == 86_400
    assert KEPT_FOR_FOLLOWING == second_source.KEPT_FOR_FOLLOWING
    groups_per_minute = 60 / reconcile.EVERY_S
    assert 2 * groups_per_minute == HEADS_PER_MINUTE
    assert plan.reconciling_per_day == 1440 * (10 + HEADS_PER_MINUTE)
    none = make_plan([shown("a", None)], reconcile_per_minute=0)
    assert (none.reconciling_per_day, none.cross_checking_per_day) == (0, 0)


@given(
    st.floats(0.005, 1.0),
    st.floats(0, 3),
    st.lists(st.floats(0, 1), min_size=300, max_size=300),
)
def test_the_follower_looks_no_more_often_than_planned(
    latency_s: float, phase: float, late: list[float]
) -> None:
    pace, now, seen, rounds = PollInterval(float(BLOCK_S)), phase, 0, 0
    received = [BLOCK_S * number + late_by for number, late_by in enumerate(late)]
    while seen < len(received):
        rounds += 1
        now += latency_s
        new = sum(1 for time in received[seen : seen + 9] if time <= now)
        seen += new
        now += pace.seen(new, now) if new else pace.nothing()
    assert rounds <= len(received) * ROUNDS_PER_BLOCK


@given(st.integers(1, 400_000))
def test_a_budget_fits_when_it_holds_the_day_and_the_part_for_payments(
    per_day: int,
) -> None:
    plan = make_plan(
        [shown("a", per_day), shown("b", per_day)], reconcile_per_minute=10
    )
    first, other = plan.endpoints
    assert first.needed_per_day == (
        plan.following_per_day + plan.comparing_per_day + plan.reconciling_per_day
    )
    checking = plan.cross_checking_per_day
    assert other.needed_per_day == plan.comparing_per_day + checking
    assert checking == min(plan.blocks_per_day, round(per_day / 2))
    for endpoint in plan.endpoints:
        assert endpoint.fits == (
            endpoint.needed_per_day <= per_day * (1 - FOR_PAYMENTS)
        )
    assert plan.following_per_day >= plan.blocks_per_day * REQUESTS_PER_ROUND


async def test_the_plan_is_a_method(autojump_clock: MockClock) -> None:
    async with open_shipped() as bench:
        plan = await bench.call("network.plan")
        [endpoint] = plan.endpoints
        assert endpoint.fits is None
        assert endpoint.needed_per_day == plan.following_per_day
        assert plan.comparing_per_day == 0  # nobody to compare with
