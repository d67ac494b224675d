"""Blocks whose transaction root does not fit are followed, marked and remembered."""

import attrs
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.chain import unproven as table
from lucidtrond.chain.ledger import MIGRATIONS
from lucidtrond.chain.proving import ATTEMPTS, RootProver
from lucidtrond.chain.tables import KEPT_BLOCKS
from lucidtrond.ports import Tx
from lucidtrond.store.database import open_store
from lucidtrond.store.migrate import migrate
from lucidtrond.tron.block import Block
from lucidtrond.tron.units import UnixMillis
from lucidtrond.tron.unproven import UnprovenBlocks, UnprovenSummary
from tests.chain.model import ModelChain, address, emitted, make_block, transfer
from tests.chain.world import World, world


def spoil(chain: ModelChain, number: int) -> Block:
    """Let the chain show block *number* in a way that does not prove its root."""
    whole = chain.blocks[number]
    chain.blocks[number] = attrs.evolve(whole, root_proven=False)
    return whole


async def around(made: World, after: int) -> UnprovenBlocks:
    return await made.store.read(lambda tx: table.around(tx, after=after, number=None))


async def numbers(made: World) -> list[int]:
    events = await made.store.read(lambda tx: emitted(tx, "unproven"))
    return [event["number"] for event in events]


async def test_it_is_followed_and_its_rows_are_one_endpoints_word() -> None:
    chain = ModelChain()
    async with world(chain) as made:
        await made.settle()
        chain.grow(transfer(owner=address(1), to=address(9), nonce=1))
        chain.grow(transfer(owner=address(1), to=address(9), nonce=2))
        spoil(chain, 2)
        chain.grow()
        chain.solidify(2)
        await made.settle()
        assert await numbers(made) == [2]
        assert made.ledger.position().unproven.newest == (2,)
        assert made.observer.unproven == (2,)
        entries, _, _ = await made.ledger.entries()
        proofs = {entry.block_number: entry.proof for entry in entries}
        assert proofs == {1: "signatures", 2: "one_source"}


async def test_it_is_remembered_over_a_restart_and_reverted_by_a_fork() -> None:
    chain = ModelChain()
    async with world(chain) as made:
        await made.settle()
        chain.grow_by(3)
        spoil(chain, 2)
        spoil(chain, 3)
        await made.settle()
        await made.start()
        assert made.ledger.position().unproven.newest == (2, 3)
        for number in (2, 3):
            [parent] = (await around(made, number - 1)).parent_times[-1:]
            assert parent == chain.blocks[number - 1].header.timestamp
        chain.fork(1)
        chain.grow_by(2, salt=5)
        await made.settle()
        assert made.ledger.position().unproven.newest == (2,)


async def test_another_endpoint_that_shows_it_whole_proves_it() -> None:
    chain = ModelChain()
    async with world(chain) as made:
        await made.settle()
        chain.grow(transfer(owner=address(1), to=address(9)))
        chain.proven[1] = spoil(chain, 1)
        await made.settle()
        assert await numbers(made) == []
        [entry], _, _ = await made.ledger.entries()
        assert entry.proof == "signatures"


@settings(max_examples=30, deadline=None)
@given(st.sets(st.integers(1, 20)), st.integers(0, 8))
def test_whatever_forks_exactly_the_unproven_blocks_of_our_branch_are_marked(
    spoilt: set[int], depth: int
) -> None:
    async def main() -> None:
        chain = ModelChain()
        async with world(chain) as made:
            await made.settle()
            chain.grow_by(20)
            for number in spoilt:
                spoil(chain, number)
            await made.settle()
            chain.fork(depth)
            chain.grow_by(depth + 1, salt=5)
            await made.settle()
            kept = sorted(n for n in spoilt if n <= 20 - depth)
            assert list(made.ledger.position().unproven.newest) == kept

    trio.run(main)


async def test_when_old_rows_are_dropped_the_newest_stands_for_them() -> None:
    async with open_store(None) as store:
        await migrate(store, MIGRATIONS)

        def fill(tx: Tx) -> UnprovenBlocks:
            for number in (3, 5, 9, 100_000):
                table.insert(tx, number, make_block(None).header.id)
            table.prune(tx, KEPT_BLOCKS + 9)
            assert table.summary(tx) == UnprovenSummary(3, (5, 9, 100_000))
            return table.around(tx, after=9, number=4)

        left = await store.write(fill)
        assert left.numbers == (5, 100_000)
        assert left.holds(4)
        assert left.parent_times[0] == 0


@settings(max_examples=100, deadline=None)
@given(
    spoilt=st.sets(st.integers(0, 40), max_size=30),
    forgotten=st.booleans(),
    after=st.integers(0, 41),
    number=st.none() | st.integers(0, 41),
    until=st.integers(0, 45),
)
def test_the_few_that_are_looked_up_say_what_all_of_them_would(
    *, spoilt: set[int], forgotten: bool, after: int, number: int | None, until: int
) -> None:
    rows = sorted(spoilt)
    times = [UnixMillis(0 if forgotten and n == rows[0] else n * 3000) for n in rows]
    every = UnprovenBlocks(tuple(rows), tuple(times))

    async def main() -> None:
        async with open_store(None) as store:
            await migrate(store, MIGRATIONS)

            def look(tx: Tx) -> UnprovenBlocks:
                tx.execute_many(
                    "INSERT INTO chain_unproven (number, id, parent_timestamp_ms)"
                    " VALUES (?, x'00', ?)",
                    list(zip(rows, times, strict=True)),
                )
                newest = tuple(rows[-table.NEWEST :])
                assert table.summary(tx) == UnprovenSummary(len(rows), newest)
                return table.around(tx, after=after, number=number)

            few = await store.write(look)
            assert len(few.numbers) <= 3
            if number is not None:
                assert few.holds(number) == every.holds(number)
            expiration = UnixMillis(until * 3000)
            assert few.may_hold(after=after, expiration=expiration) == every.may_hold(
                after=after, expiration=expiration
            )

    trio.run(main)


class Counting:
    """Another endpoint that shows no more than the first one."""

    def __init__(self) -> None:
        self.asked = 0

    async def fetch_proven(self, block: Block) -> Block | None:
        assert not block.root_proven
        self.asked += 1
        return None


async def test_other_endpoints_are_asked_for_a_bounded_number_of_blocks(
    autojump_clock: trio.testing.MockClock,
) -> None:
    node = Counting()
    prover = RootProver(node)
    block = attrs.evolve(make_block(None), root_proven=False)
    whole = make_block(None)
    assert await prover.prove([block, whole] * 100) == [block, whole] * 100
    assert node.asked == ATTEMPTS
    autojump_clock.jump(61)
    await prover.prove([block])
    assert node.asked == ATTEMPTS + 1
