"""Checks what `chain.plan` can't see of blocks, and reads what they moved.

A block counts only if its producer's key signed it (`chain.signers`). One whose
transaction root could not be recomputed is followed all the same, after other endpoints
were asked for it (`chain.proving`). Receipts are fetched and checked where there are
transactions (`chain.receipts`).
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

import trio

from lucidtrond.chain.plan import Link, Unsettled
from lucidtrond.chain.producers import KeyTable
from lucidtrond.chain.proving import RootProver
from lucidtrond.chain.read import ReceiptsMismatch, read_block
from lucidtrond.chain.receipts import NO_RECEIPTS, CheckedReceipts, ReceiptReader
from lucidtrond.chain.signers import SignerCheck
from lucidtrond.chain.step import CheckedBlock
from lucidtrond.errors import NodeError
from lucidtrond.tron.block import Block

_CONCURRENT_RECEIPTS: Final = 8
"""Receipt requests while catching up; the node's own limit is below."""


class BlockChecker:
    """One per follower."""

    def __init__(
        self, prover: RootProver, signers: SignerCheck, receipts: ReceiptReader
    ) -> None:
        self._prover = prover
        self._signers = signers
        self._receipts = receipts

    async def check(
        self,
        blocks: Sequence[Block],
        links: Sequence[Link],
        *,
        reverted: Iterable[int] = (),
    ) -> tuple[tuple[CheckedBlock, ...], KeyTable]:
        """Check blocks that follow one another, above blocks that are *reverted*.

        *links* are theirs. Gives the producers' keys as they are after them too.

        Raises:
            NodeError, Unsettled: not now, or not from this endpoint; ask again.
        """
        proven = await self._prover.prove(blocks)
        keys = await self._signers.check(proven, reverted=reverted)
        return await self._read(proven, links), keys

    async def _read(
        self, blocks: Sequence[Block], links: Sequence[Link]
    ) -> tuple[CheckedBlock, ...]:
        """Fetch receipts where there are transactions, several at once, and read."""
        by_number: dict[int, CheckedReceipts] = {}

        async def fetch(block: Block) -> None:
            receipts = await self._receipts.fetch(block)
            by_number[block.header.number] = receipts

        with_receipts = [
            block for block in blocks if block.transactions and block.header.number > 0
        ]
        await _fetch_all(with_receipts, fetch)
        done: list[CheckedBlock] = []
        for block, link in zip(blocks, links, strict=True):
            await trio.lowlevel.checkpoint()
            receipts = by_number.get(link.number, NO_RECEIPTS)
            try:
                contents = read_block(
                    block,
                    receipts.receipts,
                    agreed=receipts.agreed,
                    expected=receipts.expected,
                    missing=receipts.missing,
                )
            except ReceiptsMismatch as mismatch:
                # A fork between two questions, or a node that has not stored them yet.
                raise Unsettled(str(mismatch)) from None
            done.append(CheckedBlock(block, link.id, receipts, contents))
        return tuple(done)


async def _fetch_all(
    blocks: Sequence[Block], fetch: Callable[[Block], Awaitable[None]]
) -> None:
    """Fetch them, a few at once; the first failure ends it and is raised."""
    failures: list[NodeError] = []
    remaining = iter(blocks)

    async def work(scope: trio.CancelScope) -> None:
        for block in remaining:
            try:
                await fetch(block)
            except NodeError as error:
                failures.append(error)
                scope.cancel()

    async with trio.open_nursery() as nursery:
        for _ in range(min(_CONCURRENT_RECEIPTS, len(blocks))):
            nursery.start_soon(work, nursery.cancel_scope)
    if failures:
        raise failures[0]
