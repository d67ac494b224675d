"""Several endpoints behind one set of questions; which is asked is up to `routing`."""

import contextlib
import logging
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar, cast

import trio
from attrs import evolve

from lucidtrond.errors import ConfigError, NodeError, WrongNetwork
from lucidtrond.node.endpoint import Endpoint
from lucidtrond.node.health.admission import system_ms
from lucidtrond.node.health.endpoint_health import Changes
from lucidtrond.node.health.policy import RetryPolicy
from lucidtrond.node.health.probing import Prober
from lucidtrond.node.health.retry import retrying
from lucidtrond.node.questions import (
    balance_reader,
    comparing,
    number_reader,
    second_source,
)
from lucidtrond.node.questions.branches import Branches
from lucidtrond.node.questions.broadcast import broadcast_to
from lucidtrond.node.questions.client import NodeClient
from lucidtrond.node.questions.endpoint_client import EndpointClient
from lucidtrond.node.questions.head_comparison import HeadComparison
from lucidtrond.node.questions.known_accounts import KnownAccounts
from lucidtrond.node.questions.pool_questions import PoolQuestions
from lucidtrond.node.questions.routing import (
    HEDGE_S,
    LARGE_HEDGE_S,
    AskedEndpoint,
    EndpointRouter,
)
from lucidtrond.node.questions.second_source import SecondSource
from lucidtrond.node.questions.served import ServedBlocks
from lucidtrond.node.transport.line import PROBE_CONNECTIONS, open_transport
from lucidtrond.tron.account import Account, Resources
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockHeader, BlockId
from lucidtrond.tron.broadcast import BroadcastAnswer
from lucidtrond.tron.questions import NodeQuestions
from lucidtrond.tron.reading import Reading
from lucidtrond.tron.transaction import Transaction

if TYPE_CHECKING:
    import httpx

__all__ = ["Endpoint", "NodePool", "open_pool"]

log = logging.getLogger(__name__)

BROADCAST_TO: Final = 2
CONNECT_S: Final = 20.0
"""However many attempts are configured, a start is not held up longer."""

P = ParamSpec("P")
T = TypeVar("T")
Part = TypeVar("Part")


def _routed(
    question: Callable[Concatenate[NodeQuestions, P], Coroutine[Any, Any, T]],
    *,
    hedge_s: float = HEDGE_S,
    last: Callable[[AskedEndpoint], bool] | None = None,
) -> Callable[Concatenate["NodePool", P], Coroutine[Any, Any, T]]:
    """The same question, put to whichever endpoint can answer."""
    name = question.__name__

    @wraps(question)
    async def ask(pool: "NodePool", /, *args: P.args, **kwargs: P.kwargs) -> T:
        def put(node: EndpointClient) -> Coroutine[Any, Any, T]:
            return cast("Coroutine[Any, Any, T]", getattr(node, name)(*args, **kwargs))

        return await pool.router.ask(put, hedge_s=hedge_s, last=last)

    return cast("Callable[Concatenate[NodePool, P], Coroutine[Any, Any, T]]", ask)


