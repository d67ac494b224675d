"""What others may do within the transaction that a block is written in."""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from lucidtrond.events.types import LedgerEntry
from lucidtrond.ports import Tx
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockHeader, BlockId
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.transaction import TxId
from lucidtrond.tron.trc20 import TransferLog
from lucidtrond.tron.unproven import UnprovenBlocks


class BlockObserver(Protocol):
    """Receives every step of our view of the chain, in order, exactly once.

    All run in the store's thread, inside the transaction that writes the step; what
    they raise undoes it. For what follows once it is durable, there is
    `Tx.after_commit`.
    """

    def applied(
        self,
        tx: Tx,
        block: Block,
        receipts: tuple[Receipt, ...],
        *,
        agreed: Collection[TxId],
        owners: Collection[Address],
        moved: Sequence[tuple[TxId, TransferLog]],
        exact: Collection[TxId],
    ) -> None:
        """*block* is our head now; of the transactions *agreed* two endpoints gave the
        same logs.

        *owners* own its transactions; *moved* are Transfer logs of tokens from or to
        watched addresses. The calls of the transactions *exact* prove what they move
        from or to watched addresses (`chain.exact`), until `reproven` says otherwise.
        """

    def reproven(self, tx: Tx, entry: LedgerEntry) -> None:
        """The proof of this row is another one now: of an exact token's plain call, or
        of a row that waited for a second source."""

    def disproven(self, tx: Tx, entry: LedgerEntry) -> None:
        """A proven version of its block does not hold this row, which is deleted."""

    def reverted(self, tx: Tx, number: int, block_id: BlockId) -> None:
        """Our head was reverted; its parent is our head now."""

    def solidified(
        self,
        tx: Tx,
        header: BlockHeader,
        complete_from: int,
        *,
        unproven: Callable[[int, int | None], UnprovenBlocks],
        waits: Callable[[TxId, int], bool],
    ) -> None:
        """All our blocks up to *header* are final; none from *complete_from* on is
        missing, and all of them were reported as applied.

        What some hold is one endpoint's word: they prove neither that a transaction is
        dead nor that it failed. *unproven* gives those that count for one, by the
        number of its reference block and of the block that is said to hold it, if any.
        *waits* says whether a row of that transaction in that block waits for a second
        source, so is not final: `reproven` or `disproven` ends that.
        """
