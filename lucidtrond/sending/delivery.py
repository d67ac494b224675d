"""Delivery: signs what is unsigned and hands bytes to the nodes, again when it is due.

Each due payment is delivered by a task of its own, so that one which waits (for a node,
for a payment that pays for it) delays no other. `Delivery.run` looks for due payments
after each block and whenever it is woken; a payment that is being delivered is not
started twice. What is dead is not delivered but settled, which is another task's work
(`settling`): nothing here waits for it.

Nothing is signed that does not pay what its intent says, and nothing signed is sent
that does not (`comparison`): the row is set aside instead, and so is one that fails
with an error that nobody expects. The others go on.

Bounds: `BROADCASTS_AT_ONCE` broadcasts, `DUE_AT_ONCE` payments in flight by `run`.
"""

import logging
from collections.abc import Callable
from typing import Final

import trio
from attrs import define, field

from lucidtrond.errors import CallError, CommitUnknown, NodeError, StoreError
from lucidtrond.ports import Store, Tx
from lucidtrond.sending import plan
from lucidtrond.sending.approval import Approval
from lucidtrond.sending.authenticity import (
    LABEL,
    check_authentic,
    is_authenticated,
)
from lucidtrond.sending.comparison import check_bytes, check_signature
from lucidtrond.sending.journal import queries
from lucidtrond.sending.journal.entry import Entry
from lucidtrond.sending.journal.fault import RowRefused
from lucidtrond.sending.plan import Fact
from lucidtrond.sending.precedence import pays_for
from lucidtrond.sending.protocols import PaymentNode, Signer
from lucidtrond.sending.recorder import Recorder
from lucidtrond.sending.set_aside import SetAside
from lucidtrond.tron.broadcast import BroadcastAnswer
from lucidtrond.tron.transaction import Transaction, TxId
from lucidtrond.tron.units import UnixMillis

log = logging.getLogger(__name__)

BROADCASTS_AT_ONCE: Final = 16
DUE_AT_ONCE: Final = 1000


@define(eq=False)
class _InFlight:
    """A payment that is being signed and sent now."""

    entry: Entry
    done: trio.Event = field(factory=trio.Event)


@define
class _Waiting:
    """How many payments wait, and for what."""

    for_unlock: int = 0
    for_approval: int = 0


