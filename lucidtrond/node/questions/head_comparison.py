"""Which endpoints are behind: heads are compared when the one we follow stands still.

And every five minutes else, where there are several endpoints.
"""

from typing import Final

import trio

from lucidtrond.errors import NodeError
from lucidtrond.node.questions.routing import EndpointRouter
from lucidtrond.node.questions.served import ServedBlocks
from lucidtrond.tron.block import BlockHeader

STILL_S: Final = 20.0
"""A head that has not moved for so long may be that of a node that lags."""
COMPARE_EVERY_S: Final = 300.0
COMPARE_WITHIN_S: Final = 2.0
"""An endpoint that takes longer to give its head counts as without an answer."""


class HeadComparison:
    """Remembers how far the final head is and when it moved last."""

    def __init__(self, router: EndpointRouter, served: ServedBlocks) -> None:
        self._router = router
        self._served = served
        self._newest = -1
        self._moved_at = self._compared_at = float("-inf")

    async def newest(self, header: BlockHeader) -> BlockHeader:
        """*header*, the final head that one endpoint gave, or a newer one if the heads
        were compared for it."""
        if len(self._router.endpoints) == 1:
            return header
        now = trio.current_time()
        if header.number > self._newest:
            self._newest, self._moved_at = header.number, now
        still = now - self._moved_at > STILL_S
        if now - self._compared_at <= (STILL_S if still else COMPARE_EVERY_S):
            return header
        self._compared_at = now
        return await self._compare(header)

    async def _compare(self, header: BlockHeader) -> BlockHeader:
        """Ask all, and note which are behind; the newest of all."""
        answers = await self._router.ask_all(
            lambda node: node.fetch_head(solid=True), within_s=COMPARE_WITHIN_S
        )
        heads = [head for _, head in answers if not isinstance(head, NodeError)]
        newest = max([header, *heads], key=lambda head: head.number)
        for endpoint, (_, head) in zip(self._router.endpoints, answers, strict=True):
            if not isinstance(head, NodeError):
                endpoint.behind = newest.number - head.number
                if head is newest:
                    self._served.note(endpoint.client, [head])
        return newest
