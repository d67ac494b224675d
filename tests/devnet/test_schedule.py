"""Slots, turns, finality."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.devnet.state.chain import VIEW_LAG
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.schedule import solid_number, witness_at
from tests.devnet.making import FIVE, MANY, ONE, Lab


@pytest.mark.parametrize(("genesis", "lag"), [(ONE, 0), (FIVE, 3), (MANY, 18)])
def test_the_solid_head_trails_by_the_share_of_witnesses_it_needs(
    genesis: Genesis, lag: int
) -> None:
    lab = Lab(genesis)
    lab.mine(60)
    properties = lab.chain.head.globals
    assert properties.number - properties.solid == lag
    # Recorded: the solidity side lags two more.
    assert lab.chain.solid.globals.number == properties.solid - VIEW_LAG


@given(st.lists(st.integers(0, 1000), min_size=27, max_size=27))
def test_nineteen_of_twenty_seven_have_built_on_what_is_solid(
    latest: list[int],
) -> None:
    solid = solid_number(latest, 27)
    assert sum(height >= solid for height in latest) >= 19
    assert solid == max(
        height
        for height in latest
        if sum(latest_block >= height for latest_block in latest) >= 19
    )


def test_witnesses_take_turns_in_order_of_votes() -> None:
    votes = [row.votes for row in FIVE.file.witnesses]
    assert votes == sorted(votes, reverse=True)
    turns = [witness_at(FIVE, FIVE.timestamp + 3000 * n) for n in range(10)]
    assert turns == [*FIVE.schedule, *FIVE.schedule]


def test_missed_slots_are_counted_on_those_who_missed_them() -> None:
    lab = Lab()
    lab.mine(5)
    before = {
        witness.address: witness.missed for witness in lab.chain.head.witnesses.values()
    }
    lab.mine(skip=5 * 4 + 2)
    after = {
        witness.address: witness.missed for witness in lab.chain.head.witnesses.values()
    }
    missed = [after[maker] - before[maker] for maker in FIVE.schedule]
    assert sum(missed) == 22
    assert sorted(missed) == [4, 4, 4, 5, 5]
    maker = lab.chain.block(lab.chain.head.globals.number)
    assert maker is not None
    turn = FIVE.schedule.index(maker.witness)
    assert missed[turn - 1] == missed[turn - 2] == 5


def test_solid_stalls_while_most_witnesses_miss_their_slots() -> None:
    lab = Lab()
    lab.mine(20)
    solid = lab.chain.head.globals.solid
    for _ in range(6):
        lab.mine(skip=4)  # the same witness each time
    assert lab.chain.head.globals.solid <= solid + 1
    lab.mine(10)
    properties = lab.chain.head.globals
    assert properties.number - properties.solid == 3


def test_two_slots_are_skipped_after_a_maintenance() -> None:
    lab = Lab()
    lab.mine(2)
    first, second = (lab.chain.block(number) for number in (1, 2))
    assert first is not None
    assert second is not None
    assert second.timestamp - first.timestamp == 9000
    assert lab.chain.head.globals.next_maintenance > second.timestamp
    assert (lab.chain.head.globals.next_maintenance - FIVE.timestamp) % 21_600_000 == 0
