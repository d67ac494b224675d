"""Receipts of a page are fetched a few at once; the first failure ends it."""

from collections.abc import Sequence

import pytest
import trio
from attrs import define, field
from trio.testing import MockClock

from lucidtrond.chain.block_checker import _CONCURRENT_RECEIPTS, BlockChecker
from lucidtrond.chain.ledger import MIGRATIONS
from lucidtrond.chain.plan import Link, Unsettled
from lucidtrond.chain.proving import RootProver
from lucidtrond.chain.receipts import ReceiptReader
from lucidtrond.chain.signers import SignerCheck
from lucidtrond.chain.step import CheckedBlock
from lucidtrond.errors import NodeUnavailable
from lucidtrond.store.database import open_store
from lucidtrond.store.migrate import migrate
from lucidtrond.tron.block import Block
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.tokens import NO_TOKENS
from tests.chain.model import ModelChain, address, transfer

PAGE = 3 * _CONCURRENT_RECEIPTS


@define
class SlowChain(ModelChain):
    """Its receipts take a second; those of block *failing* are not there."""

    failing: int | None = None
    waiting: int = 0
    most: int = 0
    fetched: list[int] = field(factory=list)

    async def fetch_receipts(self, which: Block) -> tuple[Receipt, ...]:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        try:
            await trio.sleep(1)
        finally:
            self.waiting -= 1
        if which.header.number == self.failing:
            raise NodeUnavailable("slow", 1)
        self.fetched.append(which.header.number)
        return await super().fetch_receipts(which)


async def check(chain: SlowChain, page: Sequence[Block]) -> tuple[CheckedBlock, ...]:
    async with open_store(None) as store:
        await migrate(store, MIGRATIONS)
        checker = BlockChecker(
            RootProver(chain),
            SignerCheck(chain),
            ReceiptReader(chain, store, tokens=NO_TOKENS, internals={}),
        )
        links = [Link.of(block.header) for block in page]
        blocks, keys = await checker.check(page, links)
        assert keys.rows()
        return blocks


def make_chain(failing: int | None = None) -> SlowChain:
    chain = SlowChain(failing=failing)
    for number in range(1, PAGE + 1):
        if number % 3 == 0:
            chain.grow()
        else:
            chain.grow(transfer(owner=address(1), to=address(2), nonce=number))
    return chain


async def test_receipts_are_fetched_a_few_at_once_where_there_are_transactions(
    autojump_clock: MockClock,
) -> None:
    chain = make_chain()
    blocks = await check(chain, chain.blocks[1:])
    assert chain.most == _CONCURRENT_RECEIPTS
    assert sorted(chain.fetched) == [n for n in range(1, PAGE + 1) if n % 3 > 0]
    assert [checked.block for checked in blocks] == chain.blocks[1:]
    for checked in blocks:
        assert checked.id == checked.block.header.id
        moved = [movement.txid for movement in checked.contents.movements]
        assert moved == [t.transaction.txid for t in checked.block.transactions]


async def test_the_first_failure_is_raised_and_nothing_more_is_asked_for(
    autojump_clock: MockClock,
) -> None:
    chain = make_chain(failing=1)
    with pytest.raises(NodeUnavailable):
        await check(chain, chain.blocks[1:])
    assert max(chain.fetched, default=0) <= 2 * _CONCURRENT_RECEIPTS
    assert chain.waiting == 0


async def test_receipts_of_another_block_are_asked_for_again_later(
    autojump_clock: MockClock,
) -> None:
    chain = make_chain()
    page = chain.blocks[1:]
    chain.blocks[1] = chain.blocks[2]
    with pytest.raises(Unsettled):
        await check(chain, page)
