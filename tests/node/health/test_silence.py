"""An endpoint that accepts and never answers: who waits for it, and for how long."""

import pytest
import trio
import trio.testing

from lucidtrond.errors import NodeError, NodeTimeout, NodeUnavailable
from lucidtrond.node.health.endpoint_health import LIE_REST_S
from lucidtrond.node.health.policy import RetryPolicy
from lucidtrond.node.health.probing import PROBE_EVERY_S, STANDBY_S
from lucidtrond.node.pool import NodePool
from lucidtrond.node.questions.routing import HEDGE_S
from lucidtrond.node.transport.line import BRIEF
from tests.node.nodes import RecordedNode, always, answer, answering, open_nodes
from tests.node.test_pool import FRESH, SUSPENDED, down, states

Clock = trio.testing.MockClock
NEVER = 1e9
TIMEOUT_S = 10.0
BRIEF_S = TIMEOUT_S * BRIEF
AS_THE_DAEMON = RetryPolicy(within_s=BRIEF_S)


async def test_the_only_endpoint_fails_within_one_timeout(
    autojump_clock: Clock,
) -> None:
    node = RecordedNode()
    async with open_nodes(node, policy=AS_THE_DAEMON) as pool:
        node.delay_s = NEVER
        begun = trio.current_time()
        with pytest.raises(NodeTimeout, match=r"node0: no answer after 5 s$"):
            await pool.fetch_head(solid=True)
        assert trio.current_time() - begun == BRIEF_S


@pytest.mark.parametrize("make", [down, lambda: answer("", 500)])
async def test_no_retry_begins_after_the_patience(
    autojump_clock: Clock, make: object
) -> None:
    node = RecordedNode()
    policy = RetryPolicy(max_retries=50, within_s=BRIEF_S)
    async with open_nodes(node, policy=policy) as pool:
        node.fault = always(make)  # type: ignore[arg-type]  # a fault
        begun = trio.current_time()
        with pytest.raises(NodeError):
            await pool.fetch_head()
        assert trio.current_time() - begun <= BRIEF_S


async def test_the_next_endpoint_is_asked_when_the_first_takes_long(
    autojump_clock: Clock,
) -> None:
    silent, other = RecordedNode(), RecordedNode()
    async with open_nodes(silent, other) as pool:
        silent.delay_s = NEVER
        begun = trio.current_time()
        assert (await pool.fetch_head()).number == 900
        assert trio.current_time() - begun == HEDGE_S
        assert states(pool) == ["failing", "ok"]
        asked = len(silent.asked)
        assert (await pool.fetch_info()) is not None
        assert trio.current_time() - begun == HEDGE_S
        assert len(silent.asked) == asked


async def test_a_slow_answer_counts_when_nobody_is_faster(
    autojump_clock: Clock,
) -> None:
    slow, silent = RecordedNode(), RecordedNode()
    async with open_nodes(slow, silent) as pool:
        slow.delay_s, silent.delay_s = 4.0, NEVER
        begun = trio.current_time()
        assert (await pool.fetch_head()).number == 900
        assert trio.current_time() - begun == 4.0
        assert states(pool)[0] == "ok"


async def test_a_payment_is_not_held_up_by_who_is_known_to_be_silent(
    autojump_clock: Clock,
) -> None:
    silent, other = RecordedNode(), RecordedNode()
    async with watched(silent, other) as pool:
        silent.delay_s = NEVER
        await trio.sleep(STANDBY_S + 2 * BRIEF_S)
        sent = len(silent.questions("broadcasthex"))
        begun = trio.current_time()
        for _ in range(10):
            assert (await pool.broadcast(FRESH)).accepted
        assert trio.current_time() == begun
        assert len(silent.questions("broadcasthex")) == sent


