"""Heads, blocks and receipts of one endpoint, by whatever protocol it is asked."""

from typing import Final, Protocol

from msgspec import Struct

from lucidtrond.node.transport.line import Lane
from lucidtrond.tron.block import Block, BlockHeader, BlockId
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.transaction import TxId

MAX_RANGE: Final = 100
"""Blocks per getblockbylimitnext; the node answers ``{}`` to more."""
SMALL_BYTES: Final = 4 << 20
LARGE_BYTES: Final = 32 << 20
"""A block of 2 MB is about 12 MB of JSON."""


class Page(Struct, frozen=True):
    """Consecutive blocks as they came, and how many bytes they took."""

    blocks: list[Block]
    size: int


class BlockSource(Protocol):
    """Each block and header was checked by itself; that it is the one which was asked
    for, and follows the one before it, is for who asks to see.

    All raise `errors.NodeError`, those with blocks or receipts `AnswerTooLarge` too.
    """

    async def read_header(
        self, number: int | None, *, solid: bool, lane: Lane
    ) -> BlockHeader | None:
        """The header of a block, None: the newest; None when the node has none."""

    async def read_block(self, which: int | BlockId) -> Block | None:
        """By number or id; None when the node has none."""

    async def read_page(self, start: int, end: int) -> Page:
        """From *start* up to before *end*, at most 100; fewer near the head."""

    async def read_receipts(self, number: int) -> tuple[Receipt, ...]:
        """Of a block, in its order; ``()`` also when the node does not have them."""

    async def read_receipt(self, txid: TxId, *, solid: bool) -> Receipt | None:
        """None while not included (or not solidified)."""
