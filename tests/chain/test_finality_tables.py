"""Sets of producers are kept with their blocks, and a follower goes on from them."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from trio.testing import MockClock

from lucidtrond.chain import finality_tables
from lucidtrond.chain.finality import (
    Finality,
    Member,
    ProducerSet,
    SetChange,
)
from lucidtrond.chain.finality_tables import MAX_PAST, FirstSet
from lucidtrond.chain.finality_tracker import signed_block
from lucidtrond.chain.ledger import MIGRATIONS
from lucidtrond.ports import Tx
from lucidtrond.store.database import open_store
from lucidtrond.store.migrate import migrate
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block
from tests.chain.branch_node import BranchNode, Following, following
from tests.chain.forging import FIRST_SET, PRODUCERS, honest, node, signed, update
from tests.chain.model import address, make_block, producer_key

NEW_KEY = producer_key(70)
JOINING, JOINING_KEY = producer_key(71), producer_key(72)
A, B, C, D, E = (key.address for key in PRODUCERS)


def rotating() -> list[Block]:
    """E changes its key in block 21; D is replaced from block 40 on by a producer that
    signs with a key which it named in block 26."""
    blocks = [make_block(None)]
    for number in range(1, 100):
        key = PRODUCERS[number % 5]
        producer = key.address
        if producer == E and number > 21:
            key = NEW_KEY
        if producer == D and number > 40:
            key, producer = JOINING_KEY, JOINING.address
        inside = [update(E, NEW_KEY.address)] if number == 21 else []
        if number == 26:
            inside = [update(JOINING.address, JOINING_KEY.address)]
        blocks.append(signed(blocks[-1].header, producer, key, transactions=inside))
    return blocks


def solid_at_each_head(blocks: Sequence[Block]) -> list[int]:
    finality = FIRST_SET.begin(0, blocks[0].header.id, is_proven=True)
    solid = [0]
    for block in blocks[1:]:
        finality.observe(signed_block(block))
        finality.advance(max(0, finality.head - 3))
        solid.append(finality.solid)
    return solid


async def stored(
    made: Following,
) -> list[tuple[Address, Address, int, int | None, str]]:
    rows = await made.store.read(
        lambda tx: tx.execute(
            "SELECT producer, key_address, from_block, until_block, origin"
            " FROM producer_set ORDER BY from_block, producer"
        )
    )
    return [
        (Address(producer), Address(key), first, last, origin)
        for producer, key, first, last, origin in rows
    ]


async def follow(made: Following, shown: BranchNode, heads: Sequence[int]) -> None:
    for head in heads:
        shown.head, shown.solid = head, max(0, head - 3)
        await made.turn()
        assert made.head == head


def finality_of(made: Following) -> Finality:
    finality = made.follower._tracker.finality
    assert finality is not None
    return finality


@pytest.mark.parametrize("restarts", [(), (5,), (22, 23, 24, 26, 30), (45, 52, 56, 60)])
async def test_sets_are_kept_with_their_blocks_across_restarts(
    restarts: tuple[int, ...], tmp_path: Path
) -> None:
    """And it is the same at each head as without a restart."""
    shown = node(rotating(), head=0, solid=0)
    path = tmp_path / "db.sqlite"
    start = 1
    states = []
    expected = solid_at_each_head(rotating())
    for stop in (*restarts, 99):
        async with following(shown, first_set=FIRST_SET, path=path) as made:
            if start == 1:
                await made.turn()
            else:
                assert finality_of(made).head == start - 1
            await follow(made, shown, range(start, stop + 1))
            start = stop + 1
            states = await stored(made)
            assert finality_of(made).solid == expected[stop]
    kept = {(producer, key): (first, last) for producer, key, first, last, _ in states}
    assert kept[E, E] == (0, 21)
    assert kept[E, NEW_KEY.address] == (22, None)
    first, last = kept[D, D]
    assert first == 0
    assert last is not None
    assert last >= 38 + 10
    assert kept[JOINING.address, JOINING_KEY.address] == (last + 1, None)
    assert kept[A, A] == (0, None)
    assert len(kept) == 7


async def test_a_pin_takes_the_place_of_what_is_stored(tmp_path: Path) -> None:
    shown = node(honest(), head=0, solid=0)
    path = tmp_path / "db.sqlite"
    async with following(shown, first_set=FIRST_SET, path=path) as made:
        await made.turn()
        await follow(made, shown, range(1, 20))
    four = {each.address: each.address for each in PRODUCERS[:4]}
    pinned = FirstSet(ProducerSet(4, four), "pin")
    for _ in range(2):  # the second time it is the stored one
        async with following(shown, first_set=pinned, path=path) as made:
            assert finality_of(made).n == 4
            assert set(finality_of(made).members) == set(four)
            last = made.head
            await follow(made, shown, range(last + 1, last + 6))
            rows = await stored(made)
            assert (E, E, 0, 16, "pin") in rows
            assert (A, A, 17, None, "pin") in rows
            assert [row for row in rows if row[0] == E] == [(E, E, 0, 16, "pin")]


async def test_without_a_pin_what_is_stored_counts_on(tmp_path: Path) -> None:
    shown = node(honest(), head=0, solid=0)
    path = tmp_path / "db.sqlite"
    async with following(shown, first_set=FIRST_SET, path=path) as made:
        await made.turn()
        await follow(made, shown, range(1, 20))
    async with following(shown, path=path) as made:
        await follow(made, shown, range(20, 30))
        assert made.ledger.position().finality.basis == "signatures"
        assert set(finality_of(made).members) == {each.address for each in PRODUCERS}


async def test_an_older_database_is_proven_from_its_solid_head_on(
    tmp_path: Path,
) -> None:
    shown = node(honest(), head=10, solid=8)
    path = tmp_path / "db.sqlite"
    async with following(shown, path=path) as made:
        await made.turn(3)
        assert made.ledger.position().finality.basis == "nodes"
        assert await stored(made) == []
    async with following(shown, first_set=FIRST_SET, path=path) as made:
        assert (finality_of(made).solid, finality_of(made).head) == (8, 10)
        assert not finality_of(made).is_proven
        await follow(made, shown, range(11, 14))
        assert made.ledger.position().finality.basis == "signatures"
        assert (A, A, 9, None, "pin") in await stored(made)


async def test_a_follower_begins_with_a_block_that_is_proven() -> None:
    """Where one of 5 is not known here, it begins further below."""
    shown = node(honest(), head=12, solid=9)
    async with following(shown, first_set=FIRST_SET) as made:
        await made.turn()
        assert finality_of(made).solid == 9
    others = FirstSet(
        ProducerSet(5, {each: each for each in (A, B, C, D, address(9))}), "snapshot"
    )
    async with following(shown, first_set=others) as made:
        await made.turn()
        assert finality_of(made).solid == 8
        assert finality_of(made).is_proven


async def test_without_enough_known_producers_it_does_not_begin(
    autojump_clock: MockClock,
) -> None:
    shown = node(honest(), head=50, solid=47)
    few = FirstSet(ProducerSet(5, {A: A, B: B, C: C}), "snapshot")
    async with following(shown, first_set=few) as made:
        await made.turn(3)
        assert made.ledger.position().solid is None
        reason = made.ledger.position().not_synced_reason
        assert reason is not None
        assert "not proven final" in reason
        assert "[network] producers" in reason


async def test_what_stops_it_is_told_once_and_when_it_ends() -> None:
    blocks = honest()
    shown = node(blocks, head=20, solid=18)
    async with following(shown, first_set=FIRST_SET) as made:
        await made.turn(2)
        for number in range(21, 45):
            key = PRODUCERS[number % 3]
            block = signed(blocks[number - 1].header, key.address, key)
            blocks = [*blocks[:number], block]
            other = node(blocks, head=number, solid=number - 1)
            shown.blocks = other.blocks
            shown.head, shown.solid = other.head, other.solid
            await made.turn()
        status = made.ledger.position().finality
        assert status.basis == "signatures"
        assert status.unproven_blocks == 24
        assert status.stalled_reason == (
            "3 of 5 producers are known to have built on block 20, 4 are needed"
        )
        for number in range(45, 50):
            key = PRODUCERS[number % 5]
            block = signed(blocks[number - 1].header, key.address, key)
            blocks = [*blocks[:number], block]
            other = node(blocks, head=number, solid=number - 1)
            shown.blocks = other.blocks
            shown.head, shown.solid = other.head, other.solid
            await made.turn()
        assert made.ledger.position().finality.stalled_reason is None
        events = await made.emitted("finality")
        assert [(each["state"], each["solid_number"]) for each in events] == [
            ("stalled", 19),
            ("moving", 45),
        ]
        assert events[0]["reason"] is not None


async def test_only_so_many_past_rows_stay() -> None:
    async with open_store(None) as store:
        await migrate(store, MIGRATIONS)

        def write(tx: Tx) -> list[tuple[int, int]]:
            for number in range(MAX_PAST + 20):
                member = Member(A, A, number, "block")
                finality_tables.write_changes(
                    tx, 5, [SetChange(member), SetChange(member, number)]
                )
            return [
                (count, first)
                for count, first in tx.execute(
                    "SELECT count(*), min(until_block) FROM producer_set"
                )
            ]

        [(count, first)] = await store.write(write)
        assert MAX_PAST <= count <= MAX_PAST + 1
        assert first >= 19


async def test_a_header_that_is_not_kept_whole_is_nobodys(tmp_path: Path) -> None:
    shown = node(honest(), head=0, solid=0)
    path = tmp_path / "db.sqlite"
    async with following(shown, first_set=FIRST_SET, path=path) as made:
        await made.turn()
        await follow(made, shown, range(1, 20))
        await made.store.write(
            lambda tx: tx.execute("UPDATE chain_block SET version = 1")
        )
    async with following(shown, first_set=FIRST_SET, path=path) as made:
        assert finality_of(made).next_votes == 0
