"""Payments that are set aside: nothing is signed, sent or renewed by their rows.

A row is set aside when it can't be read, when it does not say what its payment was
accepted for (`comparison`, `authenticity`), or when acting on it fails with an error
that nobody expects. All other payments go on. Nothing is written to the row: its state
stays as it is. It is looked at again whenever it is due, and goes on once the row is
what it was, so that repairing the row (from a backup, say) is enough. What a block
would have written of it is lost: it will seem dead, and no renewal believes that.

Each fault is one line of the log, one event and one condition of the daemon's health,
for as long as it lasts in this process.

Bound: `MOST` faults are kept; more are counted and logged.
"""

import logging
from typing import Final

from lucidtrond.errors import CommitUnknown, StoreError
from lucidtrond.events.types import Emit, PaymentSetAside
from lucidtrond.ports import Store, Tx
from lucidtrond.sending.journal.entry import Entry
from lucidtrond.sending.journal.fault import RowFault, RowRefused, shown

log = logging.getLogger(__name__)

MOST: Final = 1000
IN_BLOCK: Final = "block"
"""The field of what failed when a block was read; it lasts until a restart."""


class SetAside:
    """What is set aside in this process, and why."""

    def __init__(self, store: Store, *, emit: Emit) -> None:
        self._store = store
        self._emit = emit
        self._faults: dict[str, RowFault] = {}
        self._unpublished: dict[str, RowFault] = {}
        self.total = 0
        """How often a payment was set aside since the start."""

    def faults(self) -> tuple[RowFault, ...]:
        """Those that last, oldest first."""
        return tuple(self._faults.values())

    def holds(self, entry: Entry) -> bool:
        return entry.txid in self._faults

    def note(self, fault: RowFault) -> None:
        """Set a payment aside, from any thread; harmless when it is already."""
        key = fault.txid or fault.name
        if self._faults.get(key) == fault:
            return
        self.total += 1
        extra = {
            "payment": fault.payment_id,
            "txid": fault.txid,
            "field": fault.field,
            "wanted": fault.wanted,
            "stored": fault.stored,
        }
        log.error("payment set aside", extra=extra)
        if key in self._faults or len(self._faults) < MOST:
            self._faults[key] = self._unpublished[key] = fault

    def note_error(
        self, entry: Entry, error: Exception, *, field: str = "error"
    ) -> None:
        """Set aside what failed with *error*, which nobody expects."""
        if isinstance(error, RowRefused):
            self.note(error.fault)
            return
        text = shown(f"{type(error).__name__}: {error}")
        payment_id = entry.payment.payment_id
        self.note(RowFault(payment_id, entry.txid, field, "no error", text))
        log.error("payment failed", extra={"txid": entry.txid}, exc_info=error)

    def release(self, entry: Entry) -> None:
        """Its row is what it has to be: it goes on.

        But for what failed in a block: the block is not read again.
        """
        fault = self._faults.get(entry.txid)
        if fault is not None and fault.field != IN_BLOCK:
            del self._faults[entry.txid]
            self._unpublished.pop(entry.txid, None)
            extra = {"payment": entry.payment.payment_id, "txid": entry.txid}
            log.info("payment goes on", extra=extra)

    async def publish(self) -> None:
        """Write an event for each that has none; later where the store refuses.

        Raises:
            CommitUnknown
        """
        if not self._unpublished:
            return
        unpublished, self._unpublished = self._unpublished, {}

        def write(tx: Tx) -> None:
            for fault in unpublished.values():
                self._emit(tx, _event(fault))

        try:
            await self._store.write(write)
        except CommitUnknown:
            raise
        except StoreError as error:
            self._unpublished = {**unpublished, **self._unpublished}
            log.warning("events not written", extra={"reason": str(error)})


def _event(fault: RowFault) -> PaymentSetAside:
    return PaymentSetAside(
        payment_id=fault.payment_id,
        txid=fault.txid,
        field=fault.field,
        wanted=fault.wanted,
        stored=fault.stored,
    )