class Delivery:
    """Brings payments to the nodes; *head_time* is the time of our newest block."""

    def __init__(
        self,
        store: Store,
        node: PaymentNode,
        *,
        signer: Signer,
        approval: Approval,
        recorder: Recorder,
        set_aside: SetAside,
        head_time: Callable[[], UnixMillis | None],
    ) -> None:
        self._set_aside = set_aside
        self._store = store
        self._node = node
        self._signer = signer
        self._approval = approval
        self._recorder = recorder
        self._head_time = head_time
        self._limiter = trio.CapacityLimiter(BROADCASTS_AT_ONCE)
        self._in_flight: dict[TxId, _InFlight] = {}
        self._woken = trio.Event()
        self.unsigned = 0
        """Due payments that waited for an unlocked keystore when last looked."""
        self.unapproved = 0
        """Due payments that waited for approval when last looked."""

    def wake(self) -> None:
        """Something may be due: a block or an attempt was written."""
        self._woken.set()
        self._woken = trio.Event()

    async def run(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Deliver everything unfinished, then what is due; until cancelled.

        Raises:
            CommitUnknown (in a group): only a restart can tell what the journal holds.
        """
        everything = True
        async with trio.open_nursery() as nursery:
            task_status.started()
            while True:
                woken = self._woken
                try:
                    await self.start_due(nursery, everything=everything)
                    everything = False
                except CommitUnknown:
                    raise
                except StoreError as error:
                    log.warning("due payments not read", extra={"reason": str(error)})
                await woken.wait()

    async def start_due(self, nursery: trio.Nursery, *, everything: bool) -> None:
        """Start a task in *nursery* for each due payment that has none, oldest first.

        *everything*: whatever may still land, due or not.

        Raises:
            StoreError
        """
        head, faults = self._head_time(), self._set_aside.note
        after, waiting = 0, _Waiting()
        while True:

            def read(tx: Tx, after: int = after) -> queries.Page:
                if everything and after == 0:
                    queries.report_orphans(tx, faults=faults)
                return queries.due(
                    tx,
                    head,
                    everything=everything,
                    limit=DUE_AT_ONCE,
                    after=after,
                    faults=faults,
                )

            page = await self._store.read(read)
            for entry in page.entries:
                if entry.txid in self._in_flight or self._waits(entry, waiting):
                    continue
                # Entered here, in order: see `_wait_for_payers`.
                nursery.start_soon(self._deliver_due, self._enter(entry))
            if page.last is None or len(self._in_flight) >= DUE_AT_ONCE:
                break
            after = page.last
        await self._set_aside.publish()
        if waiting.for_approval > self.unapproved:
            extra = {"payments": waiting.for_approval}
            log.warning("payments wait for approval", extra=extra)
        self.unsigned, self.unapproved = waiting.for_unlock, waiting.for_approval

    def _waits(self, entry: Entry, waiting: _Waiting) -> bool:
        """Whether nothing is to be done now; counts why."""
        if entry.attempt.state == "queued":
            is_locked = self._signer.is_locked
            is_awaited = self._approval.is_awaited(entry)
            waiting.for_unlock += is_locked
            waiting.for_approval += is_awaited
            if is_locked or is_awaited:
                return True
        if not self._set_aside.holds(entry):
            return False
        try:
            self._check(entry)
            if entry.attempt.state != "queued":
                check_signature(entry)
        except RowRefused:
            return True
        return False

    async def _deliver_due(self, in_flight: _InFlight) -> None:
        try:
            await self._deliver(in_flight)
        except CommitUnknown:
            raise
        except StoreError as error:
            extra = {"txid": in_flight.entry.txid, "reason": str(error)}
            log.warning("payment not delivered", extra=extra)
        except Exception as error:  # noqa: BLE001 - of one payment: see `set_aside`
            self._set_aside.note_error(in_flight.entry, error)
            await self._set_aside.publish()

    async def deliver(self, entry: Entry) -> None:
        """Sign and send, whatever is missing; what fails now is done by `run`.

        When the payment is being delivered already, wait for that instead.

        Raises:
            RowRefused: it is set aside.
            StoreError
        """
        in_flight = self._in_flight.get(entry.txid)
        if in_flight is not None:
            await in_flight.done.wait()
            return
        await self._deliver(self._enter(entry))

    def _enter(self, entry: Entry) -> _InFlight:
        in_flight = self._in_flight[entry.txid] = _InFlight(entry)
        return in_flight

    async def _deliver(self, in_flight: _InFlight) -> None:
        entry = in_flight.entry
        try:
            signed = await self._signed(entry)
            if signed is not None:
                await self._wait_for_payers(entry)
                await self.broadcast(signed)
        finally:
            del self._in_flight[entry.txid]
            in_flight.done.set()

    async def _wait_for_payers(self, entry: Entry) -> None:
        """Wait for the deliveries under way whose money *entry* may spend."""
        for other in list(self._in_flight.values()):
            if pays_for(other.entry, entry):
                await other.done.wait()

    async def _signed(self, entry: Entry) -> Entry | None:
        if entry.attempt.state != "queued":
            return entry
        check_bytes(entry, head=self._head_time())
        try:
            await self._approval.admit(entry)
            signature = await self._signer.sign(
                entry.intent.owner, entry.transaction.digest
            )
        except RowRefused:
            raise
        except CallError as error:
            # Locked or gone between acceptance and now: it stays queued.
            log.warning(
                "payment waits for its signature",
                extra={"txid": entry.txid, "reason": error.message},
            )
            return None

        return await self._recorder.write(
            lambda tx: self._recorder.sign(tx, entry.txid, signature)
        )

    async def broadcast(self, entry: Entry) -> Entry:
        """Send the journaled bytes once and write what the nodes answered.

        Raises:
            RowRefused: they are not those of the intent, or not signed by its owner.
            StoreError
        """
        self._check(entry)
        check_signature(entry)
        self._set_aside.release(entry)
        txid = entry.txid
        fact: Fact
        try:
            # Writes are outside: the more of them wait, the fewer commits they take.
            async with self._limiter:
                answer = await self._node.broadcast(entry.transaction)
        except NodeError as error:
            fact = plan.Unanswered(str(error), self._head_time())
        else:
            if answer.txid == txid:
                at = self._head_time()
                fact = plan.Answered(answer.code, answer.message, at)
            else:
                reason = f"{answer.endpoint} read another transaction"
                fact = plan.Unanswered(reason, self._head_time())
        return await self._recorder.write(
            lambda tx: self._recorder.note(tx, queries.must_find(tx, txid), fact)
        )

    def _check(self, entry: Entry) -> None:
        """Refuse bytes that are not those that were accepted. Raises RowRefused."""
        check_bytes(entry)
        if is_authenticated(entry) and not self._signer.is_locked:
            check_authentic(entry, self._signer.authenticator(LABEL))

    async def relay(self, transaction: Transaction) -> BroadcastAnswer:
        """Send what was signed elsewhere; nothing of it is kept.

        Raises:
            NodeError: nobody answered; it may have been accepted all the same.
        """
        async with self._limiter:
            return await self._node.broadcast(transaction)
