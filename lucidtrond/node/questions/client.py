"""One endpoint, asked with types: questions out, checked answers in.

Every block was checked as a whole (id, transaction root, witness signature) and is the
one that was asked for; ranges are consecutive and linked; every transaction hashes to
its txid. Whatever contradicts itself or the question is `NodeLied`; what is no answer
at all is `NodeRefused`. Blocks, heads and receipts come by gRPC where the endpoint has
it (`preferred_blocks`), all else by HTTP.

No retries here; see `routing`.
"""

from itertools import pairwise
from typing import Literal

from lucidtrond.errors import NodeRefused, NodeUnavailable
from lucidtrond.node.health.admission import Admission
from lucidtrond.node.questions import translate, wire
from lucidtrond.node.questions.block_source import (
    LARGE_BYTES,
    MAX_RANGE,
    BlockSource,
)
from lucidtrond.node.questions.endpoint_client import EndpointClient
from lucidtrond.node.questions.grpc_blocks import GrpcBlocks
from lucidtrond.node.questions.http_blocks import HttpBlocks
from lucidtrond.node.questions.json_questions import JsonQuestions, view
from lucidtrond.node.questions.judging import judging
from lucidtrond.node.questions.preferred_blocks import PreferredBlocks
from lucidtrond.node.questions.translate import Contradiction
from lucidtrond.node.transport.line import AnswerTooLarge, Lane, NodeLine
from lucidtrond.tron.account import Account, Resources
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockHeader, BlockId, BlockTransaction
from lucidtrond.tron.broadcast import BroadcastAnswer
from lucidtrond.tron.contract_terms import ContractTerms
from lucidtrond.tron.node_facts import NodeFacts
from lucidtrond.tron.parameters import ChainParameters
from lucidtrond.tron.reading import Reading
from lucidtrond.tron.receipt import ConstantResult, Receipt
from lucidtrond.tron.transaction import Transaction, TxId


