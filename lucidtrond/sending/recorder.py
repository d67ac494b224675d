"""The recorder: the one writer of payments; each fact becomes a row and an event.

Payments are accepted, adopted, signed and renewed, and facts are noted: what nodes
answered (delivery), another receipt (proving), that nothing follows (renewal), what
blocks hold (outcomes). What a fact means is decided by `plan.after`. Tasks that wait
for a payment are woken after the commit.
"""

import logging
from collections.abc import Callable

import trio
from attrs import evolve

from lucidtrond.events.types import Emit, PaymentChanged
from lucidtrond.ports import Clock, Store, Tx
from lucidtrond.sending import plan
from lucidtrond.sending.authenticity import macs_of
from lucidtrond.sending.foreign import Foreign
from lucidtrond.sending.intent import Intent
from lucidtrond.sending.journal import queries, writes
from lucidtrond.sending.journal.entry import Draft, Entry
from lucidtrond.sending.kinds.table import kind_of
from lucidtrond.sending.plan import Attempt, Fact
from lucidtrond.sending.protocols import Authenticator
from lucidtrond.sending.terms import Terms
from lucidtrond.tron.transaction import TxId, decode_raw
from lucidtrond.tron.units import Sun, UnixMillis

log = logging.getLogger(__name__)


class Recorder:
    """Writes payments, their attempts, and what is known of them."""

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

    def accept(
        self,
        tx: Tx,
        intent: Intent,
        terms: Terms,
        draft: Draft,
        *,
        head_time: UnixMillis,
    ) -> Entry:
        """Write a new payment with its first attempt, unsigned."""
        entry = writes.insert(
            tx,
            intent,
            terms,
            draft,
            head_time=head_time,
            now_ms=self._clock.now_ms(),
        )
        return self._published(tx, entry)

    def renew(self, tx: Tx, dead: Entry, draft: Draft) -> Entry:
        """Write the attempt that follows a dead one, unsigned."""
        writes.supersede(tx, dead)
        entry = writes.insert_next(tx, dead, draft, now_ms=self._clock.now_ms())
        return self._published(tx, entry)

    def authenticate(self, tx: Tx, entry: Entry, key: Authenticator) -> Entry:
        """Write the MACs of both rows as they are: see `authenticity`.

        Raises:
            KeystoreLocked: it was locked meanwhile.
        """
        return writes.authenticate(tx, entry, macs_of(entry, key))

    def adopt(self, tx: Tx, intent: Intent, terms: Terms, foreign: Foreign) -> Entry:
        """Write a new payment whose first attempt is on the chain already."""
        block = foreign.inclusion
        entry = writes.insert(
            tx,
            intent,
            terms,
            _draft_of(foreign),
            head_time=foreign.expiration if block is None else block.timestamp,
            now_ms=self._clock.now_ms(),
        )
        return self._adopted(tx, entry, foreign)

    def adopt_next(self, tx: Tx, dead: Entry, foreign: Foreign) -> Entry:
        """Write the attempt that follows a dead one, which is on the chain already."""
        writes.supersede(tx, dead)
        draft, now_ms = _draft_of(foreign), self._clock.now_ms()
        entry = writes.insert_next(tx, dead, draft, now_ms=now_ms)
        return self._adopted(tx, entry, foreign)

    def _adopted(self, tx: Tx, entry: Entry, foreign: Foreign) -> Entry:
        for signature in foreign.transaction.signatures:
            writes.keep_signature(tx, entry.txid, signature)
        writes.mark_adopted(tx, entry.txid)
        entry = queries.must_find(tx, entry.txid)
        block = foreign.inclusion
        if block is None:
            return self.note(tx, entry, plan.Signed())
        if kind_of(entry.intent).proven_by_log:
            block = evolve(block, arrived=block.arrived or 0)
        fact = plan.Included(block, foreign.result, committed=foreign.committed)
        return self.note(tx, entry, fact)

    def sign(self, tx: Tx, txid: TxId, signature: bytes) -> Entry:
        """Write the signature, before anything is sent; the first one stays."""
        writes.keep_signature(tx, txid, signature)
        return self.note(tx, queries.must_find(tx, txid), plan.Signed())

    def note(self, tx: Tx, entry: Entry, fact: Fact) -> Entry:
        """Write what *fact* makes of the attempt, and an event if it shows."""
        before, attempt = entry.attempt, plan.after(entry.attempt, fact)
        if attempt == before:
            return entry
        noted = writes.update(tx, entry, attempt, now_ms=self._clock.now_ms())
        if attempt.state == "unproven" != before.state:
            extra = {"payment": noted.payment.payment_id, "txid": entry.txid}
            log.warning("payment unproven", extra={**extra, "reason": attempt.reason})
        if _shown(attempt) == _shown(before):
            return noted
        return self._published(tx, noted)

    def _published(self, tx: Tx, entry: Entry) -> Entry:
        self._emit(tx, PaymentChanged(payment=entry.payment))
        return entry

    async def write(self, fn: Callable[[Tx], Entry]) -> Entry:
        """Run *fn* in a write transaction, then wake whatever waits for its payment.

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
        """Let the tasks that wait for this payment read it again."""
        changed = self._changed.pop(payment_id, None)
        if changed is not None:
            changed.set()


def _draft_of(foreign: Foreign) -> Draft:
    """Nothing is set aside: what it burned is burned."""
    raw = foreign.transaction.raw
    fee_limit = decode_raw(raw).fee_limit or None
    burn = Sun(0)
    return Draft(raw, foreign.expiration, foreign.reference_number, fee_limit, burn)


def _shown(attempt: Attempt) -> tuple[object, ...]:
    """What an event is for, when it changes."""
    block = attempt.inclusion
    proof = None if block is None else block.proof
    return attempt.state, attempt.reason, attempt.sent, attempt.abandoned, proof
