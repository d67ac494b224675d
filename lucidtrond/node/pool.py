"""Several endpoints behind one set of questions: order, rest, failover, retries.

An endpoint is asked only after its genesis block was seen to be the configured
network's; one of another network is never asked again. The first in the order of the
configuration that is not resting gets the question; when it fails, the next. After a
round in which all failed, the retry policy waits. Who told us to stay away for a while
(rate limits) is left alone for that long, whoever asks.

Who is fit to be asked first: who did not lie, does not fail, is not behind and whose
budget (see `admission`) does not make us wait; among equals the configured order
decides.
Heads are compared when the one we follow stands still, and every five minutes else.

Answers are not compared here: a receipt or a balance is one endpoint's word. Who wants
a second word asks for it (`fetch_second_receipts`).
"""

import contextlib
import logging
import math
import random
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import trio
from attrs import evolve

from lucidtrond.errors import (
    ConfigError,
    NodeError,
    NodeLied,
    NodeTimeout,
    WrongNetwork,
)
from lucidtrond.node.endpoint import Endpoint
from lucidtrond.node.health import policy as policies
from lucidtrond.node.health.admission import system_ms
from lucidtrond.node.health.agreement import SOURCES, Agreement, KeyReport, Sighting
from lucidtrond.node.health.endpoint_health import Changes, EndpointHealth, all_away
from lucidtrond.node.health.hedge import first_answer
from lucidtrond.node.health.policy import RetryPolicy
from lucidtrond.node.health.probing import Prober
from lucidtrond.node.health.retry import retrying
from lucidtrond.node.questions.balances import (
    BalanceQuestion,
    SolidBalances,
    read_solid_balances,
)
from lucidtrond.node.questions.broadcast import LATE_S, broadcast_to
from lucidtrond.node.questions.client import NodeClient, Question
from lucidtrond.node.questions.known_accounts import KnownAccounts
from lucidtrond.node.questions.second_source import SecondSource, receipts_by
from lucidtrond.node.questions.served import Served, report_key, report_of
from lucidtrond.node.questions.single_flight import Cache
from lucidtrond.node.questions.translate import NodeFacts
from lucidtrond.node.transport.line import open_transport
from lucidtrond.tron.account import Account, Resources
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockHeader, BlockId, BlockTransaction
from lucidtrond.tron.broadcast import BroadcastAnswer
from lucidtrond.tron.contract_terms import ContractTerms
from lucidtrond.tron.parameters import ChainParameters
from lucidtrond.tron.reading import Reading
from lucidtrond.tron.receipt import ConstantResult, Receipt
from lucidtrond.tron.transaction import Transaction, TxId

if TYPE_CHECKING:
    import httpx

__all__ = ["Endpoint", "NodePool", "open_pool"]

log = logging.getLogger(__name__)

BROADCAST_TO: Final = 2
CONNECT_S: Final = 20.0
"""However many attempts are configured, a start is not held up longer."""

STILL_S: Final = 20.0
"""A head that has not moved for so long may be that of a node that lags."""
COMPARE_EVERY_S: Final = 300.0
COMPARE_WITHIN_S: Final = 2.0
"""Who takes longer to say how far it is has not said it."""

PROVERS: Final = 2
"""Endpoints asked for a block that another one could not show whole."""
PROVE_WITHIN_S: Final = 2.0
"""For both together; following waits for them, and such blocks may be frequent."""
REPORT_WITHIN_S: Final = 10.0
HEDGE_S: Final = 2.0
"""A question without an answer for so long is put to the next endpoint as well."""
LARGE_HEDGE_S: Final = 5.0
"""The same for blocks and receipts: a node may work on a page for seconds."""

T = TypeVar("T")


