"""`LocalNode`: a node that answers from a chain in the same process.

The chain is the devnet's own, so balances, fees, signatures, expirations and blocks are
real; only HTTP is left out. It satisfies everything that the layers above `node` ask of
one. Blocks are made when the test says so (`mine`), and a test may let it fail
(`trouble`) or be slow (`delay_s`).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, cast

import trio
from attrs import define, field

from lucidtrond.devnet.control import Controllable, control
from lucidtrond.devnet.describe import describe
from lucidtrond.devnet.funding import fund, fund_token
from lucidtrond.devnet.state.account import block_key
from lucidtrond.devnet.state.bandwidth import net_limit, net_used
from lucidtrond.devnet.state.blocks import SUCCESS as SUCCESS_RET
from lucidtrond.devnet.state.blocks import (
    BlockRow,
    CallRow,
    LogRow,
    MemoryArchive,
    TransactionRow,
)
from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.chain import Chain, head_header
from lucidtrond.devnet.state.default_chain import default_genesis_file, with_tokens
from lucidtrond.devnet.state.energy import energy_limit, energy_used
from lucidtrond.devnet.state.genesis import make_genesis
from lucidtrond.devnet.state.rejections import Invalid, Refused
from lucidtrond.devnet.state.triggering import Call, call_constant, logs_of
from lucidtrond.devnet.state.world import World
from lucidtrond.errors import CallNotRun, InvalidInput, NodeError, NodeLied
from lucidtrond.node.health.agreement import (
    Agreement,
    KeyReport,
    ProducerReport,
    Sighting,
)
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.account import Account, Resources
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockHeader, BlockId, BlockTransaction
from lucidtrond.tron.broadcast import SUCCESS, BroadcastAnswer
from lucidtrond.tron.contract_terms import ContractTerms
from lucidtrond.tron.parameters import ChainParameters
from lucidtrond.tron.reading import Reading
from lucidtrond.tron.receipt import ConstantResult, Log, Receipt
from lucidtrond.tron.resources import recovered
from lucidtrond.tron.revert import read_revert
from lucidtrond.tron.transaction import Transaction, TxId
from lucidtrond.tron.units import Sun

ENDPOINT: Final = "local"
WITNESSES: Final = 3
FIRST_BLOCKS: Final = 3 * WITNESSES
"""So many that a block is solidified."""
FIRST_SLOT_MS: Final = 1_700_000_001_000
"""Time of the first block, in November 2023: at times near 0 a transaction takes fewer
bytes than on any network. A whole number of block intervals after genesis."""
OFFERED_VERBS: Final = ("info", "mine", "fund")
"""Control verbs that a `LocalNode` carries out."""


def new_chain(*tokens: str) -> Chain:
    """A chain in memory; *tokens* are symbols of odd sorts (`token_sorts`), or all."""
    file = with_tokens(default_genesis_file(WITNESSES), tokens)
    return Chain(make_genesis(file), MemoryArchive())


@define(eq=False)
class LocalNode:
    """Satisfies `api.Node`, `api.DevnetControl` and what follower and sender ask."""

    chain: Chain = field(factory=new_chain)
    trouble: NodeError | None = None
    """Raised by every question while it is set."""
    trouble_with_broadcasts: NodeError | None = None
    """Raised by every broadcast while it is set; nothing gets into the pool."""
    delay_s: float = 0.0
    questions: int = 0

    def __attrs_post_init__(self) -> None:
        while self.chain.head.globals.number < FIRST_BLOCKS:
            self._make_block()

    # -- what a test does to it

    async def mine(self, count: int) -> int:
        """Make *count* blocks, one slot apart; give the head's number."""
        await trio.lowlevel.checkpoint()
        for _ in range(count):
            self._make_block()
        return self._head

    def _make_block(self) -> None:
        draft = self.chain.draft(self.chain.next_slot(FIRST_SLOT_MS))
        self.chain.archive.append(draft.row)
        self.chain.commit()

    async def fund(self, address: Address, amount: Sun) -> TxId:
        """Put a payment from the richest test account into the pool."""
        await trio.lowlevel.checkpoint()
        now_ms = self.chain.head.globals.timestamp
        return fund(self.chain, address, amount, now_ms=now_ms)

    async def fund_token(self, address: Address, token: Address, amount: int) -> TxId:
        """The same with a token's smallest units."""
        await trio.lowlevel.checkpoint()
        now_ms = self.chain.head.globals.timestamp
        return fund_token(self.chain, token, address, amount, now_ms=now_ms)

    def info(self) -> Mapping[str, Any]:
        """What the devnet says of itself, as far as it is true here."""
        return {
            "url": ENDPOINT,
            "replicas": [],
            "grpc_url": None,
            "block_time_s": 0.0,
            **describe(self.chain),
        }

    async def control(self, verb: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Carry out `OFFERED_VERBS`; the others a test does to the chain itself."""
        if verb not in OFFERED_VERBS:
            raise InvalidInput(f"{verb}: this chain is ruled by the test itself")
        return await control(cast("Controllable", self), verb, params)

    # -- questions

    async def fetch_account(
        self, address: Address, *, solid: bool = False
    ) -> Reading[Account]:
        """An account that was never activated is an answer too."""
        await self._ask()
        world = self._world(solid=solid)
        row = world.accounts.get(address.raw)
        if row is None:
            return Reading(Account(address, activated=False), world.globals.number)
        key = Address(block_key(row))
        return Reading(
            Account(
                address,
                activated=True,
                balance=row.balance,
                is_contract=world.contracts.get(address.raw) is not None,
                created_ms=row.created_ms or None,
                staked_bandwidth=row.staked_net,
                staked_energy=row.staked_energy,
                witness_key=None if key == address else key,
            ),
            world.globals.number,
        )

    async def fetch_resources(self, address: Address) -> Reading[Resources]:
        """Used amounts as they have recovered by the head's time."""
        await self._ask()
        world, genesis = self._world(solid=False), self.chain.genesis
        row = world.accounts.get(address.raw)
        if row is None:
            return Reading(Resources(), world.globals.number)
        now = genesis.slot(world.globals.timestamp)
        return Reading(
            Resources(
                free_net_used=recovered(row.free_net_usage, row.free_net_slot, now),
                free_net_limit=genesis.parameters.free_net_limit,
                net_used=net_used(row, now),
                net_limit=net_limit(row, world, genesis),
                energy_used=energy_used(row, now),
                energy_limit=energy_limit(row, world, genesis),
            ),
            world.globals.number,
        )

    async def call_constant(
        self, *, owner: Address, contract: Address, data: bytes, solid: bool = False
    ) -> ConstantResult:
        """Run it on the head and the pool (or the *solid* state), without effect."""
        await self._ask()
        wanted = Call(owner.raw, contract.raw, data)
        try:
            result = call_constant(self._world(solid=solid), wanted)
        except Invalid as refusal:
            raise CallNotRun(ENDPOINT, refusal.reason) from None
        reason = read_revert(result.data) if result.message else None
        return ConstantResult(
            result.data,
            energy_used=result.energy,
            reverted=bool(result.message),
            reason=str(reason) if reason else result.message,
            logs=_logs(logs_of(result, contract.raw)),
        )

    async def fetch_contract(self, address: Address) -> ContractTerms | None:
        """Who pays for its calls; on the head."""
        await self._ask()
        row = self._world(solid=False).contracts.get(address.raw)
        if row is None:
            return None
        return ContractTerms(
            Address(row.origin), row.caller_percent, row.origin_energy_limit
        )

    async def fetch_parameters(self) -> Reading[ChainParameters]:
        """The genesis file's: nobody votes here."""
        await self._ask()
        prices = self.chain.genesis.parameters
        every = {key: value or 0 for key, value in prices.every}
        return Reading(
            ChainParameters(
                transaction_fee=prices.transaction_fee,
                energy_fee=Sun(every["getEnergyFee"]),
                create_account_fee=prices.create_account_fee,
                activation_fee=prices.activation_fee,
                memo_fee=prices.memo_fee,
                multi_sign_fee=prices.multi_sign_fee,
                max_fee_limit=Sun(every["getMaxFeeLimit"]),
                free_net_limit=prices.free_net_limit,
                every=every,
            ),
            self._head,
        )

    async def fetch_head(self, *, solid: bool = False) -> BlockHeader:
        """The newest (or newest solidified) block's header."""
        await self._ask()
        return head_header(self.chain, solid=solid)

    async def fetch_block(self, which: int | BlockId) -> Block | None:
        """By number or id."""
        await self._ask()
        if isinstance(which, int):
            row = self.chain.block(which)
            return None if row is None else row.block
        row = self.chain.block(int(which[:16], 16))
        return row.block if row is not None and row.id.hex() == which else None

    async def fetch_blocks(self, start: int, end: int) -> list[Block]:
        """As many of them as there are."""
        await self._ask()
        rows = (self.chain.block(number) for number in range(start, end))
        return [row.block for row in rows if row is not None]

    async def fetch_same(
        self,
        block_id: BlockId,  # noqa: ARG002 - a protocol's
        start: int,
    ) -> list[Block]:
        """There is no other endpoint."""
        return await self.fetch_blocks(start, start + 100)

    async def report_producers(self) -> Sequence[ProducerReport]:
        """Of one source, which is too few to agree."""
        await self._ask()
        return [ProducerReport(ENDPOINT, ENDPOINT, keys=self.chain.genesis.producers)]

    async def fetch_headers(
        self,
        block_id: BlockId,  # noqa: ARG002 - a protocol's
        start: int,
        end: int,
    ) -> list[BlockHeader]:
        """There is no other endpoint."""
        return [block.header for block in await self.fetch_blocks(start, end)]

    async def fetch_others(
        self,
        block_id: BlockId,  # noqa: ARG002 - a protocol's
        start: int | None = None,  # noqa: ARG002 - a protocol's
    ) -> list[list[Block]]:
        """There is none."""
        await trio.lowlevel.checkpoint()
        return []

    async def fetch_receipts(self, which: Block) -> tuple[Receipt, ...]:
        """All of one block, in order."""
        await self._ask()
        row = self.chain.block(which.header.number)
        return () if row is None else tuple(_receipt(e, row) for e in row.transactions)

    async def fetch_receipts_by(self, which: Block) -> tuple[str, tuple[Receipt, ...]]:
        """The one source."""
        return "local", await self.fetch_receipts(which)

    def has_second_source(self, besides: str) -> bool:  # noqa: ARG002 - a protocol's
        """There is none."""
        return False

    async def fetch_second_receipts(
        self,
        which: Block,  # noqa: ARG002 - a protocol's
        *,
        besides: str,  # noqa: ARG002 - a protocol's
    ) -> tuple[Receipt, ...] | None:
        """Nobody's."""
        return None

    async def fetch_transaction(self, txid: TxId) -> BlockTransaction | None:
        """Pending ones too."""
        await self._ask()
        place = self.chain.find(bytes.fromhex(txid))
        if place is None:
            return None
        ret = place.transaction.contract_ret if place.block else None
        return BlockTransaction.with_code(place.transaction.transaction, ret)

    async def fetch_receipt(self, txid: TxId, *, solid: bool = False) -> Receipt | None:
        """None while not included (or not solidified)."""
        await self._ask()
        place = self.chain.find(bytes.fromhex(txid), solid=solid)
        if place is None or place.block is None:
            return None
        return _receipt(place.transaction, place.block)

    async def confirm_solid(self, number: int, block_id: BlockId) -> Agreement:
        """Of one source."""
        row = self.chain.block(number)
        final = number <= head_header(self.chain, solid=True).number
        await self._ask()
        if row is None or not final:
            return Agreement(number, block_id, 1, behind=(ENDPOINT,))
        if row.id.hex() != block_id:
            return Agreement(number, block_id, 1, differing=(ENDPOINT,))
        return Agreement(number, block_id, 1, agreeing=(ENDPOINT,))

    async def report_keys(
        self,
        producer: Address,
        *,
        expected: Address,  # noqa: ARG002 - the Protocol's
    ) -> Sequence[KeyReport]:
        """Of one source, which has them as of its head."""
        reading = await self.fetch_account(producer)
        key = reading.value.block_key
        return [KeyReport(ENDPOINT, key, reading.as_of_block)]

    async def fetch_proven(
        self,
        block: Block,  # noqa: ARG002 - the Protocol's
    ) -> Block | None:
        """There is no other endpoint."""
        await trio.lowlevel.checkpoint()
        return None

    def note_lie(
        self,
        block_id: BlockId,  # noqa: ARG002 - the Protocol's
        reason: str,
    ) -> NodeError:
        """It can only have been this one."""
        return NodeLied(ENDPOINT, reason)

    async def look_for(self, txid: TxId) -> list[Sighting]:
        """Of one source."""
        is_known = await self.fetch_transaction(txid) is not None
        solid = await self.fetch_receipt(txid, solid=True) is not None
        return [Sighting(ENDPOINT, txid, solid=solid, is_present=is_known)]

    async def find_receipts(self, txid: TxId) -> list[Receipt]:
        """Of one source."""
        receipt = await self.fetch_receipt(txid, solid=True)
        return [] if receipt is None else [receipt]

    async def broadcast(self, transaction: Transaction) -> BroadcastAnswer:
        """Judge it as a node does and keep it for the next block."""
        await self._ask()
        if self.trouble_with_broadcasts is not None:
            raise self.trouble_with_broadcasts
        try:
            self.chain.submit(Candidate.read(transaction))
        except Refused as refusal:
            return BroadcastAnswer(
                refusal.code, refusal.text, transaction.txid, ENDPOINT
            )
        return BroadcastAnswer(SUCCESS, "", transaction.txid, ENDPOINT)

    def endpoints(self) -> Sequence[Mapping[str, Any]]:
        """One, healthy unless the test says otherwise."""
        return [
            {
                "endpoint": ENDPOINT,
                "state": "ok" if self.trouble is None else "failing",
                "requests_today": self.questions,
                "left_today": None,
                "per_day": None,
            }
        ]

    def note_block(self, header: BlockHeader, touched: Collection[Address]) -> None:
        """Nothing is cached here."""

    @property
    def _head(self) -> int:
        return self.chain.head.globals.number

    def _world(self, *, solid: bool) -> World:
        return self.chain.solid if solid else self.chain.pending

    async def _ask(self) -> None:
        self.questions += 1
        await trio.sleep(self.delay_s)
        if self.trouble is not None:
            raise self.trouble


def _receipt(row: TransactionRow, block: BlockRow) -> Receipt:
    receipt = row.receipt
    call = receipt.call or CallRow(b"", SUCCESS_RET, b"", 0, Sun(0))
    result = pb.Transaction.Result.contractResult.Name(call.result)
    return Receipt(
        row.transaction.txid,
        block_number=block.number,
        block_timestamp=block.timestamp,
        fee=receipt.fee,
        net_usage=receipt.net_usage,
        net_fee=receipt.net_fee,
        energy_usage=call.energy_usage,
        energy_usage_total=call.energy_total,
        energy_fee=call.energy_fee,
        vm_result=result if receipt.call else None,
        failed=call.result != SUCCESS_RET,
        message=call.message,
        contract_address=Address(call.contract) if call.contract else None,
        contract_result=call.returned,
        logs=_logs(call.logs),
    )


def _logs(rows: Iterable[LogRow]) -> tuple[Log, ...]:
    return tuple(Log(Address(log.address), log.topics, log.data) for log in rows)
