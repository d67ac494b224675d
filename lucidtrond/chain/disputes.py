"""Decides by signatures between endpoints that show different final blocks.

Only where a set of producers is known. An endpoint whose final block is not proven,
while another block in its place is, has lied: it is set aside and the others are asked.
Where both are proven, or neither can be, nothing moves.
"""

import logging
from collections.abc import Sequence
from typing import Final

import trio

from lucidtrond.chain.finality_tracker import FinalityTracker
from lucidtrond.chain.plan import Another, Held, Unsettled
from lucidtrond.chain.set_renewal import SetRenewal
from lucidtrond.errors import AnotherChain
from lucidtrond.node.questions.branches import BELOW
from lucidtrond.node.questions.pool_questions import BranchQuestions
from lucidtrond.tron.block import Block, BlockHeader, BlockId

log = logging.getLogger(__name__)

COMPARE_EVERY_S: Final = 60.0
RENEW_EVERY_S: Final = 3600.0
"""An attempt in vain takes up to 16 windows of 108 headers, a request for each."""


class Disputes:
    """One per follower."""

    def __init__(
        self, node: BranchQuestions, tracker: FinalityTracker, *, genesis_id: BlockId
    ) -> None:
        self._node = node
        self._tracker = tracker
        self._genesis_id = genesis_id
        self._compared_at = self._renewed_at = float("-inf")

    async def find_first(self, solid: BlockHeader) -> Block | None:
        """The block to begin with: proven, and final for the node. None: block 0.

        Raises:
            NodeLied: *solid* is not proven, another endpoint's final block is.
            Unsettled: none is.
        """
        start = max(1, solid.number - BELOW)
        page = await self._node.fetch_same(solid.id, start)
        if start == 1 and page and page[0].header.parent_id != self._genesis_id:
            raise self._node.note_lie(solid.id, "block 1 does not follow block 0")
        block = self._tracker.proven_in(page, limit=solid.number)
        if block is not None:
            return block
        if start == 1:
            return None  # the genesis block needs no proof
        if await self.renew(solid):
            block = self._tracker.proven_in(page, limit=solid.number)
            if block is not None:
                return block
        unproven = f"block {solid.number} and the {BELOW} below it are not proven final"
        for other in await self._node.fetch_others(solid.id):
            if self._tracker.proven_in(other, limit=other[-1].header.number):
                raise self._node.note_lie(
                    solid.id, f"{unproven}; blocks of another endpoint are"
                )
        raise Unsettled(
            f"{unproven} by the producers that are known ([network] producers)"
        )

    async def renew(self, solid: BlockHeader) -> bool:
        """Bring a set that is too old to the present; give whether it is."""
        first, now = self._tracker.first, trio.current_time()
        if first is None or now - self._renewed_at < RENEW_EVERY_S:
            return False
        self._renewed_at = now

        async def fetch(start: int, end: int) -> list[BlockHeader]:
            return await self._node.fetch_headers(solid.id, start, end)

        renewal = SetRenewal(first)
        try:
            return await renewal.renew(solid.number, fetch)
        except Unsettled as why:
            log.warning("the set of producers is too old", extra={"reason": str(why)})
            return False
        finally:
            self._tracker.first = renewal.first

    async def decide(
        self, step: Another, *, solid: BlockHeader, page: Sequence[Block]
    ) -> None:
        """Tell what is wrong with a node that has another block than our final one.

        Raises:
            NodeLied: its block is not proven.
            AnotherChain: both are proven.
            Unsettled: neither is.
        """
        if solid.id == step.theirs:
            accused, first = solid.id, step.number
            page = await self._node.fetch_same(solid.id, first)
        else:
            # The page does not stand on our block: what is above would prove it.
            accused, first = page[0].header.id, step.number + 1
        words = f"block {step.number}: we hold {step.ours}, the node says {step.theirs}"
        finality = self._tracker.finality
        ours = finality is not None and finality.is_proven
        theirs = self._tracker.is_proven(page, first)
        if ours and theirs:
            raise AnotherChain(f"{words}; both are proven final by signatures")
        if ours:
            raise self._node.note_lie(accused, f"{words}; only ours is proven final")
        raise Unsettled(f"{words}; neither is proven final")

    async def compare(self, solid: BlockHeader, held: Held) -> None:
        """See whether another endpoint's branch is proven where this one's is not.

        Asked while nothing becomes final that a node calls final.

        Raises:
            NodeLied: it is.
        """
        finality = self._tracker.finality
        now = trio.current_time()
        if finality is None or now - self._compared_at < COMPARE_EVERY_S:
            return
        self._compared_at = now
        for page in await self._node.fetch_others(solid.id, finality.solid + 1):
            proven = self._tracker.proven_beyond(page)
            if proven is None:
                continue
            number, block_id = proven
            if number > held.head or held.id_at(number) != block_id:
                self._compared_at = float("-inf")
                raise self._node.note_lie(
                    solid.id,
                    f"block {solid.number} is not proven final, block {number}"
                    f" {block_id} of another endpoint is",
                )
