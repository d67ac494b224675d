"""Writes a step within one transaction: blocks, ledger rows, events, observers.

All of it runs in the store's thread; what is raised undoes the step. It changes no
memory: the follower does, once the step is durable.
"""

import logging
from collections.abc import Sequence
from functools import partial

from msgspec import Struct

from lucidtrond.chain import (
    balances,
    entries,
    exact_tables,
    finality_tables,
    producer_tables,
    tables,
    waiting_rows,
)
from lucidtrond.chain import unproven as unproven_tables
from lucidtrond.chain.exact import DEFAULT_POLICY, ExactPolicy
from lucidtrond.chain.observer import BlockObserver
from lucidtrond.chain.read import Movement
from lucidtrond.chain.step import CheckedBlock, Step
from lucidtrond.events.types import (
    BlockApplied,
    BlockReverted,
    BlockUnproven,
    Emit,
    LedgerEntry,
    Solidified,
    TransferSeen,
)
from lucidtrond.ports import Tx
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockHeader, BlockId
from lucidtrond.tron.tokens import KnownTokens
from lucidtrond.tron.trc20 import TransferLog
from lucidtrond.tron.unproven import UnprovenBlocks, UnprovenSummary

log = logging.getLogger(__name__)


class Written(Struct, frozen=True):
    """What a step left in the database that is also kept in memory."""

    head: BlockHeader
    solid: BlockHeader
    unproven: UnprovenSummary


