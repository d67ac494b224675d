"""A second endpoint's receipts: had where they cost nothing needed, else not at all."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import trio
import trio.testing

from lucidtrond.node.health.policy import RetryPolicy
from lucidtrond.node.health.rate_limit import Budget
from lucidtrond.node.pool import Endpoint, NodePool, open_pool
from lucidtrond.node.questions.balances import BalanceQuestion, SolidBalance
from lucidtrond.node.questions.second_source import REST_S, WITHIN_S
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block
from tests.node.nodes import (
    GENESIS_ID,
    RecordedNode,
    always,
    answer,
    block_json,
    infos_json,
    open_nodes,
)
from tests.tron.chainrun import load, make_block

NUMBER = next(number for number in range(300, 900) if len(infos_json(number)) > 1)


def block() -> Block:
    return make_block(block_json(NUMBER))


async def second(pool: NodePool) -> int | None:
    receipts = await pool.fetch_second_receipts(block(), besides="node0")
    return None if receipts is None else len(receipts)


async def test_another_endpoint_gives_the_receipts_of_the_same_block() -> None:
    async with open_nodes(RecordedNode(), RecordedNode()) as pool:
        name, receipts = await pool.fetch_receipts_by(block())
        assert name == "node0"
        assert pool.has_second_source(name)
        assert await pool.fetch_second_receipts(block(), besides=name) == receipts


async def test_one_endpoint_under_two_urls_is_one_source() -> None:
    async with open_nodes(RecordedNode()) as pool:
        assert not pool.has_second_source("node0")
        assert await second(pool) is None


async def test_two_endpoints_of_one_operator_are_one_source() -> None:
    nodes = [RecordedNode(), RecordedNode(), RecordedNode()]
    async with open_nodes(*nodes[:2], operators=("a", "a")) as pool:
        assert not pool.has_second_source("node0")
        assert await second(pool) is None
        assert [status["operator"] for status in pool.endpoints()] == ["a", "a"]
    async with open_nodes(*nodes, operators=("a", "A", "b")) as pool:
        asked = len(nodes[1].asked)
        assert pool.has_second_source("node0")
        assert await second(pool) == len(infos_json(NUMBER))
        assert len(nodes[1].asked) == asked


async def test_an_endpoint_that_is_a_moment_behind_is_asked_until_it_has_the_block(
    autojump_clock: trio.testing.MockClock,
) -> None:
    behind = RecordedNode(head=NUMBER - 1)
    async with open_nodes(RecordedNode(), behind) as pool, trio.open_nursery() as done:
        done.start_soon(_come_up, behind)
        assert await second(pool) == len(infos_json(NUMBER))
        assert trio.current_time() < WITHIN_S


async def _come_up(node: RecordedNode) -> None:
    await trio.sleep(0.7)
    node.head = NUMBER


async def test_one_that_stays_behind_or_is_silent_is_left_for_a_while(
    autojump_clock: trio.testing.MockClock,
) -> None:
    behind = RecordedNode()
    async with open_nodes(RecordedNode(), behind) as pool:
        behind.head = NUMBER - 1
        started = trio.current_time()
        assert await second(pool) is None
        assert trio.current_time() - started == WITHIN_S
        behind.head = 900
        asked = len(behind.asked)
        assert await second(pool) is None
        assert len(behind.asked) == asked
        await trio.sleep(REST_S)
        assert await second(pool) is not None


@pytest.mark.parametrize("body", ["[]", "{}", '{"Error": "no"}'])
async def test_a_second_endpoint_without_receipts_has_not_lied(
    autojump_clock: trio.testing.MockClock, body: str
) -> None:
    other = RecordedNode()
    async with open_nodes(RecordedNode(), other) as pool:
        other.fault = always(lambda: answer(body))
        assert await second(pool) is None
        assert [status["lies"] for status in pool.endpoints()] == [0, 0]


async def test_receipts_of_another_branch_are_no_second_source() -> None:
    other = RecordedNode()
    async with open_nodes(RecordedNode(), other) as pool:
        strange = json.dumps(infos_json(NUMBER)[::-1])
        other.fault = always(lambda: answer(strange))
        assert await second(pool) is None
        assert [status["lies"] for status in pool.endpoints()] == [0, 0]


@asynccontextmanager
async def _with_budget(per_day: int) -> AsyncIterator[tuple[NodePool, RecordedNode]]:
    nodes = [RecordedNode(), RecordedNode()]

    async def handle(request: httpx.Request) -> httpx.Response:
        return await nodes[int(request.url.host.removeprefix("node"))].handle(request)

    async with open_pool(
        [
            Endpoint("http://node0"),
            Endpoint("http://node1", budget=Budget(None, per_day)),
        ],
        genesis_id=GENESIS_ID,
        policy=RetryPolicy(max_retries=0),
        http=httpx.MockTransport(handle),
    ) as pool:
        yield pool, nodes[1]


async def test_half_of_a_days_budget_is_kept_for_following() -> None:
    async with _with_budget(20) as (pool, node):
        answers = [await second(pool) for _ in range(20)]
        given = [receipts is not None for receipts in answers]
        assert given == sorted(given, reverse=True)
        assert 0 < sum(given) <= 10
        assert len(node.asked) <= 10


async def test_balances_are_read_between_two_solid_heads_of_one_endpoint() -> None:
    accounts = load()["accounts"]
    owner = Address(bytes.fromhex(next(iter(accounts))))
    node = RecordedNode()
    async with open_nodes(node) as pool:
        node.asked.clear()
        read = await pool.read_solid_balances([BalanceQuestion(owner)] * 3)
    assert (read.before, read.after) == (node.solid, node.solid)
    assert len(node.asked) == 5
    assert all(path.startswith("/walletsolidity/") for path, _ in node.asked)
    [same] = set(read.answers)
    assert isinstance(same, SolidBalance)
    assert same.account is not None
    assert same.amount == same.account.balance
