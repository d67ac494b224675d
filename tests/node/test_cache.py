"""What is kept of nodes' answers, and what makes it forgotten."""

import json
import random
from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.testing

from lucidtrond.errors import NodeRefused
from lucidtrond.node.cache import ACCOUNT_AGE_S, PARAMETERS_AGE_S, CachedNode
from lucidtrond.node.health.policy import RetryPolicy
from lucidtrond.node.pool import NodePool
from lucidtrond.tron.account import Account
from lucidtrond.tron.address import PREFIX, Address
from lucidtrond.tron.block import EMPTY_ROOT, BlockHeader, BlockId
from lucidtrond.tron.contracts import addresses_in
from lucidtrond.tron.reading import Reading
from lucidtrond.tron.transaction import TxId, decode_raw
from lucidtrond.tron.units import Sun, UnixMillis
from tests.node.nodes import (
    GENESIS_ID,
    RecordedNode,
    answer,
    answering,
    block_json,
    open_nodes,
)
from tests.tron.chainrun import load, make_block

ALICE, BOB = (
    Address.from_hex(text)
    for text in [key for key, answer in load()["accounts"].items() if answer][:2]
)
TXID = TxId(block_json(300)["transactions"][0]["txID"])

Ask = Callable[[CachedNode], Awaitable[object]]
QUESTIONS: dict[str, Ask] = {
    "account": lambda node: node.fetch_account(ALICE),
    "solid account": lambda node: node.fetch_account(ALICE, solid=True),
    "resources": lambda node: node.fetch_resources(ALICE),
    "parameters": lambda node: node.fetch_parameters(),
    "head": lambda node: node.fetch_head(),
    "solid head": lambda node: node.fetch_head(solid=True),
    "block": lambda node: node.fetch_block(300),
    "info": lambda node: node.fetch_info(),
    "transaction": lambda node: node.fetch_transaction(TXID),
    "receipt": lambda node: node.fetch_receipt(TXID),
    "solid receipt": lambda node: node.fetch_receipt(TXID, solid=True),
}
KEPT_ACCOUNTS = ["account", "resources"]
KEPT_TRANSACTIONS = ["transaction", "receipt", "solid receipt"]
KEPT = [*KEPT_ACCOUNTS, "parameters", *KEPT_TRANSACTIONS]


def header(number: int) -> BlockHeader:
    return make_block(block_json(number)).header


async def asked_again(node: RecordedNode, cached: CachedNode, name: str) -> bool:
    before = len(node.asked)
    await QUESTIONS[name](cached)
    return len(node.asked) > before


class Opened:
    """A recorded node behind a cache, heads known."""

    def __init__(self, *nodes: RecordedNode) -> None:
        self.nodes = nodes or (RecordedNode(),)
        self.context = open_nodes(*self.nodes)

    async def __aenter__(self) -> tuple[RecordedNode, CachedNode]:
        cached = CachedNode(await self.context.__aenter__())
        await cached.fetch_head()
        await cached.fetch_head(solid=True)
        return self.nodes[0], cached

    async def __aexit__(self, *exc: object) -> None:
        await self.context.__aexit__(None, None, None)


@pytest.mark.parametrize("name", ["account", "head", "receipt"])
async def test_what_is_asked_solid_is_asked_of_the_solid_side(name: str) -> None:
    async with Opened() as (node, cached):
        for asked, view in ((name, "wallet"), (f"solid {name}", "walletsolidity")):
            node.asked.clear()
            await QUESTIONS[asked](cached)
            assert [path.split("/")[1] for path, _ in node.asked] == [view]


@pytest.mark.parametrize("name", QUESTIONS)
async def test_a_thousand_equal_questions_at_once_are_one_request(
    name: str, autojump_clock: trio.testing.MockClock
) -> None:
    async with Opened() as (node, cached):
        node.delay_s = 0.1
        node.asked.clear()
        async with trio.open_nursery() as nursery:
            for _ in range(1000):
                nursery.start_soon(QUESTIONS[name], cached)
        assert len(node.asked) == 1


@pytest.mark.parametrize("name", QUESTIONS)
async def test_what_may_be_kept_is_kept_for_its_time(
    name: str, autojump_clock: trio.testing.MockClock
) -> None:
    async with Opened() as (node, cached):
        await QUESTIONS[name](cached)
        assert await asked_again(node, cached, name) == (name not in KEPT)
        await trio.sleep(max(ACCOUNT_AGE_S, PARAMETERS_AGE_S) + 1)
        assert await asked_again(node, cached, name)


@pytest.mark.parametrize("name", KEPT)
async def test_a_block_makes_forgotten_what_it_may_have_changed(
    name: str, autojump_clock: trio.testing.MockClock
) -> None:
    async with Opened() as (node, cached):
        cached.note_block(header(299), [])
        await QUESTIONS[name](cached)
        cached.note_block(header(300), [BOB])
        assert await asked_again(node, cached, name) == (name in KEPT_TRANSACTIONS)
        cached.note_block(header(301), [BOB, ALICE])
        assert await asked_again(node, cached, name) == (name != "parameters")


@pytest.mark.parametrize("name", KEPT)
async def test_when_blocks_were_taken_back_no_account_is_known(
    name: str, autojump_clock: trio.testing.MockClock
) -> None:
    async with Opened() as (node, cached):
        cached.note_block(header(300), [])
        await QUESTIONS[name](cached)
        cached.note_block(header(300), [])  # does not follow itself
        assert await asked_again(node, cached, name) == (name != "parameters")


async def test_an_answer_from_before_a_block_is_not_kept_after_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with Opened() as (node, cached):
        node.delay_s = 1
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cached.fetch_account, ALICE)
            await trio.sleep(0.5)
            cached.note_block(header(300), [ALICE])
        assert await asked_again(node, cached, "account")
        assert not await asked_again(node, cached, "account")


