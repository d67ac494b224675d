"""Holds new payments back after a start on what may be an old copy; see `restore`."""

import logging
from collections.abc import Callable
from typing import Literal

import trio

from lucidtrond.errors import CommitUnknown, PossibleRestore, StoreError
from lucidtrond.events.types import Emit, RestoreSuspected
from lucidtrond.ports import Store, Tx
from lucidtrond.sending.protocols import Signer
from lucidtrond.sending.restore import Hold, RestoreTerms, Start
from lucidtrond.tron.block import ChainPosition
from lucidtrond.tron.units import UnixMillis

log = logging.getLogger(__name__)

Change = Literal["held", "released", "acknowledged"]
NewestBlock = Callable[[Tx], UnixMillis | None]
"""Gives the time of the newest stored block."""


class RestoreGuard:
    """Judges the start by the first head that is found, and keeps what follows.

    *position* is the follower's.
    """

    def __init__(
        self,
        store: Store,
        *,
        signer: Signer,
        emit: Emit,
        position: Callable[[], ChainPosition],
        newest_block: NewestBlock,
        terms: RestoreTerms,
    ) -> None:
        self._store = store
        self._signer = signer
        self._emit = emit
        self._position = position
        self._newest_block = newest_block
        self._terms = terms
        self._judging = trio.Lock()
        self._woken = trio.Event()
        self._start: Start | None = None
        self._is_judged = False
        self.hold: Hold | None = None
        """What holds new payments back now."""

    async def begin(self) -> None:
        """Take up what the database holds, before any block is added to it.

        Raises:
            StoreError
        """
        has_keystore = (await self._signer.status()).exists

        def read(tx: Tx) -> tuple[Start, Hold | None]:
            known_as, hold = _read(tx)
            start = Start(
                self._terms.identity,
                known_as,
                self._newest_block(tx),
                has_keystore=has_keystore,
                longest_lifetime_ms=_longest_lifetime_ms(tx),
            )
            return start, hold

        start, self.hold = await self._store.read(read)
        self._start = start
        if start.needs_no_head:
            await self._judge(UnixMillis(0))

    async def check(self, head_time: UnixMillis) -> None:
        """Refuse a new payment while the state may be an old copy.

        *head_time* is the head found. Of a head that we followed, the first one decides
        for good. Before that it is what a node says, which may lag or lie: it decides
        about this payment only.

        Raises:
            PossibleRestore, StoreError
        """
        hold = self.hold
        if self._is_judged or self._is_followed:
            await self._judge(head_time)
            hold = self.hold
        else:
            if self._start is None:
                raise AssertionError("begun before anything is paid")
            hold = _longer(hold, self._hold(self._start, head_time))
        if hold is not None:
            raise PossibleRestore(
                f"the database may be an old copy ({hold.reason}): nothing new is paid"
                " before a final block is past held_until_ms, since what it lacks may"
                " still land; sending.acknowledge ends that",
                held_until_ms=hold.until,
                head_ms=head_time,
                reason=hold.reason,
            )

    @property
    def _is_followed(self) -> bool:
        """Whether the head is known by blocks that were read, or from the start."""
        return self._position().synced or self._terms.head_at_start is not None

    async def acknowledge(self) -> bool:
        """Pay again: whoever asks knows that nothing is lost. False: nothing was held.

        A start that was not judged yet is not any more.

        Raises:
            StoreError
        """
        async with self._judging:
            hold = self.hold
            if hold is not None or not self._is_judged:
                await self._end(hold, "acknowledged")
        return hold is not None

    def wake(self) -> None:
        """A step of the chain is durable."""
        self._woken.set()
        self._woken = trio.Event()

    async def run(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Judge the start once the head is known, and end what is over.

        Raises:
            CommitUnknown: only a restart can tell what the database holds.
        """
        task_status.started()
        while True:
            woken = self._woken
            try:
                await self.look()
            except CommitUnknown:
                raise
            except StoreError as error:
                log.warning("start not judged", extra={"reason": str(error)})
            await woken.wait()

    async def look(self) -> None:
        """Do what our position allows to do now. Raises StoreError."""
        position = self._position()
        if self._terms.head_at_start is not None:
            await self._judge(self._terms.head_at_start)
        elif position.synced and position.head is not None:
            await self._judge(position.head.timestamp)
        hold, solid = self.hold, position.solid
        if not self._is_judged or hold is None or solid is None:
            return
        if solid.timestamp > hold.until:
            async with self._judging:
                if self.hold is hold:
                    await self._end(hold, "released")

    def _hold(self, start: Start, head_time: UnixMillis) -> Hold | None:
        terms = self._terms
        return start.hold(head_time, wait_ms=terms.wait_ms, stale_ms=terms.stale_ms)

    async def _judge(self, head_time: UnixMillis) -> None:
        async with self._judging:
            if self._is_judged:
                return
            start = self._start
            if start is None:
                raise AssertionError("begun before anything is paid")
            if self._terms.head_at_start is not None:
                head_time = self._terms.head_at_start
            new_hold = self._hold(start, head_time)
            hold = _longer(self.hold, new_hold)

            def write(tx: Tx) -> None:
                _write(tx, start.identity, hold)
                if hold is not None and new_hold is not None:
                    self._tell(tx, "held", hold)

            if new_hold is not None or start.identity != start.known_as:
                await self._store.write(write)
            self._is_judged, self.hold = True, hold
        if hold is not None:
            extra = {"reason": hold.reason, "until_ms": hold.until}
            log.warning("possible restore: new payments wait", extra=extra)

    async def _end(self, hold: Hold | None, change: Change) -> None:
        identity = self._terms.identity

        def write(tx: Tx) -> None:
            _write(tx, identity, None)
            if hold is not None:
                self._tell(tx, change, hold)

        await self._store.write(write)
        self._is_judged, self.hold = True, None
        log.warning("new payments go on", extra={"change": change})

    def _tell(self, tx: Tx, change: Change, hold: Hold) -> None:
        self._emit(
            tx,
            RestoreSuspected(
                change=change,
                reason=hold.reason,
                until_ms=hold.until,
            ),
        )


def _read(tx: Tx) -> tuple[str | None, Hold | None]:
    """The identity at the last start, and what was held then."""
    rows = tx.execute("SELECT identity, held_until_ms, held_reason FROM sending_start")
    for identity, until, reason in rows:
        return identity, None if until is None else Hold(UnixMillis(until), reason)
    return None, None


def _write(tx: Tx, identity: str, hold: Hold | None) -> None:
    tx.execute(
        "INSERT INTO sending_start (one, identity, held_until_ms, held_reason)"
        " VALUES (1, ?, ?, ?) ON CONFLICT (one) DO UPDATE SET"
        " identity = excluded.identity, held_until_ms = excluded.held_until_ms,"
        " held_reason = excluded.held_reason",
        (
            identity,
            None if hold is None else hold.until,
            "" if hold is None else hold.reason,
        ),
    )


def _longest_lifetime_ms(tx: Tx) -> int:
    [(longest,)] = tx.execute("SELECT MAX(lifetime_ms) FROM sending_payment")
    return 0 if longest is None else int(longest)


def _longer(first: Hold | None, second: Hold | None) -> Hold | None:
    if first is None or second is None:
        return first or second
    return max(first, second, key=lambda hold: hold.until)
