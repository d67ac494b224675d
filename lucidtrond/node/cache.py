"""What nodes said lately: three caches with trio locks, forgotten block by block.

*account*: balances and resources, until a block (or a transaction of ours) touches the
address. *network*: chain parameters and contracts' terms, for minutes; heads and blocks
are not kept, only equal questions at the same moment asked once. *transactions*: until
the next block, which may change what became of them.

How equal questions become one is in `flights`.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import trio

from lucidtrond.errors import NodeError
from lucidtrond.node.health.agreement import Agreement, KeyReport, Sighting
from lucidtrond.node.health.endpoint_health import Changes
from lucidtrond.node.pool import NodePool
from lucidtrond.node.questions.balances import BalanceQuestion, SolidBalances
from lucidtrond.node.questions.single_flight import Cache, Counts
from lucidtrond.node.questions.translate import NodeFacts
from lucidtrond.tron import contracts
from lucidtrond.tron.account import Account, Resources
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockHeader, BlockId, BlockTransaction
from lucidtrond.tron.broadcast import BroadcastAnswer
from lucidtrond.tron.contract_terms import ContractTerms
from lucidtrond.tron.parameters import ChainParameters
from lucidtrond.tron.reading import Reading
from lucidtrond.tron.receipt import ConstantResult, Receipt
from lucidtrond.tron.transaction import (
    MalformedTransaction,
    Transaction,
    TxId,
    decode_raw,
)

ACCOUNTS: Final = 12_288
ACCOUNT_AGE_S: Final = 300.0
"""Not all that changes an account is a transfer that names it."""
RESOURCES_AGE_S: Final = 30.0
"""These recover with time, block or not."""
NETWORK: Final = 64
PARAMETERS_AGE_S: Final = 300.0
CONTRACT_AGE_S: Final = 300.0
AGREEMENT_AGE_S: Final = 60.0
TRANSACTIONS: Final = 4096
TRANSACTION_AGE_S: Final = 3.0
"""A block's time, for when no blocks are noted."""


