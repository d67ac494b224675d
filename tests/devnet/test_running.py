"""What a test may do to a running chain: forks, stalls, leaps in time, snapshots."""

from itertools import pairwise
from pathlib import Path

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.devnet.control import CantStall, NoSnapshot
from lucidtrond.devnet.running import Devnet
from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.chain import TooDeep
from lucidtrond.devnet.state.world import rows_of
from lucidtrond.tron.block import Block, check_block
from lucidtrond.tron.transaction import Reference, Transaction
from lucidtrond.tron.units import Sun
from tests.devnet.asking import chain, payment
from tests.devnet.making import BOB, MANY, ONE


def ids(devnet: Devnet) -> list[str]:
    """Of all blocks, each checked and linked to the one before."""
    blocks = [shown(devnet, number) for number in range(devnet.head_number + 1)]
    for before, after in pairwise(blocks):
        check_block(after, expected_id=after.header.id)
        assert after.header.parent_id == before.header.id
        assert after.header.timestamp > before.header.timestamp
    return [block.header.id for block in blocks]


def shown(devnet: Devnet, number: int) -> Block:
    row = devnet.chain.block(number)
    assert row is not None
    return row.block


def solid(devnet: Devnet) -> int:
    return devnet.chain.head.globals.solid


async def pay(devnet: Devnet, amount: int) -> bytes:
    """A transfer in a block of its own; gives its id."""
    txid = await devnet.fund(BOB.address, Sun(amount))
    await devnet.mine(1)
    return bytes.fromhex(txid)


def careful_payment(devnet: Devnet, amount: int) -> Transaction:
    """One that refers to a final block, in the pool."""
    final = Reference.to_block(shown(devnet, solid(devnet)).header.id)
    sent = payment(devnet, amount, reference=final)
    devnet.chain.submit(Candidate.read(sent))
    return sent


@pytest.mark.parametrize("depth", range(1, 19))
async def test_a_fork_replaces_the_newest_blocks_and_nothing_else(depth: int) -> None:
    async with chain(genesis=MANY) as devnet:
        await devnet.mine(60)
        before, final = ids(devnet), solid(devnet)
        assert devnet.head_number - final >= depth
        head = await devnet.fork(depth)
        after = ids(devnet)
        kept = len(before) - depth
        assert head == len(after) - 1 == len(before)  # one longer than it was
        assert after[:kept] == before[:kept]
        assert not set(after[kept:]) & set(before[kept:])
        assert solid(devnet) >= final


async def test_what_is_solidified_is_never_taken_back() -> None:
    async with chain(genesis=MANY) as devnet:
        await devnet.mine(60)
        deepest = devnet.head_number - solid(devnet)
        before = ids(devnet)
        for depth in (0, deepest + 1, 10**6):
            with pytest.raises(TooDeep, match=f"depth of 1 to {deepest}, .* got"):
                await devnet.fork(depth)
        assert ids(devnet) == before
        await devnet.fork(deepest)


@pytest.mark.parametrize("keep", [True, False])
async def test_transactions_of_a_fork_land_again_or_vanish(*, keep: bool) -> None:
    async with chain(genesis=MANY) as devnet:
        await devnet.mine(40)
        balance = devnet.chain.head.accounts.get(BOB.address.raw)
        assert balance is not None
        paid = []
        for amount in (1_000, 1_001, 1_002):
            paid.append(careful_payment(devnet, amount).digest)
            await devnet.mine(1)
        waiting = careful_payment(devnet, 7)
        await devnet.fork(3, keep=keep)
        located = [devnet.chain.find(txid) for txid in (*paid, waiting.digest)]
        assert [place is not None for place in located] == [keep] * 3 + [True]
        assert all(place.block is not None for place in located if place is not None)
        now = devnet.chain.head.accounts.get(BOB.address.raw)
        assert now is not None
        assert now.balance - balance.balance == (3_003 if keep else 0) + 7


