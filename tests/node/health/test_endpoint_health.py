"""Budgets, breakers, lag and lies, as the pool minds them."""

import contextlib
import itertools
import json
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
import trio
import trio.testing

from lucidtrond.errors import NodeError, NodeLied, NodeUnavailable, QuotaSpent
from lucidtrond.node.endpoint import Endpoint
from lucidtrond.node.health.endpoint_health import (
    CHANGES,
    LIE_REST_S,
    REPORT_EVERY_S,
    Changes,
)
from lucidtrond.node.health.policy import LONGEST_REST_S, RetryPolicy
from lucidtrond.node.health.rate_limit import OPEN_AFTER, Budget
from lucidtrond.node.pool import NodePool, open_pool
from lucidtrond.node.questions.head_comparison import (
    COMPARE_EVERY_S,
    COMPARE_WITHIN_S,
    STILL_S,
)
from tests.node.nodes import (
    GENESIS_ID,
    RecordedNode,
    always,
    answer,
    answering,
    block_json,
    forged,
    open_nodes,
)
from tests.node.test_pool import FRESH, down, states

NO_RETRIES = RetryPolicy(max_retries=0)
DAY_MS = 86_400_000
BUSY = (
    '{"Error":"class java.lang.IllegalAccessException : lack of computing resources"}'
)
LIE = json.dumps(block_json(7) | {"blockID": "00" * 32})
Clock = trio.testing.MockClock


def budgeted(
    *nodes: tuple[RecordedNode, Budget], now_ms: Callable[[], int] = lambda: 0
) -> AbstractAsyncContextManager[NodePool]:
    async def handle(request: httpx.Request) -> httpx.Response:
        return await nodes[int(request.url.host.removeprefix("node"))][0].handle(
            request
        )

    return open_pool(
        [
            Endpoint(f"http://node{index}", budget=budget)
            for index, (_, budget) in enumerate(nodes)
        ],
        genesis_id=GENESIS_ID,
        policy=NO_RETRIES,
        http=httpx.MockTransport(handle),
        now_ms=now_ms,
    )


# Rate


async def test_an_endpoint_is_asked_no_faster_than_its_rate(
    autojump_clock: Clock,
) -> None:
    async with budgeted((RecordedNode(), Budget(per_second=2))) as pool:
        for _ in range(20):
            await pool.fetch_info()
    assert trio.current_time() == pytest.approx(10, abs=0.6)  # and the genesis


async def test_who_would_wait_for_one_endpoint_asks_the_next(
    autojump_clock: Clock,
) -> None:
    first, second = RecordedNode(), RecordedNode()
    async with budgeted((first, Budget(per_second=1)), (second, Budget())) as pool:
        for _ in range(10):
            await pool.fetch_info()
    assert trio.current_time() < 1
    assert len(second.questions("getnodeinfo")) >= 8


async def test_a_question_that_would_wait_too_long_is_refused(
    autojump_clock: Clock,
) -> None:
    failed = []
    node = RecordedNode()
    async with (
        budgeted((node, Budget(per_second=0.1))) as pool,
        trio.open_nursery() as nursery,
    ):

        async def ask() -> None:
            try:
                await pool.fetch_info()
            except NodeError as error:
                failed.append(str(error))

        for _ in range(8):
            nursery.start_soon(ask)
    assert len(failed) == 5
    assert all("its rate is used up" in failure for failure in failed)
    assert trio.current_time() <= 30


async def test_a_payment_does_not_wait_for_the_rate(autojump_clock: Clock) -> None:
    async with budgeted((RecordedNode(), Budget(per_second=0.5))) as pool:
        for _ in range(5):
            assert (await pool.broadcast(FRESH)).accepted
    assert trio.current_time() == 0


async def test_a_node_that_is_busy_is_asked_more_slowly_and_then_faster_again(
    autojump_clock: Clock,
) -> None:
    node = RecordedNode()
    async with budgeted((node, Budget(per_second=8))) as pool:
        for _ in range(16):
            await pool.fetch_info()
        busy, info = itertools.count(), 0

        async def two_of_three(_: str) -> httpx.Response | None:
            await trio.lowlevel.checkpoint()
            return None if next(busy) % 3 == 2 else answer(BUSY)

        node.fault = two_of_three
        for _ in range(90):
            with contextlib.suppress(NodeUnavailable):
                await pool.fetch_info()
                info += 1
        assert info == 30
        [shown] = pool.endpoints()
        assert 0.5 <= shown["pace_per_second"] < 4
        node.fault = None
        for _ in range(400):
            await pool.fetch_info()
        [shown] = pool.endpoints()
        assert shown["pace_per_second"] == 8


