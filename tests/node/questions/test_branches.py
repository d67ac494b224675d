"""Pages of blocks of the endpoint that is meant, and of all others."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import trio
from trio.testing import MockClock

from lucidtrond.errors import NodeUnavailable
from lucidtrond.node.cache import CachedNode
from lucidtrond.node.health.policy import RetryPolicy
from lucidtrond.node.pool import Endpoint, open_pool
from lucidtrond.node.questions.branches import BELOW, WITHIN_S
from lucidtrond.tron.block import Block, BlockId
from tests.chain.branch_node import BranchNode
from tests.chain.forging import FORK, forged, honest, node

HEAD, SOLID = 60, 57


@asynccontextmanager
async def opened(
    *nodes: BranchNode, silent: tuple[int, ...] = ()
) -> AsyncIterator[CachedNode]:
    async def handle(request: httpx.Request) -> httpx.Response:
        index = int(request.url.host.removeprefix("node"))
        if index in silent and request.url.path.endswith("limitnext"):
            await trio.sleep(2 * WITHIN_S)
        return await nodes[index].handle(request)

    async with open_pool(
        [Endpoint(f"http://node{index}") for index in range(len(nodes))],
        genesis_id=BlockId(honest()[0].header.id),
        policy=RetryPolicy(max_retries=0),
        http=httpx.MockTransport(handle),
        timeout_s=60,
    ) as pool:
        yield CachedNode(pool)


def three() -> list[BranchNode]:
    other = forged("far ahead", FORK)
    return [
        node(honest(), head=HEAD, solid=SOLID),
        node(other, head=HEAD, solid=SOLID),
        node(honest(), head=SOLID, solid=40),
    ]


def ids(blocks: list[Block]) -> list[BlockId]:
    return [block.header.id for block in blocks]


async def test_the_page_of_the_endpoint_that_served_a_block() -> None:
    async with opened(*three()) as node_:
        solid = await node_.fetch_head(solid=True)
        page = await node_.fetch_same(solid.id, 30)
        assert ids(page) == ids(honest()[30 : HEAD + 1])
        with pytest.raises(NodeUnavailable):
            await node_.fetch_same(honest()[1].header.id, 30)


async def test_the_pages_of_all_others() -> None:
    async with opened(*three()) as node_:
        solid = await node_.fetch_head(solid=True)
        one, two = await node_.fetch_others(solid.id, 30)
        assert ids(one) == ids(forged("far ahead", FORK)[30 : HEAD + 1])
        assert ids(two) == ids(honest()[30 : SOLID + 1])
        # Whoever served them last is still the one that is blamed.
        assert "node0" in str(node_.note_lie(solid.id, "a lie"))


async def test_the_pages_around_their_own_final_blocks() -> None:
    async with opened(*three()) as node_:
        solid = await node_.fetch_head(solid=True)
        one, two = await node_.fetch_others(solid.id)
        assert one[0].header.number == SOLID - BELOW
        assert two[0].header.number == 40 - BELOW


async def test_one_that_has_no_such_page_or_is_slow_is_left_out(
    autojump_clock: MockClock,
) -> None:
    nodes = three()
    nodes[2].head = 20
    async with opened(*nodes, silent=(1,)) as node_:
        solid = await node_.fetch_head(solid=True)
        began = trio.current_time()
        assert await node_.fetch_others(solid.id, 30) == []
        assert trio.current_time() - began == pytest.approx(WITHIN_S)


async def test_headers_alone_of_the_endpoint_that_served_a_block() -> None:
    nodes = three()
    async with opened(*nodes) as node_:
        solid = await node_.fetch_head(solid=True)
        asked = nodes[0].count("walletsolidity/getblock")
        others = [len(one.asked) for one in nodes[1:]]
        headers = await node_.fetch_headers(solid.id, 10, 15)
        assert [header.id for header in headers] == ids(honest()[10:15])
        assert nodes[0].count("walletsolidity/getblock") == asked + 5
        assert [len(one.asked) for one in nodes[1:]] == others
