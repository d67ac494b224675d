"""Asks what other endpoints show of blocks whose rows wait for a second source.

A row of a block whose transaction root does not fit waits, where the configuration
says so: it is not shown or announced as final while it is one endpoint's word. Every
endpoint is asked for its version of one such block at a time, after half a minute, a
minute, two and so on up to an hour; `chain.versions` judges. Where the configuration
does not say so, rows that waited are announced at the start.
"""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import trio
from attrs import define

from lucidtrond.chain import waiting_rows
from lucidtrond.chain.ledger import Ledger
from lucidtrond.chain.observer import BlockObserver
from lucidtrond.chain.versions import MovementKey, Verdict, judge
from lucidtrond.chain.waiting_rows import WaitingBlock
from lucidtrond.errors import NodeError, StoreError
from lucidtrond.events.types import Emit, TransferSeen
from lucidtrond.node.questions.pool_questions import VersionQuestions
from lucidtrond.ports import Store, Tx

log = logging.getLogger(__name__)

FIRST_S: Final = 30.0
LONGEST_S: Final = 3600.0


@define
class _Schedule:
    """When a block is asked for next."""

    at_s: float
    wait_s: float


class VersionChecker:
    """One per database."""

    def __init__(
        self,
        node: VersionQuestions,
        store: Store,
        *,
        ledger: Ledger,
        emit: Emit,
        observers: Sequence[BlockObserver] = (),
    ) -> None:
        self._node = node
        self._store = store
        self._ledger = ledger
        self._emit = emit
        self._observers = tuple(observers)
        self._schedules: dict[int, _Schedule] = {}

    async def run(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Look after rows that wait until cancelled."""
        task_status.started()
        while True:
            try:
                await self.turn()
            except (NodeError, StoreError) as error:
                log.info("rows still wait", extra={"reason": str(error)})
            await trio.sleep(FIRST_S)

    async def turn(self) -> None:
        """Ask about one block that is due.

        Raises:
            StoreError: nothing came of it; it is asked for later.
        """
        solid = self._ledger.position().solid
        if solid is None:
            return
        number = solid.number
        blocks = await self._store.read(lambda tx: waiting_rows.blocks(tx, number))
        self._ledger.waiting = sum(len(block.rows) for block in blocks)
        if blocks and not self._ledger.wait_unproven:
            await self._store.write(partial(self._release_all, solid=number))
            self._ledger.waiting = 0
            return
        block = self._choose(blocks, trio.current_time())
        if block is None:
            return
        verdicts = judge(block.rows, await self._node.show_block(block.id))
        if verdicts:
            await self._store.write(
                partial(self._apply, block=block, verdicts=verdicts, solid=number)
            )
            self._ledger.waiting -= len(verdicts)

    def _choose(self, blocks: list[WaitingBlock], now_s: float) -> WaitingBlock | None:
        """The one that is longest due; its next time is set before it is asked for."""
        by_number = {block.number: block for block in blocks}
        self._schedules = {
            number: self._schedules.get(number, _Schedule(now_s, FIRST_S))
            for number in by_number
        }
        due = [
            number
            for number, schedule in self._schedules.items()
            if schedule.at_s <= now_s
        ]
        if not due:
            return None
        number = min(due, key=lambda due_number: self._schedules[due_number].at_s)
        schedule = self._schedules[number]
        schedule.at_s = now_s + schedule.wait_s
        schedule.wait_s = min(2 * schedule.wait_s, LONGEST_S)
        return by_number[number]

    def _apply(
        self,
        tx: Tx,
        *,
        block: WaitingBlock,
        verdicts: Mapping[MovementKey, Verdict],
        solid: int,
    ) -> None:
        tokens = self._ledger.tokens
        for row, verdict in verdicts.items():
            place = block.rows[row]
            if verdict == "gone":
                entry = waiting_rows.delete(
                    tx, block.number, place, solid=solid, tokens=tokens
                )
                if entry is not None:
                    extra = {"txid": entry.txid, "block_number": block.number}
                    log.error("a proven block does not hold a movement", extra=extra)
                    self._emit(tx, TransferSeen(change="reverted", entry=entry))
                    for observer in self._observers:
                        observer.disproven(tx, entry)
                continue
            entry = waiting_rows.release(
                tx, block.number, place, verdict, solid=solid, tokens=tokens
            )
            if entry is not None:
                self._emit(tx, TransferSeen(change="proven", entry=entry))
                self._emit(tx, TransferSeen(change="solidified", entry=entry))
                for observer in self._observers:
                    observer.reproven(tx, entry)

    def _release_all(self, tx: Tx, *, solid: int) -> None:
        for entry in waiting_rows.release_all(
            tx, solid=solid, tokens=self._ledger.tokens
        ):
            self._emit(tx, TransferSeen(change="solidified", entry=entry))