async def test_who_suspends_us_is_asked_half_as_often_at_once(
    autojump_clock: Clock,
) -> None:
    node = RecordedNode()
    async with budgeted((node, Budget(per_second=8))) as pool:
        for _ in range(16):
            await pool.fetch_info()
        node.fault = answering(answer("suspended for 1 s", 429))
        with pytest.raises(NodeUnavailable):
            await pool.fetch_info()
        [shown] = pool.endpoints()
        assert shown["pace_per_second"] == 4


# The day


async def test_a_days_budget_is_kept_and_midnight_brings_a_new_one() -> None:
    now = [DAY_MS - 1000]
    node = RecordedNode()
    async with budgeted((node, Budget(per_day=100)), now_ms=lambda: now[0]) as pool:
        for _ in range(94):  # and the genesis
            await pool.fetch_info()
        with pytest.raises(QuotaSpent, match="the day's budget is used up"):
            await pool.fetch_info()
        assert len(node.asked) == 95  # five are kept for payments
        assert states(pool) == ["budget spent"]
        assert (await pool.broadcast(FRESH)).accepted
        [shown] = pool.endpoints()
        assert (shown["requests_today"], shown["left_today"]) == (96, 4)
        now[0] += 1000
        await pool.fetch_info()
        [shown] = pool.endpoints()
        assert (shown["requests_today"], shown["left_today"]) == (1, 99)
        assert states(pool) == ["ok"]


async def test_who_has_no_budget_left_leaves_it_to_the_next() -> None:
    second = RecordedNode()
    async with budgeted(
        (RecordedNode(), Budget(per_day=10)), (second, Budget())
    ) as pool:
        for _ in range(30):
            await pool.fetch_info()
    assert len(second.questions("getnodeinfo")) == 21


# The breaker


async def test_who_fails_five_times_is_asked_by_one_at_a_time(
    autojump_clock: Clock,
) -> None:
    node = RecordedNode()
    async with open_nodes(node, policy=NO_RETRIES) as pool:
        node.fault = always(down)
        for _ in range(OPEN_AFTER + 10):
            with pytest.raises(NodeUnavailable):
                await pool.fetch_head()
        assert len(node.questions("getblock")) == 1 + OPEN_AFTER
        assert states(pool) == ["not asked: failing"]

        await trio.sleep(LONGEST_REST_S)
        node.fault, node.delay_s = None, 1.0
        failed = []

        async def ask() -> None:
            try:
                await pool.fetch_head()
            except NodeUnavailable as error:
                failed.append(error)

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(ask)
        assert len(failed) == 19
        assert node.most_at_once == 1
        assert states(pool) == ["ok"]


async def test_a_probe_that_is_cancelled_leaves_room_for_the_next(
    autojump_clock: Clock,
) -> None:
    node = RecordedNode()
    async with open_nodes(node, policy=NO_RETRIES) as pool:
        node.fault = always(down)
        for _ in range(OPEN_AFTER):
            with pytest.raises(NodeUnavailable):
                await pool.fetch_head()
        await trio.sleep(LONGEST_REST_S)
        node.fault, node.delay_s = None, 4.0
        with trio.move_on_after(1):
            await pool.fetch_head()
        assert (await pool.fetch_head()).number == 900


async def test_a_payment_is_sent_to_who_fails_as_well(autojump_clock: Clock) -> None:
    node = RecordedNode()
    async with open_nodes(node, policy=NO_RETRIES) as pool:
        node.fault = always(down, but=["broadcasthex"])
        for _ in range(OPEN_AFTER):
            with pytest.raises(NodeUnavailable):
                await pool.fetch_head()
        assert (await pool.broadcast(FRESH)).accepted


# Lag


async def test_a_final_head_that_stands_still_is_compared_with_the_others(
    autojump_clock: Clock,
) -> None:
    stuck, well = RecordedNode(solid=500), RecordedNode(solid=500)
    async with open_nodes(stuck, well) as pool:
        assert (await pool.fetch_head(solid=True)).number == 500
        well.solid = 510
        await trio.sleep(STILL_S)
        assert (await pool.fetch_head(solid=True)).number == 500
        await trio.sleep(1)
        assert (await pool.fetch_head(solid=True)).number == 510
        assert states(pool) == ["lagging", "ok"]
        asked = len(stuck.asked)
        assert (await pool.fetch_head(solid=True)).number == 510
        assert len(stuck.asked) == asked

        stuck.solid = well.solid = 515
        await trio.sleep(COMPARE_EVERY_S + 1)
        await pool.fetch_head(solid=True)
        assert states(pool) == ["ok", "ok"]


