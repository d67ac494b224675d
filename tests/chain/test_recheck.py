"""A row that waits for its log becomes the log's, however late the log comes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing
from attrs import define, evolve, field

from lucidtrond.chain.recheck import FIRST_S, LONGEST_S, Rechecker
from lucidtrond.errors import NodeUnavailable
from lucidtrond.tron import trc20
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.transaction import TxId
from tests.chain.model import ModelChain, address, emit, emitted, receipts_of
from tests.chain.test_committed import KNOWN, TOKEN, asking
from tests.chain.test_read import A, B, transfer_log
from tests.chain.world import World, world

PAYMENT = asking(trc20.transfer(B, 5))
OTHER = transfer_log(A, address(7), 1, token=TOKEN)
LOG = transfer_log(A, B, 5, token=TOKEN)


@define
class Node:
    answer: Receipt | None = None
    others: tuple[Receipt, ...] = ()
    """Of endpoints that come first."""
    fails: bool = False
    asked: list[float] = field(factory=list)

    async def find_receipts(self, txid: TxId) -> list[Receipt]:
        assert txid == PAYMENT.txid
        self.asked.append(trio.current_time())
        if self.fails:
            raise NodeUnavailable("model", 1, "no answer")
        return [*self.others, *([self.answer] if self.answer else [])]


@asynccontextmanager
async def waiting() -> AsyncIterator[tuple[World, Node, Rechecker, Receipt]]:
    """One final row whose log is missing."""
    chain = ModelChain()
    async with world(chain) as made:
        made.tokens = KNOWN
        await made.start()
        await made.settle()
        block = chain.grow(PAYMENT)
        chain.solidify(chain.head)
        await made.settle()
        await made.turn()
        node = Node()
        rechecker = Rechecker(node, made.store, ledger=made.ledger, emit=emit)
        [bare] = receipts_of(block)
        yield made, node, rechecker, bare


async def state(made: World) -> tuple[bool, bool, int]:
    [row] = (await made.ledger.entries())[0]
    return row.contradicted, row.success, row.index


async def test_the_row_takes_the_index_of_its_log_and_counts() -> None:
    async with waiting() as (made, node, rechecker, bare):
        assert await state(made) == (True, False, -1)
        node.answer = evolve(bare, logs=(OTHER, LOG))
        assert await rechecker.turn() == 1
        assert await state(made) == (False, True, 1)
        assert await rechecker.turn() == 0
        transfers = await made.store.read(lambda tx: emitted(tx, "transfer"))
        assert transfers[-1]["change"] == "corrected"
        entry = transfers[-1]["entry"]
        assert (entry["index"], entry["success"], entry["solidified"]) == (
            1,
            True,
            True,
        )
        assert (entry["proof"], entry["contradicted"]) == ("one_source", False)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"logs": (OTHER,)},
        {"logs": (LOG,), "block_number": 9},
        {"logs": (LOG,), "vm_result": "REVERT"},
        {"logs": (evolve(LOG, address=address(99)),)},
    ],
)
async def test_a_receipt_that_is_not_the_one_settles_nothing(
    change: dict[str, object],
) -> None:
    async with waiting() as (made, node, rechecker, bare):
        node.answer = evolve(bare, **change)  # type: ignore[arg-type] # any field
        await rechecker.turn()
        assert await state(made) == (True, False, -1)


async def test_it_is_asked_for_less_and_less_often_and_errors_are_survived(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with waiting() as (made, node, rechecker, bare):
        node.fails = True
        async with trio.open_nursery() as nursery:
            await nursery.start(rechecker.run)
            await trio.sleep(24 * LONGEST_S)
            assert 24 <= len(node.asked) <= 24 + 10
            gaps = [
                later - earlier
                for earlier, later in zip(node.asked, node.asked[1:], strict=False)
            ]
            assert gaps[0] >= FIRST_S
            assert max(gaps) <= LONGEST_S + FIRST_S
            node.fails, node.answer = False, evolve(bare, logs=(LOG,))
            await trio.sleep(LONGEST_S + FIRST_S)
            nursery.cancel_scope.cancel()
        assert await state(made) == (False, True, 0)


async def test_one_endpoint_of_several_that_shows_the_log_is_enough() -> None:
    async with waiting() as (made, node, rechecker, bare):
        node.others = (bare, evolve(bare, logs=(OTHER,)))
        node.answer = evolve(bare, logs=(OTHER, LOG))
        await rechecker.turn()
        assert await state(made) == (False, True, 1)


async def test_nothing_is_asked_while_we_are_not_level_with_the_chain() -> None:
    async with waiting() as (made, node, rechecker, _):
        made.ledger.set_synced(synced=False)
        await rechecker.turn()
        assert node.asked == []


async def test_a_log_found_in_front_of_others_takes_the_next_free_index() -> None:
    """The receipt that lacked it held another log of the same payer at its index."""
    chain = ModelChain()
    async with world(chain) as made:
        made.tokens = KNOWN
        await made.start()
        await made.settle()
        block = chain.grow(PAYMENT)
        [bare] = receipts_of(block)
        chain.logs[PAYMENT.txid] = (OTHER, OTHER)
        chain.solidify(chain.head)
        await made.settle()
        await made.turn()
        node = Node(evolve(bare, logs=(LOG, OTHER, OTHER)))
        rechecker = Rechecker(node, made.store, ledger=made.ledger, emit=emit)
        assert await rechecker.turn() == 1
        entries, _, _ = await made.ledger.entries()
        indexes = sorted((entry.index, entry.amount) for entry in entries)
        assert indexes == [(0, "1"), (1, "1"), (2, "5")]
        assert not any(entry.contradicted for entry in entries)