def _of(
    part: Callable[["NodePool"], Part], function: Callable[Concatenate[Part, P], T]
) -> Callable[Concatenate["NodePool", P], T]:
    """What *function* does with a part of the pool, as a method of the pool."""

    @wraps(function)
    def ask(pool: "NodePool", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return function(part(pool), *args, **kwargs)

    return cast("Callable[Concatenate[NodePool, P], T]", ask)


def _router(pool: "NodePool") -> EndpointRouter:
    return pool.router


def _served(pool: "NodePool") -> ServedBlocks:
    return pool.served


def _branches(pool: "NodePool") -> Branches:
    return pool.branches


def _second(pool: "NodePool") -> SecondSource:
    return pool.second


class NodePool(NodeQuestions, PoolQuestions):
    """Typed questions to whichever endpoint can answer; made by `open_pool`.

    A question without rules of its own is one line here: `_routed`.
    """

    def __init__(
        self,
        clients: Sequence[EndpointClient],
        *,
        genesis_id: BlockId,
        policy: RetryPolicy,
        chance: Callable[[], float],
    ) -> None:
        self.router = EndpointRouter(
            clients, genesis_id=genesis_id, policy=policy, chance=chance
        )
        self.served = ServedBlocks(self.router)
        self.branches = Branches(self.router, self.served)
        self._heads = HeadComparison(self.router, self.served)
        self._accounts = KnownAccounts(self.router)
        self.second = SecondSource(self.router)
        self._prober = Prober(
            self.router.endpoints,
            lambda endpoint: self.router.put(endpoint, lambda node: node.probe()),
            at_once=PROBE_CONNECTIONS,
        )

    @property
    def genesis_id(self) -> BlockId:
        """Of the configured network."""
        return self.router.genesis_id

    @property
    def changes(self) -> Changes:
        """When an endpoint begins to fail, answers again, lies, or turns out to be on
        another network."""
        return self.router.changes

    async def watch(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Probe endpoints that fail or have no questions, until cancelled."""
        await self._prober.run(task_status=task_status)

    def endpoints(self) -> list[dict[str, Any]]:
        """State of each endpoint, in order of preference; JSON-able, without keys."""
        return [endpoint.status() for endpoint in self.router.endpoints]

    # Blocks

    async def fetch_head(self, *, solid: bool = False) -> BlockHeader:
        """The newest (or newest solidified) block's header, checked."""

        async def ask(node: EndpointClient) -> BlockHeader:
            header = await node.fetch_head(solid=solid)
            self.served.note(node, [header])
            return header

        header = await self.router.ask(ask)
        # The follower asks for the final one.
        return await self._heads.newest(header) if solid else header

    async def fetch_blocks(self, start: int, end: int) -> list[Block]:
        """From *start* up to before *end*, at most 100, linked; fewer near the head."""

        async def ask(node: EndpointClient) -> list[Block]:
            blocks = await node.fetch_blocks(start, end)
            self.served.note(node, (block.header for block in blocks))
            return blocks

        return await self.router.ask(ask, hedge_s=LARGE_HEDGE_S)

    fetch_block = _routed(NodeQuestions.fetch_block)
    fetch_receipts = _routed(NodeQuestions.fetch_receipts, hedge_s=LARGE_HEDGE_S)
    fetch_receipts_by = _of(_router, second_source.fetch_receipts_by)

    fetch_proven = _of(_served, ServedBlocks.fetch_proven)
    note_lie = _of(_served, ServedBlocks.note_lie)
    fetch_same = _of(_branches, Branches.fetch_same)
    fetch_others = _of(_branches, Branches.fetch_others)
    fetch_headers = _of(_branches, Branches.fetch_headers)
    has_second_source = _of(_second, SecondSource.has_second_source)
    fetch_second_receipts = _of(_second, SecondSource.fetch_second_receipts)
    confirm_solid = _of(_router, comparing.confirm_solid)
    report_keys = _of(_router, comparing.report_keys)
    report_producers = _of(_router, comparing.report_producers)

    # Transactions

    fetch_transaction = _routed(NodeQuestions.fetch_transaction)
    fetch_receipt = _routed(NodeQuestions.fetch_receipt)
    look_for = _of(_router, comparing.look_for)
    find_receipts = _of(_router, comparing.find_receipts)
    show_block = _of(_router, comparing.show_block)

    async def broadcast(self, transaction: Transaction) -> BroadcastAnswer:
        """Send the same bytes to up to two endpoints, once each.

        One that does not respond is left out while there is another.

        Raises:
            NodeError: none answered; it may be included all the same.
        """
        endpoints = self.router.in_order(urgent=True)
        responding = [endpoint for endpoint in endpoints if not endpoint.is_silent]
        sends = [
            partial(self.router.put, endpoint, lambda node: node.broadcast(transaction))
            for endpoint in (responding or endpoints)[:BROADCAST_TO]
        ]
        return await broadcast_to(sends)

    # Accounts and the network

    async def fetch_account(
        self, address: Address, *, solid: bool = False
    ) -> Reading[Account]:
        """Balance and stake; pool effects of the asked node show unless *solid*."""
        return await self._accounts.ask(
            (address, solid),
            lambda node: node.fetch_account(address, solid=solid),
            exists=lambda reading: reading.value.activated,
        )

    async def fetch_resources(self, address: Address) -> Reading[Resources]:
        """Bandwidth and energy."""
        return await self._accounts.ask(
            (address, False),
            lambda node: node.fetch_resources(address),
            exists=lambda reading: reading.value != Resources(),
        )

    def forget_accounts(self) -> None:
        """Blocks were reverted, and what they activated with them."""
        self._accounts.forget()

    read_solid_balances = _of(_router, balance_reader.read_solid_balances)
    read_solid_numbers = _of(_router, number_reader.read_solid_numbers)
    fetch_parameters = _routed(NodeQuestions.fetch_parameters)
    fetch_contract = _routed(NodeQuestions.fetch_contract)
    fetch_info = _routed(NodeQuestions.fetch_info)
    call_constant = _routed(
        NodeQuestions.call_constant, last=lambda endpoint: not endpoint.simulates
    )


@contextlib.asynccontextmanager
async def open_pool(
    endpoints: Sequence[Endpoint],
    *,
    genesis_id: BlockId,
    policy: RetryPolicy | None = None,
    timeout_s: float = 10.0,
    max_connection_retries: int = 5,
    now_ms: Callable[[], int] = system_ms,
    http: "httpx.AsyncBaseTransport | None" = None,
    chance: Callable[[], float] = random.random,
) -> AsyncIterator[NodePool]:
    """A pool that has an answer, or is degraded and has said so in the log.

    *timeout_s* bounds one request, *max_connection_retries* how often a start tries
    again. Endpoints are in order of preference. *now_ms* tells when a day begins.

    Raises:
        WrongNetwork: an endpoint's genesis block is another one.
        ConfigError: an endpoint that can't be.
    """
    if not endpoints:
        raise ConfigError("[network] endpoints: expected at least one")
    policy = policy or RetryPolicy()
    async with open_transport(
        endpoints, timeout_s=timeout_s, http=http, now_ms=now_ms
    ) as transport:
        pool = NodePool(
            [NodeClient(transport.line(endpoint)) for endpoint in endpoints],
            genesis_id=genesis_id,
            policy=policy,
            chance=chance,
        )
        at_start = evolve(policy, max_retries=max_connection_retries)
        try:
            with trio.move_on_after(CONNECT_S) as limit:
                await retrying(pool.router.connect, at_start, chance=chance)
            if limit.cancelled_caught:
                log.warning("no node answers yet, starting all the same")
        except WrongNetwork:
            raise
        except NodeError as error:
            log.warning(
                "no node answers yet, starting all the same",
                extra={"reason": str(error)},
            )
        yield pool
