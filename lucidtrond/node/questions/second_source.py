"""A second endpoint's receipts of a block: asked for when that costs nothing needed.

Receipts are covered by no header, so a second endpoint that gives the same ones is what
proves them. It is no part of following: an endpoint that fails, lags, is slow, busy or
short of its day's budget is not waited for, and then there is no second source.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import trio

from lucidtrond.errors import NodeError
from lucidtrond.node.health.endpoint_health import EndpointHealth
from lucidtrond.node.questions.client import NodeClient, Question
from lucidtrond.tron.block import Block
from lucidtrond.tron.receipt import Receipt

WITHIN_S: Final = 2.0
"""An endpoint that takes longer is not asked for `REST_S`."""
REST_S: Final = 60.0
AGAIN_S: Final = 0.5
"""Its head may be a moment behind the other's: until it has the block."""
KEPT_FOR_FOLLOWING: Final = 0.5
"""Part of a day's budget that is left for when the first endpoint fails."""

Receipts = tuple[Receipt, ...]
Put = Callable[[EndpointHealth, Question[Receipts]], Awaitable[Receipts]]


class SecondSource:
    """Chooses and asks; remembers which endpoint was too slow."""

    def __init__(self, members: Sequence[EndpointHealth], put: Put) -> None:
        self._members = members
        self._put = put
        self._rests_until: dict[str, float] = {}

    def choose(self, besides: str) -> EndpointHealth | None:
        """The best endpoint of another name than *besides*, if one can be asked."""
        fit = [
            each
            for each in self._members
            if each.name != besides and self._is_fit(each)
        ]
        return min(fit, key=lambda each: each.rank, default=None)

    async def fetch_receipts(self, block: Block, *, besides: str) -> Receipts | None:
        """Those of *block*'s transactions in order, or None: nobody has them now."""
        member = self.choose(besides)
        if member is None:
            return None
        wanted = [each.transaction.txid for each in block.transactions]

        async def ask(node: NodeClient) -> Receipts:
            # By number: to be on another branch, or behind, is no lie here.
            return await node.fetch_receipts(block.header.number)

        with trio.move_on_after(WITHIN_S):
            while True:
                try:
                    receipts = await self._put(member, ask)
                except NodeError:
                    return None
                if [each.txid for each in receipts] == wanted:
                    return receipts
                if receipts:
                    return None
                await trio.sleep(AGAIN_S)
        self._rests_until[member.name] = trio.current_time() + REST_S
        return None

    def _is_fit(self, member: EndpointHealth) -> bool:
        now = trio.current_time()
        admission = member.admission
        per_day, left = admission.budget.per_day, admission.left_today
        return (
            member.other_genesis is None
            and member.away_until <= now
            and self._rests_until.get(member.name, now) <= now
            and member.rank == (False, False, False)
            and admission.refusal() is None
            and (per_day is None or left is None or left > per_day * KEPT_FOR_FOLLOWING)
        )


async def receipts_by(node: NodeClient, block: Block) -> tuple[str, Receipts]:
    """A question to one endpoint that tells whose answer it is."""
    return node.endpoint.name, await node.fetch_receipts(block)
