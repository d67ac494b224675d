"""Receipts that contradict the block or a second endpoint: asked again, then marked."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NoReturn

import pytest
from attrs import define, evolve, field

from lucidtrond.chain.ledger import MIGRATIONS
from lucidtrond.chain.receipts import CheckedReceipts, ReceiptReader
from lucidtrond.errors import NodeUnavailable, StoreError
from lucidtrond.events.types import LedgerEntry
from lucidtrond.ports import Tx
from lucidtrond.store.database import open_store
from lucidtrond.store.migrate import migrate
from lucidtrond.tron import trc20
from lucidtrond.tron.block import Block
from lucidtrond.tron.receipt import InternalTransfer, Log, Receipt
from tests.chain.model import (
    CrashingStore,
    ModelChain,
    address,
    emitted,
    receipts_of,
    transfer,
)
from tests.chain.test_committed import KNOWN, STRANGE, TOKEN, asking
from tests.chain.test_read import A, B, C, block_with, transfer_log
from tests.chain.world import World, world

Receipts = tuple[Receipt, ...]
LOG = transfer_log(A, B, 5, token=TOKEN)
TRANSFER = asking(trc20.transfer(B, 5))


@define
class Node:
    """Gives *answers* one after the other, the last one for ever; so does a second."""

    answers: list[Receipts | NodeUnavailable]
    second: list[Receipts | None] = field(factory=list)
    asked: int = 0
    asked_second: int = 0

    async def fetch_receipts_by(self, which: Block) -> tuple[str, Receipts]:
        assert which.header.number == 1
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if isinstance(answer, NodeUnavailable):
            raise answer
        return "first", answer

    def has_second_source(self, besides: str) -> bool:
        return besides == "first" and bool(self.second)

    async def fetch_second_receipts(
        self, which: Block, *, besides: str
    ) -> Receipts | None:
        assert (besides, which.header.number) == ("first", 1)
        self.asked_second += 1
        return self.second[0]


@asynccontextmanager
async def reader(node: Node) -> AsyncIterator[ReceiptReader]:
    async with open_store(None) as store:
        await migrate(store, MIGRATIONS)
        await store.write(
            lambda tx: tx.execute(
                "INSERT INTO chain_watch (address) VALUES (?)", (C.raw,)
            )
        )
        yield ReceiptReader(node, store, tokens=KNOWN, internals={})


async def read(node: Node, block: Block) -> CheckedReceipts:
    async with reader(node) as made:
        return await made.fetch(block)


def given(block: Block, *logs: Log) -> Receipts:
    [plain] = receipts_of(block)
    return (evolve(plain, logs=logs),)


BLOCK = block_with(TRANSFER)
BARE, WHOLE = given(BLOCK), given(BLOCK, LOG)


@pytest.mark.parametrize(
    ("answers", "second", "missing", "asked"),
    [
        ([WHOLE], [], 0, 1),
        ([BARE, WHOLE], [], 0, 2),
        ([BARE], [], 1, 2),
        ([BARE, NodeUnavailable("first", 1, "no")], [], 1, 2),
        ([BARE], [WHOLE], 0, 2),
        ([BARE], [BARE], 1, 2),
        ([BARE], [None], 1, 2),
    ],
)
async def test_a_missing_log_is_asked_for_again_then_elsewhere_then_marked(
    answers: list[Receipts | NodeUnavailable],
    second: list[Receipts | None],
    missing: int,
    asked: int,
) -> None:
    node = Node(answers, second)
    checked = await read(node, BLOCK)
    assert len(checked.missing) == missing
    assert (node.asked, node.asked_second) == (asked, len(second))
    assert checked.receipts == (BARE if missing else WHOLE)
    problems = [problem.problem for problem in checked.problems]
    assert ("log_missing" in problems) == bool(missing)
    assert ("receipts_differ" in problems) == (answers[0] == BARE and second == [WHOLE])
    if missing:
        txid = BLOCK.transactions[0].transaction.txid
        assert checked.problems[0].txids == (txid,)


async def test_a_second_endpoint_that_agrees_raises_the_proof() -> None:
    checked = await read(Node([WHOLE], [WHOLE]), BLOCK)
    assert checked.agreed.logs == checked.agreed.cost == {WHOLE[0].txid}
    assert checked.problems == ()


@pytest.mark.parametrize(
    ("block", "asked"),
    [
        (BLOCK, 1),
        (block_with(transfer(owner=A, to=B)), 0),
        (block_with(transfer(owner=A, to=C)), 1),  # C is watched
        (block_with(asking(b"", token=STRANGE)), 0),
    ],
)
async def test_a_second_endpoint_is_asked_only_where_it_matters(
    block: Block, asked: int
) -> None:
    receipts = WHOLE if block is BLOCK else receipts_of(block)
    node = Node([receipts], [receipts])
    await read(node, block)
    assert node.asked_second == asked


class Unreadable(CrashingStore):
    """A store whose reads fail."""

    async def read(self, fn: Callable[[Tx], object]) -> NoReturn:
        raise StoreError(f"can't be read by {fn}")


async def test_a_store_that_can_not_be_read_only_costs_the_second_source() -> None:
    block = block_with(transfer(owner=A, to=C))
    receipts = receipts_of(block)
    node = Node([receipts], [receipts])
    async with reader(node) as made:
        await made.fetch(block)
        assert node.asked_second == 1
        made._store = Unreadable(made._store)
        assert (await made.fetch(block)).receipts == receipts
        assert node.asked_second == 1


async def test_a_log_of_a_known_token_that_can_not_be_read_is_a_problem() -> None:
    block = block_with(asking(b""))
    dirty = Log(TOKEN, (trc20.TRANSFER_TOPIC, bytes(32)), bytes(31))
    checked = await read(Node([given(block, dirty)]), block)
    [problem] = checked.problems
    assert problem.problem == "log_unreadable"
    elsewhere = evolve(dirty, address=STRANGE)
    assert (await read(Node([given(block, elsewhere)]), block)).problems == ()
    failed = block_with(asking(b""), results=[2])
    assert (await read(Node([given(failed, dirty)]), failed)).problems == ()


async def test_an_endpoint_without_internal_transactions_is_named_once() -> None:
    block = block_with(asking(b"", token=STRANGE))
    [plain] = receipts_of(block)
    lacking = (evolve(plain, contract_address=STRANGE, logs=(LOG,)),)
    async with reader(Node([lacking])) as made:
        checked = [await made.fetch(block) for _ in range(5)]
        assert made._internals["first"].keeping == "missing"
    assert [len(receipts.problems) for receipts in checked] == [1, 0, 0, 0, 0]
    assert "vm.saveInternalTx = true" in checked[0].problems[0].reason
    internal = InternalTransfer("00", STRANGE, TOKEN, (), "call", rejected=False)
    shown = (evolve(lacking[0], internal=(internal,)),)
    async with reader(Node([shown])) as made:
        await made.fetch(block)
        assert made._internals["first"].keeping == "kept"


# Through the follower, into rows and events


class Tampering(ModelChain):
    """An honest chain but for what *receipts* makes of its receipts."""

    tamper: Callable[[Receipts], Receipts] = staticmethod(lambda honest: honest)

    async def fetch_receipts(self, which: Block) -> Receipts:
        return self.tamper(await super().fetch_receipts(which))


@asynccontextmanager
async def following(chain: ModelChain) -> AsyncIterator[World]:
    async with world(chain) as made:
        made.tokens = KNOWN
        await made.start()
        yield made


async def rows(made: World) -> Sequence[LedgerEntry]:
    return (await made.ledger.entries())[0]


async def test_a_withheld_log_is_a_row_that_is_no_deposit_and_following_goes_on() -> (
    None
):
    chain = Tampering()
    async with following(chain) as made:
        await made.settle()
        chain.grow(TRANSFER)
        chain.grow_by(3)
        chain.solidify(chain.head)
        await made.settle()
        [row] = await rows(made)
        assert (row.to_address, row.amount) == (B.base58, "5")
        assert (row.contradicted, row.success, row.index) == (True, False, -1)
        assert (row.solidified, row.proof) == (True, "one_source")
        events = await made.store.read(lambda tx: emitted(tx, "ledger"))
        assert [event["problem"] for event in events] == ["log_missing"]
        assert events[0]["txids"] == [row.txid]
        assert row.asset in events[0]["reason"]
        transfers = await made.store.read(lambda tx: emitted(tx, "transfer"))
        assert {transfer["entry"]["contradicted"] for transfer in transfers} == {True}
        assert made.ledger.problems == {"log_missing": 1}


async def test_a_log_that_is_there_is_booked_and_nothing_is_marked() -> None:
    chain = Tampering()
    chain.tamper = lambda honest: tuple(
        evolve(receipt, logs=(LOG,)) for receipt in honest
    )
    async with following(chain) as made:
        await made.settle()
        chain.grow(TRANSFER)
        await made.settle()
        [row] = await rows(made)
        assert (row.contradicted, row.success, row.index) == (False, True, 0)
        assert made.ledger.problems == {}


async def test_of_strangers_only_the_problem_is_kept() -> None:
    chain = Tampering()
    async with following(chain) as made:
        await made.settle()
        chain.grow(asking(trc20.transfer_from(address(8), address(9), 5)))
        await made.settle()
        assert await rows(made) == []
        assert made.ledger.problems == {"log_missing": 1}


async def test_the_ledger_says_which_endpoints_lack_what_and_what_to_do() -> None:
    chain = Tampering()
    chain.tamper = lambda honest: tuple(
        evolve(receipt, contract_address=STRANGE, logs=(LOG,)) for receipt in honest
    )
    async with following(chain) as made:
        assert made.ledger.health().warnings == ()
        await made.settle()
        for nonce in range(4):
            chain.grow(transfer(owner=A, to=B, nonce=nonce))
        await made.settle()
        health = made.ledger.health()
        assert health.without_internals == ("model",)
        assert health.problems == {"no_internal_transactions": 1}
        [warning] = health.warnings
        assert "vm.saveInternalTx = true" in warning
