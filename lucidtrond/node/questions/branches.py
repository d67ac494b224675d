"""Pages of blocks from endpoints that are chosen: to tell whose branch is proven.

Everything else takes blocks from the endpoint that answers first.
"""

from typing import Final

from lucidtrond.errors import NodeError, NodeUnavailable
from lucidtrond.node.questions.block_source import MAX_RANGE
from lucidtrond.node.questions.endpoint_client import EndpointClient, Question
from lucidtrond.node.questions.routing import AskedEndpoint, EndpointRouter
from lucidtrond.node.questions.served import ServedBlocks
from lucidtrond.tron.block import Block, BlockHeader, BlockId

WITHIN_S: Final = 10.0
"""An endpoint that takes longer is left out; following waits for this."""
BELOW: Final = 30
"""Blocks below a final one that a page around it begins with: if many producers are
not known here, what can be proven is as much older."""


class Branches:
    """Asks endpoints one by one."""

    def __init__(self, router: EndpointRouter, served: ServedBlocks) -> None:
        self._router = router
        self._served = served

    async def fetch_same(self, block_id: BlockId, start: int) -> list[Block]:
        """See `BranchQuestions.fetch_same`."""
        endpoint = self._server_of(block_id)
        blocks = await self._router.put(endpoint, _page(start))
        self._served.note(endpoint.client, (block.header for block in blocks))
        return blocks

    async def fetch_headers(
        self, block_id: BlockId, start: int, end: int
    ) -> list[BlockHeader]:
        """See `BranchQuestions.fetch_headers`."""
        endpoint = self._server_of(block_id)
        headers: list[BlockHeader] = []
        for number in range(start, end):
            header = await self._router.put(endpoint, _header(number))
            if header is None:
                break
            headers.append(header)
        return headers

    def _server_of(self, block_id: BlockId) -> AskedEndpoint:
        server = self._served.server_of(block_id)
        for endpoint in self._router.endpoints:
            if endpoint.client is server:
                return endpoint
        raise NodeUnavailable("an endpoint", 0, f"none served block {block_id}")

    async def fetch_others(
        self, block_id: BlockId, start: int | None = None
    ) -> list[list[Block]]:
        """See `BranchQuestions.fetch_others`."""
        server = self._served.server_of(block_id)
        question = _around_solid if start is None else _page(start)

        async def ask(node: EndpointClient) -> list[Block]:
            return [] if node is server else await question(node)

        answers = await self._router.ask_all(ask, within_s=WITHIN_S)
        return [page for _, page in answers if page and not isinstance(page, NodeError)]


def _header(number: int) -> Question[BlockHeader | None]:
    return lambda node: node.fetch_solid_header(number)


def _page(start: int) -> Question[list[Block]]:
    return lambda node: node.fetch_blocks(start, start + MAX_RANGE)


async def _around_solid(node: EndpointClient) -> list[Block]:
    solid = await node.fetch_head(solid=True)
    return await _page(max(1, solid.number - BELOW))(node)
