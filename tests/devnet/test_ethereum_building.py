"""buildTransaction, eth_getStorageAt, and what Jackson takes for a parameter."""

import json
from typing import Any

import pytest

from lucidtrond.devnet.state.invariants import present
from lucidtrond.tron.hashing import keccak256
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.transaction import Transaction
from tests.devnet.making import ALICE, BOB, NOVA, WHALE
from tests.devnet.sending import contract
from tests.devnet.test_ethereum import IDS, call
from tests.devnet.test_http import Client

DECODER = "exception decoding Hex string: invalid characters encountered in Hex string"


@pytest.fixture
def client() -> Client:
    client = Client()
    client.lab.mine(10)
    return client


def evm(key: PrivateKey) -> str:
    return "0x" + key.address.raw[1:].hex()


def token(client: Client) -> str:
    (row,) = client.lab.chain.head.contracts.values()
    return "0x" + row.address[1:].hex()


def build(client: Client, **arguments: Any) -> Any:
    given = {"from": evm(ALICE), **arguments}
    answer = call(client, "buildTransaction", given)
    return answer.get("transaction", answer)


def test_a_payment_is_built_as_the_wallet_path_builds_it(client: Client) -> None:
    built = build(client, to=evm(BOB), value="0x7", permissionId=2, extraData="6869")
    body = {
        "owner_address": ALICE.address.hex,
        "to_address": BOB.address.hex,
        "amount": 7,
        "Permission_id": 2,
        "extra_data": "6869",
    }
    assert built == client.post("/wallet/createtransaction", body)
    shown = build(client, to=evm(BOB), value="0x7", visible=True, extraData="hi")
    assert shown["visible"] is True
    assert shown["raw_data"]["data"] == "6869"
    [made] = shown["raw_data"]["contract"]
    assert made["parameter"]["value"]["to_address"] == BOB.address.base58
    plain = build(client, to=evm(BOB), value="0x7")
    sent = client.post("/wallet/broadcasttransaction", client.signed(plain))
    assert sent["result"] is True


def test_a_tokens_id_and_amount_make_a_transfer_of_it(client: Client) -> None:
    lab = client.lab
    head = lab.chain.head.globals.timestamp
    times = {"start_time": head + 3_600_000, "end_time": head + 7_200_000}
    fields = {"name": b"Gold", "total_supply": 9, "trx_num": 1, "num": 1, "url": b"u"}
    lab.send(contract(lab, ALICE, "AssetIssueContract", **fields, **times))
    lab.mine()
    for value in ({}, {"value": "0x0"}, {"value": ""}):
        built = build(client, to=evm(BOB), tokenId=1000001, tokenValue="5", **value)
        [made] = built["raw_data"]["contract"]
        assert made["type"] == "TransferAssetContract"
        assert made["parameter"]["value"] == {
            "asset_name": b"1000001".hex(),
            "owner_address": ALICE.address.hex,
            "to_address": BOB.address.hex,
            "amount": 5,
        }
    trx = build(client, to=evm(BOB), tokenId=1000001, tokenValue=5, value="0x1")
    assert trx["raw_data"]["contract"][0]["type"] == "TransferContract"


def test_a_call_has_its_fee_limit_from_gas(client: Client) -> None:
    data = "0xa9059cbb" + "00" * 64
    built = build(client, to=token(client), data=data, gas="0x10", value="0x2")
    assert "visible" not in built
    assert built["raw_data"]["fee_limit"] == 16 * 100
    value = built["raw_data"]["contract"][0]["parameter"]["value"]
    assert (value["data"], value["call_value"]) == (data[2:], 2)
    total = build(client, to=token(client), data="0x18160ddd")
    assert total["ret"] == [{}]


def test_data_without_a_recipient_deploy(client: Client) -> None:
    abi = json.dumps([{"type": "function", "name": "f", "stateMutability": "view"}])
    more = {"abi": abi, "name": "x", "consumeUserResourcePercent": 30, "gas": "0x1"}
    built = build(client, data="6001", originEnergyLimit="9", value="0x3", **more)
    raw = Transaction(bytes.fromhex(built["raw_data_hex"]))
    made_at = b"\x41" + keccak256(raw.digest + ALICE.address.raw)[12:]
    assert built["contract_address"] == made_at.hex()
    new = built["raw_data"]["contract"][0]["parameter"]["value"]["new_contract"]
    assert new == {
        "origin_address": ALICE.address.hex,
        "abi": {
            "entrys": [{"type": "Function", "name": "f", "stateMutability": "View"}]
        },
        "bytecode": "6001",
        "call_value": 3,
        "consume_user_resource_percent": 30,
        "name": "x",
        "origin_energy_limit": 9,
    }


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ({"from": "0x12"}, -32600, "invalid json request"),
        ({}, -32600, "invalid json request"),
        ({"to": "0x", "data": "0x"}, -32600, "invalid json request"),
        ({"to": evm(BOB)}, -32600, "invalid json request"),
        ({"to": "0x12", "value": "0x1"}, -32602, "invalid address hash value"),
        ({"to": "zz", "value": "0x1"}, -32602, DECODER),
        (
            {"to": evm(BOB), "value": "1"},
            -32602,
            "invalid param value: invalid hex number",
        ),
        (
            {"to": evm(ALICE), "value": "0x1"},
            -32600,
            "Cannot transfer TRX to yourself.",
        ),
        ({"to": evm(BOB), "value": "0x1", "extraData": "zz"}, -32000, DECODER),
        ({"data": "zz"}, -32000, DECODER),
        (
            {"data": "00", "consumeUserResourcePercent": 101},
            -32600,
            "percent must be >= 0 and <= 100",
        ),
        ({"to": evm(BOB), "tokenId": 9, "tokenValue": 1}, -32600, "No asset!"),
        ({"to": evm(BOB), "nothing": 1}, -32602, "method parameters invalid"),
        (
            {"to": evm(BOB), "value": "0x1", "permissionId": 2**31},
            -32602,
            "method parameters invalid",
        ),
    ],
)
def test_arguments_without_sense_are_refused(
    client: Client, arguments: dict[str, Any], code: int, message: str
) -> None:
    error = build(client, **arguments)
    assert (error["code"], error["message"]) == (code, message)


