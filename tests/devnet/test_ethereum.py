"""/jsonrpc at the edges that 11-jsonrpc does not ask about."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.devnet.ethereum.logs import LogFilter
from lucidtrond.devnet.ethereum.values import read_number
from lucidtrond.tron import trc20
from lucidtrond.tron.wirebytes import length_field
from tests.devnet.making import ALICE, BOB, Lab
from tests.devnet.sending import contract
from tests.devnet.test_http import Client

IDS, FULL = False, True  # of transactions
WHO = "0x" + ALICE.address.raw[1:].hex()


@pytest.fixture
def client() -> Client:
    client = Client()
    client.lab.mine(10)
    return client


def posted(client: Client, body: Any) -> Any:
    answer = client.ask("POST", "/jsonrpc", json.dumps(body).encode())
    assert answer.status == 200
    assert answer.content_type == "application/json-rpc"
    return json.loads(answer.body) if answer.body else None


def call(client: Client, method: str, *parameters: Any) -> Any:
    answer = posted(client, {"id": 1, "method": method, "params": parameters})
    return answer["error"] if "error" in answer else answer["result"]


def test_blocks_are_named_by_height_tag_and_hash(client: Client) -> None:
    head = client.lab.chain.head.globals
    newest = call(client, "eth_getBlockByNumber", "latest", IDS)
    assert newest["number"] == hex(head.number)
    assert newest == call(client, "eth_getBlockByNumber", str(head.number), IDS)
    assert newest == call(client, "eth_getBlockByHash", newest["hash"][2:], IDS)
    solid = call(client, "eth_getBlockByNumber", "finalized", IDS)
    assert solid["number"] == hex(head.solid)
    pending = call(client, "eth_getBlockByNumber", "pending", IDS)
    assert pending["message"] == "TAG pending not supported"


def test_a_block_is_as_long_as_its_message(client: Client) -> None:
    lab = client.lab
    empty = int(call(client, "eth_getBlockByNumber", "latest", IDS)["size"], 16)
    transaction = lab.transfer(ALICE, BOB.address, 5)
    lab.send(transaction)
    lab.mine()
    full = call(client, "eth_getBlockByNumber", "latest", FULL)
    ret = 2 + 2  # ret { contractRet: SUCCESS }
    body = len(transaction.encode()) + ret
    assert int(full["size"], 16) - empty == len(length_field(1, bytes(body)))
    (only,) = full["transactions"]
    assert only["value"] == "0x5"
    assert only["from"] == WHO
    assert only["to"] == "0x" + BOB.address.raw[1:].hex()
    assert only["input"] == "0x"
    assert only["gas"] == "0x0"
    index = call(client, "eth_getTransactionByBlockNumberAndIndex", "latest", "0x0")
    assert index == only
    late = call(client, "eth_getTransactionByBlockNumberAndIndex", "latest", "0x1")
    assert late is None
    by_hash = call(client, "eth_getTransactionByBlockHashAndIndex", full["hash"], "0x0")
    assert by_hash == only


def test_a_pooled_transaction_has_no_block_and_no_receipt(client: Client) -> None:
    transaction = client.lab.transfer(ALICE, BOB.address, 5)
    client.lab.send(transaction)
    shown = call(client, "eth_getTransactionByHash", transaction.txid)
    assert shown["blockHash"] == shown["blockNumber"] == "0x"
    assert call(client, "eth_getTransactionReceipt", transaction.txid) is None
    client.lab.mine()
    assert (
        call(client, "eth_getTransactionReceipt", transaction.txid)["status"] == "0x1"
    )


def test_who_gets_nothing_is_null(client: Client) -> None:
    renaming = contract(
        client.lab, ALICE, "AccountUpdateContract", account_name=b"new-alice"
    )
    client.lab.send(renaming)
    shown = call(client, "eth_getTransactionByHash", renaming.txid)
    assert shown["to"] is None
    assert shown["value"] == "0x0"


@pytest.mark.parametrize(
    ("method", "parameters", "code", "message"),
    [
        ("eth_getBalance", [WHO, "x"], -32602, "invalid block number"),
        (
            "eth_getBalance",
            [WHO, "pending"],
            -32602,
            "TAG [earliest | pending | finalized] not supported",
        ),
        ("eth_getBalance", [7, "latest"], -32602, "invalid address hash"),
        ("eth_getBalance", [[], "latest"], -32602, "method parameters invalid"),
        ("eth_getLogs", [{"limit": 1}], -32602, "method parameters invalid"),
        ("eth_getBalance", ["0x42" + "00" * 20, "latest"], -32602, "invalid address"),
        ("eth_getBlockByHash", ["0x" + "g" * 64, FULL], -32602, "exception decoding"),
        ("eth_getLogs", [7], -32602, "method parameters invalid"),
        ("eth_getLogs", [{"topics": ["0x"] * 5}], -32602, "topics size should be"),
        ("eth_getLogs", [{"fromBlock": "0xx"}], -32602, 'For input string: "x"'),
        ("eth_getLogs", [{"fromBlock": "pending"}], -32602, "TAG pending"),
        ("eth_call", ["0x", "latest"], -32602, "method parameters invalid"),
        ("eth_estimateGas", [{"to": WHO}], -32600, "invalid json request"),
        (
            "eth_estimateGas",
            [{"from": WHO, "to": WHO, "value": "0x1"}],
            -32600,
            "Cannot transfer TRX to yourself.",
        ),
        ("eth_sendRawTransaction", [], -32602, "method parameters invalid"),
        ("eth_getTransactionByBlockNumberAndIndex", ["0x0", "-0x1"], -32602, "index"),
    ],
)
def test_errors_are_the_nodes(
    client: Client, method: str, parameters: list[Any], code: int, message: str
) -> None:
    error = call(client, method, *parameters)
    assert error["code"] == code
    assert message in error["message"]


def test_indices_and_gas_count_through_a_block(client: Client) -> None:
    lab = client.lab
    whale = lab.genesis.funded[0].key
    (token,) = lab.chain.head.contracts.values()
    data = trc20.transfer(BOB.address, 7)
    fields: dict[str, Any] = {
        "contract_address": token.address,
        "data": data,
        "fee_limit": 10**8,
    }
    lab.send(contract(lab, whale, "TriggerSmartContract", **fields))
    lab.send(lab.transfer(ALICE, BOB.address, 5))
    second = contract(lab, whale, "TriggerSmartContract", **fields)
    lab.send(second)
    lab.mine()
    logs = call(client, "eth_getLogs", {"fromBlock": "latest"})
    assert [log["logIndex"] for log in logs] == ["0x0", "0x1"]
    assert [log["transactionIndex"] for log in logs] == ["0x0", "0x2"]
    receipt = call(client, "eth_getTransactionReceipt", second.txid)
    assert receipt["logs"] == logs[1:]
    row = lab.archive.read(lab.chain.head.globals.number)
    assert row is not None
    calls = [
        included.receipt.call for included in row.transactions if included.receipt.call
    ]
    used = [call_result.energy_total for call_result in calls]
    assert receipt["cumulativeGasUsed"] == hex(sum(used))
    assert receipt["gasUsed"] == hex(used[1])
    block = call(client, "eth_getBlockByNumber", "latest", IDS)
    assert block["gasUsed"] == hex(sum(used))
    assert block["gasLimit"] == hex(2 * 10**8)
    balance = trc20.balance_of(BOB.address)
    asked = {"to": "0x" + token.address[1:].hex(), "data": "0x" + balance.hex()}
    assert int(call(client, "eth_call", asked, "latest"), 16) == 14


def test_a_wide_range_of_logs_is_refused() -> None:
    client = Client(Lab())
    client.lab.mine(5002)
    error = call(client, "eth_getLogs", {"fromBlock": "0x1"})
    assert error["message"] == "exceed max block range: 5000"
    assert call(client, "eth_getLogs", {"fromBlock": "0x2"}) == []


def test_what_is_no_request_is_told_and_a_notification_is_not() -> None:
    client = Client()
    invalid = {"code": -32600, "message": "invalid request"}
    refusal = {"jsonrpc": "2.0", "id": "null", "error": invalid}
    assert posted(client, 7) == refusal
    assert posted(client, [7, {"method": "eth_nope"}]) == [refusal]
    assert posted(client, {"method": "eth_nope"}) is None
    named = {"id": 1, "method": "eth_chainId", "params": {"a": 1}}
    assert posted(client, named)["error"]["code"] == -32602
    deep = client.ask("POST", "/jsonrpc", b"[" * 100_000)
    assert b"JSON parse error" in deep.body


topics = st.sampled_from([b"a", b"b", b"c"])


@given(
    wanted=st.lists(st.lists(topics, max_size=2).map(tuple), max_size=4).map(tuple),
    held=st.lists(topics, max_size=4).map(tuple),
    addresses=st.lists(topics, max_size=2).map(tuple),
)
def test_a_log_matches_place_by_place(
    wanted: tuple[tuple[bytes, ...], ...],
    held: tuple[bytes, ...],
    addresses: tuple[bytes, ...],
) -> None:
    places = all(
        place < len(held) and (not topic or held[place] in topic)
        for place, topic in enumerate(wanted)
    )
    here = not addresses or b"a" in addresses
    assert LogFilter(addresses, wanted).matches(b"a", held) == (places and here)


@given(st.integers(-(2**70), 2**70))
def test_heights_are_longs_in_hex_or_decimal(number: int) -> None:
    wrapped = (number + 2**63) % 2**64 - 2**63
    assert read_number(str(number)) == wrapped
    assert read_number(f"0x{number:x}") == wrapped
