"""Rows of a block whose root does not fit wait for a second source, and come then."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing
from attrs import define, evolve, field

from lucidtrond.chain.version_checker import FIRST_S, LONGEST_S, VersionChecker
from lucidtrond.events.types import LedgerEntry
from lucidtrond.node.questions.shown import Shown
from lucidtrond.tron.block import Block, BlockId
from tests.chain.model import ModelChain, address, emit, emitted, receipts_of, transfer
from tests.chain.test_unproven_blocks import spoil
from tests.chain.world import World, world


@define
class Node:
    """Shows *versions* of the block, by operator."""

    versions: dict[str, Block] = field(factory=dict)
    asked: list[float] = field(factory=list)

    async def show_block(self, block_id: BlockId) -> list[Shown]:
        self.asked.append(trio.current_time())
        return [
            Shown(operator, block, receipts_of(block))
            for operator, block in self.versions.items()
            if block.header.id == block_id
        ]


@define
class Scene:
    made: World
    node: Node
    checker: VersionChecker
    whole: Block
    """The block that waits, with a root that fits."""

    @property
    def spoilt(self) -> Block:
        return evolve(self.whole, root_proven=False)

    async def rows(self) -> dict[int, LedgerEntry]:
        entries, _, _ = await self.made.ledger.entries()
        return {entry.block_number: entry for entry in entries}

    async def changes(self, number: int) -> list[str]:
        events = await self.made.store.read(lambda tx: emitted(tx, "transfer"))
        return [
            event["change"]
            for event in events
            if event["entry"]["block_number"] == number
        ]


@asynccontextmanager
async def scene(*, waits: bool = True) -> AsyncIterator[Scene]:
    """Blocks 1 to 3 are final and pay a watched address; 2 is not proven."""
    chain = ModelChain()
    async with world(chain) as made:
        made.wait_unproven = waits
        await made.start()
        await made.settle()
        for nonce in (1, 2, 3):
            chain.grow(transfer(owner=address(9), to=address(1), nonce=nonce))
        whole = spoil(chain, 2)
        chain.solidify(3)
        await made.settle()
        node = Node()
        checker = VersionChecker(node, made.store, ledger=made.ledger, emit=emit)
        yield Scene(made, node, checker, whole)


async def test_such_a_row_is_neither_announced_nor_shown_as_final() -> None:
    async with scene() as at:
        rows = await at.rows()
        assert {number: row.solidified for number, row in rows.items()} == {
            1: True,
            2: False,
            3: True,
        }
        assert await at.changes(1) == ["included", "solidified"]
        assert await at.changes(2) == ["included"]
        at.node.versions = {"a": at.spoilt}
        await at.checker.turn()
        assert at.made.ledger.waiting == 1
        assert await at.changes(2) == ["included"]


async def test_where_it_does_not_wait_it_is_announced_from_one_source() -> None:
    async with scene(waits=False) as at:
        assert (await at.rows())[2].solidified
        assert await at.changes(2) == ["included", "solidified"]
        await at.checker.turn()
        assert at.node.asked == []


@pytest.mark.parametrize("is_proven", [True, False])
async def test_a_second_operator_or_a_proof_ends_the_wait(*, is_proven: bool) -> None:
    async with scene() as at:
        other = at.whole if is_proven else at.spoilt
        at.node.versions = {"a": at.spoilt, "b": other}
        await at.checker.turn()
        row = (await at.rows())[2]
        proof = "signatures" if is_proven else "two_sources"
        assert (row.solidified, row.proof) == (True, proof)
        assert await at.changes(2) == ["included", "proven", "solidified"]
        assert at.made.ledger.waiting == 0
        await at.checker.turn()
        assert len(at.node.asked) == 1


async def test_a_row_that_a_proven_version_does_not_hold_is_taken_back() -> None:
    async with scene() as at:
        at.node.versions = {"a": at.spoilt, "b": evolve(at.whole, transactions=())}
        await at.checker.turn()
        assert list(await at.rows()) == [3, 1]
        assert await at.changes(2) == ["included", "reverted"]


async def test_rows_that_waited_are_announced_once_the_operator_says_so() -> None:
    async with scene() as at:
        at.made.wait_unproven = False
        await at.made.start()
        node = Node()
        made = at.made
        checker = VersionChecker(node, made.store, ledger=made.ledger, emit=emit)
        await made.turn()
        await checker.turn()
        assert (await at.rows())[2].solidified
        assert (await at.rows())[2].proof == "one_source"
        assert await at.changes(2) == ["included", "solidified"]
        await checker.turn()
        assert await at.changes(2) == ["included", "solidified"]


async def test_a_row_that_is_not_final_is_not_asked_for() -> None:
    async with scene() as at:
        chain = at.made.chain
        chain.grow(transfer(owner=address(9), to=address(1), nonce=4))
        spoil(chain, 4)
        await at.made.settle()
        at.node.versions = {"a": at.spoilt, "b": at.spoilt}
        await at.checker.turn()
        assert at.made.ledger.waiting == 0
        chain.solidify(4)
        await at.made.settle()
        await at.checker.turn()
        assert at.made.ledger.waiting == 1


async def test_it_is_asked_for_less_and_less_often(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with scene() as at:
        async with trio.open_nursery() as nursery:
            await nursery.start(at.checker.run)
            await trio.sleep(24 * LONGEST_S)
            nursery.cancel_scope.cancel()
        gaps = [
            later - earlier
            for earlier, later in zip(at.node.asked, at.node.asked[1:], strict=False)
        ]
        assert 24 <= len(at.node.asked) <= 24 + 10
        assert gaps[0] >= FIRST_S
        assert max(gaps) <= LONGEST_S + FIRST_S
