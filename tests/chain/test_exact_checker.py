"""Rows of an exact token rest on its calls, as long as checks say that it is exact."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trio.testing
from attrs import define, evolve, field
from msgspec.structs import replace

from lucidtrond.chain.committed import expected_logs
from lucidtrond.chain.exact import MAINTENANCE_MS, PATIENCE_MS, ExactPolicy
from lucidtrond.chain.exact_checker import EVERY_S, ExactChecker
from lucidtrond.chain.read import read_block
from lucidtrond.chain.recheck import Rechecker
from lucidtrond.errors import NodeUnavailable
from lucidtrond.events.types import LedgerEntry, Proof
from lucidtrond.node.questions.solid_numbers import SolidNumbers
from lucidtrond.tron import trc20
from lucidtrond.tron.address import Address
from lucidtrond.tron.receipt import Log, Receipt
from lucidtrond.tron.tokens import TETHER_CHECKS, KnownToken, KnownTokens
from lucidtrond.tron.transaction import Transaction, TxId
from tests.chain.model import ModelChain, emit, emitted, receipts_of
from tests.chain.test_committed import STRANGE, TAXED, TOKEN, asking
from tests.chain.test_read import A, B, C, block_with, transfer_log
from tests.chain.world import World, world

USDT = KnownToken(TOKEN, "USDT", "", 6, zero_while_exact=TETHER_CHECKS)
TOKENS = KnownTokens(
    [
        USDT,
        KnownToken(TAXED, "TAX", "", 6, fee_on_transfer=True, zero_while_exact=()),
    ]
)
SIX_HOURS = MAINTENANCE_MS // 3000
"""Blocks."""
LOST = 2 * PATIENCE_MS // 3000


def paid(amount: int, *, token: Address = TOKEN) -> Transaction:
    return asking(trc20.transfer(B, amount), token=token)


def paid_for(amount: int) -> Transaction:
    return asking(trc20.transfer_from(C, B, amount))


@define
class Node:
    chain: ModelChain
    numbers: tuple[int | None, ...] = (0, 0, 0)
    fails: bool = False
    stuck_at: int | None = None
    """The solid head that it shows for ever."""
    asked: int = 0
    receipts: list[Receipt] = field(factory=list)

    async def read_solid_numbers(
        self, contract: Address, functions: Sequence[str]
    ) -> SolidNumbers:
        assert (contract, tuple(functions)) == (TOKEN, TETHER_CHECKS)
        self.asked += 1
        if self.fails:
            raise NodeUnavailable("model", 1, "no answer")
        number = self.chain.solid if self.stuck_at is None else self.stuck_at
        head = self.chain.blocks[number].header
        return SolidNumbers(head, head, self.numbers)

    async def find_receipts(self, txid: TxId) -> list[Receipt]:
        return [receipt for receipt in self.receipts if receipt.txid == txid]


@define
class Scene:
    """A world with an exact token, and what checks it."""

    made: World
    node: Node
    checker: ExactChecker

    @property
    def chain(self) -> ModelChain:
        return self.made.chain

    async def pay(
        self, transaction: Transaction, *logs: Log, is_final: bool = True
    ) -> int:
        self.chain.logs[transaction.txid] = logs
        number = self.chain.grow(transaction).header.number
        if is_final:
            self.chain.solidify(number)
        await self.made.settle()
        return number

    async def wait(self, blocks: int) -> None:
        self.chain.grow_by(blocks)
        self.chain.solidify(self.chain.head)
        await self.made.settle()

    async def rows(self) -> list[LedgerEntry]:
        return (await self.made.ledger.entries())[0]

    async def proofs(self) -> list[str]:
        return [row.proof for row in await self.rows()]

    async def changes(self) -> list[tuple[str, str]]:
        events = await self.made.store.read(lambda tx: emitted(tx, "transfer"))
        return [(event["change"], event["entry"]["proof"]) for event in events]

    async def problems(self) -> list[dict[str, Any]]:
        return await self.made.store.read(lambda tx: emitted(tx, "ledger"))


@asynccontextmanager
async def scene(
    *, tokens: KnownTokens = TOKENS, large_credit: int = 10_000, checked: bool = True
) -> AsyncIterator[Scene]:
    chain = ModelChain()
    async with world(chain) as made:
        made.tokens = tokens
        made.exact = ExactPolicy(large_credit=large_credit)
        await made.start()
        await made.settle()
        node = Node(chain)
        checker = ExactChecker(
            node,
            made.store,
            ledger=made.ledger,
            emit=emit,
            observers=[made.observer],
        )
        if checked:
            await checker.turn()
        yield Scene(made, node, checker)


LOG = transfer_log(A, B, 5, token=TOKEN)


async def test_a_plain_transfer_of_an_exact_token_is_proven_by_its_call() -> None:
    async with scene() as at:
        await at.pay(paid(5), LOG)
        await at.pay(paid_for(6), transfer_log(C, B, 6, token=TOKEN))
        assert await at.proofs() == ["signatures"] * 2
        rows = await at.rows()
        assert {row.single_source for row in rows} == {False}
        assert {row.cost_proof for row in rows} == {"one_source"}
        assert at.made.observer.exact == {row.txid for row in rows}


@pytest.mark.parametrize(
    ("transaction", "log"),
    [
        (asking(trc20.transfer(B, 5), value=1), LOG),
        (asking(trc20.transfer(B, 5) + b"\0"), LOG),
        (asking(b"strange"), LOG),
        (paid(5), transfer_log(A, B, 4, token=TOKEN)),
        (paid(5), transfer_log(C, B, 5, token=TOKEN)),
        (paid(5, token=TAXED), transfer_log(A, B, 5, token=TAXED)),
        (paid(5, token=STRANGE), transfer_log(A, B, 5, token=STRANGE)),
        (paid(5), transfer_log(A, B, 5, token=STRANGE)),
    ],
)
async def test_no_other_log_is_proven_by_a_call(
    transaction: Transaction, log: Log
) -> None:
    async with scene() as at:
        await at.pay(transaction, log)
        by_log = [row for row in await at.rows() if row.index >= 0]
        assert "one_source" in [row.proof for row in by_log if row.kind == "trc20"]


async def test_of_two_equal_logs_the_call_proves_one() -> None:
    async with scene() as at:
        await at.pay(paid(5), LOG, LOG)
        proofs = {row.index: row.proof for row in await at.rows()}
        assert proofs == {0: "signatures", 1: "one_source"}


def test_a_block_with_another_root_proves_no_call() -> None:
    block = block_with(paid(5))
    [receipt] = receipts_of(block)
    expected = expected_logs(block, TOKENS)
    for proven, receipt_proof in ((True, "one_source"), (False, None)):
        [row] = read_block(
            evolve(block, root_proven=proven),
            [evolve(receipt, logs=(LOG,))],
            expected=expected,
        ).movements
        assert row.receipt_proof == receipt_proof


async def test_without_a_check_nothing_is_and_what_a_first_one_follows_stays_so() -> (
    None
):
    async with scene(checked=False) as at:
        await at.pay(paid(5), LOG)
        assert await at.proofs() == ["one_source"]
        await at.checker.turn()
        await at.pay(paid(6), transfer_log(A, B, 6, token=TOKEN))
        assert await at.proofs() == ["signatures", "one_source"]
        assert await at.changes() == [
            ("included", "one_source"),
            ("solidified", "one_source"),
            ("included", "signatures"),
            ("solidified", "signatures"),
        ]


async def test_an_operators_word_needs_no_check() -> None:
    vouched = KnownTokens([replace(USDT, zero_while_exact=())])
    async with scene(tokens=vouched) as at:
        await at.pay(paid(10**12), transfer_log(A, B, 10**12, token=TOKEN))
        assert await at.proofs() == ["signatures"]
        assert at.node.asked == 0


async def test_a_movement_without_its_log_stands_and_becomes_the_logs() -> None:
    async with scene() as at:
        await at.pay(paid(5))
        [row] = await at.rows()
        assert (row.index, row.success, row.contradicted) == (-1, True, False)
        assert (row.proof, row.amount) == ("signatures", "5")
        [bare] = receipts_of(at.chain.blocks[-1])
        at.node.receipts = [evolve(bare, logs=(LOG,))]
        rechecker = Rechecker(at.node, at.made.store, ledger=at.made.ledger, emit=emit)
        await rechecker.turn()
        [row] = await at.rows()
        assert (row.index, row.success, row.proof) == (0, True, "signatures")
        assert (await at.changes())[-1] == ("corrected", "signatures")


async def test_a_large_credit_is_proven_after_a_check_of_its_own() -> None:
    async with scene(large_credit=1) as at:
        large = transfer_log(A, B, 10**6, token=TOKEN)
        await at.pay(paid(10**6), large, is_final=False)
        await at.pay(paid(10**6 - 1), transfer_log(A, B, 10**6 - 1, token=TOKEN))
        assert await at.proofs() == ["signatures", "one_source"]
        asked = at.node.asked
        assert await at.checker.turn() == 1
        assert await at.proofs() == ["signatures"] * 2
        assert (await at.changes())[-1] == ("proven", "signatures")
        assert await at.checker.turn() == 0
        assert at.node.asked == asked + 1


async def test_rows_are_listed_from_a_proof_on() -> None:
    async with scene() as at:
        await at.pay(paid(5), LOG, transfer_log(A, B, 6, token=TOKEN))

        async def amounts(least: Proof | None) -> tuple[list[str], int]:
            rows, _, total = await at.made.ledger.entries(min_proof=least)
            return [row.amount for row in rows], total

        assert await amounts(None) == (["6", "5"], 2)
        assert await amounts("one_source") == (["6", "5"], 2)
        assert await amounts("two_sources") == (["5"], 1)
        assert await amounts("signatures") == (["5"], 1)


async def test_a_large_credit_asks_for_nothing_before_it_is_final() -> None:
    async with scene(large_credit=0) as at:
        await at.pay(paid(5), LOG, is_final=False)
        assert await at.checker.turn() == 0
        assert await at.proofs() == ["one_source"]


@pytest.mark.parametrize("numbers", [(1, 0, 0), (0, 50, 0), (0, 0, 1), (0, None, 0)])
async def test_a_change_takes_back_what_was_booked_since_the_last_good_check(
    numbers: tuple[int | None, ...],
) -> None:
    async with scene(large_credit=1) as at:
        await at.pay(paid(10**6), transfer_log(A, B, 10**6, token=TOKEN))
        await at.checker.turn()  # good, up to here
        first = await at.pay(paid(5), LOG)
        await at.pay(paid(6))
        assert await at.proofs() == ["signatures"] * 3
        at.node.numbers = numbers
        await at.wait(SIX_HOURS)
        assert await at.checker.turn() == 1
        assert await at.proofs() == ["one_source", "one_source", "signatures"]
        unread = (await at.rows())[0]
        assert (unread.contradicted, unread.success) == (True, False)
        assert (await at.changes())[-2:] == [("downgraded", "one_source")] * 2
        handed = [proof for _, proof in at.made.observer.changed]
        assert handed == ["signatures", "one_source", "one_source"]
        [problem] = [
            shown for shown in await at.problems() if shown["problem"] == "not_exact"
        ]
        assert (problem["block_number"], problem["asset"]) == (first, TOKEN.base58)
        assert at.made.ledger.problems["not_exact"] == 1
        await at.pay(paid(7), transfer_log(A, B, 7, token=TOKEN))
        assert (await at.proofs())[0] == "one_source"
        at.node.numbers = (0, 0, 0)
        await at.checker.turn()
        await at.pay(paid(8), transfer_log(A, B, 8, token=TOKEN))
        assert (await at.proofs())[:2] == ["signatures", "one_source"]


async def test_two_sources_are_left_where_a_call_proves_no_more() -> None:
    async with scene() as at:
        await at.pay(paid(5), LOG)
        await at.made.store.write(
            lambda tx: tx.execute(
                "UPDATE chain_entry SET receipt_proof = 'two_sources'"
            )
        )
        at.node.numbers = (1, 0, 0)
        await at.wait(SIX_HOURS)
        await at.checker.turn()
        assert await at.proofs() == ["two_sources"]


@pytest.mark.parametrize("stuck_at", [None, 0])
async def test_no_answer_or_an_old_one_takes_it_back_too_after_a_while(
    stuck_at: int | None,
) -> None:
    async with scene() as at:
        await at.pay(paid(5), LOG)
        at.node.fails, at.node.stuck_at = stuck_at is None, stuck_at
        now_ms = at.chain.blocks[-1].header.timestamp
        await at.wait((MAINTENANCE_MS - now_ms % MAINTENANCE_MS) // 3000 + 1)
        assert await at.checker.turn() == 1
        assert await at.proofs() == ["signatures"]
        await at.wait(LOST)
        await at.checker.turn()
        assert await at.proofs() == ["one_source"]
        assert (await at.changes())[-1] == ("downgraded", "one_source")
        assert await at.checker.turn() == 1
        assert await at.proofs() == ["one_source"]
        assert at.made.ledger.problems["not_exact"] == 1


async def test_it_is_asked_at_each_start_and_at_each_maintenance() -> None:
    async with scene() as at:
        assert at.node.asked == 1
        assert await at.checker.turn() == 0
        await at.wait(SIX_HOURS)
        assert await at.checker.turn() == 1
        assert await at.checker.turn() == 0
        await at.made.start()
        again = ExactChecker(at.node, at.made.store, ledger=at.made.ledger, emit=emit)
        await at.made.turn()
        assert await again.turn() == 1
        assert await again.turn() == 0


async def test_the_task_survives_errors_and_has_nothing_to_do_without_such_tokens(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with scene(checked=False) as at:
        at.node.fails = True
        async with trio.open_nursery() as nursery:
            await nursery.start(at.checker.run)
            await trio.sleep(3.5 * EVERY_S)
            assert at.node.asked == 4
            nursery.cancel_scope.cancel()
    async with scene(tokens=KnownTokens([]), checked=False) as at:
        with trio.fail_after(1):
            await at.checker.run()
