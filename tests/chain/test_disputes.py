"""Endpoints that show different final blocks: the one that is proven is followed."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from attrs import define
from trio.testing import MockClock

from lucidtrond.errors import AnotherChain
from lucidtrond.tron.block import Block, BlockId
from tests.chain.branch_node import BranchNode, Following, Json, following
from tests.chain.forging import FIRST_SET, PRODUCERS, forged, honest, node, signed

FORK = 20


def branch(signing: Sequence[int], *, late_ms: int, length: int = 60) -> list[Block]:
    """The honest chain up to the fork, then one that only *signing* make."""
    blocks = honest()[: FORK + 1]
    for number in range(FORK + 1, length):
        key = PRODUCERS[signing[number % len(signing)]]
        late = late_ms if number == FORK + 1 else 0
        blocks.append(signed(blocks[-1].header, key.address, key, late_ms=late))
    return blocks


ONE = branch((0, 1, 2, 3), late_ms=0)
OTHER = branch((0, 1, 2, 4), late_ms=3000)
"""Three of five sign both branches of a partition."""
UNPROVEN = branch((0, 1, 2), late_ms=6000)


def show(shown: BranchNode, blocks: list[Block], *, head: int, solid: int) -> None:
    """Let it stand on another branch from now on."""
    other = node(blocks, head=head, solid=solid)
    shown.blocks, shown.head, shown.solid = other.blocks, head, solid
    shown.account = other.account


async def state_of(made: Following, endpoint: int = 0) -> str:
    return str(made.pool.endpoints()[endpoint]["state"])


@pytest.mark.parametrize("solid", [FORK + 5, FORK + 10, 45])
async def test_where_both_are_proven_the_daemon_stops(solid: int) -> None:
    """The other node lags, is as far, or is ahead."""
    shown = node(ONE, head=FORK + 13, solid=FORK + 10)
    async with following(shown, first_set=FIRST_SET) as made:
        await made.turn(2)
        position = made.ledger.position()
        assert position.solid is not None
        assert position.solid.id == ONE[FORK + 10].header.id
        show(shown, OTHER, head=max(solid + 3, FORK + 14), solid=solid)
        with pytest.raises(AnotherChain, match="both are proven final by signatures"):
            await made.turn()


@pytest.mark.parametrize("solid", [FORK + 5, FORK + 10, 45])
async def test_where_ours_is_proven_the_other_has_lied(solid: int) -> None:
    shown = node(ONE, head=FORK + 13, solid=FORK + 10)
    async with following(shown, first_set=FIRST_SET) as made:
        await made.turn(2)
        show(shown, UNPROVEN, head=max(solid + 3, FORK + 14), solid=solid)
        await made.turn(2)
        assert await state_of(made) == "lied"
        reason = made.ledger.position().not_synced_reason
        assert reason is not None
        assert "only ours is proven final" in reason
        show(shown, ONE, head=FORK + 20, solid=FORK + 17)
        await made.turn(2)
        assert made.head == FORK + 20
        position = made.ledger.position()
        assert position.solid is not None
        assert position.solid.number == FORK + 17


async def test_where_neither_is_proven_nothing_moves(tmp_path: Path) -> None:
    """What an older program took at a node's word."""
    path = tmp_path / "db.sqlite"
    shown = node(UNPROVEN, head=FORK + 10, solid=FORK + 8)
    async with following(shown, path=path) as made:
        await made.turn(2)
        assert made.head == FORK + 10
    show(shown, branch((0, 1, 4), late_ms=9000), head=FORK + 12, solid=FORK + 10)
    async with following(shown, first_set=FIRST_SET, path=path) as made:
        await made.turn(3)
        assert await state_of(made) == "ok"
        reason = made.ledger.position().not_synced_reason
        assert reason is not None
        assert "neither is proven final" in reason
        assert made.head == FORK + 10


async def test_an_endpoint_that_stalls_us_is_left_for_one_that_is_proven(
    autojump_clock: MockClock,
) -> None:
    """It calls final what too few signed, on a branch above our solid head."""
    liar = node(honest(), head=FORK, solid=FORK - 2)
    true = node(honest(), head=FORK, solid=FORK - 2)
    async with following(liar, true, first_set=FIRST_SET) as made:
        await made.turn(2)
        for head in range(FORK + 1, 50):
            show(liar, UNPROVEN, head=head, solid=head - 1)
            show(true, honest(), head=head, solid=head - 3)
            await made.turn()
        assert await state_of(made, 0) == "lied"
        assert await state_of(made, 1) == "ok"
        position = made.ledger.position()
        assert position.solid is not None
        assert position.solid.id == honest()[46].header.id
        assert [event["state"] for event in await made.emitted("finality")] == [
            "stalled",
            "moving",
        ]


async def test_an_honest_endpoint_is_not_blamed_while_all_stall(
    autojump_clock: MockClock,
) -> None:
    shown = [node(honest(), head=FORK, solid=FORK - 2) for _ in range(2)]
    async with following(*shown, first_set=FIRST_SET) as made:
        await made.turn(2)
        for head in range(FORK + 1, 55):
            for each in shown:
                show(each, UNPROVEN, head=head, solid=head - 1)
            await made.turn()
        assert [await state_of(made, at) for at in range(2)] == ["ok", "ok"]
        assert made.head == 54


async def test_a_chain_of_another_genesis_is_not_begun_with() -> None:
    shown = node(honest(), head=20, solid=17)
    async with following(shown, first_set=FIRST_SET) as made:
        made.follower._disputes._genesis_id = BlockId("01" * 32)
        await made.turn()
        assert made.ledger.position().solid is None
        assert await state_of(made) == "lied"


@define(eq=False)
class TwoFaced(BranchNode):
    """It shows *other* when it is asked for one block alone."""

    other: BranchNode | None = None

    def _getblockbylimitnext(self, top: int, question: Json) -> Json:
        alone = question["endNum"] - question["startNum"] == 1
        if alone and self.other is not None:
            return self.other._getblockbylimitnext(top, question)
        return super()._getblockbylimitnext(top, question)


@pytest.mark.parametrize("solid", [5, 47])
async def test_the_block_to_begin_with_is_the_one_that_was_proven(solid: int) -> None:
    """Whatever an endpoint shows when it is asked for that number."""
    true = node(honest(), head=solid + 3, solid=solid)
    false = branch((0, 1, 2), late_ms=6000) if solid > FORK else forged("far ahead", 0)
    other = node(false, head=solid + 3, solid=solid)
    shown = TwoFaced(
        true.blocks, true.head, true.solid, true.receipts, true.account, other=other
    )
    async with following(shown, first_set=FIRST_SET) as made:
        await made.turn()
        position = made.ledger.position()
        assert position.solid is not None
        assert position.solid.id == honest()[solid].header.id
