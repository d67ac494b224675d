"""Compares balances of watched accounts with what the ledger says, a few a minute.

What is compared, and when, stands in `chain.balances`; how, in `chain.drift`. Known
tokens of every watched account are compared, and the TRX of those that own no
transaction: whoever owns one pays fees, which are no rows of the ledger.

A drift is a state of its account, never of ``synced``: a node that states a wrong
balance must not stop payments of others. Nothing is asked while we are not level with
the chain; a node that fails is asked again next time.
"""

import logging
from collections.abc import Sequence
from functools import partial
from typing import Final

import trio
from msgspec import Struct

from lucidtrond.chain import balances
from lucidtrond.chain.balances import DueBalance
from lucidtrond.chain.drift import (
    CONFIRMATIONS,
    Agrees,
    Differs,
    Inconclusive,
    Reading,
    judge,
    starts_at_zero,
)
from lucidtrond.chain.internals import lacking
from lucidtrond.chain.ledger import Ledger
from lucidtrond.chain.read import TRX
from lucidtrond.errors import NodeError, StoreError
from lucidtrond.events.types import Emit, LedgerProblem, Problem
from lucidtrond.node.questions.balances import (
    BalanceQuestion,
    SolidBalance,
    SolidBalances,
)
from lucidtrond.node.questions.pool_questions import BalanceQuestions
from lucidtrond.ports import Store, Tx
from lucidtrond.tron.address import Address

log = logging.getLogger(__name__)

EVERY_S: Final = 30.0
"""Questions of a minute are put in two groups; a single one, in one."""
FINAL_WITHIN_S: Final = 30.0
"""How long the ledger may take to get where the node was."""
DRIFTING_EVERY_S: Final = 600.0
SUSPICIONS: Final = 10_000
"""First readings of a drift that are remembered; of more, the oldest are forgotten."""


class _Answer(Struct, frozen=True):
    """To one `DueBalance`: of its asset, or of TRX where its start is not known."""

    due: DueBalance
    balance: SolidBalance


