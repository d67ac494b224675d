"""Balances of watched accounts against the ledger, over a real database."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio
import trio.testing
from attrs import define, evolve, field

from lucidtrond.chain import balances
from lucidtrond.chain.internals import CALLS, InternalsOf
from lucidtrond.chain.ledger import Ledger
from lucidtrond.chain.reconcile import DRIFTING_EVERY_S, EVERY_S, Reconciler
from lucidtrond.errors import NodeUnavailable
from lucidtrond.node.questions.balances import (
    BalanceQuestion,
    SolidBalance,
    SolidBalances,
)
from lucidtrond.ports import BalanceDrift
from lucidtrond.tron import trc20
from lucidtrond.tron.account import Account
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.transaction import Transaction
from lucidtrond.tron.units import Sun, UnixMillis
from tests.chain.model import (
    ModelChain,
    address,
    emit,
    emitted,
    receipts_of,
    transfer,
)
from tests.chain.test_committed import KNOWN, TOKEN, asking
from tests.chain.test_read import block_with, transfer_log
from tests.chain.world import World, world

ALICE, BOB, PAYER = address(1), address(2), address(9)  # two are watched
Key = tuple[Address, Address | None]


class TokenChain(ModelChain):
    """Its receipts hold the logs of *logs*, those it was told of."""

    shown: dict[str, tuple[Address, int]]

    async def fetch_receipts(self, which: Block) -> tuple[Receipt, ...]:
        honest = await super().fetch_receipts(which)
        shown = getattr(self, "shown", {})
        return tuple(
            evolve(
                receipt, logs=(transfer_log(PAYER, *shown[receipt.txid], token=TOKEN),)
            )
            if receipt.txid in shown
            else receipt
            for receipt in honest
        )


@define
class Balances:
    """States *amounts*; counts what it was asked."""

    chain: ModelChain
    amounts: dict[Key, int | None] = field(factory=dict)
    created_ms: int | None = None
    questions: int = 0
    between: Callable[[], None] = field(default=lambda: None)
    fails: bool = False

    async def read_solid_balances(
        self, questions: Sequence[BalanceQuestion]
    ) -> SolidBalances:
        self.questions += len(questions)
        if self.fails:
            raise NodeUnavailable("model", 1, "no answer")
        before = self.chain.solid
        answers = [self._answer(question) for question in questions]
        self.between()
        return SolidBalances(before, self.chain.solid, tuple(answers))

    def _answer(self, question: BalanceQuestion) -> SolidBalance:
        amount = self.amounts.get((question.address, question.token), 0)
        if question.token is not None:
            return SolidBalance(amount)
        created = None if self.created_ms is None else UnixMillis(self.created_ms)
        account = Account(
            question.address,
            activated=bool(amount),
            balance=Sun(amount or 0),
            created_ms=created,
        )
        return SolidBalance(account.balance, account)


@define
class Bench:
    made: World
    chain: ModelChain
    node: Balances
    reconciler: Reconciler

    @property
    def ledger(self) -> Ledger:
        return self.made.ledger

    async def block(self, *transactions: Transaction) -> None:
        """One more final block, with these."""
        self.chain.grow(*transactions)
        self.chain.solidify(self.chain.head)
        await self.made.settle()
        await self.made.turn()  # nothing new: level with the chain

    async def turns(self, count: int = 3) -> None:
        for _ in range(count):
            await self.reconciler.turn(10)

    async def events(self) -> list[tuple[str, str, str, int]]:
        events = await self.made.store.read(lambda tx: emitted(tx, "ledger"))
        return [
            (event["problem"], event["asset"], event["drift"], event["block_number"])
            for event in events
            if event["problem"].startswith("drift")
        ]

    async def drifts(self, of: Address) -> Sequence[BalanceDrift]:
        return await self.ledger.drifts(of)


@asynccontextmanager
async def bench(*, created_ms: int | None = None) -> AsyncIterator[Bench]:
    """The first block is followed; both accounts are watched from before it."""
    chain = TokenChain()
    chain.grow_by(3)
    chain.solidify(3)
    async with world(chain) as made:
        made.tokens = KNOWN
        await made.start()
        node = Balances(chain, created_ms=created_ms)
        yield Bench(
            made,
            chain,
            node,
            Reconciler(
                node,
                made.store,
                ledger=made.ledger,
                emit=emit,
                per_minute=10,
            ),
        )


FAR = 2**60
"""An account made long after anything here."""


async def test_a_balance_that_the_ledger_explains_is_no_news() -> None:
    async with bench(created_ms=FAR) as made:
        made.node.amounts = {(ALICE, None): 7}
        await made.block(transfer(owner=PAYER, to=ALICE, amount=7))
        await made.turns()
        assert made.node.questions == 1
        made.node.amounts = {(ALICE, None): 12}
        await made.block(transfer(owner=PAYER, to=ALICE, amount=5, nonce=1))
        await made.turns()
        assert made.node.questions == 2
        assert await made.events() == []
        assert await made.drifts(ALICE) == []


async def test_a_balance_that_every_block_touches_is_compared() -> None:
    async with bench(created_ms=FAR) as made:
        for nonce in range(12):
            made.node.amounts = {(ALICE, None): max(nonce - 2, 0) + 1_000}
            made.chain.grow(transfer(owner=PAYER, to=ALICE, amount=1, nonce=nonce))
            made.chain.solidify(made.chain.head - 3)  # the newest is never final
            await made.made.settle()
            await made.made.turn()
            await made.turns(1)
        assert await made.drifts(ALICE) != []


async def test_what_comes_after_a_comparison_is_due_from_its_first_block() -> None:
    async with bench(created_ms=FAR) as made:
        for nonce in range(3):
            made.chain.grow(transfer(owner=PAYER, to=ALICE, amount=1, nonce=nonce))
        first = made.chain.head - 2
        made.chain.solidify(first)
        made.node.amounts = {(ALICE, None): 1}
        await made.made.settle()
        await made.made.turn()
        await made.turns()
        assert await made.events() == []
        for solid, count in ((first, 0), (first + 1, 1)):
            due = await made.made.store.read(
                partial(balances.due_balances, solid=solid, limit=9)
            )
            assert len(due) == count


async def test_more_than_the_ledger_says_is_a_drift_of_that_account() -> None:
    async with bench(created_ms=FAR) as made:
        made.node.amounts = {(ALICE, None): 7, (BOB, None): 1}
        await made.block(
            transfer(owner=PAYER, to=ALICE, amount=7),
            transfer(owner=PAYER, to=BOB, amount=1),
        )
        await made.turns()
        agreed = made.chain.head
        await made.block()
        # An internal transfer of 3 that no receipt told of.
        made.node.amounts[ALICE, None] = 12
        await made.block(transfer(owner=PAYER, to=ALICE, amount=2, nonce=2))
        await made.turns(1)
        assert await made.events() == [], "one reading proves nothing"
        await made.turns()
        assert await made.events() == [("drift", "TRX", "3", agreed + 1)]
        assert await made.drifts(ALICE) == [BalanceDrift("TRX", 3, agreed + 1)]
        assert await made.drifts(BOB) == []
        health = made.ledger.health()
        assert (health.drifting, health.problems) == (1, {"drift": 1})
        assert made.ledger.position().synced
        [warning] = health.warnings
        assert "account.get" in warning
        # It is told once, and again when it is another one.
        made.node.amounts[ALICE, None] = 13
        await made.block(transfer(owner=PAYER, to=ALICE, amount=1, nonce=3))
        await made.turns()
        assert len(await made.events()) == 1
        made.node.amounts[ALICE, None] = 15
        await made.block(transfer(owner=PAYER, to=ALICE, amount=1, nonce=4))
        await made.turns()
        assert (await made.events())[1:] == [("drift", "TRX", "4", agreed + 1)]


async def test_unexplained_trx_tells_a_node_without_internal_transactions() -> None:
    async with bench(created_ms=FAR) as made:
        seen = made.ledger.internals.setdefault("model", InternalsOf())
        [called] = receipts_of(block_with(asking(b"")))
        seen.note([evolve(called, contract_address=TOKEN)] * CALLS)
        made.node.amounts = {(ALICE, None): 6}
        await made.block(transfer(owner=PAYER, to=ALICE, amount=7))
        await made.turns()
        assert made.ledger.health().without_internals == (), "less than the rows say"
        made.node.amounts = {(ALICE, None): 9}
        await made.block(transfer(owner=PAYER, to=ALICE, amount=1, nonce=1))
        await made.turns()
        assert made.ledger.health().without_internals == ("model",)
        events = await made.made.store.read(lambda tx: emitted(tx, "ledger"))
        assert events[-1]["problem"] == "no_internal_transactions"


async def test_a_drift_that_ends_is_an_event() -> None:
    async with bench(created_ms=FAR) as made:
        made.node.amounts = {(ALICE, None): 9}
        await made.block(transfer(owner=PAYER, to=ALICE, amount=7))
        await made.turns()
        assert [event[0] for event in await made.events()] == ["drift"]
        made.node.amounts = {(ALICE, None): 8}
        await made.block(transfer(owner=PAYER, to=ALICE, amount=1, nonce=1))
        await made.turns()
        assert [event[0] for event in await made.events()] == ["drift", "drift_over"]
        assert made.ledger.health().drifting == 0
        assert await made.drifts(ALICE) == []


async def test_a_drift_outlives_the_process() -> None:
    async with bench(created_ms=FAR) as made:
        made.node.amounts = {(ALICE, None): 9}
        await made.block(transfer(owner=PAYER, to=ALICE, amount=7))
        await made.turns()
        first = made.ledger.position().complete_from
        assert first is not None
        await made.made.start()
        assert made.made.ledger.health().drifting == 1
        assert await made.drifts(ALICE) == [BalanceDrift("TRX", 2, first)]


async def test_an_older_account_starts_with_what_is_read_first() -> None:
    async with bench(created_ms=1) as made:
        made.node.amounts = {(ALICE, None): 1_000_007}
        await made.block(transfer(owner=PAYER, to=ALICE, amount=7))
        await made.turns()
        assert await made.events() == []
        read_at = made.chain.head
        made.node.amounts = {(ALICE, None): 1_000_009}
        await made.block(transfer(owner=PAYER, to=ALICE, amount=1, nonce=1))
        await made.turns()
        assert await made.events() == [("drift", "TRX", "1", read_at + 1)]


async def test_trx_of_who_owns_a_transaction_is_not_compared() -> None:
    async with bench(created_ms=FAR) as made:
        made.node.amounts = {(ALICE, None): 1}
        await made.block(
            transfer(owner=PAYER, to=ALICE, amount=7),
            transfer(owner=ALICE, to=BOB, amount=1),
        )
        made.node.amounts[BOB, None] = 1
        await made.turns()
        assert await made.events() == []
        assert made.node.questions == 1  # Bob's


async def test_owning_a_reverted_transaction_is_not_owning_one() -> None:
    async with bench(created_ms=FAR) as made:
        await made.block(transfer(owner=PAYER, to=ALICE, amount=7))
        made.chain.grow(transfer(owner=ALICE, to=BOB, amount=1))
        await made.made.settle()
        due = await made.made.store.read(
            lambda tx: balances.due_balances(tx, 99, limit=9)
        )
        assert ALICE not in {balance.address for balance in due}
        made.chain.fork(1)
        made.chain.grow_by(2, salt=1)
        await made.made.settle()
        due = await made.made.store.read(
            lambda tx: balances.due_balances(tx, 99, limit=9)
        )
        assert ALICE in {balance.address for balance in due}


async def test_what_is_touched_between_the_heads_is_asked_for_again() -> None:
    async with bench(created_ms=FAR) as made:
        made.node.amounts = {(ALICE, None): 7}
        await made.block(transfer(owner=PAYER, to=ALICE, amount=7))

        def more() -> None:
            made.chain.grow(transfer(owner=PAYER, to=ALICE, amount=1, nonce=1))
            made.chain.solidify(made.chain.head)
            made.node.between = lambda: None

        made.node.between = more
        async with trio.open_nursery() as nursery:
            nursery.start_soon(made.reconciler.turn, 10)
            await trio.testing.wait_all_tasks_blocked()
            await made.made.settle()
        await made.made.turn()
        assert await made.events() == []
        made.node.amounts = {(ALICE, None): 8}
        await made.turns()
        assert await made.events() == []
        due = await made.made.store.read(
            lambda tx: balances.due_balances(tx, 99, limit=9)
        )
        assert due == []


@pytest.mark.parametrize("shown", [True, False])
async def test_a_withheld_log_of_a_known_token_is_a_drift(
    autojump_clock: trio.testing.MockClock, *, shown: bool
) -> None:
    payment = asking(trc20.transfer_from(PAYER, ALICE, 5))
    async with bench() as made:
        assert isinstance(made.chain, TokenChain)
        made.chain.shown = {payment.txid: (ALICE, 5)} if shown else {}
        made.node.amounts = {(ALICE, TOKEN): 5}
        await made.block(payment)
        await made.turns(5)
        events = await made.events()
        if shown:
            assert events == []
        else:
            assert [event[:3] for event in events] == [("drift", TOKEN.base58, "5")]


async def test_nothing_is_asked_of_a_token_that_nobody_knows() -> None:
    async with bench() as made:
        stranger = address(77)
        assert isinstance(made.chain, TokenChain)
        await made.block(asking(trc20.transfer(ALICE, 5), token=stranger))
        await made.turns()
        assert made.node.questions == 0


async def test_what_can_not_be_read_is_left_until_it_is_touched_again() -> None:
    payment = asking(trc20.transfer_from(PAYER, BOB, 5))
    async with bench() as made:
        assert isinstance(made.chain, TokenChain)
        made.chain.shown = {payment.txid: (BOB, 5)}
        made.node.amounts = {(BOB, TOKEN): None}
        await made.block(payment)
        await made.turns(5)
        assert made.node.questions == 2  # its account, then the token
        assert await made.events() == []


async def test_nothing_is_asked_while_we_are_not_level_with_the_chain() -> None:
    async with bench() as made:
        await made.block(transfer(owner=PAYER, to=ALICE, amount=7))
        made.ledger.set_synced(synced=False)
        await made.turns()
        assert made.node.questions == 0


async def test_questions_a_minute_are_bounded_and_errors_are_survived(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with bench(created_ms=FAR) as made:
        made.node.fails = True
        await made.block(transfer(owner=PAYER, to=ALICE, amount=7))
        made.node.amounts = {(ALICE, None): 7}
        async with trio.open_nursery() as nursery:
            await nursery.start(made.reconciler.run)
            await trio.sleep(10 * EVERY_S + 1)
            assert made.node.questions == 10
            made.node.fails = False
            await trio.sleep(DRIFTING_EVERY_S)
            assert made.node.questions == 11
            nursery.cancel_scope.cancel()
        assert await made.events() == []


async def test_with_no_questions_a_minute_none_is_asked() -> None:
    async with bench(created_ms=FAR) as made:
        await made.block(transfer(owner=PAYER, to=ALICE, amount=7))
        silent = Reconciler(
            made.node,
            made.made.store,
            ledger=made.ledger,
            emit=emit,
            per_minute=0,
        )
        async with trio.open_nursery() as nursery:
            await nursery.start(silent.run)
        assert made.node.questions == 0


async def test_a_balance_below_zero_is_none_that_could_be_compared() -> None:
    """Mainnet's genesis has such an account, and any endpoint may state one."""
    async with bench() as made:
        made.node.amounts[ALICE, None] = -5
        await made.block(transfer(owner=PAYER, to=ALICE, amount=5, nonce=1))
        await made.turns(3)
        assert await made.drifts(ALICE) == []
        assert made.node.questions == 1