class CachedNode:
    """Satisfies `api.Node`, and what the follower and the sender ask of a node."""

    def __init__(self, pool: NodePool) -> None:
        self._pool = pool
        self._accounts = Cache(size=ACCOUNTS)
        self._network = Cache(size=NETWORK)
        self._transactions = Cache(size=TRANSACTIONS)
        self._noted: BlockHeader | None = None

    @property
    def genesis_id(self) -> BlockId:
        """Of the configured network."""
        return self._pool.genesis_id

    async def watch(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """See `NodePool.watch`."""
        await self._pool.watch(task_status=task_status)

    async def wait_recovered(self, within_s: float) -> None:
        """Return when an endpoint that failed answers again, or after *within_s*."""
        with trio.move_on_after(within_s):
            await self._pool.changes.recovered.wait()

    @property
    def changes(self) -> Changes:
        """What the pool has to tell of its endpoints."""
        return self._pool.changes

    def statistics(self) -> Mapping[str, Counts]:
        """Of each cache, by its name."""
        return {
            "account": self._accounts.counts,
            "network": self._network.counts,
            "transactions": self._transactions.counts,
        }

    def endpoints(self) -> Sequence[Mapping[str, Any]]:
        """State of each endpoint, JSON-able, without keys."""
        return self._pool.endpoints()

    def note_block(self, header: BlockHeader, touched: Collection[Address]) -> None:
        """Forget what *header*'s block changed; called once per applied block.

        A block that does not follow the one before means that others were taken back:
        then nothing that is known of accounts holds.
        """
        before, self._noted = self._noted, header
        self._transactions.forget_all()
        if before is not None and header.parent_id != before.id:
            self._accounts.forget_all()
            self._pool.forget_accounts()
            return
        for address in touched:
            self._forget_account(address)

    def _forget_account(self, address: Address) -> None:
        self._accounts.forget(("account", address))
        self._accounts.forget(("resources", address))

    # Accounts

    async def fetch_account(
        self, address: Address, *, solid: bool = False
    ) -> Reading[Account]:
        """Kept until a block touches the address; not kept at all when *solid*."""
        if solid:
            # Blocks are noted when they are applied; these change when they are final.
            return await self._accounts.get(
                ("solid account", address),
                lambda: self._pool.fetch_account(address, solid=True),
                age_s=_not_kept,
            )
        return await self._accounts.get(
            ("account", address),
            lambda: self._pool.fetch_account(address),
            age_s=lambda reading: self._age_s(reading, ACCOUNT_AGE_S),
        )

    async def fetch_resources(self, address: Address) -> Reading[Resources]:
        """Kept like accounts, but not as long."""
        return await self._accounts.get(
            ("resources", address),
            lambda: self._pool.fetch_resources(address),
            age_s=lambda reading: self._age_s(reading, RESOURCES_AGE_S),
        )

    def _age_s(self, reading: Reading[Any], age_s: float) -> float:
        """Nothing is kept from a node that is behind the blocks we noted."""
        is_behind = self._noted is not None and reading.as_of_block < self._noted.number
        return 0.0 if is_behind else age_s

    # The network

    async def fetch_parameters(self) -> Reading[ChainParameters]:
        """Kept for minutes."""
        return await self._network.get(
            "parameters", self._pool.fetch_parameters, age_s=lambda _: PARAMETERS_AGE_S
        )

    async def fetch_head(self, *, solid: bool = False) -> BlockHeader:
        """Never kept; equal questions at one moment are one."""
        return await self._network.get(
            ("head", solid),
            lambda: self._pool.fetch_head(solid=solid),
            age_s=_not_kept,
        )

    async def fetch_block(self, which: int | BlockId) -> Block | None:
        """Never kept, as `fetch_head`."""
        return await self._network.get(
            ("block", which), lambda: self._pool.fetch_block(which), age_s=_not_kept
        )

    async def fetch_blocks(self, start: int, end: int) -> list[Block]:
        """Straight from the pool."""
        return await self._pool.fetch_blocks(start, end)

    async def fetch_receipts(self, which: int | Block) -> tuple[Receipt, ...]:
        """Straight from the pool."""
        return await self._pool.fetch_receipts(which)

    async def fetch_receipts_by(self, which: Block) -> tuple[str, tuple[Receipt, ...]]:
        """Straight from the pool."""
        return await self._pool.fetch_receipts_by(which)

    def has_second_source(self, besides: str) -> bool:
        """Whether there is an endpoint beside that one to ask now."""
        return self._pool.has_second_source(besides)

    async def fetch_second_receipts(
        self, which: Block, *, besides: str
    ) -> tuple[Receipt, ...] | None:
        """Straight from the pool."""
        return await self._pool.fetch_second_receipts(which, besides=besides)

    async def read_solid_balances(
        self, questions: Sequence[BalanceQuestion]
    ) -> SolidBalances:
        """Straight from the pool."""
        return await self._pool.read_solid_balances(questions)

    async def fetch_proven(self, block: Block) -> Block | None:
        """Straight from the pool."""
        return await self._pool.fetch_proven(block)

    async def report_keys(
        self, producer: Address, *, expected: Address
    ) -> Sequence[KeyReport]:
        """Straight from the pool: it is asked when what is known does not fit."""
        return await self._pool.report_keys(producer, expected=expected)

    def blame(self, block_id: BlockId, reason: str) -> NodeError:
        """As `NodePool.blame`."""
        return self._pool.blame(block_id, reason)

    async def call_constant(
        self, *, owner: Address, contract: Address, data: bytes, solid: bool = False
    ) -> ConstantResult:
        """Never kept: any block may change it; equal calls at one moment are one."""
        return await self._network.get(
            ("call", owner, contract, data, solid),
            lambda: self._pool.call_constant(
                owner=owner, contract=contract, data=data, solid=solid
            ),
            age_s=_not_kept,
        )

    async def fetch_contract(self, address: Address) -> ContractTerms | None:
        """Kept for minutes: only its maker changes it. Unknown contracts are not."""
        return await self._network.get(
            ("contract", address),
            lambda: self._pool.fetch_contract(address),
            age_s=lambda terms: 0.0 if terms is None else CONTRACT_AGE_S,
        )

    async def fetch_info(self) -> NodeFacts:
        """What a node says about itself; not kept."""
        return await self._network.get("info", self._pool.fetch_info, age_s=_not_kept)

    # Transactions

    async def fetch_transaction(self, txid: TxId) -> BlockTransaction | None:
        """Kept until the next block: a pending one's result is only a forecast."""
        return await self._transactions.get(
            ("transaction", txid),
            lambda: self._pool.fetch_transaction(txid),
            age_s=lambda _: TRANSACTION_AGE_S,
        )

    async def fetch_receipt(self, txid: TxId, *, solid: bool = False) -> Receipt | None:
        """Kept until the next block."""
        return await self._transactions.get(
            ("solid receipt" if solid else "receipt", txid),
            lambda: self._pool.fetch_receipt(txid, solid=solid),
            age_s=lambda _: TRANSACTION_AGE_S,
        )

    async def confirm_solid(self, number: int, block_id: BlockId) -> Agreement:
        """Whether the endpoints have that block as final; kept once they agree."""
        return await self._network.get(
            ("solid", number, block_id),
            lambda: self._pool.confirm_solid(number, block_id),
            age_s=lambda agreement: AGREEMENT_AGE_S if agreement.holds else 0.0,
        )

    async def look_for(self, txid: TxId) -> list[Sighting]:
        """What each endpoint knows of *txid*; never kept."""
        return await self._pool.look_for(txid)

    async def find_receipts(self, txid: TxId) -> list[Receipt]:
        """Each endpoint's receipt of *txid* in a final block; never kept."""
        return await self._pool.find_receipts(txid)

    async def broadcast(self, transaction: Transaction) -> BroadcastAnswer:
        """Straight to the nodes; whom it names is asked about anew afterwards.

        Raises:
            NodeError: none answered; it may land all the same.
        """
        try:
            return await self._pool.broadcast(transaction)
        finally:
            self._transactions.forget(("transaction", transaction.txid))
            # The node's view of accounts contains its pool.
            for address in _named(transaction):
                self._forget_account(address)


def _not_kept(_: object) -> float:
    return 0.0


def _named(transaction: Transaction) -> Collection[Address]:
    try:
        return contracts.addresses_in(decode_raw(transaction.raw).contract)
    except MalformedTransaction:
        return ()