class StepWriter:
    """One per follower; *tokens* are those that the configuration names, *exact* says
    when some prove movements by their calls."""

    def __init__(
        self,
        *,
        genesis_id: BlockId,
        tokens: KnownTokens,
        emit: Emit,
        exact: ExactPolicy = DEFAULT_POLICY,
        wait_unproven: bool = False,
        observers: Sequence[BlockObserver] = (),
    ) -> None:
        self._genesis_id = genesis_id
        self._tokens = tokens
        self._exact = exact
        self._wait_unproven = wait_unproven
        self._emit = emit
        self._observers = tuple(observers)

    def write(self, tx: Tx, step: Step) -> Written:
        """Write *step*; runs in the store's thread."""
        if step.revert_to is not None:
            self._revert(tx, step, step.revert_to)
        for checked in step.blocks:
            self._apply_block(tx, checked, step.solid_before)
        cursor = step.cursor
        tables.write_cursor(tx, cursor, self._genesis_id)
        producer_tables.write_change(tx, step.keys)
        if step.finality is not None:
            finality = step.finality
            finality_tables.write_changes(tx, finality.n, finality.changes)
        head = tables.held_header(tx, cursor.head)
        solid = tables.held_header(tx, cursor.solid)
        if cursor.solid > step.solid_before:
            self._solidify(tx, solid, step)
        return Written(head, solid, unproven_tables.summary(tx))

    def _revert(self, tx: Tx, step: Step, revert_to: int) -> None:
        cursor = step.before
        if cursor is None or revert_to < cursor.solid:
            raise AssertionError("the plan reverts nothing that is final")
        for number in range(cursor.head, revert_to, -1):
            for entry in reversed(self._entries(tx, number - 1, number, cursor.solid)):
                self._emit(tx, TransferSeen(change="reverted", entry=entry))
            entries.delete_entries(tx, number)
            balances.forget_block(tx, number)
            block_id = tables.delete_block(tx, number)
            unproven_tables.delete(tx, number)
            for observer in self._observers:
                observer.reverted(tx, number, block_id)
            self._emit(tx, BlockReverted(number=number, block_id=block_id))

    def _apply_block(self, tx: Tx, checked: CheckedBlock, solid: int) -> None:
        block, receipts = checked.block, checked.receipts
        header = block.header
        tables.insert_block(tx, block, checked.id)
        self._emit(
            tx,
            BlockApplied(
                number=header.number,
                block_id=checked.id,
                parent_id=header.parent_id,
                timestamp_ms=header.timestamp,
                transactions=len(block.transactions),
            ),
        )
        for problem in receipts.problems:
            self._emit(tx, problem)
        if not block.root_proven:
            unproven_tables.insert(tx, header.number, checked.id)
            self._emit(tx, BlockUnproven(number=header.number, block_id=checked.id))
        ours, kept = self._insert_movements(tx, checked, solid)
        exact = {
            movement.txid
            for movement in kept
            if movement.receipt_proof is not None and movement.proof == "signatures"
        }
        moved = [
            (movement.txid, log)
            for movement in ours
            if (log := _transfer_log(movement)) is not None
        ]
        for observer in self._observers:
            observer.applied(
                tx,
                block,
                receipts.receipts,
                agreed=receipts.agreed.logs,
                owners=checked.contents.owners,
                moved=moved,
                exact=exact,
            )

    def _insert_movements(
        self, tx: Tx, checked: CheckedBlock, solid: int
    ) -> tuple[Sequence[Movement], Sequence[Movement]]:
        """Keep what moved from or to watched addresses; give it, and what is kept of it
        with its proofs.

        *solid* is our solid head.
        """
        number, contents = checked.block.header.number, checked.contents
        ends = {movement.sender for movement in contents.movements}
        ends.update(movement.recipient for movement in contents.movements)
        ends |= contents.owners
        watched = tables.watched_among(tx, ends)
        if not watched:
            return (), ()
        ours = [
            movement
            for movement in contents.movements
            if movement.sender in watched or movement.recipient in watched
        ]
        kept = self._not_shown_before(tx, checked.block, ours, solid)
        kept = exact_tables.prove(
            tx, checked.block.header, kept, tokens=self._tokens, policy=self._exact
        )
        waits = self._wait_unproven and not checked.block.root_proven
        entries.insert_entries(tx, checked.block, checked.id, kept, waits=waits)
        balances.note_block(
            tx,
            number,
            movements=kept,
            watched=watched,
            owners=contents.owners,
            tokens=self._tokens,
        )
        for entry in self._entries(tx, number - 1, number, -1):
            self._emit(tx, TransferSeen(change="included", entry=entry))
        return ours, kept

    def _not_shown_before(
        self, tx: Tx, block: Block, movements: Sequence[Movement], solid: int
    ) -> list[Movement]:
        """Those to keep, where an earlier block of ours shows the same transaction.

        The network takes each once (Manager.validateDup), so one of the two blocks is
        not proven and shows what it does not hold: a proven one takes the place of an
        unproven one, else the first one stays.
        """
        earlier = entries.numbers_of(tx, {movement.txid for movement in movements})
        for txid, number in list(earlier.items()):
            extra = {"txid": txid, "first": number, "second": block.header.number}
            log.error("two blocks show the same transaction", extra=extra)
            if block.root_proven and unproven_tables.is_marked(tx, number):
                del earlier[txid]
                tokens = self._tokens
                for entry in entries.delete_transaction(
                    tx, txid, solid=solid, tokens=tokens
                ):
                    self._emit(tx, TransferSeen(change="reverted", entry=entry))
        return [movement for movement in movements if movement.txid not in earlier]

    def _entries(self, tx: Tx, above: int, up_to: int, solid: int) -> list[LedgerEntry]:
        return entries.entries_between(
            tx, above, up_to, solid=solid, tokens=self._tokens
        )

    def _solidify(self, tx: Tx, solid: BlockHeader, step: Step) -> None:
        number, before = solid.number, step.solid_before
        for entry in self._entries(tx, before, number, number):
            if entry.solidified:
                self._emit(tx, TransferSeen(change="solidified", entry=entry))

        def unproven(after: int, held_in: int | None) -> UnprovenBlocks:
            return unproven_tables.around(tx, after=after, number=held_in)

        for observer in self._observers:
            observer.solidified(
                tx,
                solid,
                step.cursor.complete_from,
                unproven=unproven,
                waits=partial(waiting_rows.waits, tx),
            )
        self._emit(
            tx,
            Solidified(number=number, block_id=solid.id, timestamp_ms=solid.timestamp),
        )
        tables.prune_blocks(tx, number)
        unproven_tables.prune(tx, number)


def _transfer_log(movement: Movement) -> TransferLog | None:
    token = movement.asset
    if not isinstance(token, Address) or not movement.success:
        return None
    return TransferLog(token, movement.sender, movement.recipient, movement.amount)
