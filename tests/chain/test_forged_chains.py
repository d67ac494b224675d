"""Forged chains never make anything final, whoever shows them and in which order."""

from itertools import permutations

import pytest
import trio
from trio.testing import MockClock

from tests.chain import forging
from tests.chain.branch_node import BranchNode, Following, following
from tests.chain.forging import FIRST_SET, FORGERIES, FORK, OURS, forged, honest, node

DEPOSIT = forging.deposit(1).txid
FORGED = forging.deposit(1000).txid
ORDERS = [
    "F",
    *map("".join, permutations("FH")),
    *sorted(set(map("".join, permutations("FFH")))),
    *sorted(set(map("".join, permutations("FHH")))),
]
TURNS = 60


def honest_node() -> BranchNode:
    return node(honest(), head=FORK, solid=FORK - 2)


async def check_nothing_forged_is_final(made: Following) -> None:
    solidified = [
        event["entry"]["txid"]
        for event in await made.emitted("transfer")
        if event["change"] == "solidified"
    ]
    assert FORGED not in solidified
    solid = made.ledger.position().solid
    if solid is not None:
        assert solid.id == honest()[solid.number].header.id


async def advance(
    made: Following, nodes: str, shown: list[BranchNode], *, turn: int
) -> None:
    """Both branches grow by a block; the forger calls all but one final."""
    for kind, each in zip(nodes, shown, strict=True):
        top = max(each.blocks)
        each.head = min(top, max(each.head, FORK) + 1)
        each.solid = max(each.solid, each.head - (3 if kind == "H" else 1))
    await made.turn()
    await trio.sleep(3 if turn < 30 else 31)
    await check_nothing_forged_is_final(made)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", FORGERIES)
@pytest.mark.parametrize("fork", [0, FORK - 8, FORK])
async def test_a_forged_branch_is_never_final(
    order: str, kind: str, fork: int, autojump_clock: MockClock
) -> None:
    """From the genesis block on, below our solid head, and above it.

    What is honest becomes final all the same, where an endpoint shows it.
    """
    shown = [
        node(forged(kind, fork), head=FORK, solid=FORK - 2)
        if each == "F" and fork == 0
        else honest_node()
        for each in order
    ]
    async with following(*shown, watched=[OURS], first_set=FIRST_SET) as made:
        await made.turn(2)
        if fork:
            assert made.head == FORK
            for each, one in zip(order, shown, strict=True):
                if each == "F":
                    other = node(forged(kind, fork), head=FORK, solid=FORK - 2)
                    one.blocks, one.receipts = other.blocks, other.receipts
                    one.account = other.account
        for turn in range(TURNS):
            await advance(made, order, shown, turn=turn)
            solid = made.ledger.position().solid
            if "H" in order and solid is not None and solid.number >= 60:
                break
        if "H" in order:
            assert solid is not None
            assert solid.number >= 60
            solidified = await made.emitted("transfer")
            assert [e["change"] for e in solidified if e["entry"]["txid"] == DEPOSIT][
                -1
            ] == "solidified"
        elif solid is not None:
            assert solid.number <= FORK


@pytest.mark.parametrize("order", ["F", "FH", "HF", "FFH"])
async def test_who_signs_honest_blocks_anew_proves_no_keys(
    order: str, autojump_clock: MockClock
) -> None:
    """An id does not cover the signature: one producer's are replaced by the thief's,
    for as long as its blocks become final; then three and this one sign a tail."""
    resigned = forging.signed_anew()
    shown = [
        node(resigned if each == "F" else honest(), head=1, solid=0) for each in order
    ]
    async with following(*shown, watched=[OURS], first_set=FIRST_SET) as made:
        for head in range(1, FORK + 1):
            for each in shown:
                each.head, each.solid = head, max(0, head - 4)
            await made.turn()
            await trio.sleep(3)
        if order == "F":
            solid = made.ledger.position().solid
            assert solid is not None
            assert solid.number == FORK - 4
        tail = forging.tail_by_replaced_key(resigned)
        for kind, one in zip(order, shown, strict=True):
            if kind == "F":
                other = node(tail, head=FORK, solid=FORK - 4)
                one.blocks, one.receipts = other.blocks, other.receipts
        for turn in range(TURNS):
            await advance(made, order, shown, turn=turn)
        finality = made.follower._tracker.finality
        assert finality is not None
        keys = {each.producer: each.key for each in finality.members.values()}
        assert keys == dict(FIRST_SET.producers.keys)


@pytest.mark.parametrize("kind", FORGERIES)
async def test_without_a_set_the_same_is_believed(
    kind: str, autojump_clock: MockClock
) -> None:
    """So the tests above can fail."""
    shown = [node(forged(kind, 0), head=FORK, solid=FORK - 2)]
    async with following(*shown, watched=[OURS]) as made:
        await made.turn()
        solid = made.ledger.position().solid
        assert solid is not None
        assert solid.id != honest()[solid.number].header.id
