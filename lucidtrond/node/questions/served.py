"""Which endpoint served which block, for a short while.

An endpoint's answers are checked one by one (`client`); that a block contradicts what
the blocks before it made known is seen above, which then says whose answer it was. And
a block that its endpoint can't show whole is asked of another one.
"""

import contextlib
from collections import deque
from collections.abc import Iterable
from typing import Final

import trio

from lucidtrond.errors import NodeError, NodeLied
from lucidtrond.node.questions.endpoint_client import EndpointClient
from lucidtrond.node.questions.routing import EndpointRouter
from lucidtrond.tron.block import Block, BlockHeader, BlockId

KEPT: Final = 8
"""Answers with blocks or heads; one is a page of up to 100."""
PROVERS: Final = 2
"""Endpoints asked for a block that another one could not show whole."""
PROVE_WITHIN_S: Final = 2.0
"""For both together; following waits for them, and such blocks may be frequent."""


class ServedBlocks:
    """The newest answers that held blocks, and the endpoint that gave each."""

    def __init__(self, router: EndpointRouter) -> None:
        self._router = router
        self._answers: deque[tuple[EndpointClient, list[BlockHeader]]] = deque(
            maxlen=KEPT
        )

    def note(self, node: EndpointClient, headers: Iterable[BlockHeader]) -> None:
        """*node* has just served these."""
        self._answers.append((node, list(headers)))

    def server_of(self, block_id: BlockId) -> EndpointClient | None:
        """Which endpoint served a block last; None when that is not kept any more."""
        for node, headers in reversed(self._answers):
            if any(header.id == block_id for header in headers):
                return node
        return None

    def note_lie(self, block_id: BlockId, reason: str) -> NodeError:
        """Note that a block which passed all checks of its own is a lie all the same.

        Gives the error to raise; it names the endpoint that served the block.
        """
        server = self.server_of(block_id)
        for endpoint in self._router.endpoints:
            if endpoint.client is server:
                error = NodeLied(endpoint.name, reason)
                endpoint.note_failure(error)
                return error
        return NodeLied("an endpoint", reason)

    async def fetch_proven(self, block: Block) -> Block | None:
        """The same block with a transaction root that fits, of another endpoint.

        Asks up to two that did not serve it; None when none of them shows it so soon.
        """
        server = self.server_of(block.header.id)
        others = [
            endpoint
            for endpoint in self._router.in_order(urgent=True)
            if endpoint.client is not server
        ]
        with trio.move_on_after(PROVE_WITHIN_S):
            for endpoint in others[:PROVERS]:
                with contextlib.suppress(NodeError):
                    shown = await self._router.put(
                        endpoint, lambda node: node.fetch_block(block.header.id)
                    )
                    if shown is not None and shown.root_proven:
                        return shown
        return None