class Reconciler:
    """One per database. *per_minute* bounds the questions, 0 is none at all; each group
    of them takes two more for the heads around it."""

    def __init__(
        self,
        node: BalanceQuestions,
        store: Store,
        *,
        ledger: Ledger,
        emit: Emit,
        per_minute: int,
    ) -> None:
        self._node = node
        self._store = store
        self._ledger = ledger
        self._emit = emit
        self._per_minute = ledger.reconcile_per_minute = per_minute
        self._suspected: dict[tuple[Address, str], tuple[int, int]] = {}
        """Of a balance: its drift, and readings in a row that stated it."""
        self._drifting_asked_at = float("-inf")

    async def run(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Reconcile until cancelled."""
        task_status.started()
        if self._per_minute <= 0:
            return
        every_s = max(EVERY_S, 60 / self._per_minute)
        at_once = max(1, int(self._per_minute * every_s / 60))
        while True:
            await trio.sleep(every_s)
            try:
                await self.turn(at_once)
            except (NodeError, StoreError) as error:
                log.info("balances not compared", extra={"reason": str(error)})

    async def turn(self, at_once: int) -> int:
        """Ask for up to *at_once* balances and compare; give how many were asked for.

        Raises:
            NodeError, StoreError: nothing came of it.
        """
        position = self._ledger.position()
        solid = position.solid
        if solid is None or not position.synced:
            return 0
        due = await self._due(solid.number, at_once)
        if not due:
            return 0
        read = await self._node.read_solid_balances([_question(asked) for asked in due])
        if not await self._is_held(read.after):
            return len(due)
        answers = [
            _Answer(asked, balance)
            for asked, balance in zip(due, read.answers, strict=True)
        ]
        problems, self._ledger.drifting = await self._store.write(
            partial(
                self._apply,
                read=read,
                answers=answers,
                complete_from=position.complete_from or 0,
            )
        )
        suspects = self._without_internals(problems)
        if suspects:
            await self._store.write(partial(self._emit_all, problems=suspects))
        if problems:
            self._ledger.note_problems([*problems, *suspects])
        return len(due)

    def _without_internals(
        self, problems: Sequence[LedgerProblem]
    ) -> list[LedgerProblem]:
        """TRX that no row explains may be what a contract paid out; see `internals`."""
        income = [
            problem
            for problem in problems
            if problem.asset == TRX
            and problem.drift is not None
            and int(problem.drift) > 0
        ]
        return [
            LedgerProblem(
                problem="no_internal_transactions",
                reason=lacking(name),
                block_number=income[0].block_number,
            )
            for name, of_endpoint in self._ledger.internals.items()
            if income and of_endpoint.note_unexplained_income()
        ]

    def _emit_all(self, tx: Tx, problems: Sequence[LedgerProblem]) -> None:
        for problem in problems:
            self._emit(tx, problem)

    async def _due(self, solid: int, at_once: int) -> list[DueBalance]:
        now = trio.current_time()
        if now - self._drifting_asked_at >= DRIFTING_EVERY_S:
            self._drifting_asked_at = now
            await self._store.write(lambda tx: balances.make_drifting_due(tx, solid))
        return await self._store.read(
            lambda tx: balances.due_balances(tx, solid, limit=at_once)
        )

    async def _is_held(self, number: int) -> bool:
        """Wait until the ledger holds all final blocks up to *number*."""
        with trio.move_on_after(FINAL_WITHIN_S):
            await self._ledger.wait_solid_at(number)
            return True
        return False

    def _apply(
        self,
        tx: Tx,
        *,
        read: SolidBalances,
        answers: Sequence[_Answer],
        complete_from: int,
    ) -> tuple[list[LedgerProblem], int]:
        """Judge and write, in the store's thread; also how many balances drift."""
        problems: list[LedgerProblem] = []
        for answer in answers:
            due = answer.due
            if not due.start_known:
                due = _with_start(tx, answer, complete_from, read.before)
                if due.asset != TRX or not due.start_known:
                    continue  # its own balance is asked for next
            amount = answer.balance.amount
            if amount is None or amount < 0:  # genesis begins one account so
                balances.set_unreadable(tx, due.address, due.asset, read_at=read.after)
                continue
            reading = Reading(read.before, read.after, amount)
            problem = self._compare(tx, due, reading)
            if problem is not None:
                self._emit(tx, problem)
                problems.append(problem)
        return problems, balances.count_drifting(tx)

    def _compare(
        self, tx: Tx, due: DueBalance, reading: Reading
    ) -> LedgerProblem | None:
        base, key = due.from_base, (due.address, due.asset)
        above = reading.after if base is None else base.number
        moved, contradicted = balances.moved_between(
            tx, *key, above=above, up_to=reading.before
        )
        touched_between = balances.is_touched_between(
            tx, *key, above=reading.before, up_to=reading.after
        )
        verdict = judge(base, reading, moved=moved, touched_between=touched_between)
        match verdict:
            case Agrees(base=agreed):
                self._suspected.pop(key, None)
                balances.set_base(tx, *key, agreed)
                if due.drift is None:
                    return None
                reason = "the account and the ledger agree again"
                return _problem(due, "drift_over", agreed.number, reason, drift=0)
            case Differs(drift=drift, first=first):
                if not self._is_confirmed(key, drift):
                    return None
                balances.set_drift(
                    tx, *key, drift=drift, first=first, read_at=reading.after
                )
                if drift == due.drift:
                    return None
                reason = (
                    f"the account holds {drift:+} against the ledger, since block"
                    f" {first} or later"
                )
                if contradicted:
                    reason += f"; {contradicted} rows of it are contradicted"
                return _problem(due, "drift", first, reason, drift=drift)
            case Inconclusive():
                balances.postpone(tx, *key, read_at=reading.after)
                return None

    def _is_confirmed(self, key: tuple[Address, str], drift: int) -> bool:
        before, times = self._suspected.pop(key, (drift, 0))
        times = times + 1 if before == drift else 1
        if times >= CONFIRMATIONS:
            return True
        if len(self._suspected) >= SUSPICIONS:
            del self._suspected[next(iter(self._suspected))]
        self._suspected[key] = drift, times
        return False


def _question(due: DueBalance) -> BalanceQuestion:
    if due.asset == TRX or not due.start_known:
        return BalanceQuestion(due.address)
    return BalanceQuestion(due.address, Address.from_base58(due.asset))


def _with_start(tx: Tx, answer: _Answer, complete_from: int, before: int) -> DueBalance:
    """Decide whether all history of an account is known."""
    due, account = answer.due, answer.balance.account
    if account is None:
        raise AssertionError("TRX was asked for, and comes with its account")
    start, time_ms = balances.watched_since(tx, due.address, complete_from)
    if before < start:
        return due
    whole = starts_at_zero(
        activated=account.activated,
        created_ms=account.created_ms,
        known_since_ms=time_ms,
    )
    number = start if whole else None
    balances.set_start(tx, due.address, number)
    return DueBalance(
        due.address,
        due.asset,
        start_known=True,
        start_number=number,
        base=due.base,
        drift=due.drift,
    )


def _problem(
    due: DueBalance, problem: Problem, number: int, reason: str, *, drift: int
) -> LedgerProblem:
    return LedgerProblem(
        problem=problem,
        reason=reason,
        block_number=number,
        address=due.address.base58,
        asset=due.asset,
        drift=str(drift),
    )
