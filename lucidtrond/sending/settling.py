"""Settling: ends what is proven dead, or writes the attempt that follows it.

Our own blocks prove a death (see `plan`); before anything may follow, the nodes have to
agree on the block that the proof ends with. Nodes may take long to answer, or never do,
so this is a task of its own: a delivery of what may still land never waits for it (20
dead payments and a silent second endpoint once delayed a live one by 200 s, and it had
120 s).

One round after each block. The block is the same for all dead payments, so the nodes
are asked about it once a round, and a round ends there when they do not agree.

Bounds: `SETTLE_AT_ONCE` payments, `AGREE_WITHIN_S` for the agreement of a round,
`SETTLE_WITHIN_S` for one payment. What runs out of time is settled in a later round.
"""

import logging
from collections.abc import Callable
from typing import Final

import trio

from lucidtrond.errors import CommitUnknown, NodeError, StoreError
from lucidtrond.ports import Store, Tx
from lucidtrond.sending.approval import Approval
from lucidtrond.sending.journal import queries
from lucidtrond.sending.journal.entry import Entry
from lucidtrond.sending.protocols import PaymentNode, Signer
from lucidtrond.sending.renewal import Renewal
from lucidtrond.sending.set_aside import SetAside
from lucidtrond.tron.block import ChainPosition

log = logging.getLogger(__name__)

SETTLE_AT_ONCE: Final = 4
SETTLE_PER_ROUND: Final = 1000
AGREE_WITHIN_S: Final = 15.0
SETTLE_WITHIN_S: Final = 30.0
"""A next attempt takes about ten questions: agreement, sightings, prices, balances."""


class Settling:
    """Settles dead payments; *on_settled* is called after each that was written."""

    def __init__(
        self,
        store: Store,
        node: PaymentNode,
        *,
        renewal: Renewal,
        signer: Signer,
        approval: Approval,
        set_aside: SetAside,
        position: Callable[[], ChainPosition],
        on_settled: Callable[[], None],
    ) -> None:
        self._store = store
        self._node = node
        self._renewal = renewal
        self._set_aside = set_aside
        self._signer = signer
        self._approval = approval
        self._position = position
        self._on_settled = on_settled
        self._woken = trio.Event()
        self._doubt: str | None = None
        self.unsigned = 0
        """Dead payments whose next attempt waited for an unlocked keystore."""
        self.unapproved = 0
        """Dead payments whose next attempt waited for approval."""

    def wake(self) -> None:
        """A block was written."""
        self._woken.set()
        self._woken = trio.Event()

    async def run(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Settle what is dead after each block, until cancelled.

        Raises:
            CommitUnknown (in a group): only a restart can tell what the journal holds.
        """
        task_status.started()
        while True:
            woken = self._woken
            try:
                await self.settle_due()
            except CommitUnknown:
                raise
            except StoreError as error:
                log.warning("dead payments not read", extra={"reason": str(error)})
            await woken.wait()

    async def settle_due(self) -> None:
        """One round: ask the nodes once, then settle all dead payments, a few at once.

        Raises:
            StoreError: they could not be read.
        """
        dead = await self._read_dead()
        if not dead:
            self._note_doubt(None)
            return
        doubt = await self._find_doubt()
        self._note_doubt(doubt, waiting=len(dead))
        if doubt is not None:
            return
        remaining = iter(dead)

        async def work() -> None:
            for entry in remaining:
                await self._settle(entry)

        async with trio.open_nursery() as nursery:
            for _ in range(min(SETTLE_AT_ONCE, len(dead))):
                nursery.start_soon(work)

    async def _read_dead(self) -> list[Entry]:
        """Those that can be settled now, at most `SETTLE_PER_ROUND`.

        Those that are set aside come last: they keep none from being settled.
        """
        dead: list[Entry] = []
        aside: list[Entry] = []
        self.unsigned = self.unapproved = 0
        after: int | None = 0
        while after is not None and len(dead) < SETTLE_PER_ROUND:

            def read(tx: Tx, after: int = after) -> queries.Page:
                faults = self._set_aside.note
                return queries.dead(tx, SETTLE_PER_ROUND, after=after, faults=faults)

            page = await self._store.read(read)
            after = page.last
            for entry in page.entries:
                if entry.attempt.awaits_renewal and self._signer.is_locked:
                    # A next attempt could not be signed and would die in its turn.
                    self.unsigned += 1
                elif self._awaits_approval(entry):
                    self.unapproved += 1
                elif self._set_aside.holds(entry):
                    aside.append(entry)
                else:
                    dead.append(entry)
        await self._set_aside.publish()
        return [*dead, *aside][:SETTLE_PER_ROUND]

    async def _find_doubt(self) -> str | None:
        """Why no death is confirmed now: the nodes do not agree on our final block."""
        position = self._position()
        solid, is_proven = position.solid, position.finality.is_proven
        if solid is None:
            return "no final block yet"
        with trio.move_on_after(AGREE_WITHIN_S):
            try:
                agreement = await self._node.confirm_solid(solid.number, solid.id)
            except NodeError as error:
                return str(error)
            confirmed = agreement.confirms(is_proven=is_proven)
            return None if confirmed else agreement.reason
        return f"no agreement on block {solid.number} within {AGREE_WITHIN_S:.0f} s"

    def _awaits_approval(self, entry: Entry) -> bool:
        return entry.attempt.awaits_renewal and self._approval.is_awaited(entry)

    def _note_doubt(self, doubt: str | None, *, waiting: int = 0) -> None:
        """One line when it begins, one when it ends."""
        if doubt is not None and self._doubt is None:
            extra = {"payments": waiting, "reason": doubt}
            log.warning("dead payments wait for the nodes to agree", extra=extra)
        elif doubt is None and self._doubt is not None:
            log.info("dead payments wait no longer for the nodes")
        self._doubt = doubt

    async def _settle(self, entry: Entry) -> None:
        settled: Entry | None = None
        reason = f"not settled within {SETTLE_WITHIN_S:.0f} s"
        with trio.move_on_after(SETTLE_WITHIN_S) as limit:
            try:
                settled = await self._renewal.settle(entry)
            except CommitUnknown:
                raise
            except (NodeError, StoreError) as error:
                reason = str(error)
            except Exception as error:  # noqa: BLE001 - of one payment: see `set_aside`
                self._set_aside.note_error(entry, error)
                await self._set_aside.publish()
                return
            else:
                reason = ""
        if limit.cancelled_caught or reason:
            extra = {"txid": entry.txid, "reason": reason}
            log.warning("dead payment not settled", extra=extra)
        if settled is not None:
            self._set_aside.release(entry)
            self._on_settled()