async def test_a_payment_that_refers_to_a_lost_block_is_lost_with_it() -> None:
    async with chain(genesis=MANY) as devnet:
        await devnet.mine(40)
        sent = payment(devnet)  # refers to the head
        devnet.chain.submit(Candidate.read(sent))
        await devnet.fork(1)
        assert devnet.chain.find(sent.digest) is None


async def test_a_chain_that_forked_reopens_as_it_was_left(tmp_path: Path) -> None:
    async with chain(genesis=MANY, state_dir=tmp_path) as devnet:
        await devnet.mine(40)
        await devnet.producer.checkpoint()
        for amount in (1, 2, 3):
            await pay(devnet, amount)
        await devnet.fork(5)
        await pay(devnet, 4)
        await devnet.fork(2, keep=False)
        left, state = ids(devnet), rows_of(devnet.chain.head)
    async with chain(genesis=MANY, state_dir=tmp_path) as again:
        assert ids(again) == left
        assert rows_of(again.chain.head).accounts == state.accounts
        await again.mine(1)
        assert ids(again)[:-1] == left


async def test_a_stalled_chain_solidifies_nothing_until_it_may_again() -> None:
    async with chain(genesis=MANY) as devnet:
        await devnet.mine(60)
        devnet.stall(stalled=True)
        await devnet.mine(20)  # what was on its way to being final gets there
        final = solid(devnet)
        await devnet.mine(100)
        assert solid(devnet) == final
        ids(devnet)
        devnet.stall(stalled=False)
        await devnet.mine(30)
        assert solid(devnet) > final + 100


async def test_one_witness_can_not_stall() -> None:
    async with chain(genesis=ONE) as devnet:
        with pytest.raises(CantStall):
            devnet.stall(stalled=True)


@given(seconds=st.integers(3, 30 * 86_400))
@settings(max_examples=10, deadline=None)
def test_a_leap_puts_the_next_block_into_the_future(seconds: int) -> None:
    async def leap() -> None:
        async with chain() as devnet:
            before = devnet.chain.head.globals
            await devnet.jump(seconds)
            after = devnet.chain.head.globals
            assert after.number == before.number + 1
            late = after.timestamp - before.timestamp - seconds * 1000
            # As far as slots and a skipped maintenance let it.
            assert -3000 < late <= 9000
            await devnet.mine(3)
            assert devnet.chain.head.globals.timestamp - after.timestamp >= 9000
            ids(devnet)

    trio.run(leap)


@pytest.mark.parametrize("durable", [True, False])
async def test_a_restored_snapshot_is_the_chain_it_was(
    tmp_path: Path, *, durable: bool
) -> None:
    state_dir = tmp_path if durable else None
    async with chain(genesis=MANY, state_dir=state_dir) as devnet:
        await devnet.mine(40)
        await pay(devnet, 1)
        await devnet.snapshot("before")
        kept, state = ids(devnet), rows_of(devnet.chain.head)
        late = await pay(devnet, 2)
        await devnet.mine(80)
        await devnet.restore("before")
        assert ids(devnet) == kept
        assert rows_of(devnet.chain.head) == state
        assert devnet.chain.find(late) is None
        await pay(devnet, 3)
        left = ids(devnet)
        await devnet.restore("before")
        assert ids(devnet) == kept
    if durable:
        async with chain(genesis=MANY, state_dir=state_dir) as again:
            assert ids(again) == left[: len(kept)]


async def test_a_snapshot_of_a_chain_that_was_left_is_refused() -> None:
    async with chain(genesis=MANY) as devnet:
        await devnet.mine(40)
        await devnet.snapshot("old")
        await pay(devnet, 1)
        await devnet.mine(60)
        await devnet.snapshot("new")
        await devnet.restore("old")
        await devnet.jump(60)
        await devnet.mine(60)
        before = ids(devnet)
        with pytest.raises(NoSnapshot, match="'new' is of a chain that was left"):
            await devnet.restore("new")
        with pytest.raises(NoSnapshot, match="no snapshot 'x'; there are: new, old"):
            await devnet.restore("x")
        assert ids(devnet) == before
