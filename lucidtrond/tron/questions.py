"""What a node of the network is asked: each question once, with its answer's type.

Consumers name the part they need: `AccountQuestions`, `HeadQuestions` and so on.
`NodeQuestions` has all; one endpoint's client, a pool of them and the cache before it
satisfy it.

All raise `errors.NodeError`; deadlines are the caller's cancel scope. *solid* asks for
the newest solidified state in place of the newest one.
"""

from typing import Protocol

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


class AccountQuestions(Protocol):
    """What the chain holds of an address."""

    async def fetch_account(
        self, address: Address, *, solid: bool = False
    ) -> Reading[Account]:
        """Balance and stake; effects of the node's pool show unless *solid*."""

    async def fetch_resources(self, address: Address) -> Reading[Resources]:
        """Bandwidth and energy; all zero for an account that was never activated."""


class ParameterQuestions(Protocol):
    """What the chain voted."""

    async def fetch_parameters(self) -> Reading[ChainParameters]:
        """Prices and switches, as voted."""


class HeadQuestions(Protocol):
    """How far the chain is."""

    async def fetch_head(self, *, solid: bool = False) -> BlockHeader:
        """The newest (or newest solidified) block's header; id and signature were
        checked."""


class BlockQuestions(Protocol):
    """One block."""

    async def fetch_block(self, which: int | BlockId) -> Block | None:
        """By number or id, verified; None when the node has none."""


class BlockRangeQuestions(Protocol):
    """Many blocks."""

    async def fetch_blocks(self, start: int, end: int) -> list[Block]:
        """From *start* up to before *end*, at most 100, verified and linked by parent
        ids; fewer when the node has no more."""


class BlockReceiptQuestions(Protocol):
    """What became of a block's transactions."""

    async def fetch_receipts(self, which: int | Block) -> tuple[Receipt, ...]:
        """All receipts of a block, in its order.

        Given a block they are exactly those of its transactions. Given a number, ``()``
        may also mean that the node does not have (them for) that block.
        """


class TransactionQuestions(Protocol):
    """One transaction."""

    async def fetch_transaction(self, txid: TxId) -> BlockTransaction | None:
        """Pending ones too; the raw bytes hash to *txid*."""

    async def fetch_receipt(self, txid: TxId, *, solid: bool = False) -> Receipt | None:
        """None while not included (or not solidified)."""


class CallQuestions(Protocol):
    """What a contract would do."""

    async def call_constant(
        self, *, owner: Address, contract: Address, data: bytes, solid: bool = False
    ) -> ConstantResult:
        """What a call of *owner* would do now: one node's simulation.

        On its head and pool, or on its *solid* state.

        Raises:
            CallNotRun: the reason is the node's own: no contract there, or it failed
                otherwise than by a revert.
            NodeRefused: it runs no calls.
        """


class ContractQuestions(Protocol):
    """What is known of a contract."""

    async def fetch_contract(self, address: Address) -> ContractTerms | None:
        """Who pays for calls of a contract; None: the asked node has no such one."""


class BroadcastQuestions(Protocol):
    """Handing in a transaction."""

    async def broadcast(self, transaction: Transaction) -> BroadcastAnswer:
        """Send the exact bytes; the node's txid was compared with ours.

        Raises:
            NodeError: nothing is known of what became of it; it may be included.
        """


class InfoQuestions(Protocol):
    """The node itself."""

    async def fetch_info(self) -> NodeFacts:
        """What the asked node says about itself."""


class NodeQuestions(
    AccountQuestions,
    ParameterQuestions,
    HeadQuestions,
    BlockQuestions,
    BlockRangeQuestions,
    BlockReceiptQuestions,
    TransactionQuestions,
    CallQuestions,
    ContractQuestions,
    BroadcastQuestions,
    InfoQuestions,
    Protocol,
):
    """All of them."""
