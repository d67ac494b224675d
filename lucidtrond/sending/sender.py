"""The sender: the one interface of this package; makes its parts and connects them.

The bytes of a payment are fixed in the transaction that accepts its order: reference
block, and expiration and timestamp, which carry the tag of the key (`tag`). So its txid
exists before anything can be sent, signing twice gives the same transaction, and
a process that dies anywhere finds in the journal what to go on with:

    accept (intent, bytes)  →  sign  →  keep the signature  →  send  →  note the answer

    module        responsibility
    ------------  --------------------------------------------------------
    `acceptance`  a new order becomes a journaled payment
    `drafting`    its price, its reservation, its bytes
    `delivery`    signs and sends, after a restart too, until it expires
    `outcomes`    what the follower's blocks say of it
    `settling`    confirms with the nodes that what expired is dead
    `renewal`     the next attempt of a dead one, or that there is none
    `proving`     other receipts for what nothing proves
    `retries`     on request: the same bytes again, or a new transaction
    `lookup`      finding payments and waiting for them
    `foreign`     transactions of ours that the journal does not know
    `adoption`    the one of them that a key was lost for becomes its payment
    `restore`     nothing new is paid while the state may be an old copy
    `recorder`    the only one that writes: fact to row and event
    `comparison`  whether bytes are those of their intent
    `authenticity` what was accepted while the keystore was unlocked
    `approval`    what was not waits for an operator
    `set_aside`   rows that were edited or are damaged, and why
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import trio

from lucidtrond.events.types import (
    Emit,
    ForeignRow,
    Payment,
    PaymentEstimate,
    QueuedPayments,
)
from lucidtrond.orders import PaymentOrder
from lucidtrond.ports import Clock, Store
from lucidtrond.sending import lookalike, tables
from lucidtrond.sending.acceptance import Acceptance
from lucidtrond.sending.adoption import Adoption
from lucidtrond.sending.approval import Approval
from lucidtrond.sending.delivery import Delivery
from lucidtrond.sending.drafting import Drafting
from lucidtrond.sending.foreign import ForeignPolicy
from lucidtrond.sending.foreign_book import ForeignBook
from lucidtrond.sending.journal.fault import RowFault
from lucidtrond.sending.kinds.table import read_intent
from lucidtrond.sending.limits import Limits
from lucidtrond.sending.lookup import PaymentLookup
from lucidtrond.sending.outcomes import Outcomes
from lucidtrond.sending.protocols import AbsenceProof, PaymentNode, Signer
from lucidtrond.sending.proving import Proving
from lucidtrond.sending.recorder import Recorder
from lucidtrond.sending.renewal import Renewal
from lucidtrond.sending.restore import Hold, RestoreTerms
from lucidtrond.sending.restore_guard import NewestBlock, RestoreGuard
from lucidtrond.sending.retries import Retries
from lucidtrond.sending.set_aside import SetAside
from lucidtrond.sending.settling import Settling
from lucidtrond.sending.terms import read_terms
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import ChainPosition
from lucidtrond.tron.broadcast import BroadcastAnswer
from lucidtrond.tron.transaction import Transaction, TxId
from lucidtrond.tron.units import UnixMillis

MIGRATIONS: Final = tables.MIGRATIONS


class Sender:
    """Satisfies `api.context.Sender`; its `outcomes` observe the blocks.

    *position* gives the follower's position.
    """

    def __init__(
        self,
        store: Store,
        node: PaymentNode,
        *,
        signer: Signer,
        position: Callable[[], ChainPosition],
        absence: AbsenceProof,
        emit: Emit,
        clock: Clock,
        newest_block: NewestBlock,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        approve_queued: bool = True,
        restore: RestoreTerms = RestoreTerms(),  # noqa: B008 - frozen
        foreign: ForeignPolicy = ForeignPolicy(),  # noqa: B008 - frozen
    ) -> None:
        """*approve_queued*: what was queued while locked waits for approval."""
        self._store = store
        self._signer = signer
        recorder = Recorder(store, emit=emit, clock=clock)
        set_aside = SetAside(store, emit=emit)
        approval = Approval(
            store,
            signer=signer,
            recorder=recorder,
            set_aside=set_aside,
            required=approve_queued,
            on_approved=self._wake,
        )
        self._foreign = ForeignBook(
            store, signer=signer, emit=emit, clock=clock, policy=foreign
        )
        self._guard = RestoreGuard(
            store,
            signer=signer,
            emit=emit,
            position=position,
            newest_block=newest_block,
            terms=restore,
        )
        adoption = Adoption(store, signer=signer, recorder=recorder, book=self._foreign)
        drafting = Drafting(node, position=position, limits=limits)
        renewal = Renewal(
            store,
            node,
            drafting=drafting,
            signer=signer,
            approval=approval,
            recorder=recorder,
            adoption=adoption,
            foreign=self._foreign,
            guard=self._guard,
            position=position,
            absence=absence,
            longest_ms=restore.longest_ms,
        )

        def head_time() -> UnixMillis | None:
            head = position().head
            return None if head is None else head.timestamp

        self._drafting = drafting
        self._acceptance = Acceptance(
            store,
            drafting=drafting,
            signer=signer,
            recorder=recorder,
            adoption=adoption,
            renewal=renewal,
            foreign=self._foreign,
            guard=self._guard,
            longest_ms=restore.longest_ms,
        )
        self._longest_ms = restore.longest_ms
        self._set_aside = set_aside
        self._approval = approval
        self._delivery = Delivery(
            store,
            node,
            signer=signer,
            approval=approval,
            recorder=recorder,
            set_aside=set_aside,
            head_time=head_time,
        )
        self._settling = Settling(
            store,
            node,
            renewal=renewal,
            signer=signer,
            approval=approval,
            set_aside=set_aside,
            position=position,
            on_settled=self._delivery.wake,
        )
        self._proving = Proving(store, node, recorder=recorder, set_aside=set_aside)
        self._lookup = PaymentLookup(store, recorder=recorder)
        self._retries = Retries(
            lookup=self._lookup,
            signer=signer,
            approval=approval,
            delivery=self._delivery,
            renewal=renewal,
            proving=self._proving,
            head_time=head_time,
        )
        self.outcomes = Outcomes(
            recorder,
            set_aside=set_aside,
            foreign=self._foreign,
            on_durable=self._wake,
        )
        """Observes every step of the chain: see `chain.observer`."""

    async def send(self, order: PaymentOrder, *, check: bool = False) -> Payment:
        """Journal, sign and broadcast; the same key finds the same payment again.

        *check*: stop before the journal; what would be refused is refused.

        Comes back once a node answered, or none did: see the payment's state. A
        CallError or NodeError means that nothing was journaled: nothing will be paid
        under this key unless it is sent again. Cancelling this cancels nothing that
        is in the journal.

        Raises:
            Conflict: the key was used with other content.
            ForeignTransaction: the wallet has sent what the journal does not know.
            PossibleRestore: the state may be an old copy.
            KeystoreLocked, KeystoreMissing, NoSuchKey, InsufficientFunds, LimitTooLow,
            RecipientRefused, WouldFail, TooLarge, InvalidInput, NodeError
        """
        intent = read_intent(order)
        terms = read_terms(order, longest_ms=self._longest_ms)
        if check:
            return await self._acceptance.check(intent, terms)
        entry, is_new = await self._acceptance.accept(intent, terms)
        if not is_new:
            return entry.payment
        await self._delivery.deliver(entry)
        return (await self._lookup.attempt(entry.txid)).payment

    async def estimate(self, order: PaymentOrder) -> PaymentEstimate:
        """What a payment would burn now; the owner need not be ours.

        Raises:
            InsufficientFunds: of the token. TRX that are missing are no error here.
            RecipientRefused, WouldFail, TooLarge, InvalidInput, NodeError
        """
        return await self._drafting.estimate(read_intent(order))

    async def find(
        self,
        *,
        payment_id: str | None = None,
        key: str | None = None,
        txid: str | None = None,
    ) -> Payment | None:
        """By exactly one of them; a dead transaction's id finds what followed it."""
        return await self._lookup.find(payment_id=payment_id, key=key, txid=txid)

    async def payments(
        self,
        *,
        limit: int = 100,
        cursor: str | None = None,
        owner: Address | None = None,
        unresolved: bool = False,
    ) -> tuple[list[Payment], str | None]:
        """Newest first, with the cursor of the next page or None."""
        return await self._lookup.page(
            limit=limit, cursor=cursor, owner=owner, unresolved=unresolved
        )

    async def wait(self, payment_id: str, *, until: str) -> Payment:
        """Until ``included`` or ``solidified`` or an end that is neither.

        Raises:
            NotFound: no such payment.
        """
        return await self._lookup.wait(payment_id, until=until)

    async def rebroadcast(self, txid: TxId, *, check: bool = False) -> Payment:
        """Send the same bytes again: see `Retries.rebroadcast`."""
        return await self._retries.rebroadcast(txid, check=check)

    async def renew(
        self, txid: TxId, *, even_failed: bool = False, check: bool = False
    ) -> Payment:
        """Pay with a new transaction what a dead one did not: see `Retries.renew`."""
        return await self._retries.renew(txid, even_failed=even_failed, check=check)

    async def queued(self, payment_ids: Sequence[str] | None = None) -> QueuedPayments:
        """What was queued while the keystore was locked and waits for approval.

        *payment_ids*: these instead, also if only a renewal by hand would sign them.

        Raises:
            NotFound: a payment does not wait for approval.
            InDoubt: its row was edited.
        """
        return await self._approval.queued(payment_ids)

    async def approve(
        self, *, fingerprint: str, payment_ids: Sequence[str] | None = None
    ) -> list[str]:
        """Let be signed what `queued` gave for the same *payment_ids*.

        Raises:
            KeystoreLocked
            Conflict: it is not what was shown any more.
            NotFound, InDoubt: see `queued`.
        """
        return await self._approval.approve(
            fingerprint=fingerprint, payment_ids=payment_ids
        )

    async def foreign(
        self,
        *,
        limit: int = 100,
        cursor: str | None = None,
        owner: Address | None = None,
        unexplained: bool = False,
    ) -> tuple[list[ForeignRow], str | None]:
        """Transactions of ours that the journal does not know, newest seen first."""
        return await self._foreign.page(
            limit=limit, cursor=cursor, owner=owner, unexplained=unexplained
        )

    async def acknowledge(self, txids: Collection[TxId]) -> list[ForeignRow]:
        """Say that foreign transactions are meant: see `ForeignBook.acknowledge`."""
        return await self._foreign.acknowledge(txids)

    async def acknowledge_restore(self) -> bool:
        """Say that the state is no old copy, or that nothing is lost by it.

        False: nothing was held back.
        """
        return await self._guard.acknowledge()

    @property
    def hold(self) -> Hold | None:
        """What holds all new payments back, if anything."""
        return self._guard.hold

    @property
    def stopped(self) -> Mapping[Address, int]:
        """Wallets that foreign transactions stop, and how many of them."""
        return self._foreign.stopped

    @property
    def unexplained(self) -> int:
        """Foreign transactions that are neither adopted nor acknowledged."""
        return self._foreign.unexplained

    async def begin(self) -> None:
        """Take up what the database holds, before any block is added to it.

        Raises:
            StoreError
        """
        await self._guard.begin()
        await self._foreign.load()

    async def relay(self, transaction: Transaction) -> BroadcastAnswer:
        """Send what was signed elsewhere; nothing of it is kept.

        Raises:
            NodeError: nobody answered; it may have been accepted all the same.
        """
        return await self._delivery.relay(transaction)

    async def run(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Finish what is unfinished: deliver what may land, settle what is dead.

        Four tasks: `delivery`, `settling`, `proving` and the guard of `restore`; none
        waits for another. To be started before the follower.

        Raises:
            CommitUnknown (in a group): only a restart can tell what the journal holds.
        """
        await self.begin()
        while await self._store.write(lookalike.remember_earlier):
            pass
        async with trio.open_nursery() as nursery:
            await nursery.start(self._delivery.run)
            await nursery.start(self._settling.run)
            await nursery.start(self._proving.run)
            await nursery.start(self._guard.run)
            task_status.started()

    @property
    def waiting_for_unlock(self) -> int:
        """Payments that wait for an unlocked keystore, as of the newest block."""
        if not self._signer.is_locked:
            return 0
        return self._delivery.unsigned + self._settling.unsigned

    @property
    def waiting_for_approval(self) -> int:
        """Payments that wait for approval, as of the newest block."""
        return self._delivery.unapproved + self._settling.unapproved

    @property
    def set_aside(self) -> Sequence[RowFault]:
        """Payments whose rows were edited or are damaged, and what is wrong."""
        return self._set_aside.faults()

    @property
    def unproven(self) -> int:
        """Payments that nothing proves, as they were last read (once a minute)."""
        return self._proving.unproven

    def _wake(self) -> None:
        """A step of the chain is durable."""
        self._delivery.wake()
        self._settling.wake()
        self._guard.wake()