async def test_the_only_endpoint_is_sent_payments_however_silent(
    autojump_clock: Clock,
) -> None:
    node = RecordedNode()
    async with watched(node) as pool:
        node.delay_s = NEVER
        await trio.sleep(STANDBY_S + 10 * BRIEF_S)
        with pytest.raises(NodeTimeout):
            await pool.broadcast(FRESH)
        assert len(node.questions("broadcasthex")) == 1


# Probes


class watched:  # noqa: N801 - used like a function
    """A pool whose endpoints are probed."""

    def __init__(self, *nodes: RecordedNode) -> None:
        self._opened = open_nodes(*nodes, policy=AS_THE_DAEMON)

    async def __aenter__(self) -> NodePool:
        pool = await self._opened.__aenter__()
        self._nursery = trio.open_nursery()
        nursery = await self._nursery.__aenter__()
        await nursery.start(pool.watch)
        self._scope = nursery.cancel_scope
        return pool

    async def __aexit__(self, *why: object) -> None:
        self._scope.cancel()
        await self._nursery.__aexit__(None, None, None)
        await self._opened.__aexit__(None, None, None)


@pytest.mark.parametrize("others", [0, 1])
async def test_who_is_back_is_known_within_one_probe(
    others: int, autojump_clock: Clock
) -> None:
    node = RecordedNode()
    async with watched(node, *[RecordedNode() for _ in range(others)]) as pool:
        for outage_s in (12.0, 300.0):
            node.delay_s = NEVER
            await trio.sleep(STANDBY_S + outage_s)
            assert states(pool)[0] in ("failing", "not asked: failing")
            assert pool.endpoints()[0]["silent_s"] >= outage_s
            recovered = pool.changes.recovered
            node.delay_s = 0.1
            begun = trio.current_time()
            await recovered.wait()
            assert trio.current_time() - begun <= PROBE_EVERY_S + 0.2
            assert states(pool)[0] == "ok"
            assert pool.endpoints()[0]["silent_s"] == 0
            assert (await pool.fetch_head()).number == 900


async def test_an_endpoint_that_was_down_and_is_slow_now_is_asked_again(
    autojump_clock: Clock,
) -> None:
    node = RecordedNode()
    async with watched(node) as pool:
        node.fault = always(down)
        await trio.sleep(STANDBY_S + 60)
        assert states(pool) == ["not asked: failing"]
        node.fault, node.delay_s = None, BRIEF_S - 0.5
        await trio.sleep(PROBE_EVERY_S + BRIEF_S)
        assert states(pool) == ["ok"]


async def test_a_dead_endpoint_shows_though_nobody_asks_it(
    autojump_clock: Clock,
) -> None:
    for make in (None, down):
        first, second = RecordedNode(), RecordedNode()
        async with watched(first, second) as pool:
            await trio.sleep(5)
            if make is None:
                second.delay_s = NEVER
            else:
                second.fault = always(make)
            await trio.sleep(STANDBY_S + 2 * BRIEF_S)
            assert states(pool)[0] == "ok"
            assert states(pool)[1] in ("failing", "not asked: failing")


async def test_probes_are_few_and_bounded(autojump_clock: Clock) -> None:
    first, second = RecordedNode(), RecordedNode()
    async with watched(first, second):
        await trio.sleep(600)
        assert len(second.asked) <= 600 / STANDBY_S + 3
        second.delay_s, second.most_at_once = NEVER, 0
        asked = len(second.asked)
        await trio.sleep(600)
        assert len(second.asked) - asked <= 600 / PROBE_EVERY_S + 1


async def test_who_asked_to_be_left_alone_or_lied_is_not_probed(
    autojump_clock: Clock,
) -> None:
    limited = RecordedNode()
    async with watched(limited, RecordedNode()) as pool:
        limited.fault = answering(answer(SUSPENDED, 429))
        with pytest.raises(NodeUnavailable):
            await pool.router.put(
                pool.router.endpoints[0], lambda node: node.fetch_info()
            )
        asked = len(limited.asked)
        await trio.sleep(29)
        assert len(limited.asked) == asked
    assert LIE_REST_S > STANDBY_S