async def test_an_answer_of_a_node_that_is_behind_is_not_kept(
    autojump_clock: trio.testing.MockClock,
) -> None:
    behind = RecordedNode(head=299)
    async with Opened(behind) as (node, cached):
        cached.note_block(header(300), [])
        assert (await cached.fetch_account(ALICE)).as_of_block == 299
        assert await asked_again(node, cached, "account")
        node.head = 300
        await cached.fetch_head()
        await cached.fetch_account(ALICE)
        assert not await asked_again(node, cached, "account")
        assert (await cached.fetch_account(ALICE)).as_of_block == 300


async def test_whom_a_broadcast_names_is_asked_about_anew(
    autojump_clock: trio.testing.MockClock,
) -> None:
    transaction = make_block(block_json(300)).transactions[0].transaction
    named = addresses_in(decode_raw(transaction.raw).contract)
    assert len(named) == 2
    async with Opened() as (node, cached):
        for failing in (False, True):
            for address in [*named, BOB]:
                await cached.fetch_account(address)
            await cached.fetch_transaction(transaction.txid)
            if failing:
                node.fault = answering(answer('{"Error":"no"}'), only="broadcasthex")
                with pytest.raises(NodeRefused):
                    await cached.broadcast(transaction)
            else:
                await cached.broadcast(transaction)
            node.asked.clear()
            for address in [*named, BOB]:
                await cached.fetch_account(address)
            await cached.fetch_transaction(transaction.txid)
            assert len(node.asked) == 3  # all but Bob


async def test_an_absence_is_kept_no_longer_than_a_block(
    autojump_clock: trio.testing.MockClock,
) -> None:
    late = TxId(block_json(301)["transactions"][0]["txID"])
    async with Opened(RecordedNode(head=300, solid=299)) as (node, cached):
        assert await cached.fetch_receipt(late) is None
        node.head = 301
        assert await cached.fetch_receipt(late) is None
        cached.note_block(header(301), [])
        answer = await cached.fetch_receipt(late)
        assert answer is not None
        assert answer.block_number == 301
        node.solid = 301
        assert await cached.fetch_receipt(late, solid=True) == answer


async def test_answers_are_those_of_the_node(
    autojump_clock: trio.testing.MockClock,
) -> None:
    block = make_block(block_json(300))
    async with Opened() as (_, cached):
        assert cached.genesis_id == GENESIS_ID
        assert await cached.fetch_block(300) == block
        assert await cached.fetch_block(BlockId(block.header.id)) == block
        assert await cached.fetch_blocks(300, 301) == [block]
        receipts = await cached.fetch_receipts(300)
        assert receipts == await cached.fetch_receipts(block)
        assert await cached.fetch_receipt(TXID) == receipts[0]
        assert await cached.fetch_transaction(TXID) == block.transactions[0]
        balance = load()["accounts"][ALICE.hex].get("balance", 0)
        assert (await cached.fetch_account(ALICE)).value.balance == balance
        assert json.dumps(list(cached.endpoints()))


class Chain(NodePool):
    """Accounts whose balance is the number of the block that changed them last."""

    def __init__(self) -> None:
        super().__init__(
            [], genesis_id=GENESIS_ID, policy=RetryPolicy(), chance=random.random
        )
        self.number = 0
        self.changed: dict[Address, int] = {}

    async def fetch_account(
        self, address: Address, *, solid: bool = False
    ) -> Reading[Account]:
        assert not solid
        await trio.lowlevel.checkpoint()
        balance = Sun(self.changed.get(address, 0))
        return Reading(Account(address, activated=True, balance=balance), self.number)

    def step(self, parent: BlockHeader, touched: list[Address]) -> BlockHeader:
        self.number += 1
        self.changed |= dict.fromkeys(touched, self.number)
        return BlockHeader(
            number=self.number,
            timestamp=UnixMillis(3000 * self.number),
            parent_id=parent.id,
            tx_trie_root=EMPTY_ROOT,
            witness=ALICE.raw,
            version=32,
        )


async def test_of_a_busy_hosts_reads_nineteen_in_twenty_are_kept_and_none_is_stale(
    mock_clock: trio.testing.MockClock,
) -> None:
    """1,000 reads a second, Zipf(1.0) over 10,000 accounts, for a minute of blocks.

    Warm: in the minutes before, each account was read once. A cold cache could not do
    it: 7,300 of the minute's 60,000 reads are an account's first.
    """
    chance = random.Random(20261123)
    people = [
        Address(bytes([PREFIX]) + number.to_bytes(20, "big"))
        for number in range(10_000)
    ]
    weights = [1 / rank for rank in range(1, len(people) + 1)]
    chain = Chain()
    cached = CachedNode(chain)
    head = make_block(block_json(0)).header
    for person in chance.sample(people, len(people)):
        await cached.fetch_account(person)
        mock_clock.jump(ACCOUNT_AGE_S / len(people))
    before = cached.statistics()["account"]
    asked, kept = before.asked, before.kept
    for _ in range(20):
        touched = chance.choices(people, weights, k=20)
        head = chain.step(head, touched)
        cached.note_block(head, touched)
        for person in chance.choices(people, weights, k=3000):
            reading = await cached.fetch_account(person)
            assert reading.value.balance == chain.changed.get(person, 0)
            assert reading.value.balance <= reading.as_of_block <= chain.number
            mock_clock.jump(0.001)
    after = cached.statistics()["account"]
    assert after.kept - kept + after.asked - asked == 60_000
    assert after.kept - kept >= 0.95 * 60_000
    assert len(cached.accounts) <= 10_000