class NodeClient(EndpointClient):
    """Typed questions to one endpoint; *large_bytes* bounds answers with blocks."""

    def __init__(self, line: NodeLine, *, large_bytes: int = LARGE_BYTES) -> None:
        self._line = line
        self._large_bytes = large_bytes
        self._json = JsonQuestions(line, large_bytes)
        self._blocks: BlockSource = HttpBlocks(self._json)
        self._preferred: PreferredBlocks | None = None
        if line.has_grpc():
            self._blocks = self._preferred = PreferredBlocks(
                line.endpoint.name,
                GrpcBlocks(line, large_bytes),
                self._blocks,
                grpc_solid=line.has_grpc(solid=True),
            )
        self._span = MAX_RANGE
        self._head: BlockHeader | None = None
        self._solid: BlockHeader | None = None

    @property
    def name(self) -> str:
        """The endpoint's: host and port."""
        return self._line.endpoint.name

    @property
    def operator(self) -> str:
        """Who runs the endpoint."""
        return self._line.endpoint.operator

    @property
    def requests(self) -> int:
        """Sent so far."""
        return self._line.requests

    @property
    def waiting(self) -> int:
        """Questions that wait for a connection."""
        return self._line.waiting

    @property
    def admission(self) -> Admission:
        """Budget and breaker of this endpoint."""
        return self._line.admission

    @property
    def head_number(self) -> int | None:
        """Of the newest head that this endpoint showed us."""
        return None if self._head is None else self._head.number

    @property
    def solid_number(self) -> int | None:
        return None if self._solid is None else self._solid.number

    @property
    def grpc_state(self) -> Literal["ok", "failing"] | None:
        """How gRPC is doing; None where the endpoint has none."""
        if self._preferred is None:
            return None
        return "failing" if self._preferred.is_failing else "ok"

    @property
    def grpc_failures(self) -> int:
        """Questions that went to HTTP because gRPC failed."""
        return 0 if self._preferred is None else self._preferred.failures

    # Blocks

    async def probe(self) -> BlockHeader:
        """The newest solidified header, over connections that are for probes."""
        return await self.fetch_head(solid=True, lane=Lane.PROBES)

    async def fetch_head(
        self, *, solid: bool = False, lane: Lane = Lane.QUESTIONS
    ) -> BlockHeader:
        """The newest (or newest solidified) header; id and signature were checked."""
        header = await self._blocks.read_header(None, solid=solid, lane=lane)
        if header is None:
            raise NodeUnavailable(self.name, 1, "it has no block yet")
        if solid:
            self._solid = header
        else:
            self._head = header
        return header

    def _note_newer(self, header: BlockHeader) -> None:
        if self._head is None or header.number > self._head.number:
            self._head = header

    async def fetch_genesis_id(self) -> BlockId:
        """The id of block 0, recomputed."""
        header = await self._blocks.read_header(0, solid=False, lane=Lane.URGENT)
        if header is None:
            raise NodeRefused(self.name, "it has no block 0")
        with judging(self.name):
            if header.number != 0:
                raise Contradiction(f"block {header.number} in place of block 0")
        return header.id

    async def fetch_solid_id(self, number: int) -> BlockId | None:
        """The id of the final block *number*; None: none is final there yet."""
        header = await self.fetch_solid_header(number)
        return None if header is None else header.id

    async def fetch_solid_header(self, number: int) -> BlockHeader | None:
        """Of the final block *number*; None: none is final there yet."""
        header = await self._blocks.read_header(number, solid=True, lane=Lane.QUESTIONS)
        if header is None:
            return None
        with judging(self.name):
            if header.number != number:
                raise Contradiction(f"block {header.number} in place of {number}")
        return header

    async def fetch_block(self, which: int | BlockId) -> Block | None:
        """By number or id; None when the node has none."""
        block = await self._blocks.read_block(which)
        if block is not None and which not in (block.header.number, block.header.id):
            with judging(self.name):
                raise Contradiction(f"block {block.header.id} in place of {which}")
        return block

    async def fetch_blocks(self, start: int, end: int) -> list[Block]:
        """Blocks from *start* up to before *end*; fewer when the node has no more.

        At most 100; they are linked by parent ids.
        """
        if not 0 <= start < end <= start + MAX_RANGE:
            raise AssertionError(f"a range from {start} to {end} is never asked")
        blocks: list[Block] = []
        while (at := start + len(blocks)) < end:
            asked = min(end - at, self._span)
            try:
                page = await self._page(at, at + asked)
            except AnswerTooLarge:
                if asked == 1:
                    raise
                self._span = asked // 2
                continue
            if blocks and page:
                self._check_link(blocks[-1], page[0])
            blocks += page
            if len(page) < asked:
                break
        if blocks:
            self._note_newer(blocks[-1].header)
        return blocks

    async def _page(self, start: int, end: int) -> list[Block]:
        page = await self._blocks.read_page(start, end)
        if page.size < self._large_bytes // 8:
            self._span = min(self._span * 2, MAX_RANGE)
        for number, block in enumerate(page.blocks, start):
            if block.header.number != number or number >= end:
                with judging(self.name):
                    raise Contradiction(
                        f"block {block.header.number} in a range from {start} to {end}"
                    )
        for parent, block in pairwise(page.blocks):
            self._check_link(parent, block)
        return page.blocks

    def _check_link(self, parent: Block, block: Block) -> None:
        with judging(self.name):
            if block.header.parent_id != parent.header.id:
                raise Contradiction(
                    f"block {block.header.number} does not follow the one before it"
                )

    # Transactions

    async def fetch_transaction(self, txid: TxId) -> BlockTransaction | None:
        """Pending ones too; the raw bytes hash to *txid*."""
        return await self._json.ask_for(
            wire.TransactionJson,
            "/wallet/gettransactionbyid",
            {"value": txid},
            lambda answer: translate.read_transaction(answer, txid),
            large=True,
        )

    async def fetch_receipt(self, txid: TxId, *, solid: bool = False) -> Receipt | None:
        """None while not included (or not solidified)."""
        receipt = await self._blocks.read_receipt(txid, solid=solid)
        if receipt is not None and receipt.txid != txid:
            with judging(self.name):
                raise Contradiction(f"another receipt than that of {txid}")
        return receipt

    async def fetch_receipts(self, which: int | Block) -> tuple[Receipt, ...]:
        """All receipts of a block, in its order.

        Given a block they must be exactly those of its transactions. Given a number,
        ``()`` may also mean that the node does not have (them for) that block.
        """
        number = which if isinstance(which, int) else which.header.number
        receipts = await self._blocks.read_receipts(number)
        if isinstance(which, Block):
            with judging(self.name):
                translate.check_receipts(which, receipts)
        return receipts

    async def broadcast(self, transaction: Transaction) -> BroadcastAnswer:
        """Hand in the exact bytes; the node's txid was compared with ours.

        Raises:
            NodeError: nothing is known of what became of it; it may be included.
        """
        txid = transaction.txid
        return await self._json.ask(
            wire.BroadcastJson,
            "/wallet/broadcasthex",
            {"transaction": transaction.encode().hex()},
            lambda answer: translate.read_broadcast(answer, txid, name=self.name),
            lane=Lane.URGENT,
        )

    # Accounts and the chain

    async def fetch_account(
        self, address: Address, *, solid: bool = False
    ) -> Reading[Account]:
        """As of the head and this node's pool, or of the solidified head."""
        as_of = await self._as_of(solid=solid)
        account = await self._json.ask_for(
            wire.AccountJson,
            view("getaccount", solid=solid),
            {"address": address.hex},
            lambda answer: translate.read_account(answer, address),
        )
        if account is None:
            account = Account(address, activated=False)
        return Reading(account, as_of)

    async def fetch_resources(self, address: Address) -> Reading[Resources]:
        """All zero for an account that was never activated."""
        as_of = await self._as_of(solid=False)
        resources = await self._json.ask_for(
            wire.ResourcesJson,
            "/wallet/getaccountresource",
            {"address": address.hex},
            translate.read_resources,
        )
        return Reading(Resources() if resources is None else resources, as_of)

    async def fetch_parameters(self) -> Reading[ChainParameters]:
        """Prices and switches, as voted."""
        as_of = await self._as_of(solid=False)
        path = "/wallet/getchainparameters"
        parameters = await self._json.ask(
            wire.ParametersJson, path, {}, translate.read_parameters
        )
        return Reading(parameters, as_of)

    async def fetch_active_producers(self) -> frozenset[Address]:
        """Those that take turns now, as voted."""
        return await self._json.ask(
            wire.WitnessesJson,
            "/wallet/listwitnesses",
            {},
            translate.read_active_producers,
        )

    async def call_constant(
        self, *, owner: Address, contract: Address, data: bytes, solid: bool = False
    ) -> ConstantResult:
        """Let the node simulate a call on its head and pool, or its *solid* state.

        Raises:
            CallNotRun: the reason is the node's own ("Smart contract is not exist.",
                any error of the machine but a revert).
            SimulationUnsupported: it runs no calls.
        """
        return await self._json.ask(
            wire.ConstantJson,
            view("triggerconstantcontract", solid=solid),
            {
                "owner_address": owner.hex,
                "contract_address": contract.hex,
                "data": data.hex(),
            },
            translate.read_constant,
        )

    async def fetch_contract(self, address: Address) -> ContractTerms | None:
        """Who pays for calls of a contract; None: there is no contract."""
        return await self._json.ask_for(
            wire.SmartContractJson,
            "/wallet/getcontract",
            {"value": address.hex},
            lambda answer: translate.read_contract(answer, address),
            large=True,
        )

    async def fetch_info(self) -> NodeFacts:
        """What the node says about itself."""
        path = "/wallet/getnodeinfo"
        return await self._json.ask(wire.NodeInfoJson, path, {}, translate.read_facts)

    async def _as_of(self, *, solid: bool) -> int:
        """The newest block that this endpoint had before the question is asked."""
        head = self._solid if solid else self._head
        if head is None:
            head = await self.fetch_head(solid=solid)
        return head.number
