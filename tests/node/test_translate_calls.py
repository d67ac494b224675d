"""Simulated calls' answers, and what they come to."""

import json
import re

import msgspec
import pytest

from lucidtrond.node import translate, wire
from lucidtrond.tron.receipt import ConstantResult
from tests.node.nodes import Json

REVERTED = (
    "08c379a00000000000000000000000000000000000000000000000000000000000000020000000000"
    "0000000000000000000000000000000000000000000000000000014696e73756666696369656e7420"
    "62616c616e6365000000000000000000000000"
)


def constant(printed: Json) -> ConstantResult:
    found = msgspec.json.decode(json.dumps(printed), type=wire.ConstantJson)
    return translate.read_constant(found)


def test_a_simulated_call_gives_what_the_contract_returned() -> None:
    printed = {
        "result": {"result": True},
        "energy_used": 344,
        "energy_penalty": 4,
        "constant_result": ["06".zfill(64)],
        "transaction": {"ret": [{}]},
    }
    assert constant(printed) == ConstantResult(
        bytes(31) + b"\x06", energy_used=344, energy_penalty=4
    )


@pytest.mark.parametrize(
    ("returned", "reason"),
    [(REVERTED, "insufficient balance"), ("", "REVERT opcode executed")],
)
def test_a_revert_is_told_though_the_result_is_true(returned: str, reason: str) -> None:
    printed = {
        "result": {"result": True, "message": b"REVERT opcode executed".hex()},
        "energy_used": 998,
        "constant_result": [returned],
        "transaction": {"ret": [{"ret": "FAILED"}]},
    }
    result = constant(printed)
    assert (result.reverted, result.reason, result.energy_used) == (True, reason, 998)


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (
            {
                "code": "CONTRACT_VALIDATE_ERROR",
                "message": b"Smart contract is not exist.".hex(),
            },
            "Smart contract is not exist.",
        ),
        ({"code": "OTHER_ERROR"}, "OTHER_ERROR"),
        ({}, "the call can't be run"),
    ],
)
def test_a_call_that_did_not_run_is_refused_in_the_nodes_words(
    outcome: Json, reason: str
) -> None:
    with pytest.raises(translate.CallRefused, match=re.escape(reason)):
        constant({"result": outcome})


@pytest.mark.parametrize(
    "printed",
    [
        {},
        {"result": {"result": True}, "constant_result": ["6"]},
        {"result": {"result": True}, "energy_used": -1},
    ],
)
def test_what_is_no_calls_answer_is_nonsense(printed: Json) -> None:
    with pytest.raises(translate.Nonsense):
        constant(printed)
