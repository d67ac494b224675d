"""Which endpoint a question goes to: order, failover, hedging, retries.

An endpoint is asked only after its genesis block was seen to be the configured
network's; one of another network is never asked again. The first in the order of the
configuration that is not resting gets the question; when it fails, the next. After a
round in which all failed, the retry policy waits. An endpoint that asked to be left
alone for a while (rate limits) is.

Asked first is an endpoint that did not lie, does not fail, is not behind and whose
budget (see `admission`) imposes no wait; among equals the configured order decides.

Answers are not compared here: a receipt or a balance is one endpoint's word. A second
one is asked for by `second_source` and `comparing`.
"""

import math
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, TypeVar

import trio

from lucidtrond.errors import NodeError, NodeTimeout, WrongNetwork
from lucidtrond.node.health.endpoint_health import Changes, EndpointHealth, pause_error
from lucidtrond.node.health.hedge import first_answer
from lucidtrond.node.health.policy import RetryPolicy, most_telling
from lucidtrond.node.health.retry import retrying
from lucidtrond.node.questions.broadcast import LATE_S
from lucidtrond.node.questions.endpoint_client import EndpointClient, Question
from lucidtrond.node.questions.single_flight import Cache
from lucidtrond.tron.block import BlockId

HEDGE_S: Final = 2.0
"""A question without an answer for so long is put to the next endpoint as well."""
LARGE_HEDGE_S: Final = 5.0
"""The same for blocks and receipts: a node may work on a page for seconds."""

T = TypeVar("T")

AskedEndpoint = EndpointHealth[EndpointClient]
"""One endpoint of the pool: its client, and how it stands."""


class EndpointRouter:
    """Puts questions to *clients*, in order of preference; notes how each stands."""

    def __init__(
        self,
        clients: Sequence[EndpointClient],
        *,
        genesis_id: BlockId,
        policy: RetryPolicy,
        chance: Callable[[], float],
    ) -> None:
        self.genesis_id = genesis_id
        self.changes = Changes()
        self.endpoints: Sequence[AskedEndpoint] = [
            EndpointHealth(client, self.changes) for client in clients
        ]
        self._policy = policy
        self._chance = chance
        self._geneses = Cache(size=0)

    async def ask(
        self,
        question: Question[T],
        *,
        hedge_s: float = HEDGE_S,
        last: Callable[[AskedEndpoint], bool] | None = None,
    ) -> T:
        """One endpoint's answer; see `ask_once`."""
        return await self.retry(
            lambda: self.ask_once(question, hedge_s=hedge_s, last=last)
        )

    async def retry(self, ask: Callable[[], Awaitable[T]]) -> T:
        """*ask* until it answers or the policy gives up."""
        return await retrying(ask, self._policy, chance=self._chance)

    async def ask_once(
        self,
        question: Question[T],
        *,
        hedge_s: float = HEDGE_S,
        last: Callable[[AskedEndpoint], bool] | None = None,
    ) -> T:
        """Ask one after the other until an endpoint answers; *last* ones at the end."""
        endpoints = self.in_order()
        ordered = sorted(endpoints, key=last) if last else endpoints
        asks = [partial(self.put, endpoint, question) for endpoint in ordered]
        return await first_answer(asks, after_s=hedge_s)

    async def ask_all(
        self, question: Question[T], *, within_s: float = math.inf
    ) -> list[tuple[str, T | NodeError]]:
        """Each endpoint's name and own answer, asked once and all at the same time.

        One that asked for no requests gets none.
        """
        now = trio.current_time()
        answers: list[T | NodeError] = [
            pause_error([endpoint], now)
            if endpoint.paused_until > now
            else NodeTimeout(endpoint.name, 1, f"no answer within {within_s:.0f} s")
            for endpoint in self.endpoints
        ]

        async def ask(index: int, endpoint: AskedEndpoint) -> None:
            try:
                answers[index] = await self.put(endpoint, question)
            except NodeError as error:
                answers[index] = error

        async with trio.open_nursery() as nursery:
            nursery.cancel_scope.deadline = now + within_s
            for index, endpoint in enumerate(self.endpoints):
                if endpoint.paused_until <= now:
                    nursery.start_soon(ask, index, endpoint)
        names = [endpoint.name for endpoint in self.endpoints]
        return list(zip(names, answers, strict=True))

    async def put(self, endpoint: AskedEndpoint, question: Question[T]) -> T:
        """Ask one endpoint and note how it stands."""
        began = trio.current_time()
        try:
            await self._introduce(endpoint)
            answer = await question(endpoint.client)
        except NodeError as error:
            endpoint.note_failure(error)
            raise
        except trio.Cancelled:
            endpoint.note_given_up(waited_s=trio.current_time() - began)
            raise
        endpoint.note_answer()
        return answer

    def in_order(self, *, urgent: bool = False) -> list[AskedEndpoint]:
        """The endpoints to ask now, first choice first.

        Raises:
            NodeUnavailable, QuotaSpent: none may be asked: they asked for no requests,
                fail, or have no budget left. *urgent* heeds the first only.
            WrongNetwork: all are on another network.
        """
        now = trio.current_time()
        ours = [
            endpoint for endpoint in self.endpoints if endpoint.other_genesis is None
        ]
        if not ours:
            raise self._wrong_network(self.endpoints[0])
        present = [endpoint for endpoint in ours if endpoint.paused_until <= now]
        if not present:
            raise pause_error(ours, now)
        askable = present
        if not urgent:
            refusals = [endpoint.admission.refusal() for endpoint in present]
            askable = [
                endpoint
                for endpoint, refusal in zip(present, refusals, strict=True)
                if refusal is None
            ]
            if not askable:
                raise most_telling([refusal for refusal in refusals if refusal])
        # sorted() is stable: the configured order among equals.
        return sorted(askable, key=lambda endpoint: endpoint.rank)

    async def connect(self) -> None:
        """Ask all that may be asked for their genesis once; no wait for slow ones.

        Raises:
            WrongNetwork: one of them is on another network.
            NodeError: none answered.
        """
        errors: list[NodeError] = []
        async with trio.open_nursery() as nursery:

            async def introduce(endpoint: AskedEndpoint) -> None:
                try:
                    await self.put(endpoint, _nothing)
                except NodeError as error:
                    errors.append(error)
                else:
                    nursery.cancel_scope.deadline = trio.current_time() + LATE_S

            for endpoint in self.in_order(urgent=True):
                nursery.start_soon(introduce, endpoint)
        for endpoint in self.endpoints:
            if endpoint.other_genesis is not None:
                raise self._wrong_network(endpoint)
        if not any(endpoint.is_ours for endpoint in self.endpoints):
            raise most_telling(errors)

    async def _introduce(self, endpoint: AskedEndpoint) -> None:
        """See that it is on our network, once."""
        if not endpoint.is_ours and endpoint.other_genesis is None:
            genesis_id = await self._geneses.get(
                endpoint, endpoint.client.fetch_genesis_id, age_s=lambda _: 0.0
            )
            endpoint.note_genesis(genesis_id, self.genesis_id)
        if endpoint.other_genesis is not None:
            raise self._wrong_network(endpoint)

    def _wrong_network(self, endpoint: AskedEndpoint) -> WrongNetwork:
        genesis_id = str(endpoint.other_genesis)
        return WrongNetwork(endpoint.name, wanted=self.genesis_id, received=genesis_id)


async def _nothing(_: EndpointClient) -> None:
    """The question that only introduces an endpoint."""
