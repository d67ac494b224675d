"""What each endpoint shows of one block, and whose endpoint it is."""

import json

from lucidtrond.tron.block import BlockId
from tests.node.nodes import (
    RecordedNode,
    always,
    answer,
    block_json,
    infos_json,
    open_nodes,
)
from tests.node.questions.test_second_source import NUMBER

ID = BlockId(block_json(NUMBER)["blockID"])


async def test_each_endpoint_gives_its_own_version_with_its_operator() -> None:
    nodes = RecordedNode(), RecordedNode()
    async with open_nodes(*nodes, operators=("a", "b")) as pool:
        shown = await pool.show_block(ID)
        assert [version.operator for version in shown] == ["a", "b"]
        for version in shown:
            assert version.block.header.id == ID
            assert len(version.receipts) == len(infos_json(NUMBER))


async def test_one_that_has_no_such_block_or_fails_is_left_out() -> None:
    behind, broken = RecordedNode(head=NUMBER - 1), RecordedNode()
    nodes = behind, broken, RecordedNode()
    async with open_nodes(*nodes, operators=("a", "b", "c")) as pool:
        broken.fault = always(lambda: answer(json.dumps({"Error": "no"})))
        assert [version.operator for version in await pool.show_block(ID)] == ["c"]
