"""Renewal: what follows an attempt that is proven dead, or that nothing does.

Only a transaction whose death is proven (see `plan`) and confirmed by the nodes, or one
that failed in its block, is followed by another one for the same intent. Both are
linked: same payment, next attempt. Where a lost journal has renewed it already, the
next attempt is the one that it made (`adoption`).

A row that says ``expired`` or ``failed`` proves neither: it may have been edited. The
death is derived anew from our blocks (`chain.absence`) and the bytes' own expiration, a
failure from the nodes' receipts. Where they contradict the row, it is set aside.
"""

import logging
from collections.abc import Callable

from lucidtrond.errors import (
    AlreadyFinal,
    CallError,
    DeadlinePassed,
    ForeignTransaction,
    InDoubt,
    KeystoreLocked,
    PossibleRestore,
)
from lucidtrond.events.types import Payment
from lucidtrond.ports import Store, Tx
from lucidtrond.sending import plan
from lucidtrond.sending.adoption import Adoption, Tags
from lucidtrond.sending.approval import Approval
from lucidtrond.sending.authenticity import LABEL, check_authentic, is_authenticated
from lucidtrond.sending.comparison import check_bytes
from lucidtrond.sending.drafting import ChainHeads, Drafting, check_covered, draft
from lucidtrond.sending.foreign_book import ForeignBook
from lucidtrond.sending.journal import queries
from lucidtrond.sending.journal.entry import Entry
from lucidtrond.sending.journal.fault import NotApproved, RowFault, RowRefused
from lucidtrond.sending.protocols import AbsenceProof, PaymentNode, Signer
from lucidtrond.sending.recorder import Recorder
from lucidtrond.sending.render import adoptable, checked
from lucidtrond.sending.restore_guard import RestoreGuard
from lucidtrond.sending.terms import SHORTEST_MS
from lucidtrond.tron.block import ChainPosition
from lucidtrond.tron.transaction import TxId, decode_raw

log = logging.getLogger(__name__)


