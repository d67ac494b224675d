"""Results as HTTP prints them, written again as the block holds them."""

import copy
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.node.questions import wire
from lucidtrond.node.questions.results import UnreadableResult, encode_result
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.jsonformat import print_message
from tests.node.nodes import block_json
from tests.node.questions.translate.answers import read_block
from tests.tron.chainrun import make_block
from tests.tron.strategies import int32s, messages
from tests.tron.vectors import DATA

RESULTS: list[dict[str, Any]] = json.loads((DATA / "results.json").read_text())[
    "results"
]


def encoded(printed: Any) -> bytes:
    answer = msgspec.json.decode(json.dumps(printed).encode(), type=wire.Result)
    return encode_result(answer)


@pytest.mark.parametrize("row", RESULTS, ids=lambda row: row["what"])
def test_each_result_is_written_again(row: dict[str, Any]) -> None:
    again = [encoded(printed).hex() for printed in row["http_prints"]]
    assert (again == row["ret_hex"]) == row["provable"]
    if not row["provable"]:
        # What is lost is what JSON does not show, and nothing else.
        for ours, theirs in zip(again, row["ret_hex"], strict=True):
            parsed = pb.Transaction.Result.FromString(bytes.fromhex(theirs))
            parsed.DiscardUnknownFields()
            assert parsed.SerializeToString().hex() == ours


def test_fees_that_a_gateway_adds_to_results_do_not_unprove_a_block() -> None:
    printed = copy.deepcopy(block_json(300))
    for number, included in enumerate(printed["transactions"]):
        included["ret"][0]["fee"] = number + 1
    block = read_block(printed)
    assert block == make_block(block_json(300))
    assert block.root_proven
    printed["transactions"][0]["ret"][0]["contractRet"] = "REVERT"
    assert not read_block(printed).root_proven


def test_a_code_of_a_coming_version_unproves_its_block_and_is_no_success() -> None:
    """Its number is not known: neither a refusal for ever nor a credit."""
    printed = copy.deepcopy(block_json(300))
    printed["transactions"][0]["ret"] = [{"contractRet": "OUT_OF_TRON"}]
    block = read_block(printed)
    assert not block.root_proven
    assert block.transactions[0].contract_ret == 13
    assert encoded({"contractRet": "OUT_OF_TRON"}) == encoded(
        {"contractRet": "UNKNOWN"}
    )
    expected = make_block(block_json(300))
    assert block.transactions[1:] == expected.transactions[1:]


@given(st.data())
def test_every_known_field_survives_printing(data: st.DataObject) -> None:
    message = data.draw(messages(pb.Transaction.Result))
    printed = print_message(message, visible=False)
    assert encoded(printed) == message.SerializeToString(deterministic=True)


@pytest.mark.parametrize("enum", ["contractRet", "ret"])
@given(number=int32s)
def test_a_number_without_a_name_is_written_as_it_is(enum: str, number: int) -> None:
    spelled = f"UNKNOWN_ENUM_VALUE_contractResult_{number}"
    message = pb.Transaction.Result()
    setattr(message, enum, number)
    expected = message.SerializeToString()
    assert encoded({enum: number}) == encoded({enum: spelled}) == expected


@pytest.mark.parametrize(
    ("printed", "says"),
    [
        ({"contractRet": "new code"}, "contractRet"),
        ({"contractRet": ""}, "contractRet"),
        ({"contractRet": "A" * 65}, "contractRet"),
        ({"contractRet": 2**31}, "contractRet"),
        (
            {"contractRet": "UNKNOWN_ENUM_VALUE_contractResult_9999999999"},
            "contractRet",
        ),
        ({"contractRet": "UNKNOWN_ENUM_VALUE_contractResult_٣"}, "contractRet"),
        ({"ret": "SUCCESS"}, "ret"),
        ({"orderId": "0"}, "orderId"),
        ({"orderId": "0 0"}, "orderId"),
        ({"orderDetails": [{"makerOrderId": "x"}]}, "makerOrderId"),
    ],
)
def test_what_no_node_prints_is_refused(printed: Any, says: str) -> None:
    with pytest.raises(UnreadableResult, match=says):
        encoded(printed)


@pytest.mark.parametrize(
    "printed", [{"fee": 2**63}, {"fee": "1"}, {"orderDetails": {}}, {"ret": 1.5}]
)
def test_kinds_that_do_not_fit_are_refused(printed: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        encoded(printed)
