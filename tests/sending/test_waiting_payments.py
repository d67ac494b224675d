"""A payment in a block that proves nothing waits as its row of the ledger does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from attrs import define, evolve, field

from lucidtrond.chain.version_checker import VersionChecker
from lucidtrond.events.types import Payment, Proof
from lucidtrond.node.questions.shown import Shown
from lucidtrond.tron.block import Block, BlockId
from tests.chain.model import emit, emitted
from tests.sending.model import (
    OWNERS,
    TOKEN,
    PayingChain,
    Process,
    must_find,
    pay,
    process,
    states,
)

LAG = 20


@define
class Versions:
    """What operators show of the block."""

    chain: PayingChain
    shown: list[tuple[str, Block]] = field(factory=list)

    async def show_block(self, block_id: BlockId) -> list[Shown]:
        return [
            Shown(operator, block, await self.chain.fetch_receipts(block))
            for operator, block in self.shown
            if block.header.id == block_id
        ]


@define
class Scene:
    made: Process
    versions: Versions
    checker: VersionChecker
    block: Block
    """It holds the payment, and its root does not fit."""

    async def ask(self, *shown: tuple[str, Block]) -> Payment:
        self.versions.shown = list(shown)
        await self.checker.turn()
        await self.made.mine(2)
        return await must_find(self.made)


@asynccontextmanager
async def scene(asset: str, *, waits: bool = True) -> AsyncIterator[Scene]:
    async with process() as made:
        made.wait_unproven = waits
        await made.start()
        await made.level()
        await made.store.write(lambda tx: made.ledger.watch(tx, OWNERS[0]))
        paid = await pay(made, asset=asset)
        made.chain.roots_fit = False
        await made.mine(1)
        made.chain.roots_fit = True
        await made.mine(LAG + 2)
        [block] = [
            block
            for block in made.chain.blocks
            if paid.txid in [held.transaction.txid for held in block.transactions]
        ]
        versions = Versions(made.chain)
        checker = VersionChecker(
            versions,
            made.store,
            ledger=made.ledger,
            emit=emit,
            observers=[made.sender.outcomes],
        )
        yield Scene(made, versions, checker, evolve(block, root_proven=False))


async def test_one_endpoints_word_is_not_announced_as_final() -> None:
    async with scene("TRX") as at:
        paid = await must_find(at.made)
        assert (paid.state, paid.proof) == ("included", "one_source")
        assert "one endpoint's word" in str(paid.reason)
        assert (await at.ask(("a", at.block))).state == "included"
        assert not paid.safe_to_retry
        assert "solidified" not in await states(at.made)
        # The reason comes once, however many final blocks follow.
        events = await at.made.store.read(lambda tx: emitted(tx, "transaction"))
        reasons = [event["payment"]["reason"] for event in events]
        assert reasons.count(paid.reason) == 1


async def test_where_rows_do_not_wait_payments_do_not() -> None:
    async with scene("TRX", waits=False) as at:
        paid = await must_find(at.made)
        assert (paid.state, paid.proof) == ("solidified", "one_source")


@pytest.mark.parametrize(
    ("asset", "root_proven", "proof"),
    [
        ("TRX", True, "signatures"),
        ("TRX", False, "two_sources"),
        (TOKEN.base58, True, "two_sources"),
        (TOKEN.base58, False, "two_sources"),
    ],
)
async def test_a_proof_or_a_second_operator_ends_the_wait(
    asset: str, *, root_proven: bool, proof: Proof
) -> None:
    async with scene(asset) as at:
        assert (await must_find(at.made)).state == "included"
        other = evolve(at.block, root_proven=root_proven)
        paid = await at.ask(("a", at.block), ("b", other))
        assert (paid.state, paid.proof) == ("solidified", proof)
        assert paid.reason is None
        assert (await states(at.made)).count("solidified") == 1


async def test_what_a_proven_version_does_not_hold_is_neither_paid_nor_dead() -> None:
    async with scene("TRX") as at:
        at.made.chain.reply = lambda _: "drop"
        empty = evolve(at.block, transactions=(), root_proven=True)
        paid = await at.ask(("b", empty))
        assert paid.state in ("reverted", "pending")
        assert paid.block_number is None
        events = await at.made.store.read(lambda tx: emitted(tx, "transaction"))
        reasons = [str(event["payment"]["reason"]) for event in events]
        assert any("does not hold it" in reason for reason in reasons)
        await at.made.mine(60)
        paid = await must_find(at.made)
        assert paid.state in ("reverted", "pending")
        assert not paid.safe_to_retry


async def test_when_the_setting_changes_it_is_final_at_once() -> None:
    async with scene("TRX") as at:
        at.made.wait_unproven = False
        await at.made.start()
        at.checker = VersionChecker(
            at.versions, at.made.store, ledger=at.made.ledger, emit=emit
        )
        paid = await at.ask()
        assert (paid.state, paid.proof) == ("solidified", "one_source")