class Renewal:
    """Writes the next attempt of a dead one, or that there is none; sends nothing."""

    def __init__(
        self,
        store: Store,
        node: PaymentNode,
        *,
        drafting: Drafting,
        signer: Signer,
        approval: Approval,
        recorder: Recorder,
        adoption: Adoption,
        foreign: ForeignBook,
        guard: RestoreGuard,
        position: Callable[[], ChainPosition],
        absence: AbsenceProof,
        longest_ms: int,
    ) -> None:
        """*longest_ms*: the longest lifetime that a transaction may have."""
        self._store = store
        self._node = node
        self._drafting = drafting
        self._signer = signer
        self._approval = approval
        self._adoption = adoption
        self._foreign = foreign
        self._guard = guard
        self._recorder = recorder
        self._position = position
        self._absence = absence
        self._longest_ms = longest_ms

    async def settle(self, entry: Entry) -> Entry | None:
        """Write the next attempt of a dead one, or that none follows.

        None: not now, since the nodes do not agree (yet) that it is dead, the keystore
        is locked, or its wallet or the whole state may pay nothing new.

        Raises:
            NodeError: nothing was decided.
            RowRefused: the bytes are not those of the intent.
            CommitUnknown
        """
        check_bytes(entry)
        try:
            if entry.attempt.awaits_renewal:
                return await self.renew(entry)
            if is_authenticated(entry) and not self._signer.is_locked:
                check_authentic(entry, self._signer.authenticator(LABEL))
            await self._check_death(entry)
        except RowRefused:
            raise
        except InDoubt as doubt:
            extra = {"txid": entry.txid, "reason": doubt.message}
            log.info("not surely dead yet", extra=extra)
            return None
        except (KeystoreLocked, ForeignTransaction, PossibleRestore) as reason:
            extra = {"txid": entry.txid, "reason": reason.message}
            log.info("next attempt waits", extra=extra)
            return None
        except CallError as error:
            return await self._abandon(entry, error.message)
        return await self._abandon(entry)

    async def renew(self, entry: Entry, *, by_hand: bool = False) -> Entry:
        """Write the next attempt of a payment whose last one can't pay any more.

        *by_hand*: whatever its terms say, and also if it failed on the chain.

        Raises:
            InDoubt: the nodes do not agree that it is dead; or `RowRefused`.
            CallError: it can't be paid (any more).
            NodeError
        """
        check_bytes(entry)
        entry = await self._approval.admit(entry)
        key = self._signer.authenticator(LABEL)
        await self._check_unpaid(entry)
        intent = entry.intent
        tags = await self._adoption.make_tags(intent)
        adopted = await self.follow(entry, by_hand=by_hand, tags=tags)
        if adopted is not None:
            return adopted
        lifetime_ms, deadline = await self._store.read(
            lambda tx: queries.time_limits(tx, entry.payment_seq)
        )
        # An older version, or another setting, let longer ones be journaled.
        lifetime_ms = min(lifetime_ms, self._longest_ms)
        heads = await self._fetch_heads(entry)
        if deadline is not None and not by_hand:
            lifetime_ms = min(lifetime_ms, deadline - heads.head.timestamp)
            if lifetime_ms < SHORTEST_MS:
                raise DeadlinePassed("the time it was given is over")
        quote = await self._drafting.quote(intent, heads, solid=True)

        def renew(tx: Tx) -> Entry:
            dead = _renewable(tx, entry.txid, by_hand=by_hand)
            check_authentic(dead, key)
            if dead.intent != intent:
                raise InDoubt("its row has just changed")
            adopted = self._adoption.adopt_next(tx, dead, tags)
            if adopted is not None:
                return adopted
            self._foreign.check(tx, intent.owner)
            burn = check_covered(tx, intent, quote, key, instead_of=dead)
            attempt = draft(
                tx,
                intent,
                quote,
                heads,
                tag=tags.own,
                lifetime_ms=lifetime_ms,
                burn=burn,
            )
            following = self._recorder.renew(tx, dead, attempt)
            return self._recorder.authenticate(tx, following, key)

        return await self._recorder.write(renew)

    async def follow(
        self, entry: Entry, *, by_hand: bool, tags: Tags | None = None
    ) -> Entry | None:
        """Write the next attempt that a lost journal made already, if there is one.

        *tags* of its key are not made again.

        Raises:
            InDoubt, AlreadyFinal: nothing can follow.
            Conflict, KeystoreLocked, NoSuchKey, StoreError
        """
        if not self._foreign.owners:
            return None
        made = tags or await self._adoption.make_tags(entry.intent)

        def adopt(tx: Tx) -> Entry | None:
            dead = _renewable(tx, entry.txid, by_hand=by_hand)
            return self._adoption.adopt_next(tx, dead, made)

        adopted = await self._store.write(adopt)
        if adopted is not None:
            self._recorder.wake(adopted.payment.payment_id)
        return adopted

    async def check(self, entry: Entry) -> Payment:
        """As `renew` by hand, without writing anything.

        Raises:
            as `renew`
        """
        check_bytes(entry)
        if self._approval.is_awaited(entry):
            raise NotApproved(entry.payment.payment_id, entry.txid)
        await self._check_unpaid(entry)
        tags = await self._adoption.make_tags(entry.intent)
        foreign = await self._store.read(
            lambda tx: self._adoption.find(tx, entry.intent, tags)
        )
        if foreign is not None:
            return adoptable(entry.intent, foreign.txid)
        heads = await self._fetch_heads(entry)
        quote = await self._drafting.quote(entry.intent, heads, solid=True)

        key = self._signer.authenticator(LABEL)

        def check(tx: Tx) -> None:
            dead = _renewable(tx, entry.txid, by_hand=True)
            check_covered(tx, entry.intent, quote, key, instead_of=dead)

        await self._store.read(check)
        return checked(entry.intent, quote, attempt=entry.payment.attempt + 1)

    async def _fetch_heads(self, entry: Entry) -> ChainHeads:
        """The heads, where the state and the wallet may pay anything new.

        Raises:
            PossibleRestore, ForeignTransaction, NodeError
        """
        heads = await self._drafting.fetch_heads()
        await self._guard.check(heads.head.timestamp)
        owner = entry.intent.owner
        if owner in self._foreign.stopped:
            await self._store.read(lambda tx: self._foreign.check(tx, owner))
        return heads

    async def _check_unpaid(self, entry: Entry) -> None:
        if entry.attempt.state == "failed":
            await self._check_failure(entry)
        else:
            await self._check_death(entry)

    async def _check_death(self, entry: Entry) -> None:
        """Derive the death from our blocks anew, and let the nodes confirm them.

        What the row says of it counts for nothing: it is who edited it that would
        gain by a second payment.

        Raises:
            InDoubt
            RowRefused: it says that it is dead, and our blocks do not prove it.
        """
        position = self._position()
        solid, is_proven = position.solid, position.finality.is_proven
        if solid is None:
            raise InDoubt("no final block yet")
        raw = decode_raw(entry.transaction.raw)
        doubt = await self._store.read(
            lambda tx: self._absence(
                tx,
                entry.txid,
                raw,
                reference_number=entry.attempt.reference_number,
                solid=solid,
            )
        )
        if doubt is not None and doubt.is_edited:
            stored = f"{entry.attempt.state}: {doubt.text}"
            raise _refused(entry, "a death that our blocks prove", stored)
        if doubt is not None:
            raise InDoubt(doubt.text)
        agreement = await self._node.confirm_solid(solid.number, solid.id)
        if not agreement.confirms(is_proven=is_proven):
            raise InDoubt(f"the nodes do not agree yet: {agreement.reason}")
        sightings = await self._node.look_for(entry.txid)
        if all(sighting.error is not None for sighting in sightings):
            raise InDoubt("no node could be asked whether it knows it")
        endpoints = [sighting.endpoint for sighting in sightings if sighting.is_present]
        if endpoints:
            # Some nodes keep expired transactions in their pools; in a block it would
            # show that our proof is wrong.
            raise InDoubt(f"{', '.join(endpoints)} still knows it", txid=entry.txid)

    async def _check_failure(self, entry: Entry) -> None:
        """Let the nodes show that it failed, which a row alone does not prove.

        Raises:
            InDoubt: no node shows it.
            RowRefused: it did not fail.
        """
        receipts = await self._node.find_receipts(entry.txid)
        if any(receipt.succeeded for receipt in receipts):
            stored = f"{entry.attempt.state}, and a receipt shows its success"
            raise _refused(entry, "a failure that receipts show", stored)
        if not receipts:
            raise InDoubt("no node shows the receipt of its failure now")

    async def _abandon(self, entry: Entry, reason: str = "") -> Entry:
        def abandon(tx: Tx) -> Entry:
            dead = queries.must_find(tx, entry.txid)
            return self._recorder.note(tx, dead, plan.Abandoned(reason))

        return await self._recorder.write(abandon)


