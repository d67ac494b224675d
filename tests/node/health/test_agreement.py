"""Several endpoints' word on one final block and on one transaction."""

import json
import logging

import httpx
import pytest
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.node.cache import CachedNode
from lucidtrond.node.health.agreement import (
    Agreement,
    ProducerReport,
    agreed_producers,
)
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.transaction import TxId
from tests.node.nodes import (
    RecordedNode,
    always,
    answer,
    block_json,
    forged,
    open_nodes,
    places,
)

NUMBER = 800
ID = BlockId(block_json(NUMBER)["blockID"])
NAMES = st.lists(st.sampled_from("abcdef"), unique=True, max_size=4).map(tuple)
LITE = "this API is closed because this node is a lite fullnode"


@given(NAMES, NAMES, NAMES, st.integers(1, 2))
def test_it_holds_exactly_when_enough_agree_and_nobody_differs(
    agreeing: tuple[str, ...],
    differing: tuple[str, ...],
    others: tuple[str, ...],
    wanted: int,
) -> None:
    both = Agreement(1, "x", wanted, agreeing, differing, behind=others, silent=others)
    assert both.holds == (len(agreeing) >= wanted and not differing)
    assert both.confirms(is_proven=False) == both.holds
    left = max(1, wanted - len(differing))
    assert both.confirms(is_proven=True) == (len(agreeing) >= left)
    for name in (*agreeing, *differing, *others):
        assert name in both.reason


async def test_of_two_operators_both_have_to_agree(
    autojump_clock: trio.testing.MockClock,
) -> None:
    behind = RecordedNode(solid=NUMBER - 1)
    nodes = RecordedNode(), RecordedNode(), behind
    async with open_nodes(*nodes, operators=("a", "a", "b")) as pool:
        agreement = await pool.confirm_solid(NUMBER, ID)
        assert agreement.agreeing == ("node0", "node1")
        assert not agreement.holds
        behind.solid = NUMBER
        assert (await pool.confirm_solid(NUMBER, ID)).holds


async def test_of_one_operator_all_endpoints_that_there_are_is_enough() -> None:
    async with open_nodes(RecordedNode(), RecordedNode(), operators="aa") as pool:
        assert (await pool.confirm_solid(NUMBER, ID)).holds


async def test_two_that_have_the_block_as_final_agree() -> None:
    async with open_nodes(RecordedNode(), RecordedNode()) as pool:
        agreement = await pool.confirm_solid(NUMBER, ID)
        assert agreement.agreeing == ("node0", "node1")
        assert agreement.holds


async def test_of_one_endpoint_its_own_word_is_enough() -> None:
    async with open_nodes(RecordedNode()) as pool:
        assert (await pool.confirm_solid(NUMBER, ID)).holds


async def test_of_two_one_is_not_enough(
    autojump_clock: trio.testing.MockClock,
) -> None:
    behind = RecordedNode(solid=NUMBER - 1)
    mute = RecordedNode()
    async with open_nodes(RecordedNode(), behind, mute) as pool:
        mute.fault = always(lambda: httpx.ConnectError("refused"))
        agreement = await pool.confirm_solid(NUMBER, ID)
        assert agreement.behind == ("node1",)
        assert agreement.silent == ("node2",)
        assert not agreement.holds
        behind.solid = NUMBER
        assert (await pool.confirm_solid(NUMBER, ID)).holds
    assert trio.current_time() == 0  # nobody waits to ask again


async def test_one_who_has_another_final_block_outweighs_all(
    caplog: pytest.LogCaptureFixture,
) -> None:
    other = RecordedNode()
    async with open_nodes(RecordedNode(), RecordedNode(), other) as pool:
        block = forged(NUMBER, block_json(NUMBER - 1)["blockID"])
        other.fault = always(lambda: answer(json.dumps(block)))
        with caplog.at_level(logging.ERROR):
            agreement = await pool.confirm_solid(NUMBER, ID)
    assert agreement.agreeing == ("node0", "node1")
    assert agreement.differing == ("node2",)
    assert not agreement.holds
    assert "disagree" in caplog.text


async def test_what_was_agreed_is_kept_and_what_was_not_is_asked_again() -> None:
    late = RecordedNode(solid=NUMBER - 1)
    async with open_nodes(RecordedNode(), late) as pool:
        node = CachedNode(pool)
        assert not (await node.confirm_solid(NUMBER, ID)).holds
        late.solid = NUMBER
        assert (await node.confirm_solid(NUMBER, ID)).holds
        asked = len(late.asked)
        assert (await node.confirm_solid(NUMBER, ID)).holds
        assert len(late.asked) == asked


async def test_everybody_says_for_himself_whether_he_knows_a_transaction() -> None:
    txid, (number, _) = list(places().items())[-40]
    txid = TxId(txid)
    nodes = [
        RecordedNode(),
        RecordedNode(solid=number - 1),
        RecordedNode(head=number - 1, solid=number - 2),
        RecordedNode(),
    ]
    async with open_nodes(*nodes) as pool:
        nodes[3].fault = always(lambda: answer(LITE))
        final, included, unaware, lite = await pool.look_for(txid)
    assert (final.solid, final.is_present, final.error) == (True, True, None)
    assert (included.solid, included.is_present) == (False, True)
    assert (unaware.solid, unaware.is_present, unaware.error) == (False, False, None)
    assert lite.error is not None
    assert "lite fullnode" in lite.error


async def test_everybodys_receipt_is_asked_for_and_who_has_none_is_left_out() -> None:
    txid, (number, _) = list(places().items())[-40]
    nodes = [
        RecordedNode(),
        RecordedNode(solid=number - 1),
        RecordedNode(),
        RecordedNode(),
    ]
    async with open_nodes(*nodes) as pool:
        nodes[2].fault = always(lambda: answer(LITE))
        receipts = await pool.find_receipts(TxId(txid))
        assert [receipt.txid for receipt in receipts] == [txid] * 2
        assert await CachedNode(pool).find_receipts(TxId(txid)) == receipts
        nodes[0].fault = nodes[3].fault = always(lambda: answer(LITE))
        assert await pool.find_receipts(TxId(txid)) == []


A, B = Address(b"\x41" + b"\1" * 20), Address(b"\x41" + b"\2" * 20)


@pytest.mark.parametrize(
    ("reports", "agreed"),
    [
        ([("a.x.io", {A: A}), ("b.y.io", {A: A})], True),
        ([("a.x.io", {A: A}), ("b.x.io", {A: A})], False),
        ([("a.x.io", {A: A}), ("b.y.io", {A: B})], False),
        ([("a.x.io", {A: A}), ("b.y.io", {A: A}), ("z.io", {A: A, B: B})], False),
        ([("a.x.io", {A: A}), ("b.y.io", {A: A}), ("z.io", None)], True),
        ([("a.x.io", {A: A}), ("b.y.io", None)], False),
        ([], False),
    ],
)
def test_two_operators_have_to_name_the_same_producers(
    reports: list[tuple[str, dict[Address, Address] | None]], *, agreed: bool
) -> None:
    keys = agreed_producers(
        [ProducerReport(name, name[2:], keys=named) for name, named in reports]
    )
    assert (keys == {A: A}) is agreed
    assert isinstance(keys, str) is not agreed
