"""Looks for an endpoint whose answer proves what a block holds.

An endpoint may be unable to show all that a block's transaction root covers (java-tron
prints no unknown fields), another may be able to: it is asked before the block is
taken as unproven. `ATTEMPTS` a minute bound what that costs.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

import trio

from lucidtrond.node.questions.pool_questions import ProofQuestions
from lucidtrond.tron.block import Block

ATTEMPTS: Final = 20
"""Blocks a minute that other endpoints are asked for."""
_MINUTE_S: Final = 60.0


class RootProver:
    """Replaces blocks by proven ones where another endpoint has them."""

    def __init__(self, node: ProofQuestions) -> None:
        self._node = node
        self._attempts: deque[float] = deque(maxlen=ATTEMPTS)

    async def prove(self, blocks: Sequence[Block]) -> list[Block]:
        """Give the same blocks; those still unproven could not be proven now."""
        return [
            block
            if block.root_proven or not self._may_ask()
            else await self._ask(block)
            for block in blocks
        ]

    def _may_ask(self) -> bool:
        now = trio.current_time()
        if len(self._attempts) == ATTEMPTS and now - self._attempts[0] < _MINUTE_S:
            return False
        self._attempts.append(now)
        return True

    async def _ask(self, block: Block) -> Block:
        return await self._node.fetch_proven(block) or block
