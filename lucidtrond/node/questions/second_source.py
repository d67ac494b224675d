"""A second endpoint's receipts of a block: asked for when that costs nothing needed.

Receipts are covered by no header, so a second endpoint, of another operator, that gives
the same ones is what proves them. It is no part of following: an endpoint that fails,
lags, is slow, busy or short of its day's budget is not waited for, and then there is no
second source.
"""

from typing import Final

import trio

from lucidtrond.errors import NodeError
from lucidtrond.node.questions.endpoint_client import EndpointClient
from lucidtrond.node.questions.routing import (
    LARGE_HEDGE_S,
    AskedEndpoint,
    EndpointRouter,
)
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


class SecondSource:
    """Chooses and asks; remembers which endpoint was too slow."""

    def __init__(self, router: EndpointRouter) -> None:
        self._router = router
        self._rests_until: dict[str, float] = {}

    def has_second_source(self, besides: str) -> bool:
        """Whether an endpoint of another operator than *besides* can be asked now."""
        return self._choose(besides) is not None

    def _choose(self, besides: str) -> AskedEndpoint | None:
        endpoints = self._router.endpoints
        operators = {
            endpoint.operator for endpoint in endpoints if endpoint.name == besides
        }
        fit = [
            endpoint
            for endpoint in endpoints
            if endpoint.name != besides
            and endpoint.operator not in operators
            and self._is_fit(endpoint)
        ]
        return min(fit, key=lambda endpoint: endpoint.rank, default=None)

    async def fetch_second_receipts(
        self, which: Block, *, besides: str
    ) -> Receipts | None:
        """Those of *which*'s transactions in order; None: no other has them."""
        endpoint = self._choose(besides)
        if endpoint is None:
            return None
        wanted = [included.transaction.txid for included in which.transactions]

        async def ask(node: EndpointClient) -> Receipts:
            # By number: to be on another branch, or behind, is no lie here.
            return await node.fetch_receipts(which.header.number)

        with trio.move_on_after(WITHIN_S):
            while True:
                try:
                    receipts = await self._router.put(endpoint, ask)
                except NodeError:
                    return None
                if [receipt.txid for receipt in receipts] == wanted:
                    return receipts
                if receipts:
                    return None
                await trio.sleep(AGAIN_S)
        self._rests_until[endpoint.name] = trio.current_time() + REST_S
        return None

    def _is_fit(self, endpoint: AskedEndpoint) -> bool:
        now = trio.current_time()
        admission = endpoint.admission
        per_day, left = admission.budget.per_day, admission.left_today
        return (
            endpoint.other_genesis is None
            and endpoint.paused_until <= now
            and self._rests_until.get(endpoint.name, now) <= now
            and endpoint.rank == (False, False, False)
            and admission.refusal() is None
            and (per_day is None or left is None or left > per_day * KEPT_FOR_FOLLOWING)
        )


async def fetch_receipts_by(
    router: EndpointRouter, which: Block
) -> tuple[str, Receipts]:
    """A block's receipts and the name of the endpoint that gave them."""

    async def ask(node: EndpointClient) -> tuple[str, Receipts]:
        return node.name, await node.fetch_receipts(which)

    return await router.ask(ask, hedge_s=LARGE_HEDGE_S)
