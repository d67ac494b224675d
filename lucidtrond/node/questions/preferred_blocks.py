"""gRPC where an endpoint has it, HTTP where that fails: one endpoint, two ways in.

gRPC is asked first: its blocks are the bytes that the node stores, and cheaper. When it
fails, the same question goes to HTTP at once, so that an endpoint whose gRPC is down
is as good as one without. It fails when it does not answer, breaks off or refuses; then
it is left out for a while, longer each time. No reason to ask again by HTTP are a lie,
which counts against the endpoint whatever it says elsewhere, an answer that is too
large, which a smaller question mends, and limits and budgets, which hold for both.

That gRPC is of the same network is seen before its first answer is used: the id of its
block 0 is compared with the one that HTTP showed. Where it is another one, that is what
the endpoint is taken for, and whoever asks for the genesis block says so.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import trio
from attrs import define, field

from lucidtrond.errors import (
    NodeError,
    NodeLied,
    NodeUnavailable,
    QuotaSpent,
    WrongNetwork,
)
from lucidtrond.node.health.errors import NotAsked, SlowDown
from lucidtrond.node.questions.block_source import BlockSource, Page
from lucidtrond.node.transport.line import AnswerTooLarge, Lane
from lucidtrond.tron.block import Block, BlockHeader, BlockId
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.transaction import TxId

log = logging.getLogger(__name__)

REST_S: Final = 30.0
"""After its first failure gRPC is left out for so long, after each further one in a row
for twice as long as before."""
LONGEST_REST_S: Final = 900.0
_FINAL: Final = (
    NodeLied,
    WrongNetwork,
    QuotaSpent,
    SlowDown,
    NotAsked,
    AnswerTooLarge,
)
"""Errors of gRPC after which HTTP is not asked."""

T = TypeVar("T")


@define(eq=False)
class PreferredBlocks(BlockSource):
    """Asks *grpc*, else *http*, of endpoint *name*.

    *grpc_solid*: gRPC has the solidified state too.
    """

    _name: str
    _grpc: BlockSource
    _http: BlockSource
    _grpc_solid: bool
    failures: int = field(init=False, default=0)
    """Questions that gRPC failed and HTTP was asked, in all."""
    _rest_s: float = field(init=False, default=0.0)
    _rests_until: float = field(init=False, default=float("-inf"))
    _genesis_id: BlockId | None = field(init=False, default=None)
    """As HTTP showed it."""
    _is_checked: bool = field(init=False, default=False)
    """gRPC has the same block 0."""

    @property
    def is_failing(self) -> bool:
        """Whether gRPC failed when it was asked last."""
        return self._rest_s > 0

    async def read_header(
        self, number: int | None, *, solid: bool, lane: Lane
    ) -> BlockHeader | None:
        """See `BlockSource`; of block 0 gRPC's, where it is another one."""
        if number == 0 and not solid:
            return await self._read_genesis(lane)
        return await self._ask(
            lambda source: source.read_header(number, solid=solid, lane=lane),
            solid=solid,
            lane=lane,
        )

    async def read_block(self, which: int | BlockId) -> Block | None:
        """See `BlockSource`."""
        return await self._ask(lambda source: source.read_block(which))

    async def read_page(self, start: int, end: int) -> Page:
        """See `BlockSource`."""
        return await self._ask(lambda source: source.read_page(start, end))

    async def read_receipts(self, number: int) -> tuple[Receipt, ...]:
        """See `BlockSource`."""
        return await self._ask(lambda source: source.read_receipts(number))

    async def read_receipt(self, txid: TxId, *, solid: bool) -> Receipt | None:
        """See `BlockSource`."""
        return await self._ask(
            lambda source: source.read_receipt(txid, solid=solid), solid=solid
        )

    async def _ask(
        self,
        question: Callable[[BlockSource], Awaitable[T]],
        *,
        solid: bool = False,
        lane: Lane = Lane.QUESTIONS,
    ) -> T:
        rests = trio.current_time() < self._rests_until
        if rests or (solid and not self._grpc_solid):
            return await question(self._http)
        try:
            await self._check_network(lane)
            answer = await question(self._grpc)
        except _FINAL:
            raise
        except NodeError as error:
            self._note_failure(error)
            return await question(self._http)
        self._note_answer()
        return answer

    async def _read_genesis(self, lane: Lane) -> BlockHeader | None:
        header = await self._http.read_header(0, solid=False, lane=lane)
        if header is None or trio.current_time() < self._rests_until:
            return header
        self._genesis_id = header.id
        try:
            other = await self._grpc.read_header(0, solid=False, lane=lane)
        except _FINAL:
            raise
        except NodeError as error:
            self._note_failure(error)
            return header
        if other is None or other.id == header.id:
            self._is_checked = other is not None
            return header
        extra = {"endpoint": self._name, "reason": f"its block 0 is {other.id}"}
        log.error("the endpoint's grpc_url is on another network", extra=extra)
        return other

    async def _check_network(self, lane: Lane) -> None:
        """See that gRPC is on the network of HTTP, once.

        Raises:
            WrongNetwork: it is on another one.
            NodeError: it can't be seen now.
        """
        if self._is_checked:
            return
        if self._genesis_id is None:
            header = await self._http.read_header(0, solid=False, lane=lane)
            self._genesis_id = None if header is None else header.id
        other = await self._grpc.read_header(0, solid=False, lane=lane)
        if other is None or self._genesis_id is None:
            raise NodeUnavailable(self._name, 1, "it has no block 0")
        if other.id != self._genesis_id:
            name, wanted = f"{self._name} (grpc_url)", self._genesis_id
            raise WrongNetwork(name, wanted=wanted, received=other.id)
        self._is_checked = True

    def _note_failure(self, error: NodeError) -> None:
        self.failures += 1
        if not self._rest_s:
            extra = {"endpoint": self._name, "reason": str(error)}
            log.warning("gRPC fails, asking by HTTP", extra=extra)
        now = trio.current_time()
        if now >= self._rests_until:  # others may still have been under way
            self._rest_s = min(self._rest_s * 2 or REST_S, LONGEST_REST_S)
            self._rests_until = now + self._rest_s

    def _note_answer(self) -> None:
        if self._rest_s:
            log.info("gRPC answers again", extra={"endpoint": self._name})
            self._rest_s, self._rests_until = 0.0, float("-inf")
