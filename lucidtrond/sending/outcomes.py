"""Outcomes: what the follower's blocks say of payments, known and foreign.

All of it runs in the store's thread, within the transaction that writes the block.
"""

import logging
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from attrs import evolve

from lucidtrond.errors import StoreError
from lucidtrond.events.types import LedgerEntry
from lucidtrond.ports import Tx
from lucidtrond.sending import plan
from lucidtrond.sending.foreign_book import BlockContents, ForeignBook
from lucidtrond.sending.journal import queries
from lucidtrond.sending.journal.entry import Entry
from lucidtrond.sending.kinds.table import kind_of
from lucidtrond.sending.plan import Fact
from lucidtrond.sending.recorder import Recorder
from lucidtrond.sending.render import result_of
from lucidtrond.sending.set_aside import IN_BLOCK, SetAside
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockHeader, BlockId
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.transaction import TxId
from lucidtrond.tron.trc20 import TransferLog
from lucidtrond.tron.unproven import UnprovenBlocks

log = logging.getLogger(__name__)


class Outcomes:
    """Satisfies `chain.observer.BlockObserver`.

    *on_durable* is called in trio's thread once a step of the chain is written.
    """

    def __init__(
        self,
        recorder: Recorder,
        *,
        set_aside: SetAside,
        foreign: ForeignBook,
        on_durable: Callable[[], None],
    ) -> None:
        self._recorder = recorder
        self._set_aside = set_aside
        self._foreign = foreign
        self._on_durable = on_durable
        # Filled in the store's thread within a block's transaction, emptied after it.
        self._recorded: deque[str] = deque()

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
        """Our head holds *block*."""
        tx.after_commit(self._step_is_durable)
        if not block.transactions:
            return
        included = {
            transaction.transaction.txid: transaction
            for transaction in block.transactions
        }
        receipt_of = {receipt.txid: receipt for receipt in receipts}
        header = block.header
        for entry in queries.among(tx, list(included), faults=self._set_aside.note):
            receipt = receipt_of[entry.txid]
            with self._guarded(entry):
                kind = kind_of(entry.intent)
                arrived = kind.amount_arrived(entry.intent, receipt)
                inclusion = plan.Inclusion(
                    header.number,
                    header.id,
                    header.timestamp,
                    contract_ret=included[entry.txid].contract_ret or 0,
                    fee=receipt.fee,
                    arrived=arrived,
                ).with_proof(
                    committed=block.root_proven,
                    agreed=entry.txid in agreed,
                    exact=entry.txid in exact and arrived == entry.intent.amount,
                )
                if entry.attempt.state == "expired":
                    log.error("included after proven dead", extra={"txid": entry.txid})
                fact = plan.Included(
                    inclusion, result_of(receipt), committed=block.root_proven
                )
                self._record(tx, entry, fact)
        contents = BlockContents(block, receipt_of, agreed, owners, moved)
        self._foreign.applied(tx, contents)

    def reproven(self, tx: Tx, row: LedgerEntry) -> None:
        """What a payment moved rests on what *row* rests on, if that is the same."""
        tx.after_commit(self._step_is_durable)
        fact = plan.Reproven(row.block_number, row.proof)
        for entry in queries.among(tx, [TxId(row.txid)], faults=self._set_aside.note):
            with self._guarded(entry):
                # Logs that say something else than the call are proven by no call.
                if _is_shown(entry, row) and _moved_as_asked(entry):
                    self._record(tx, entry, fact)

    def disproven(self, tx: Tx, row: LedgerEntry) -> None:
        """A proven version of its block does not hold what *row* said."""
        tx.after_commit(self._step_is_durable)
        number = row.block_number
        fact = plan.Reverted(
            number,
            BlockId(row.block_id),
            f"a proven version of block {number} does not hold it",
        )
        for entry in queries.among(tx, [TxId(row.txid)], faults=self._set_aside.note):
            with self._guarded(entry):
                if _is_shown(entry, row):
                    self._record(tx, entry, fact)

    def reverted(self, tx: Tx, number: int, block_id: BlockId) -> None:
        """A fork took the block back."""
        tx.after_commit(self._step_is_durable)
        for entry in queries.in_block(tx, number, faults=self._set_aside.note):
            with self._guarded(entry):
                self._record(tx, entry, plan.Reverted(number, block_id))
        self._foreign.reverted(tx, number)

    def solidified(
        self,
        tx: Tx,
        header: BlockHeader,
        complete_from: int,
        *,
        unproven: Callable[[int, int | None], UnprovenBlocks],
        waits: Callable[[TxId, int], bool],
    ) -> None:
        """All blocks from *complete_from* to *header* were reported and are final."""
        tx.after_commit(self._step_is_durable)
        fact = plan.SolidUpTo(header.number, header.timestamp, complete_from)
        for entry in queries.touched_by_final(
            tx, header.number, header.timestamp, faults=self._set_aside.note
        ):
            attempt = entry.attempt
            block = None if attempt.inclusion is None else attempt.inclusion.number
            with self._guarded(entry):
                doubtful = unproven(attempt.reference_number, block)
                pending = block is not None and waits(entry.txid, block)
                self._record(tx, entry, evolve(fact, unproven=doubtful, waits=pending))
        self._foreign.solidified(tx, header, unproven)

    @contextmanager
    def _guarded(self, entry: Entry) -> Iterator[None]:
        """What fails for one payment, but for the store, keeps no block from it."""
        try:
            yield
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - of one payment: see `set_aside`
            self._set_aside.note_error(entry, error, field=IN_BLOCK)

    def _step_is_durable(self) -> None:
        while self._recorded:
            self._recorder.wake(self._recorded.popleft())
        self._on_durable()

    def _record(self, tx: Tx, entry: Entry, fact: Fact) -> None:
        self._recorder.note(tx, entry, fact)
        self._recorded.append(entry.payment.payment_id)


def _is_shown(entry: Entry, row: LedgerEntry) -> bool:
    return kind_of(entry.intent).is_shown_by(entry.intent, row)


def _moved_as_asked(entry: Entry) -> bool:
    """By its logs, where they have to show it."""
    block = entry.attempt.inclusion
    return block is not None and block.arrived in (None, entry.intent.amount)
