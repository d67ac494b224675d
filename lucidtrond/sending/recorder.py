"""The recorder: writes what became known of an attempt, and wakes who waits for it.

Everything that is learnt of a transaction is written by `Recorder.note`, whoever learnt
it: delivery (what nodes answered) or the follower (what blocks hold). The decision what
a fact means is `plan.after`; here it becomes a row and an event.
"""

import logging
from collections.abc import Callable

import trio

from lucidtrond.events.types import Emit, PaymentChanged
from lucidtrond.ports import Clock, Store, Tx
from lucidtrond.sending import plan
from lucidtrond.sending.journal import writes
from lucidtrond.sending.journal.entry import Entry
from lucidtrond.sending.plan import Fact

log = logging.getLogger(__name__)


class Recorder:
    """Writes facts."""

    def __init__(
        self,
        store: Store,
        *,
        emit: Emit,
        clock: Clock,
    ) -> None:
        self._store = store
        self._emit = emit
        self._clock = clock
        self._changed: dict[str, trio.Event] = {}

    def note(self, tx: Tx, entry: Entry, fact: Fact) -> Entry:
        """Write what *fact* makes of the attempt, and an event if it shows."""
        known = plan.after(entry.attempt, fact)
        if known == entry.attempt:
            return entry
        noted = writes.update(tx, entry, known, now_ms=self._clock.now_ms())
        before = entry.attempt
        shown = (known.state, known.reason, known.sent)
        if shown != (before.state, before.reason, before.sent):
            self._emit(tx, PaymentChanged(payment=noted.payment))
        if known.state == "unproven" != before.state:
            extra = {"payment": noted.payment.payment_id, "txid": entry.txid}
            log.warning("payment unproven", extra={**extra, "reason": known.reason})
        return noted

    async def write(self, fn: Callable[[Tx], Entry]) -> Entry:
        """Run *fn* in a write transaction, then wake who waits for its payment.

        Raises:
            StoreError
        """
        entry = await self._store.write(fn)
        self.wake(entry.payment.payment_id)
        return entry

    def changed(self, payment_id: str) -> trio.Event:
        """Set when the payment is written next; get it before reading the payment."""
        return self._changed.setdefault(payment_id, trio.Event())

    def wake(self, payment_id: str) -> None:
        """Let everybody who waits for this payment look again."""
        changed = self._changed.pop(payment_id, None)
        if changed is not None:
            changed.set()