class NodePool:
    """Typed questions to whichever endpoint can answer; made by `open_pool`.

    `changes` tells when an endpoint begins to fail, answers again, lies, or turns out
    to be on another network.
    """

    def __init__(
        self,
        clients: Sequence[NodeClient],
        *,
        genesis_id: BlockId,
        policy: RetryPolicy,
        chance: Callable[[], float],
    ) -> None:
        self.genesis_id = genesis_id
        self.changes = Changes()
        self._members = [EndpointHealth(client, self.changes) for client in clients]
        self._policy = policy
        self._chance = chance
        self._newest = -1
        self._moved_at = self._compared_at = float("-inf")
        self._served = Served()
        self._geneses = Cache(size=0)
        self._seen = KnownAccounts()
        self._second = SecondSource(self._members, self._put)
        self._prober = Prober(self._members, self._put)

    async def watch(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Probe endpoints that fail or that nobody asks, until cancelled."""
        await self._prober.run(task_status=task_status)

    async def fetch_head(self, *, solid: bool = False) -> BlockHeader:
        """The newest (or newest solidified) block's header, checked."""

        async def ask(node: NodeClient) -> BlockHeader:
            header = await node.fetch_head(solid=solid)
            self._served.note(node, [header])
            return header

        header = await self._ask(ask)
        if not solid or len(self._members) == 1:  # the follower asks for the final one
            return header
        now = trio.current_time()
        if header.number > self._newest:
            self._newest, self._moved_at = header.number, now
        still = now - self._moved_at > STILL_S
        if now - self._compared_at <= (STILL_S if still else COMPARE_EVERY_S):
            return header
        self._compared_at = now
        return await self._compare_heads(header)

    async def _compare_heads(self, header: BlockHeader) -> BlockHeader:
        """Ask everybody, and note who is behind; the newest of all."""
        came = await self._ask_all(
            lambda node: node.fetch_head(solid=True), within_s=COMPARE_WITHIN_S
        )
        heads = [each for _, each in came if not isinstance(each, NodeError)]
        newest = max([header, *heads], key=lambda each: each.number)
        for member, (_, each) in zip(self._members, came, strict=True):
            if not isinstance(each, NodeError):
                member.behind = newest.number - each.number
        return newest

    async def fetch_block(self, which: int | BlockId) -> Block | None:
        """By number or id, verified; None when the asked node has none."""
        return await self._ask(lambda node: node.fetch_block(which))

    async def fetch_blocks(self, start: int, end: int) -> list[Block]:
        """From *start* up to before *end*, at most 100, linked; fewer near the head."""

        async def ask(node: NodeClient) -> list[Block]:
            blocks = await node.fetch_blocks(start, end)
            self._served.note(node, (block.header for block in blocks))
            return blocks

        return await self._ask(ask, hedge_s=LARGE_HEDGE_S)

    async def fetch_proven(self, block: Block) -> Block | None:
        """The same block with a transaction root that fits, of another endpoint.

        Asks up to two that did not serve it; None when none of them shows it so soon.
        """
        server = self._served.server_of(block.header.id)
        others = [
            each for each in self._in_order(urgent=True) if each.client is not server
        ]
        with trio.move_on_after(PROVE_WITHIN_S):
            for member in others[:PROVERS]:
                with contextlib.suppress(NodeError):
                    found = await self._put(
                        member, lambda node: node.fetch_block(block.header.id)
                    )
                    if found is not None and found.root_proven:
                        return found
        return None

    async def report_keys(
        self, producer: Address, *, expected: Address
    ) -> Sequence[KeyReport]:
        """Ask all endpoints at once which key signs the blocks of *producer*.

        See `report_key`. Raises nothing of the nodes': see `KeyReport.error`.
        """

        answers = await self._ask_all(
            lambda node: report_key(node, producer, expected=expected),
            within_s=REPORT_WITHIN_S,
        )
        return [report_of(*each) for each in answers]

    def blame(self, block_id: BlockId, reason: str) -> NodeError:
        """Note that a block which passed all checks of its own is a lie all the same.

        Gives the error to raise; it names the endpoint that served the block.
        """
        server = self._served.server_of(block_id)
        for member in self._members:
            if member.client is server:
                error = NodeLied(member.name, reason)
                member.note_failure(error)
                return error
        return NodeLied("an endpoint", reason)

    async def fetch_receipts(self, which: int | Block) -> tuple[Receipt, ...]:
        """All receipts of a block; see `NodeClient.fetch_receipts`."""
        return await self._ask(
            lambda node: node.fetch_receipts(which), hedge_s=LARGE_HEDGE_S
        )

    async def fetch_receipts_by(self, which: Block) -> tuple[str, tuple[Receipt, ...]]:
        """Also the name of the endpoint that gave them."""
        return await self._ask(
            lambda node: receipts_by(node, which), hedge_s=LARGE_HEDGE_S
        )

    def has_second_source(self, besides: str) -> bool:
        """Whether `fetch_second_receipts` would ask anybody now."""
        return self._second.choose(besides) is not None

    async def fetch_second_receipts(
        self, which: Block, *, besides: str
    ) -> tuple[Receipt, ...] | None:
        """Another endpoint's, if it has them soon; see `node.second`."""
        return await self._second.fetch_receipts(which, besides=besides)

    async def read_solid_balances(
        self, questions: Sequence[BalanceQuestion]
    ) -> SolidBalances:
        """Of one endpoint's solid state; see `node.balances`."""
        return await self._ask(lambda node: read_solid_balances(node, questions))

    async def fetch_transaction(self, txid: TxId) -> BlockTransaction | None:
        """Pending ones too; the raw bytes hash to *txid*."""
        return await self._ask(lambda node: node.fetch_transaction(txid))

    async def fetch_receipt(self, txid: TxId, *, solid: bool = False) -> Receipt | None:
        """None while not included (or not solidified)."""
        return await self._ask(lambda node: node.fetch_receipt(txid, solid=solid))

    async def fetch_account(
        self, address: Address, *, solid: bool = False
    ) -> Reading[Account]:
        """Balance and stake; pool effects of the asked node show unless *solid*."""
        return await self._ask_who_knows(
            (address, solid),
            lambda node: node.fetch_account(address, solid=solid),
            knows=lambda reading: reading.value.activated,
        )

    async def fetch_resources(self, address: Address) -> Reading[Resources]:
        """Bandwidth and energy."""
        return await self._ask_who_knows(
            (address, False),
            lambda node: node.fetch_resources(address),
            knows=lambda reading: reading.value != Resources(),
        )

    async def fetch_parameters(self) -> Reading[ChainParameters]:
        """Prices and switches, as voted."""
        return await self._ask(lambda node: node.fetch_parameters())

    async def call_constant(
        self, *, owner: Address, contract: Address, data: bytes, solid: bool = False
    ) -> ConstantResult:
        """A simulated call; see `NodeClient.call_constant`.

        Endpoints that are known to simulate none are asked last.
        """

        async def call(node: NodeClient) -> ConstantResult:
            return await node.call_constant(
                owner=owner, contract=contract, data=data, solid=solid
            )

        return await retrying(
            lambda: self._round(call, last=lambda each: not each.simulates),
            self._policy,
            chance=self._chance,
        )

    async def fetch_contract(self, address: Address) -> ContractTerms | None:
        """Who pays for calls of a contract; None: the asked node has no such one."""
        return await self._ask(lambda node: node.fetch_contract(address))

    async def fetch_info(self) -> NodeFacts:
        """What the asked node says about itself."""
        return await self._ask(lambda node: node.fetch_info())

    async def broadcast(self, transaction: Transaction) -> BroadcastAnswer:
        """Send the same bytes to up to two endpoints, once each.

        One that does not respond is left out while there is another.

        Raises:
            NodeError: none answered; it may land all the same.
        """
        members = self._in_order(urgent=True)
        responding = [each for each in members if not each.is_silent]
        sends = [
            partial(self._put, member, lambda node: node.broadcast(transaction))
            for member in (responding or members)[:BROADCAST_TO]
        ]
        return await broadcast_to(sends)

    async def confirm_solid(self, number: int, block_id: BlockId) -> Agreement:
        """Ask all endpoints at once whether *block_id* is their final block *number*.

        Raises nothing of the nodes': who can't answer is among the `silent`.
        """
        ids = await self._ask_all(lambda node: node.fetch_solid_id(number))

        def who(what: Callable[[BlockId | NodeError | None], bool]) -> tuple[str, ...]:
            return tuple(dict.fromkeys(name for name, came in ids if what(came)))

        agreement = Agreement(
            number,
            block_id,
            min(SOURCES, len({name for name, _ in ids})),
            agreeing=who(lambda came: came == block_id),
            differing=who(lambda came: isinstance(came, str) and came != block_id),
            behind=who(lambda came: came is None),
            silent=who(lambda came: isinstance(came, NodeError)),
        )
        if agreement.differing:
            extra = {"reason": agreement.words, "block_id": block_id}
            log.error("endpoints disagree on a final block", extra=extra)
        return agreement

    async def look_for(self, txid: TxId) -> list[Sighting]:
        """Ask all endpoints at once whether they know *txid*, in their order.

        Raises nothing of the nodes': see `Sighting.error`.
        """

        async def look(node: NodeClient) -> Sighting:
            name = node.endpoint.name
            if await node.fetch_receipt(txid, solid=True) is not None:
                return Sighting(name, txid, solid=True, known=True)
            found = await node.fetch_transaction(txid)
            return Sighting(name, txid, known=found is not None)

        return [
            Sighting(name, txid, error=str(came))
            if isinstance(came, NodeError)
            else came
            for name, came in await self._ask_all(look)
        ]

    async def find_receipts(self, txid: TxId) -> list[Receipt]:
        """Ask all endpoints at once for the receipt of *txid* in a final block.

        Raises nothing of the nodes': who has none or can't answer is left out.
        """
        came = await self._ask_all(lambda node: node.fetch_receipt(txid, solid=True))
        return [each for _, each in came if isinstance(each, Receipt)]

    def endpoints(self) -> list[dict[str, Any]]:
        """State of each endpoint, in order of preference; JSON-able, without keys."""
        return [each.shown() for each in self._members]

    async def connect(self) -> None:
        """Ask who may be asked for its genesis once; the slow are not waited for.

        Raises:
            WrongNetwork: one of them is on another network.
            NodeError: none answered.
        """
        errors: list[NodeError] = []
        async with trio.open_nursery() as nursery:

            async def introduce(member: EndpointHealth) -> None:
                try:
                    await self._put(member, _nothing)
                except NodeError as error:
                    errors.append(error)
                else:
                    nursery.cancel_scope.deadline = trio.current_time() + LATE_S

            for member in self._in_order(urgent=True):
                nursery.start_soon(introduce, member)
        for member in self._members:
            if member.other_genesis is not None:
                raise self._wrong_network(member)
        if not any(member.known for member in self._members):
            raise policies.most_telling(errors)

    async def _ask_all(
        self, question: Question[T], *, within_s: float = math.inf
    ) -> list[tuple[str, T | NodeError]]:
        """Everybody's own answer, asked once; who asked to be left alone is."""
        now = trio.current_time()
        came: list[T | NodeError] = [
            all_away([each], now)
            if each.away_until > now
            else NodeTimeout(each.name, 1, f"no answer within {within_s:.0f} s")
            for each in self._members
        ]

        async def ask(index: int, member: EndpointHealth) -> None:
            try:
                came[index] = await self._put(member, question)
            except NodeError as error:
                came[index] = error

        async with trio.open_nursery() as nursery:
            nursery.cancel_scope.deadline = now + within_s
            for index, member in enumerate(self._members):
                if member.away_until <= now:
                    nursery.start_soon(ask, index, member)
        names = [each.name for each in self._members]
        return list(zip(names, came, strict=True))

    def forget_accounts(self) -> None:
        """Blocks were taken back, and what they activated with them."""
        self._seen.forget()

    async def _ask_who_knows(
        self, account: Hashable, question: Question[T], *, knows: Callable[[T], bool]
    ) -> T:
        """Let who knows an account outweigh who does not; see `KnownAccounts`.

        Of an account that we never saw, where there are several endpoints, two have to
        say that there is none.
        """
        checked = self._seen.checked(account, question, knows)

        async def ask() -> T:
            answer = await self._round(checked)
            if knows(answer) or len(self._members) == 1:
                return answer
            others = await self._ask_all(checked, within_s=COMPARE_WITHIN_S)
            errors: list[NodeError] = []
            told: list[T] = []
            for member, (_, came) in zip(self._members, others, strict=True):
                if not isinstance(came, NodeError):
                    told.append(came)
                elif not member.is_given_up:
                    errors.append(came)
            if errors and len(told) < 2 and not any(map(knows, told)):
                raise policies.most_telling(errors)
            return next((each for each in told if knows(each)), answer)

        return await retrying(ask, self._policy, chance=self._chance)

    async def _ask(self, question: Question[T], *, hedge_s: float = HEDGE_S) -> T:
        return await retrying(
            lambda: self._round(question, hedge_s=hedge_s),
            self._policy,
            chance=self._chance,
        )

    async def _round(
        self,
        question: Question[T],
        *,
        last: Callable[[EndpointHealth], bool] | None = None,
        hedge_s: float = HEDGE_S,
    ) -> T:
        """Ask one after the other until somebody answers; who is *last*, at the end."""
        members = self._in_order()
        ordered = sorted(members, key=last) if last else members
        asks = [partial(self._put, member, question) for member in ordered]
        return await first_answer(asks, after_s=hedge_s)

    async def _put(self, member: EndpointHealth, question: Question[T]) -> T:
        """Ask one endpoint and note how it stands."""
        began = trio.current_time()
        try:
            await self._introduce(member)
            answer = await question(member.client)
        except NodeError as error:
            member.note_failure(error)
            raise
        except trio.Cancelled:
            member.note_given_up(waited_s=trio.current_time() - began)
            raise
        member.note_answer()
        return answer

    async def _introduce(self, member: EndpointHealth) -> None:
        """See that it is on our network, once."""
        if not member.known and member.other_genesis is None:
            came = await self._geneses.get(
                member, member.client.fetch_genesis_id, age_s=lambda _: 0.0
            )
            member.note_genesis(came, self.genesis_id)
        if member.other_genesis is not None:
            raise self._wrong_network(member)

    def _wrong_network(self, member: EndpointHealth) -> WrongNetwork:
        came = str(member.other_genesis)
        return WrongNetwork(member.name, wanted=self.genesis_id, received=came)

    def _in_order(self, *, urgent: bool = False) -> list[EndpointHealth]:
        """Whom to ask now, first choice first.

        Raises:
            NodeUnavailable, QuotaSpent: everybody is left alone: they asked for it,
                fail, or have no budget left. Who is *urgent* minds the first only.
            WrongNetwork: everybody is on another network.
        """
        now = trio.current_time()
        ours = [each for each in self._members if each.other_genesis is None]
        if not ours:
            raise self._wrong_network(self._members[0])
        present = [each for each in ours if each.away_until <= now]
        if not present:
            raise all_away(ours, now)
        askable = present
        if not urgent:
            refusals = [each.admission.refusal() for each in present]
            askable = [
                each
                for each, refusal in zip(present, refusals, strict=True)
                if refusal is None
            ]
            if not askable:
                raise policies.most_telling([each for each in refusals if each])
        # sorted() is stable: the configured order among equals.
        return sorted(askable, key=lambda each: each.rank)


async def _nothing(_: NodeClient) -> None:
    """The question of who only wants to be introduced."""


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
            [NodeClient(transport.line(each)) for each in endpoints],
            genesis_id=genesis_id,
            policy=policy,
            chance=chance,
        )
        at_start = evolve(policy, max_retries=max_connection_retries)
        try:
            with trio.move_on_after(CONNECT_S) as limit:
                await retrying(pool.connect, at_start, chance=chance)
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
