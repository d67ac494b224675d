"""What a block whose root does not fit says of money: one node's word."""

import copy

import msgspec

from lucidtrond.chain.read import read_block
from lucidtrond.node.questions import translate, wire
from lucidtrond.tron.block import Block
from tests.node.nodes import Json, block_json, infos_json

NUMBER = 300


def read(printed: Json) -> Block:
    return translate.read_block(msgspec.convert(printed, wire.BlockJson))


def test_an_edited_result_is_not_credited_as_proven() -> None:
    """Before, such a block was a lie. Now nothing tells it from one whose transactions
    have fields that JSON does not show: it is read, and nothing in it is proven."""
    printed = block_json(NUMBER)
    edited = copy.deepcopy(printed)
    edited["transactions"][0]["ret"] = [{"contractRet": "REVERT"}]
    infos = msgspec.convert(infos_json(NUMBER), tuple[wire.InfoJson, ...])
    receipts = translate.read_receipts(infos, NUMBER)
    for block, proven in ((read(printed), True), (read(edited), False)):
        assert block.root_proven == proven
        rows = read_block(block, receipts).movements
        own = [row for row in rows if row.kind in ("trx", "trc10")]
        assert own
        assert {row.proof for row in own} == {"signatures" if proven else "one_source"}
