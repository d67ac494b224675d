"""Answers of public nodes through the functions that read a node's answers."""

import json
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
import pytest

from lucidtrond.node.questions import translate, wire
from lucidtrond.tron.address import Address
from lucidtrond.tron.transaction import TxId
from tests import mainnet

pytestmark = pytest.mark.mainnet

T = TypeVar("T")


def bodies(name: str, part: str | None = None) -> Iterator[dict[str, Any]]:
    recording = mainnet.load(name)
    for row in recording if part is None else recording[part]:
        yield row["body"]


def parsed(body: Any, kind: type[T]) -> T:
    return msgspec.json.decode(json.dumps(body).encode(), type=kind)


def address_of(text: str) -> Address:
    return Address.from_base58(text) if text.startswith("T") else Address.from_hex(text)


def test_each_account_is_read() -> None:
    count = 0
    for body in bodies("accounts.json"):
        address = address_of(body["address"])
        account = translate.read_account(parsed(body, wire.AccountJson), address)
        assert account.activated
        assert account.balance == body.get("balance", 0)
        assert account.created_ms == body.get("create_time")
        staked = {
            stake.get("type", "BANDWIDTH"): stake.get("amount", 0)
            for stake in body.get("frozenV2", ())
        }
        assert account.staked_bandwidth == staked.get("BANDWIDTH", 0)
        assert account.staked_energy == staked.get("ENERGY", 0)
        count += 1
    assert count >= 9


def test_each_resource_is_read() -> None:
    count = 0
    for body in bodies("resources.json"):
        answer = translate.read_resources(parsed(body, wire.ResourcesJson))
        assert answer.free_net_limit == body["freeNetLimit"]
        assert answer.free_net_used == body.get("freeNetUsed", 0)
        assert answer.net_limit == body.get("NetLimit", 0)
        assert answer.energy_limit == body.get("EnergyLimit", 0)
        count += 1
    assert count >= 3


def test_each_simulated_call_is_read() -> None:
    reverted = count = 0
    for body in bodies("constant_calls.json"):
        answer = translate.read_constant(parsed(body, wire.ConstantJson))
        assert answer.result.hex() == body["constant_result"][0]
        assert answer.energy_used == body.get("energy_used", 0)
        assert answer.energy_penalty == body.get("energy_penalty", 0)
        assert answer.reverted == ("message" in body["result"])
        reverted += answer.reverted
        count += 1
    assert count >= 7
    assert reverted >= 1


def test_each_answer_to_a_broadcast_is_read() -> None:
    codes = []
    for body in bodies("broadcast.json"):
        reply = parsed(body, wire.BroadcastJson)
        answer = translate.read_broadcast(reply, TxId(body["txid"]), name="n")
        assert answer.accepted == body.get("result", False)
        codes.append(answer.code)
    assert codes == [
        "TRANSACTION_EXPIRATION_ERROR",
        "SUCCESS",
        "SUCCESS",
        "CONTRACT_VALIDATE_ERROR",
    ]


def test_each_list_of_parameters_is_read() -> None:
    count = 0
    for body in bodies("parameters.json", "parameters"):
        answer = translate.read_parameters(parsed(body, wire.ParametersJson))
        every = {
            entry["key"]: entry.get("value", 0) for entry in body["chainParameter"]
        }
        assert answer.every == every
        assert answer.energy_fee == every["getEnergyFee"]
        assert answer.max_fee_limit == 15_000_000_000
        count += 1
    assert count >= 1


def test_what_each_node_says_of_itself_is_read() -> None:
    versions = []
    for body in bodies("parameters.json", "nodeinfo"):
        facts = translate.read_facts(parsed(body, wire.NodeInfoJson))
        assert f"Num:{facts.head_number}," in body["block"]
        assert f"Num:{facts.solid_number}," in body["solidityBlock"]
        assert facts.peers == body["currentConnectCount"]
        versions.append(facts.version)
    assert versions == ["4.7.7", "4.8.1"]


def test_each_receipt_is_read_with_all_that_it_cost() -> None:
    count = logs = 0
    for row in mainnet.load("receipts.json.gz"):
        info = row["info"]
        receipt = translate.read_receipt(parsed(info, wire.InfoJson))
        assert receipt.txid == info["id"]
        beyond = receipt.fee - receipt.net_fee - receipt.energy_fee
        assert beyond == row["fee_beyond_net_and_energy"]
        assert receipt.failed == (info.get("result") == "FAILED")
        assert len(receipt.logs) == len(info.get("log", ()))
        for log, theirs in zip(receipt.logs, info.get("log", ()), strict=True):
            said = theirs["address"]
            assert log.address == address_of(said if said[0] == "T" else "41" + said)
        inner = info.get("internal_transactions", ())
        for internal, theirs in zip(receipt.internal, inner, strict=True):
            assert internal.rejected == theirs.get("rejected", False)
            assert [amount for amount, _ in internal.values] == [
                one.get("callValue", 0) for one in theirs["callValueInfo"]
            ]
        logs += len(receipt.logs)
        count += 1
    assert count >= 17
    assert logs >= 10