def _renewable(tx: Tx, txid: TxId, *, by_hand: bool) -> Entry:
    """The payment's last attempt, which another may follow.

    Raises:
        AlreadyFinal, InDoubt
        RowRefused: its payment has other attempts than itself and those before it.
    """
    entry = queries.must_find(tx, txid)
    last = queries.by_payment_id(tx, entry.payment.payment_id)
    if last is None or last.txid != entry.txid:
        raise AlreadyFinal("another transaction has followed it")
    if not entry.attempt.may_be_renewed(by_hand=by_hand):
        raise InDoubt("its state has just changed", state=entry.attempt.state)
    # `latest` is a mere column, the number is authenticated: one that has followed it
    # may have paid.
    numbers = queries.attempt_numbers(tx, entry.payment_seq)
    if numbers != list(range(1, entry.payment.attempt + 1)):
        stored = f"attempts {', '.join(map(str, numbers))}"
        wanted = f"the last of attempts 1 to {entry.payment.attempt}"
        raise _refused(entry, wanted, stored, field="number")
    return entry


def _refused(
    entry: Entry, wanted: str, stored: str, *, field: str = "state"
) -> RowRefused:
    fault = RowFault(entry.payment.payment_id, entry.txid, field, wanted, stored)
    return RowRefused(fault)
