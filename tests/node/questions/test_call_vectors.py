"""Simulated calls as nodes of public networks and a real java-tron answered them."""

import json
from typing import Any

import msgspec
import pytest

from lucidtrond.node.questions import translate, wire
from lucidtrond.tron import trc20
from lucidtrond.tron.address import Address
from lucidtrond.tron.base58 import decode_check
from lucidtrond.tron.receipt import ConstantResult
from tests import recorded
from tests.tron.vectors import DATA

OURS: dict[str, Any] = json.loads((DATA / "tokens.json").read_text())


def constant(printed: Any) -> ConstantResult:
    answer = msgspec.json.decode(json.dumps(printed), type=wire.ConstantJson)
    return translate.read_constant(answer)


def moved(answer: Any, *, owner: str, token: str, data: str) -> int:
    """What a simulated transfer would move to its recipient."""
    call = trc20.parse_call(bytes.fromhex(data))
    assert isinstance(call, trc20.TransferCall)
    result = constant(answer)
    assert (result.result, result.reverted) == (bytes(32), False)
    return trc20.amount_moved(
        result.logs,
        token=Address.from_hex(token),
        sender=Address.from_hex(owner),
        recipient=call.recipient,
    )


def test_logs_tell_a_false_token_that_moves_from_one_that_does_not() -> None:
    amounts = {
        int(row["moves"]): moved(
            row["answer"],
            owner=row["owner"],
            token=row["token"],
            data=row["data"],
        )
        for row in OURS["simulations"]
    }
    assert amounts == {0: 0, 5: 5}


@pytest.mark.parametrize("row", OURS["refusals"], ids=lambda row: row["what"])
def test_a_call_that_does_not_run_is_told_from_a_node_that_runs_none(row: Any) -> None:
    expected: type[translate.InvalidAnswer] = translate.CallRefused
    if row["unsupported"]:
        expected = translate.CallsUnsupported
    with pytest.raises(expected):
        constant(row["answer"])


@pytest.mark.mainnet
def test_the_recorded_simulations_are_judged_alike() -> None:
    rows = recorded.read_json(recorded.RUNS / "false-token-simulations.json")
    amounts = {
        name: moved(
            row["a"],
            owner=row["q"]["owner_address"],
            token=row["q"]["contract_address"],
            data="a9059cbb" + row["q"]["parameter"],
        )
        for name, row in rows.items()
    }
    assert amounts == {"quiet": 5, "odd": 0}


def as_we_ask(body: Any) -> Any:
    """With hex addresses: some were recorded with ``visible``, which we never use."""
    for log in body.get("logs", ()):
        if len(log["address"]) != 40:
            log["address"] = decode_check(log["address"]).hex()
    return body


@pytest.mark.mainnet
def test_every_recorded_answer_to_a_call_is_read() -> None:
    rows = recorded.read_json(recorded.MAINNET / "constant_calls.json")
    results = [constant(as_we_ask(row["body"])) for row in rows]
    assert len(results) == len(rows) >= 7
    assert [result.reverted for result in results].count(True) == 1
    # USDT on Nile: it moves 1 and returns 0.
    [with_logs] = [result for result in results if result.logs]
    [log] = [trc20.parse_log(log) for log in with_logs.logs]
    assert isinstance(log, trc20.TransferLog)
    assert (log.amount, with_logs.result) == (1, bytes(32))
    assert with_logs.energy_used == 29_650
    surcharged = [result for result in results if result.energy_penalty]
    assert {(e.energy_used, e.energy_penalty) for e in surcharged} == {(4062, 3127)}
