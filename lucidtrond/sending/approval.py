"""Approval: what was not accepted while the keystore was unlocked waits for a person.

A payment without MACs (see `authenticity`) was written by an older program, or while
the keystore was locked. If anything of it were to be signed (its first signature, or
the attempt that follows a dead one), it is listed with totals (`queued`) and waits.
Approving writes its MACs, so that it goes on like any other. What is approved is what
was shown: the list has a fingerprint, and another list is refused.

With *required* false (``[sending] approve_queued``) all of it is approved by itself at
the next unlock, for those who accept that whoever can write the database file can add
payments. Bytes that are not those of their intent are set aside all the same.

Bound: `MOST` payments are listed at once.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from typing import Final

from lucidtrond.errors import Conflict, NotFound
from lucidtrond.events.types import AssetTotal, PaymentFault, QueuedPayments
from lucidtrond.ports import Store, Tx
from lucidtrond.sending.authenticity import (
    LABEL,
    attempt_message,
    check_authentic,
    is_authenticated,
    payment_message,
    renewal_message,
)
from lucidtrond.sending.comparison import check_bytes
from lucidtrond.sending.journal import queries
from lucidtrond.sending.journal.entry import Entry
from lucidtrond.sending.journal.fault import NotApproved, RowRefused
from lucidtrond.sending.protocols import Signer
from lucidtrond.sending.recorder import Recorder
from lucidtrond.sending.set_aside import SetAside

log = logging.getLogger(__name__)

MOST: Final = 1000


class Approval:
    """Says which payments may be signed; *on_approved* is called when more may."""

    def __init__(
        self,
        store: Store,
        *,
        signer: Signer,
        recorder: Recorder,
        set_aside: SetAside,
        required: bool,
        on_approved: Callable[[], None],
    ) -> None:
        self._store = store
        self._signer = signer
        self._recorder = recorder
        self._set_aside = set_aside
        self._required = required
        self._on_approved = on_approved

    def is_awaited(self, entry: Entry) -> bool:
        """Whether it has to wait; looks at no key."""
        return self._required and not is_authenticated(entry)

    async def admit(self, entry: Entry) -> Entry:
        """The entry, if something of it may be signed now.

        Raises:
            RowRefused: it was edited.
            NotApproved: it waits for approval.
            KeystoreLocked
        """
        key = self._signer.authenticator(LABEL)
        try:
            check_authentic(entry, key)
        except NotApproved:
            if self._required:
                raise
        else:
            return entry
        extra = {"payment": entry.payment.payment_id, "txid": entry.txid}
        log.warning("payment approved by itself: approve_queued is false", extra=extra)

        def write(tx: Tx) -> Entry:
            now = queries.must_find(tx, entry.txid)
            return self._recorder.authenticate(tx, _unchanged(now, entry), key)

        return await self._store.write(write)

    async def queued(self, payment_ids: Sequence[str] | None = None) -> QueuedPayments:
        """What waits for approval, with totals, and what is set aside.

        *payment_ids*: these instead, also if only a renewal by hand would sign them.

        Raises:
            NotFound: a payment does not wait for approval.
            RowRefused: its row was edited.
        """
        entries = await self._store.read(lambda tx: self._listed(tx, payment_ids))
        await self._set_aside.publish()
        return QueuedPayments(
            payments=[entry.payment for entry in entries],
            totals=_totals(entries),
            fingerprint=_fingerprint(entries),
            set_aside=[
                PaymentFault(
                    payment_id=fault.payment_id,
                    txid=fault.txid,
                    field=fault.field,
                    wanted=fault.wanted,
                    stored=fault.stored,
                )
                for fault in self._set_aside.faults()
            ],
        )

    async def approve(
        self, *, fingerprint: str, payment_ids: Sequence[str] | None = None
    ) -> list[str]:
        """Let be signed what `queued` gave for the same *payment_ids*.

        Gives the ids of the payments. *fingerprint* is the list's.

        Raises:
            KeystoreLocked
            Conflict: it is not what was shown any more.
            NotFound, RowRefused: see `queued`.
        """
        key = self._signer.authenticator(LABEL)

        def write(tx: Tx) -> list[str]:
            entries = self._listed(tx, payment_ids)
            if _fingerprint(entries) != fingerprint:
                raise Conflict("the list is not what was shown: look again")
            for entry in entries:
                self._recorder.authenticate(tx, entry, key)
            return [entry.payment.payment_id for entry in entries]

        approved = await self._store.write(write)
        for payment_id in approved:
            log.info("payment approved", extra={"payment": payment_id})
        self._on_approved()
        return approved

    def _listed(self, tx: Tx, payment_ids: Sequence[str] | None) -> list[Entry]:
        if payment_ids is not None:
            return [self._named(tx, payment_id) for payment_id in payment_ids]
        waiting = []
        for entry in queries.unauthenticated(tx, MOST, faults=self._set_aside.note):
            try:
                check_bytes(entry)
            except RowRefused as refusal:
                # No approval helps.
                self._set_aside.note(refusal.fault)
            else:
                waiting.append(entry)
        return waiting

    def _named(self, tx: Tx, payment_id: str) -> Entry:
        entry = queries.by_payment_id(tx, payment_id)
        if entry is None or is_authenticated(entry):
            raise NotFound("no such payment waits for approval", payment_id=payment_id)
        check_bytes(entry)
        return entry


def _unchanged(now: Entry, before: Entry) -> Entry:
    """Raises NotApproved where something else stands there now."""
    if _fingerprint([now]) != _fingerprint([before]):
        raise NotApproved(now.payment.payment_id, now.txid)
    return now


def _totals(entries: Sequence[Entry]) -> list[AssetTotal]:
    """By asset, in its smallest units; what is burned beside is not in it."""
    amounts: dict[str, list[int]] = {}
    for entry in entries:
        amounts.setdefault(entry.intent.asset, []).append(entry.intent.amount)
    return [
        AssetTotal(asset=asset, amount=str(sum(all_of_it)), payments=len(all_of_it))
        for asset, all_of_it in sorted(amounts.items())
    ]


def _fingerprint(entries: Sequence[Entry]) -> str:
    digest = hashlib.sha256()
    for entry in entries:
        stored = entry.stored
        for text in (payment_message, attempt_message, renewal_message):
            digest.update(text(stored))
    return digest.hexdigest()
