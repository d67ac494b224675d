"""Simulated calls' answers, and what they come to."""

import json
import re

import msgspec
import pytest

from lucidtrond.node.questions import translate, wire
from lucidtrond.node.questions.translate.calls import MAX_SIMULATED_LOGS
from lucidtrond.tron.address import Address
from lucidtrond.tron.contract_terms import ContractTerms
from lucidtrond.tron.receipt import ConstantResult, Log
from tests.node.nodes import Json

REVERTED = (
    "08c379a00000000000000000000000000000000000000000000000000000000000000020000000000"
    "0000000000000000000000000000000000000000000000000000014696e73756666696369656e7420"
    "62616c616e6365000000000000000000000000"
)


def constant(printed: Json) -> ConstantResult:
    answer = msgspec.json.decode(json.dumps(printed), type=wire.ConstantJson)
    return translate.read_constant(answer)


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


def test_a_node_that_runs_no_calls_is_told_from_a_call_that_does_not_run() -> None:
    message = b"this node does not support constant".hex()
    outcome = {"code": "CONTRACT_VALIDATE_ERROR", "message": message}
    with pytest.raises(translate.CallsUnsupported, match="supportConstant"):
        constant({"result": outcome})


LOG = {"address": "aa" * 20, "topics": ["bb" * 32], "data": "cc"}


def test_the_logs_of_a_simulated_call_are_read() -> None:
    printed = {"result": {"result": True}, "logs": [LOG, {"address": "dd" * 20}]}
    assert constant(printed).logs == (
        Log(Address(b"\x41" + b"\xaa" * 20), (b"\xbb" * 32,), b"\xcc"),
        Log(Address(b"\x41" + b"\xdd" * 20), (), b""),
    )


TERMS = {
    "origin_address": "41" + "0a" * 20,
    "contract_address": "41" + "0b" * 20,
    "consume_user_resource_percent": 30,
    "origin_energy_limit": 7,
}
CONTRACT = Address(b"\x41" + b"\x0b" * 20)


def contract(**changes: object) -> ContractTerms:
    printed = {name: value for name, value in (TERMS | changes).items() if value != 0}
    answer = msgspec.json.decode(json.dumps(printed), type=wire.SmartContractJson)
    return translate.read_contract(answer, CONTRACT)


def test_a_contracts_terms_are_read_as_java_tron_means_them() -> None:
    maker = Address(b"\x41" + b"\x0a" * 20)
    assert contract() == ContractTerms(maker, 30, 7)
    # What is 0 is not printed: the maker pays all, under the default limit.
    assert contract(consume_user_resource_percent=0).caller_percent == 0
    assert contract(consume_user_resource_percent=101).caller_percent == 100
    assert contract(origin_energy_limit=0).origin_energy_limit == 10_000_000


@pytest.mark.parametrize(
    "changes",
    [
        {"contract_address": "41" + "0c" * 20},
        {"contract_address": ""},
        {"origin_address": "41"},
        {"origin_energy_limit": -1},
    ],
)
def test_terms_of_another_contract_or_of_none_are_nonsense(changes: Json) -> None:
    with pytest.raises(translate.InvalidAnswer):
        contract(**changes)


@pytest.mark.parametrize(
    "printed",
    [
        {},
        {"result": {"result": True}, "logs": [LOG | {"topics": ["bb"]}]},
        {"result": {"result": True}, "logs": [LOG | {"data": "c"}]},
        {"result": {"result": True}, "logs": [{}]},
        {
            "result": {"result": True},
            "logs": [LOG] * (MAX_SIMULATED_LOGS + 1),
        },
        {"result": {"result": True}, "constant_result": ["6"]},
        {"result": {"result": True}, "energy_used": -1},
    ],
)
def test_what_is_no_calls_answer_is_nonsense(printed: Json) -> None:
    with pytest.raises(translate.InvalidAnswer):
        constant(printed)
