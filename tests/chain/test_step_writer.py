"""What is final is never reverted, whatever step is asked for."""

import pytest

from lucidtrond.chain.plan import Held
from lucidtrond.chain.producers import KeyChange
from lucidtrond.chain.step import next_step
from lucidtrond.chain.step_writer import StepWriter
from lucidtrond.chain.tables import Cursor, read_ids
from lucidtrond.tron.tokens import NO_TOKENS
from tests.chain.model import ModelChain, emit, emitted
from tests.chain.world import GENESIS, world


@pytest.mark.parametrize(("revert_to", "refused"), [(3, False), (2, True), (1, True)])
async def test_a_step_that_reverts_a_final_block_writes_nothing(
    revert_to: int, *, refused: bool
) -> None:
    chain = ModelChain()
    chain.grow_by(2)
    chain.solidify(1)
    async with world(chain) as made:
        await made.settle()
        chain.grow_by(2)
        chain.solidify(3)
        await made.settle()
        ids = tuple(block.header.id for block in chain.blocks)
        step = next_step(
            Held(0, ids),
            Cursor(4, 3, complete_from=1),
            revert_to=revert_to,
            blocks=(),
            solid_to=revert_to,
            keys=KeyChange((), ()),
        )
        writer = StepWriter(genesis_id=GENESIS, tokens=NO_TOKENS, emit=emit)
        if refused:
            with pytest.raises(AssertionError, match="nothing that is final"):
                await made.store.write(lambda tx: writer.write(tx, step))
        else:
            await made.store.write(lambda tx: writer.write(tx, step))
        left = await made.store.read(lambda tx: read_ids(tx, 1, 9))
        events = await made.store.read(lambda tx: emitted(tx, "reverted"))
        assert left == (ids[1:] if refused else ids[1:4])
        assert [event["number"] for event in events] == ([] if refused else [4])