def word(client: Client, slot: int | bytes, address: str | None = None) -> bytes:
    place = slot if isinstance(slot, bytes) else slot.to_bytes(32, "big")
    where = address or token(client)
    answer = call(client, "eth_getStorageAt", where, "0x" + place.hex(), "latest")
    built = bytes.fromhex(answer[2:])
    assert len(built) == 32
    return built


def mapped(*path: bytes | int) -> bytes:
    """A slot of a mapping: its own slot first, then the keys."""
    place, *keys = path
    at = place.to_bytes(32, "big") if isinstance(place, int) else place
    for key in keys:
        assert isinstance(key, bytes)
        at = keccak256(key.rjust(32, b"\0") + at)
    return at


def test_the_tokens_storage_is_where_solidity_keeps_it(client: Client) -> None:
    lab = client.lab
    (row,) = lab.chain.head.contracts.values()
    sent = lab.call(WHALE, "transfer(address,uint256)", BOB.address, 77)
    allowed = lab.call(WHALE, "approve(address,uint256)", NOVA.address, 5)
    for transaction in (sent, allowed):
        lab.send(transaction)
    name, symbol = row.name.encode(), row.symbol.encode()
    assert word(client, 0) == name.ljust(31, b"\0") + bytes([2 * len(name)])
    assert word(client, 1) == symbol.ljust(31, b"\0") + bytes([2 * len(symbol)])
    assert int.from_bytes(word(client, 2), "big") == row.decimals
    assert int.from_bytes(word(client, 3), "big") == row.supply
    assert word(client, 4)[12:] == WHALE.address.raw[1:]
    bob, whale, nova = (key.address.raw[1:] for key in (BOB, WHALE, NOVA))
    assert int.from_bytes(word(client, mapped(5, bob)), "big") == 77
    assert int.from_bytes(word(client, mapped(5, whale)), "big") == row.supply - 77
    assert int.from_bytes(word(client, mapped(6, whale, nova)), "big") == 5
    assert word(client, 99) == word(client, 3, evm(ALICE)) == bytes(32)


def test_scalars_pass_for_texts_and_unknown_members_do_not_pass(client: Client) -> None:
    number = call(client, "eth_getBlockByNumber", 3, IDS)
    assert number == call(client, "eth_getBlockByNumber", "3", IDS)
    assert number["number"] == "0x3"
    error = call(client, "eth_getBalance", evm(ALICE), 1)
    assert error["message"] == "QUANTITY not supported, just support TAG as latest"
    error = call(client, "eth_getBalance", evm(ALICE), None)
    assert error["message"] == "invalid block number"
    error = call(client, "eth_getBalance", None, "latest")
    assert error["message"] == "invalid address hash value"
    error = call(client, "eth_call", {"to": token(client), "input": "0x"}, "latest")
    assert error["message"] == "method parameters invalid"
    error = call(client, "web3_sha3", "zz")
    assert error["message"] == "invalid input value"
    for index in ("x", "-0x1", "0x80000000", "5"):
        asked = ("eth_getTransactionByBlockNumberAndIndex", "0x1", index)
        assert call(client, *asked)["message"] == "invalid index value"


def test_a_call_names_its_block_as_an_object_too(client: Client) -> None:
    given = {"to": token(client), "data": "0x18160ddd"}
    latest = call(client, "eth_call", given, "latest")
    block_id = present(client.lab.chain.block(4)).id.hex()
    for block in ({"blockNumber": "0x4"}, {"blockHash": "0x" + block_id}):
        assert call(client, "eth_call", given, block) == latest
    for block, message in (
        ({"blockNumber": "0xffff"}, "header not found"),
        ({"blockHash": "0x" + "00" * 32}, "header for hash not found"),
        ({}, "invalid json request"),
    ):
        assert call(client, "eth_call", given, block)["message"] == message


def test_what_a_node_knows_by_name_only_is_told_apart(client: Client) -> None:
    for name, parameters in (
        ("eth_sendTransaction", [{}]),
        ("eth_sign", ["0x", "0x"]),
        ("eth_getCompilers", []),
        ("parity_nextNonce", ["0x"]),
    ):
        error = call(client, name, *parameters)
        assert error["code"] == -32601
        assert error["message"] == f"the method {name} does not exist/is not available"
        wrong = call(client, name, *parameters, 1)
        assert wrong["message"] == "method parameters invalid"
    head = client.lab.chain.head.globals.block_id.hex()
    assert call(client, "eth_getWork") == ["0x" + head, None, None]
    assert call(client, "eth_mining") is True
    assert call(client, "eth_hashrate") == "0x0"
    assert call(client, "eth_getUncleCountByBlockNumber", "latest") == "0x0"
    assert call(client, "eth_getUncleByBlockNumberAndIndex", "latest", "0x0") is None
