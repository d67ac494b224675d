"""Reads whether tokens are exact, when a check is due, and lets rows follow.

The rule is in `chain.exact`. One endpoint is asked: five requests a check. What a check
changes is one transaction: the range, and for each row whose proof changes an event and
what observers make of it.
"""

import logging
from collections.abc import Sequence
from functools import partial
from typing import Final

import trio
from msgspec import Struct

from lucidtrond.chain import exact, exact_tables
from lucidtrond.chain.exact import Check, ExactRange
from lucidtrond.chain.ledger import Ledger
from lucidtrond.chain.observer import BlockObserver
from lucidtrond.errors import NodeError, StoreError
from lucidtrond.events.types import Emit, LedgerEntry, LedgerProblem, TransferSeen
from lucidtrond.node.questions.pool_questions import NumberQuestions
from lucidtrond.ports import Store, Tx
from lucidtrond.tron.block import BlockHeader
from lucidtrond.tron.tokens import KnownToken

log = logging.getLogger(__name__)

EVERY_S: Final = 10.0


class _Due(Struct, frozen=True):
    """What a check begins with. *since_ms*: chain time since which it is due."""

    current: ExactRange | None
    since_ms: int | None


class ExactChecker:
    """One per database."""

    def __init__(
        self,
        node: NumberQuestions,
        store: Store,
        *,
        ledger: Ledger,
        emit: Emit,
        observers: Sequence[BlockObserver] = (),
    ) -> None:
        self._node = node
        self._store = store
        self._ledger = ledger
        self._emit = emit
        self._observers = tuple(observers)
        self._tokens = [
            token
            for token in ledger.tokens
            if token.may_be_exact and token.zero_while_exact
        ]
        self._not_started = {token.address for token in self._tokens}

    async def run(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Check until cancelled."""
        task_status.started()
        while self._tokens:
            try:
                await self.turn()
            except StoreError as error:
                log.info("exact tokens not checked", extra={"reason": str(error)})
            await trio.sleep(EVERY_S)

    async def turn(self) -> int:
        """Check what is due; give how many tokens were asked about.

        Raises:
            StoreError: a check is not written; it is made again.
        """
        asked = 0
        for token in self._tokens:
            solid = self._ledger.position().solid
            if solid is None:
                return asked
            due = await self._store.read(partial(self._due, token=token, solid=solid))
            if due.since_ms is None and token.address not in self._not_started:
                continue
            asked += 1
            await self._check(token, due, solid)
        return asked

    def _due(self, tx: Tx, *, token: KnownToken, solid: BlockHeader) -> _Due:
        current = exact_tables.newest_range(tx, token.address)
        large_ms = None
        if current is not None and current.is_open:
            large_ms = exact_tables.oldest_unproven_ms(
                tx, token.address, above=current.checked, solid=solid.number
            )
        since_ms = exact.due_since_ms(
            current,
            solid_ms=solid.timestamp,
            large_ms=large_ms,
            interval_ms=self._ledger.exact.interval_ms,
        )
        return _Due(current, since_ms)

    async def _check(self, token: KnownToken, due: _Due, solid: BlockHeader) -> None:
        functions = token.zero_while_exact or ()
        try:
            read = await self._node.read_solid_numbers(token.address, functions)
        except NodeError as error:
            extra = {"token": token.symbol, "reason": str(error)}
            log.info("token not checked for being exact", extra=extra)
            await self._end_if_lapsed(token, due, solid)
            return
        check = Check(
            before=read.before.number,
            before_ms=read.before.timestamp,
            after=read.after.number,
            after_ms=read.after.timestamp,
            is_zero=all(number == 0 for number in read.numbers),
        )
        values = ", ".join(
            f"{function} {'not a number' if number is None else number}"
            for function, number in zip(functions, read.numbers, strict=True)
            if number != 0
        )
        reason = values or "a maintenance was missed"
        await self._write(token, check, reason)
        self._not_started.discard(token.address)
        if due.since_ms is not None and check.before_ms < due.since_ms:
            await self._end_if_lapsed(token, due, solid)  # it is not what was due

    async def _end_if_lapsed(
        self, token: KnownToken, due: _Due, solid: BlockHeader
    ) -> None:
        if due.since_ms is not None and exact.has_lapsed(
            due.current, due_ms=due.since_ms, solid_ms=solid.timestamp
        ):
            await self._write(token, None, "no endpoint says whether it still is")

    async def _write(self, token: KnownToken, check: Check | None, reason: str) -> None:
        problems = await self._store.write(
            partial(self._apply, token=token, check=check, reason=reason)
        )
        self._ledger.note_problems(problems)

    def _apply(
        self, tx: Tx, *, token: KnownToken, check: Check | None, reason: str
    ) -> list[LedgerProblem]:
        """Write what *check* says, None being no answer; in the store's thread."""
        solid = self._ledger.position().solid
        number = -1 if solid is None else solid.number
        before = exact_tables.newest_range(tx, token.address)
        after, begins = before, None
        if check is not None:
            after, begins = exact.after_check(
                before, check, interval_ms=self._ledger.exact.interval_ms
            )
        elif before is not None:
            after = exact.ended(before, at=number)
        problems: list[LedgerProblem] = []
        if before is not None and after is not None and after != before:
            exact_tables.put_range(tx, token.address, after)
            self._upgrade(tx, token, after, number)
        was_open = before is not None and before.is_open
        if was_open and after is not None and not after.is_open:
            problems.append(self._downgrade(tx, token, after, number, reason))
        if begins is not None:
            exact_tables.put_range(tx, token.address, begins)
            self._upgrade(tx, token, begins, number)
        return problems

    def _upgrade(self, tx: Tx, token: KnownToken, to: ExactRange, solid: int) -> None:
        for entry in exact_tables.upgrade(
            tx,
            token,
            to,
            policy=self._ledger.exact,
            solid=solid,
            tokens=self._ledger.tokens,
        ):
            self._emit(tx, TransferSeen(change="proven", entry=entry))
            self._hand_over(tx, entry)

    def _downgrade(
        self, tx: Tx, token: KnownToken, ended: ExactRange, solid: int, reason: str
    ) -> LedgerProblem:
        above = ended.checked
        problem = LedgerProblem(
            problem="not_exact",
            reason=f"calls of {token.symbol} prove nothing from block {above + 1} on:"
            f" {reason}",
            block_number=above + 1,
            asset=token.address.base58,
        )
        self._emit(tx, problem)
        for entry in exact_tables.downgrade(
            tx, token, above=above, solid=solid, tokens=self._ledger.tokens
        ):
            self._emit(tx, TransferSeen(change="downgraded", entry=entry))
            self._hand_over(tx, entry)
        return problem

    def _hand_over(self, tx: Tx, entry: LedgerEntry) -> None:
        for observer in self._observers:
            observer.reproven(tx, entry)