async def test_heads_that_move_are_hardly_ever_compared(autojump_clock: Clock) -> None:
    first, second = RecordedNode(), RecordedNode()
    async with open_nodes(first, second) as pool:
        for number in range(100, 199):
            first.solid = second.solid = number
            await pool.fetch_head(solid=True)
            await trio.sleep(3)
    assert len(second.questions("getblock")) == 2  # its genesis, and at the start


async def test_a_slow_endpoint_holds_up_no_comparison(autojump_clock: Clock) -> None:
    slow = RecordedNode()
    async with open_nodes(RecordedNode(), slow) as pool:
        slow.delay_s = 9
        await pool.fetch_head(solid=True)
        assert trio.current_time() <= COMPARE_WITHIN_S
        assert [status["behind_blocks"] for status in pool.endpoints()] == [0, None]


# Lies


async def test_a_liar_is_named_and_set_aside_whatever_it_says_afterwards(
    autojump_clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    liar, other = RecordedNode(), RecordedNode()
    async with open_nodes(liar, other) as pool:
        liar.fault = answering(answer(LIE))
        with caplog.at_level(logging.ERROR):
            assert (await pool.fetch_head()).number == 900
        [record] = caplog.records
        assert record.message == "endpoint lied and is set aside"
        assert record.__dict__["endpoint"] == "node0"
        change = await pool.changes.next()
        assert (change.endpoint, change.state) == ("node0", "lied")
        assert pool.endpoints()[0]["lies"] == 1

        other.fault = answering(httpx.ConnectError("reset"))
        assert (await pool.fetch_head()).number == 900  # nobody else could say it
        await trio.sleep(LIE_REST_S - 60)
        asked = len(liar.asked)
        for _ in range(5):
            await pool.fetch_info()
        assert len(liar.asked) == asked
        assert states(pool) == ["lied", "ok"]
        await trio.sleep(60)
        await pool.fetch_info()
        assert len(liar.asked) == asked + 1
        assert states(pool) == ["ok", "ok"]


async def test_a_wrong_txid_in_answer_to_a_payment_is_a_lie(
    autojump_clock: Clock,
) -> None:
    liar = RecordedNode()
    async with open_nodes(liar, RecordedNode()) as pool:
        wrong = json.dumps({"result": True, "code": "SUCCESS", "txid": "00" * 32})
        liar.fault = always(lambda: answer(wrong), but=["getblock"])
        assert (await pool.broadcast(FRESH)).endpoint == "node1"
        assert states(pool) == ["lied", "ok"]


async def test_an_edited_amount_is_a_lie(autojump_clock: Clock) -> None:
    block = json.loads(json.dumps(block_json(300)))
    transaction = block["transactions"][0]
    raw = transaction["raw_data_hex"]
    transaction["raw_data_hex"] = raw[:-2] + f"{int(raw[-2:], 16) ^ 1:02x}"
    liar = RecordedNode()
    async with open_nodes(liar, policy=NO_RETRIES) as pool:
        liar.fault = always(lambda: answer(json.dumps(block)))
        with pytest.raises(NodeLied) as lie:
            await pool.fetch_block(300)
        assert states(pool) == ["lied"]
        liar.fault = None
        await pool.fetch_head()  # a right answer takes no lie back
        [status] = pool.endpoints()
        assert (status["state"], status["trouble"]) == ("lied", str(lie.value))


async def test_a_genesis_that_comes_late_and_is_another_is_told(
    autojump_clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    other = RecordedNode(fault=answering(httpx.ConnectError("not yet")))
    async with open_nodes(RecordedNode(), other) as pool:
        block = forged(0, "00" * 32)
        other.fault = always(lambda: answer(json.dumps(block)))
        assert (await pool.broadcast(FRESH)).endpoint == "node0"
        assert states(pool) == ["ok", "wrong network"]
        changes = [await pool.changes.next() for _ in range(2)]
    assert [change.state for change in changes] == ["failing", "wrong network"]
    assert block["blockID"] in changes[1].reason
    assert "endpoint is on another network" in caplog.text


# What is reported


async def test_who_comes_and_goes_is_told_once_a_minute(autojump_clock: Clock) -> None:
    changes = Changes()
    for _ in range(10):
        changes.report("a", "failing", "x")
        changes.report("a", "ok", "y")
    assert [(await changes.next()).state for _ in range(2)] == ["failing", "ok"]
    await trio.sleep(REPORT_EVERY_S)
    changes.report("a", "failing", "z")
    assert (await changes.next()).reason == "z"
    assert changes.lost == 0


async def test_changes_that_nobody_reads_are_counted_not_kept(
    autojump_clock: Clock,
) -> None:
    changes = Changes()
    for number in range(CHANGES + 7):
        changes.report(f"node{number}", "failing", "x")
    assert changes.lost == 7
