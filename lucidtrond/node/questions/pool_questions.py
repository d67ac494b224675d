"""What only several endpoints can answer: each question once. Pure.

Satisfied by the pool and by the cache before it. Consumers name the part they need.
"""

from collections.abc import Sequence
from typing import Protocol

from lucidtrond.errors import NodeError
from lucidtrond.node.health.agreement import (
    Agreement,
    KeyReport,
    ProducerReport,
    Sighting,
)
from lucidtrond.node.questions.balances import BalanceQuestion, SolidBalances
from lucidtrond.node.questions.shown import Shown
from lucidtrond.node.questions.solid_numbers import SolidNumbers
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockHeader, BlockId
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.transaction import TxId


class ProofQuestions(Protocol):
    """Blocks that their endpoint can't show whole."""

    async def fetch_proven(self, block: Block) -> Block | None:
        """The same block with a transaction root that fits, of another endpoint; None
        when none shows it soon."""


class ReceiptSources(Protocol):
    """Receipts, and a second endpoint's."""

    async def fetch_receipts_by(self, which: Block) -> tuple[str, tuple[Receipt, ...]]:
        """As `fetch_receipts`, and the name of the endpoint that gave them."""

    def has_second_source(self, besides: str) -> bool:
        """Whether `fetch_second_receipts` would ask an endpoint now."""

    async def fetch_second_receipts(
        self, which: Block, *, besides: str
    ) -> tuple[Receipt, ...] | None:
        """Another endpoint's than *besides*, if it has them soon."""


class FinalityQuestions(Protocol):
    """Whether a block is final."""

    async def confirm_solid(self, number: int, block_id: BlockId) -> Agreement:
        """Whether *block_id* is the endpoints' final block *number*.

        Raises nothing of the nodes': one that can't answer is among the `silent`.
        """


class LieReports(Protocol):
    """Blocks that contradict others."""

    def note_lie(self, block_id: BlockId, reason: str) -> NodeError:
        """Note that a block which passed all checks of its own is a lie all the same.

        Gives the error to raise; it names the endpoint that served the block.
        """


class KeyQuestions(FinalityQuestions, LieReports, Protocol):
    """Which key signs a producer's blocks."""

    async def report_keys(
        self, producer: Address, *, expected: Address
    ) -> Sequence[KeyReport]:
        """Each endpoint's report. Raises nothing of the nodes': `KeyReport.error`."""


class BranchQuestions(LieReports, Protocol):
    """Pages of blocks of endpoints that are chosen, not of the first that answers."""

    async def fetch_same(self, block_id: BlockId, start: int) -> list[Block]:
        """A page from *start* on, of the endpoint that served *block_id*.

        Raises:
            NodeError: it did not answer, or is not known any more.
        """

    async def fetch_headers(
        self, block_id: BlockId, start: int, end: int
    ) -> list[BlockHeader]:
        """Final headers alone, from *start* up to before *end*, of the endpoint that
        served *block_id*; fewer where it has no more. They need not be linked.

        Raises:
            NodeError: it did not answer, or is not known any more.
        """

    async def fetch_others(
        self, block_id: BlockId, start: int | None = None
    ) -> list[list[Block]]:
        """A page from *start* on, of each endpoint that did not serve *block_id*.

        Without *start*, the page around its own final block. One that has no such
        page, or does not answer in time, is left out.
        """


class ProducerQuestions(Protocol):
    """Who makes blocks."""

    async def report_producers(self) -> Sequence[ProducerReport]:
        """Each endpoint's report. Raises nothing of the nodes'."""


class SightingQuestions(Protocol):
    """Where a transaction is."""

    async def look_for(self, txid: TxId) -> list[Sighting]:
        """Whether each endpoint has *txid*. Raises nothing of the nodes':
        `Sighting.error`."""


class FinalReceiptQuestions(Protocol):
    """What became of a transaction, says each endpoint."""

    async def find_receipts(self, txid: TxId) -> list[Receipt]:
        """Each endpoint's receipt of *txid* in a final block.

        Raises nothing of the nodes': one that has none or can't answer is left out.
        """


class BalanceQuestions(Protocol):
    """Several balances at one moment."""

    async def read_solid_balances(
        self, questions: Sequence[BalanceQuestion]
    ) -> SolidBalances:
        """Of one endpoint's solid state; see `balance_reader`."""


class VersionQuestions(Protocol):
    """What each endpoint shows of one block."""

    async def show_block(self, block_id: BlockId) -> list[Shown]:
        """Each endpoint's version of a block, with its own receipts.

        Raises nothing of the nodes': one that has none or can't answer is left out.
        """


class NumberQuestions(Protocol):
    """What a contract returns, on the solid state."""

    async def read_solid_numbers(
        self, contract: Address, functions: Sequence[str]
    ) -> SolidNumbers:
        """Of one endpoint; *functions* are signatures without arguments.

        Raises:
            NodeError: none can be asked, or it runs no calls.
        """


class PoolQuestions(
    ProofQuestions,
    ReceiptSources,
    KeyQuestions,
    BranchQuestions,
    ProducerQuestions,
    SightingQuestions,
    FinalReceiptQuestions,
    BalanceQuestions,
    NumberQuestions,
    VersionQuestions,
    Protocol,
):
    """All of them."""
