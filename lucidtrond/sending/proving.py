"""Proving: asks again for receipts that did not prove what their transactions did.

A token payment that is ``unproven`` (see `plan`) succeeded in a final block, and the
receipt we were given held no Transfer log. Headers do not commit to logs, so the log
may be missing at that endpoint only. All endpoints are asked for the receipt, 1, 2, 4,
… minutes after the last time and at last every 6 hours; one that shows the log proves
the payment. Nothing proves that it did not pay, so this never ends one.

Bounds: `ROUND` payments at once in a round, one round every `ROUND_EVERY_S`, and
`ANSWER_WITHIN_S` for the answers.
"""

import logging
from typing import Final

import trio
from attrs import define

from lucidtrond.errors import CommitUnknown, NodeError, StoreError
from lucidtrond.ports import Store, Tx
from lucidtrond.sending import plan
from lucidtrond.sending.journal import queries
from lucidtrond.sending.journal.entry import Entry
from lucidtrond.sending.kinds.table import kind_of
from lucidtrond.sending.protocols import PaymentNode
from lucidtrond.sending.recorder import Recorder
from lucidtrond.sending.set_aside import SetAside
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.transaction import TxId

log = logging.getLogger(__name__)

ROUND_EVERY_S: Final = 60.0
ROUND: Final = 20
ANSWER_WITHIN_S: Final = 15.0
LONGEST_WAIT_S: Final = 6 * 3600.0
_MOST_READ: Final = 1000
"""Of more unproven payments than that, the oldest are asked about."""


@define
class _Schedule:
    """When to ask about one payment: *due* in the trio clock."""

    due: float
    wait_s: float = ROUND_EVERY_S

    def asked(self, now: float) -> None:
        self.due = now + self.wait_s
        self.wait_s = min(self.wait_s * 2, LONGEST_WAIT_S)


class Proving:
    """Looks for receipts that prove unproven payments."""

    def __init__(
        self,
        store: Store,
        node: PaymentNode,
        *,
        recorder: Recorder,
        set_aside: SetAside,
    ) -> None:
        self._set_aside = set_aside
        self._store = store
        self._node = node
        self._recorder = recorder
        self._schedules: dict[TxId, _Schedule] = {}
        self.unproven = 0
        """How many there were when they were last read; at most `_MOST_READ`."""

    async def run(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """One round a minute, until cancelled.

        Raises:
            CommitUnknown: only a restart can tell what the journal holds.
        """
        task_status.started()
        while True:
            try:
                await self.ask_due()
            except CommitUnknown:
                raise
            except StoreError as error:
                log.warning("unproven payments not read", extra={"reason": str(error)})
            await trio.sleep(ROUND_EVERY_S)

    async def ask_due(self) -> None:
        """Ask about those that are due, a few of them.

        Raises:
            StoreError
        """
        entries = await self._store.read(
            lambda tx: queries.unproven(tx, _MOST_READ, faults=self._set_aside.note)
        )
        self.unproven = len(entries)
        entries = [entry for entry in entries if _lacks_log(entry)]
        now = trio.current_time()
        schedules = self._schedules
        self._schedules = {
            entry.txid: schedules.get(entry.txid) or _Schedule(now) for entry in entries
        }
        due = [entry for entry in entries if self._schedules[entry.txid].due <= now]
        for entry in due[:ROUND]:
            self._schedules[entry.txid].asked(now)
            try:
                await self.ask(entry)
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001 - of one payment: see `set_aside`
                self._set_aside.note_error(entry, error)

    async def ask(self, entry: Entry) -> Entry:
        """Ask all endpoints about one; gives it as it is then.

        Raises:
            StoreError
        """
        receipts: list[Receipt] = []
        with trio.move_on_after(ANSWER_WITHIN_S):
            try:
                receipts = await self._node.find_receipts(entry.txid)
            except NodeError as error:
                extra = {"txid": entry.txid, "reason": str(error)}
                log.info("no receipt for an unproven payment", extra=extra)
        proof = _proof(entry, receipts)
        if proof is None:
            return entry
        extra = {"txid": entry.txid, "arrived": str(proof.arrived)}
        log.warning("another receipt proves a payment", extra=extra)

        def write(tx: Tx) -> Entry:
            return self._recorder.note(tx, queries.must_find(tx, entry.txid), proof)

        return await self._recorder.write(write)


def _lacks_log(entry: Entry) -> bool:
    """Unproven for want of a log, not because its block is."""
    inclusion = entry.attempt.inclusion
    return inclusion is not None and inclusion.succeeded and not inclusion.paid


def _proof(entry: Entry, receipts: list[Receipt]) -> plan.Proven | None:
    """What they prove; of several, the least that arrived."""
    inclusion = entry.attempt.inclusion
    if inclusion is None:
        return None
    kind = kind_of(entry.intent)
    amounts = [
        kind.amount_arrived(entry.intent, receipt) or 0
        for receipt in receipts
        if receipt.txid == entry.txid
        and receipt.block_number == inclusion.number
        and receipt.succeeded
    ]
    proven = [amount for amount in amounts if amount]
    return plan.Proven(inclusion.number, min(proven)) if proven else None
