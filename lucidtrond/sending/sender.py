"""The sender: what may be asked of payments, and what blocks say of them.

The bytes of a payment are fixed in the transaction that accepts its intent: reference
block, expiration and a timestamp that no other transaction of the owner has. So its
txid exists before anything can be sent, signing twice gives the same transaction, and
a process that dies anywhere finds in the journal what to go on with:

    accept (intent, bytes)  →  sign  →  keep the signature  →  send  →  note the answer

A payment found unsigned after a restart is signed when the keystore is open, until its
expiration; found signed, its bytes are sent again (`delivery`). What becomes of it is
told by the follower alone (`applied`, `reverted`, `solidified`), within the transaction
that writes the block. What these prove dead is ended or followed by `settling`.
"""

import logging
from collections import deque
from collections.abc import Callable, Collection
from typing import Final

import trio
from attrs import evolve

from lucidtrond.errors import (
    AlreadyFinal,
    Expired,
    FailedOnChain,
    InDoubt,
    InvalidInput,
    NotFound,
)
from lucidtrond.events.types import (
    Emit,
    Payment,
    PaymentEstimate,
    PaymentState,
)
from lucidtrond.orders import PaymentOrder
from lucidtrond.ports import Clock, Store, Tx
from lucidtrond.sending import lookalike, plan, tables
from lucidtrond.sending.delivery import Delivery
from lucidtrond.sending.desk import Desk
from lucidtrond.sending.journal import queries
from lucidtrond.sending.journal.entry import Entry
from lucidtrond.sending.kinds.table import kind_of, read_intent
from lucidtrond.sending.limits import Limits
from lucidtrond.sending.plan import Fact
from lucidtrond.sending.protocols import PaymentNode, Signer
from lucidtrond.sending.proving import Proving
from lucidtrond.sending.recorder import Recorder
from lucidtrond.sending.render import result_of
from lucidtrond.sending.settling import Settling
from lucidtrond.sending.terms import read_terms
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import (
    Block,
    BlockHeader,
    BlockId,
    ChainPosition,
)
from lucidtrond.tron.broadcast import BroadcastAnswer
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.transaction import Transaction, TxId
from lucidtrond.tron.units import UnixMillis
from lucidtrond.tron.unproven import UnprovenBlocks

log = logging.getLogger(__name__)

MIGRATIONS: Final = tables.MIGRATIONS
MAX_PAGE: Final = 1000
_INCLUDED: Final[tuple[PaymentState, ...]] = (
    "included",
    "solidified",
    "failed",
    "unproven",
    "expired",
)
_GOALS: Final[dict[str, tuple[PaymentState, ...]]] = {
    "included": _INCLUDED,
    "solidified": _INCLUDED[1:],
}


