"""Asks again for logs that were missing, until the row that waits for one becomes it.

A row waits while the receipt of its transaction holds no log of what its call moved
(`chain.committed`); it is *contradicted* unless its token is exact (`chain.exact`).
Another node, or the same one later, may have the log: then the row takes the log's
index and counts as moved, and an event says so. Each is asked for after half a minute,
a minute, two and so on up to an hour, one row at a time, of all endpoints at once: the
one that is asked first may be the one that withholds it. When the process starts anew,
from the beginning.
"""

import logging
from functools import partial
from typing import Final

import trio
from attrs import define
from msgspec import Struct

from lucidtrond.chain import entries
from lucidtrond.chain.entries import Unread
from lucidtrond.chain.ledger import Ledger
from lucidtrond.errors import NodeError, StoreError
from lucidtrond.events.types import Emit, TransferSeen
from lucidtrond.node.questions.pool_questions import FinalReceiptQuestions
from lucidtrond.ports import Store, Tx
from lucidtrond.tron import trc20
from lucidtrond.tron.receipt import Receipt

log = logging.getLogger(__name__)

FIRST_S: Final = 30.0
LONGEST_S: Final = 3600.0
KEPT: Final = 1000
"""Newest such rows that are looked after."""


@define
class _Schedule:
    """When a row is asked for next."""

    at_s: float
    wait_s: float


class _Key(Struct, frozen=True):
    number: int
    place: int


class Rechecker:
    """One per database."""

    def __init__(
        self,
        node: FinalReceiptQuestions,
        store: Store,
        *,
        ledger: Ledger,
        emit: Emit,
    ) -> None:
        self._node = node
        self._store = store
        self._ledger = ledger
        self._emit = emit
        self._schedules: dict[_Key, _Schedule] = {}

    async def run(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Look after such rows until cancelled."""
        task_status.started()
        while True:
            await trio.sleep(FIRST_S)
            try:
                await self.turn()
            except (NodeError, StoreError) as error:
                log.info("missing log not asked for", extra={"reason": str(error)})

    async def turn(self) -> int:
        """Ask for one row that is due; give how many rows wait for their log.

        Raises:
            NodeError, StoreError: nothing came of it; it is asked for later.
        """
        if not self._ledger.position().synced:
            return 0
        waiting = await self._store.read(lambda tx: entries.unread_rows(tx, limit=KEPT))
        row = self._choose(waiting, trio.current_time())
        if row is not None:
            for receipt in await self._node.find_receipts(row.txid):
                index = index_of(row, receipt)
                if index is not None:
                    await self._store.write(partial(self._settle, row=row, index=index))
                    break
        return len(waiting)

    def _choose(self, waiting: list[Unread], now_s: float) -> Unread | None:
        """The row that is longest due; its next time is set before it is asked for."""
        keys = {_Key(row.block_number, row.place): row for row in waiting}
        self._schedules = {
            key: self._schedules.get(key, _Schedule(now_s, FIRST_S)) for key in keys
        }
        due = [
            key for key, schedule in self._schedules.items() if schedule.at_s <= now_s
        ]
        if not due:
            return None
        key = min(due, key=lambda due_key: self._schedules[due_key].at_s)
        schedule = self._schedules[key]
        schedule.at_s = now_s + schedule.wait_s
        schedule.wait_s = min(2 * schedule.wait_s, LONGEST_S)
        return keys[key]

    def _settle(self, tx: Tx, *, row: Unread, index: int) -> None:
        solid = self._ledger.position().solid
        number = -1 if solid is None else solid.number
        entry = entries.settle(tx, row, index, solid=number, tokens=self._ledger.tokens)
        if entry is not None:
            self._emit(tx, TransferSeen(change="corrected", entry=entry))


def index_of(row: Unread, receipt: Receipt) -> int | None:
    """Where *receipt* holds the log that *row* waits for."""
    if (receipt.txid, receipt.block_number) != (row.txid, row.block_number):
        return None
    wanted = trc20.TransferLog(row.token, row.sender, row.recipient, row.amount)
    for index, held in enumerate(receipt.logs):
        if receipt.succeeded and trc20.parse_log(held) == wanted:
            return index
    return None
