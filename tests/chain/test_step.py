"""A step leaves a position that the plan can go on from."""

from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.chain.plan import Held
from lucidtrond.chain.producers import KeyChange
from lucidtrond.chain.read import ReadBlock
from lucidtrond.chain.receipts import NO_RECEIPTS
from lucidtrond.chain.step import CheckedBlock, first_step, next_step
from lucidtrond.chain.tables import Cursor
from tests.chain.model import ModelChain, address

NO_CHANGE = KeyChange((), ())
EMPTY = ReadBlock((), frozenset({address(1)}), frozenset())


def checked(chain: ModelChain, first: int) -> tuple[CheckedBlock, ...]:
    return tuple(
        CheckedBlock(block, block.header.id, NO_RECEIPTS, EMPTY)
        for block in chain.blocks[first:]
    )


def test_the_first_block_is_head_and_final_and_all_from_it_on_is_held() -> None:
    chain = ModelChain()
    chain.grow_by(7)
    [block] = checked(chain, 7)
    step = first_step(block, keys=NO_CHANGE)
    assert step.cursor == Cursor(7, 7, complete_from=7)
    assert step.held == Held(7, (block.id,))
    assert (step.revert_to, step.before, step.solid_before) == (None, None, -1)


@given(
    solid=st.integers(3, 6),
    reverted=st.integers(0, 4),
    applied=st.integers(0, 6),
    solidified=st.integers(0, 12),
)
def test_what_is_held_ends_in_the_new_blocks_and_begins_with_the_final_one(
    solid: int, reverted: int, applied: int, solidified: int
) -> None:
    chain = ModelChain()
    chain.grow_by(solid + 4)
    held = Held(solid, tuple(block.header.id for block in chain.blocks[solid:]))
    before = Cursor(chain.head, solid, complete_from=2)
    chain.solidify(solid)
    chain.fork(reverted)
    common = chain.head
    chain.grow_by(applied, salt=1)
    step = next_step(
        held,
        before,
        revert_to=common,
        blocks=checked(chain, common + 1),
        solid_to=min(solid + solidified, chain.head),
        keys=NO_CHANGE,
    )
    assert step.cursor.head == step.held.head == chain.head
    assert step.cursor.solid == step.held.solid == min(solid + solidified, chain.head)
    assert step.cursor.complete_from == 2
    assert step.solid_before == solid
    for number in range(step.held.solid, chain.head + 1):
        assert step.held.id_at(number) == chain.blocks[number].header.id