class Sender:
    """Satisfies `api.context.Sender` and `chain.observer.BlockObserver`.

    *position* says where the follower stands.
    """

    def __init__(
        self,
        store: Store,
        node: PaymentNode,
        *,
        signer: Signer,
        position: Callable[[], ChainPosition],
        emit: Emit,
        clock: Clock,
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        self._desk = Desk(
            store,
            node,
            signer=signer,
            position=position,
            emit=emit,
            clock=clock,
            limits=limits,
        )
        self._store = store
        self._signer = signer
        self._position = position
        self._recorder = Recorder(store, emit=emit, clock=clock)
        self._delivery = Delivery(
            store,
            node,
            signer=signer,
            recorder=self._recorder,
            head_time=self._head_time,
        )
        self._settling = Settling(
            store,
            node,
            desk=self._desk,
            signer=signer,
            position=position,
            on_settled=self._after_settling,
        )
        self._proving = Proving(store, node, recorder=self._recorder)
        # Filled in the store's thread within a block's transaction, emptied after it.
        self._recorded: deque[str] = deque()

    # -- asking for a payment

    async def send(self, order: PaymentOrder, *, check: bool = False) -> Payment:
        """Journal, sign and broadcast; the same key finds the same payment again.

        *check*: stop before the journal; what would be refused is refused.

        Comes back once a node answered, or none did: see the payment's state. A
        CallError or NodeError means that nothing was journaled: nothing will be paid
        under this key unless it is sent again. Cancelling this cancels nothing that
        is in the journal.

        Raises:
            Conflict: the key was used with other content.
            KeystoreLocked, KeystoreMissing, NoSuchKey, InsufficientFunds, LimitTooLow,
            RecipientRefused, WouldFail, TooLarge, InvalidInput, NodeError
        """
        intent, terms = read_intent(order), read_terms(order)
        if check:
            return await self._desk.check(intent, terms)
        entry, fresh = await self._desk.accept(intent, terms)
        if not fresh:
            return entry.payment
        await self._delivery.deliver(entry)
        return (await self._entry(entry.txid)).payment

    async def estimate(self, order: PaymentOrder) -> PaymentEstimate:
        """What a payment would burn now; the owner need not be ours.

        Raises:
            InsufficientFunds: of the token. TRX that are missing are no error here.
            RecipientRefused, WouldFail, TooLarge, InvalidInput, NodeError
        """
        return await self._desk.estimate(read_intent(order))

    def _head_time(self) -> UnixMillis | None:
        head = self._position().head
        return None if head is None else head.timestamp

    @property
    def waiting_for_unlock(self) -> int:
        """Payments that wait for an unlocked keystore, as of the newest block."""
        if not self._signer.is_locked:
            return 0
        return self._delivery.unsigned + self._settling.unsigned

    async def run(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Finish what is unfinished: deliver what may land, settle what is dead.

        Three tasks: `delivery`, `settling` and `proving`; none waits for another.

        Raises:
            CommitUnknown (in a group): only a restart can tell what the journal holds.
        """
        while await self._store.write(lookalike.remember_earlier):
            pass
        async with trio.open_nursery() as nursery:
            await nursery.start(self._delivery.run)
            await nursery.start(self._settling.run)
            await nursery.start(self._proving.run)
            task_status.started()

    @property
    def unproven(self) -> int:
        """Payments that nothing proves, as they were last read (once a minute)."""
        return self._proving.unproven

    def _after_settling(self, entry: Entry) -> None:
        self._recorder.wake(entry.payment.payment_id)
        self._delivery.wake()

    # -- asking about payments

    async def find(
        self,
        *,
        payment_id: str | None = None,
        key: str | None = None,
        txid: str | None = None,
    ) -> Payment | None:
        """By exactly one of them; a dead transaction's id finds what followed it."""

        def read(tx: Tx) -> Entry | None:
            match payment_id, key, txid:
                case str(), None, None:
                    return queries.by_payment_id(tx, payment_id)
                case None, str(), None:
                    found = queries.by_key(tx, key)
                    return None if found is None else found[0]
                case None, None, str():
                    found_one = queries.by_txid(tx, TxId(txid))
                    if found_one is None:
                        return None
                    return queries.by_payment_id(tx, found_one.payment.payment_id)
                case _:
                    raise InvalidInput("expected one of payment_id, key and txid")

        entry = await self._store.read(read)
        return None if entry is None else entry.payment

    async def payments(
        self,
        *,
        limit: int = 100,
        cursor: str | None = None,
        owner: Address | None = None,
        unresolved: bool = False,
    ) -> tuple[list[Payment], str | None]:
        """Newest first, with the cursor of the next page or None."""
        if not 1 <= limit <= MAX_PAGE:
            raise InvalidInput(f"limit: expected 1 to {MAX_PAGE}, got {limit}")
        return await self._store.read(
            lambda tx: queries.page(
                tx, limit=limit, cursor=cursor, owner=owner, unresolved=unresolved
            )
        )

    async def wait(self, payment_id: str, *, until: str) -> Payment:
        """Until ``included`` or ``solidified`` or an end that is neither.

        Raises:
            NotFound: no such payment.
        """
        goals = _GOALS.get(until)
        if goals is None:
            raise InvalidInput("until: expected included or solidified")
        while True:
            changed = self._recorder.changed(payment_id)
            payment = await self.find(payment_id=payment_id)
            if payment is None:
                self._recorder.wake(payment_id)
                raise NotFound("no such payment")
            if payment.state in goals and not _goes_on(payment):
                self._recorder.wake(payment_id)
                return payment
            await changed.wait()

    async def rebroadcast(self, txid: TxId, *, check: bool = False) -> Payment:
        """Send the same bytes again; signs them if they were not signed yet.

        With *check* it only says whether that can be done.

        Raises:
            NotFound: not sent by us.
            AlreadyFinal, Expired: nothing can or must be done.
            InDoubt: no block can take it any more, which is not proven yet.
            KeystoreLocked: it waits for its signature.
        """
        entry = await self._entry(txid)
        payment = entry.payment
        head = self._head_time()
        match payment.state:
            case "solidified" | "failed" | "unproven":
                raise AlreadyFinal("its block is solidified", state=payment.state)
            case "expired":
                raise Expired("it is proven dead", safe_to_retry=True)
            case "included":
                return payment
            case _ if head is not None and head >= entry.attempt.expiration:
                raise _in_doubt(payment)
            case "queued":
                await self._desk.check_open()
                if not check:
                    await self._delivery.deliver(entry)
                return (await self._entry(txid)).payment
            case _:
                return (
                    payment
                    if check
                    else (await self._delivery.broadcast(entry)).payment
                )

    async def relay(self, transaction: Transaction) -> BroadcastAnswer:
        """Send what was signed elsewhere; nothing of it is kept.

        Raises:
            NodeError: nobody answered; it may have been taken all the same.
        """
        return await self._delivery.relay(transaction)

    async def renew(
        self, txid: TxId, *, even_failed: bool = False, check: bool = False
    ) -> Payment:
        """Pay with a new transaction what a dead one did not; the same payment.

        *even_failed*: also what failed in its block and cost its fee there. With
        *check* it only says what it would be: state ``checked``, without a txid.

        Raises:
            NotFound: not sent by us.
            AlreadyFinal: it is paid.
            InDoubt: it may still land, until ``in_flight_until_ms`` if that is there;
                or it landed and nothing proves whether it paid.
            FailedOnChain: it failed in its block, and *even_failed* was not said.
            KeystoreLocked, and whatever keeps it from being paid: see `send`.
        """
        found = await self.find(txid=txid)
        if found is None:
            raise NotFound("no payment of ours has this txid")
        if found.state == "unproven" and found.txid is not None and not check:
            asked = await self._proving.ask(await self._entry(TxId(found.txid)))
            found = asked.payment
        if found.state == "solidified":
            raise AlreadyFinal("it is paid, in a solidified block", state=found.state)
        if found.state == "failed" and not even_failed:
            raise FailedOnChain(
                f"it failed in its block, where it cost {found.fee_sun} sun:"
                f" {found.reason}",
                txid=found.txid,
                fee_sun=found.fee_sun,
                safe_to_retry=True,
            )
        if found.state == "unproven":
            raise InDoubt(
                f"it may have paid, so it is not paid again: {found.reason}; compare"
                " the balances of both sides",
                txid=found.txid,
                state=found.state,
                safe_to_retry=False,
            )
        if found.txid is None or found.state not in plan.SAFE_TO_RETRY:
            raise _in_doubt(found)
        await self._desk.check_open()
        dead = await self._entry(TxId(found.txid))
        if check:
            return await self._desk.check_renewal(dead)
        entry = await self._desk.renew(dead, by_hand=True)
        self._recorder.wake(found.payment_id)
        await self._delivery.deliver(entry)
        return (await self._entry(entry.txid)).payment

    async def _entry(self, txid: TxId) -> Entry:
        entry = await self._store.read(lambda tx: queries.by_txid(tx, txid))
        if entry is None:
            raise NotFound("no payment of ours has this txid")
        return entry

    # -- what the follower reports; runs in the store's thread

    def applied(
        self,
        tx: Tx,
        block: Block,
        receipts: tuple[Receipt, ...],
        *,
        agreed: Collection[TxId],
    ) -> None:
        """Our head holds *block*."""
        tx.after_commit(self._step_is_durable)
        if not block.transactions:
            return
        at = {each.transaction.txid: each for each in block.transactions}
        receipt_of = {receipt.txid: receipt for receipt in receipts}
        header = block.header
        for entry in queries.among(tx, list(at)):
            receipt = receipt_of[entry.txid]
            inclusion = plan.Inclusion(
                header.number,
                header.id,
                header.timestamp,
                contract_ret=at[entry.txid].contract_ret or 0,
                fee=receipt.fee,
                arrived=kind_of(entry.intent).amount_arrived(entry.intent, receipt),
            ).resting_on(committed=block.root_proven, agreed=entry.txid in agreed)
            if entry.attempt.state == "expired":
                log.error("included after proven dead", extra={"txid": entry.txid})
            self._record(
                tx,
                entry,
                plan.Included(
                    inclusion, result_of(receipt), committed=block.root_proven
                ),
            )

    def reverted(self, tx: Tx, number: int, block_id: BlockId) -> None:
        """A fork took the block back."""
        tx.after_commit(self._step_is_durable)
        for entry in queries.in_block(tx, number):
            self._record(tx, entry, plan.TakenBack(number, block_id))

    def solidified(
        self,
        tx: Tx,
        header: BlockHeader,
        complete_from: int,
        *,
        unproven: Callable[[int, int | None], UnprovenBlocks],
    ) -> None:
        """All blocks from *complete_from* to *header* were reported and are final."""
        tx.after_commit(self._step_is_durable)
        fact = plan.SolidUpTo(header.number, header.timestamp, complete_from)
        for entry in queries.touched_by_final(tx, header.number, header.timestamp):
            attempt = entry.attempt
            held_in = None if attempt.inclusion is None else attempt.inclusion.number
            doubtful = unproven(attempt.reference_number, held_in)
            self._record(tx, entry, evolve(fact, unproven=doubtful))

    def _step_is_durable(self) -> None:
        """Wake who waits for one of these payments, and `run`."""
        while self._recorded:
            self._recorder.wake(self._recorded.popleft())
        self._delivery.wake()
        self._settling.wake()

    def _record(self, tx: Tx, entry: Entry, fact: Fact) -> None:
        self._recorder.note(tx, entry, fact)
        self._recorded.append(entry.payment.payment_id)


def _in_doubt(payment: Payment) -> InDoubt:
    return InDoubt(
        "it may still land",
        txid=payment.txid,
        state=payment.state,
        safe_to_retry=False,
        in_flight_until_ms=payment.in_flight_until_ms,
    )


def _goes_on(payment: Payment) -> bool:
    """Dead, and another transaction is to follow."""
    return payment.state == "expired" and not payment.safe_to_retry
