"""One check for each kind of vector in tests/data/tron-vectors.json."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from lucidtrond.tron import abi, trc20
from lucidtrond.tron.abi_types import AbiError, parse_type
from lucidtrond.tron.abi_values import parse_value
from lucidtrond.tron.address import Address, InvalidAddress, parse_address
from lucidtrond.tron.block import BlockHeader, BlockId, check_block
from lucidtrond.tron.contract_address import created_by_transaction, created_with_salt
from lucidtrond.tron.genesis import GenesisAsset, make_genesis
from lucidtrond.tron.hd import PrivateNode, parse_path
from lucidtrond.tron.jsonformat import (
    parse_raw_data,
    parse_transaction,
    print_raw_data,
    print_transaction,
)
from lucidtrond.tron.keys import PrivateKey, address_of, recover
from lucidtrond.tron.message import (
    message_digest,
    recover_message_signer,
    sign_message,
)
from lucidtrond.tron.mnemonic import derive_seed, parse_mnemonic
from lucidtrond.tron.networks import NETWORKS, chain_id
from lucidtrond.tron.nodetext import read_node_text
from lucidtrond.tron.permissions import format_operations, parse_operations
from lucidtrond.tron.receipt import Log
from lucidtrond.tron.revert import read_revert
from lucidtrond.tron.transaction import (
    Reference,
    Transaction,
    bandwidth_bytes,
    decode_raw,
)
from lucidtrond.tron.units import Sun, UnixMillis
from lucidtrond.tron.validateaddress import validate_address

DATA: Final = Path(__file__).parent.parent / "data"
VECTORS: Final = DATA / "tron-vectors.json"

Fields = Mapping[str, Any]
Check = Callable[[Fields, Fields], None]


def load() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(VECTORS.read_text())
    return loaded


def abi_arguments(given: Fields) -> bytes:
    values = [
        parse_value(parse_type(kind), value)
        for kind, value in zip(given["types"], given["values"], strict=True)
    ]
    encoded = abi.encode(given["types"], values)
    assert abi.decode(given["types"], encoded) == tuple(values)
    return encoded


def check_abi_call(given: Fields, expected: Fields) -> None:
    data = abi.selector(given["signature"]) + abi_arguments(given)
    assert data.hex() == expected["data"]
    assert list(abi.parameters_of(given["signature"])) == given["types"]


def check_abi_decode_lenient(given: Fields, expected: Fields) -> None:
    data = bytes.fromhex(given["data"])
    values = abi.decode(given["types"], data, lenient=True)
    for kind, value in zip(given["types"], values, strict=True):
        wanted = expected["address_base58"] if kind == "address" else expected[kind]
        assert str(value) == wanted
    if expected["strict_decoders_reject"]:
        with pytest.raises(AbiError):
            abi.decode(given["types"], data)


def check_abi_encode(given: Fields, expected: Fields) -> None:
    assert abi_arguments(given).hex() == expected["encoded"]


def check_abi_output(given: Fields, expected: Fields) -> None:
    kind = expected["type"]
    [value] = abi.decode([kind], bytes.fromhex(given["data"]))
    assert value == parse_value(parse_type(kind), expected["value"])


def check_abi_selector(given: Fields, expected: Fields) -> None:
    assert abi.selector(given["signature"]).hex() == expected["selector"]


def check_base58check_invalid(given: Fields, expected: Fields) -> None:
    assert not expected["valid"]
    with pytest.raises(InvalidAddress):
        Address.from_base58(given["base58"])


def check_base58check_pair(given: Fields, expected: Fields) -> None:
    address = Address.from_base58(given["base58"])
    assert address.hex == expected["hex"]
    assert address.evm == expected["evm"]
    for text in (given["base58"], expected["hex"], expected["evm"]):
        assert parse_address(text) == address
    assert address.base58 == given["base58"]


def check_block_id(given: Fields, expected: Fields) -> None:
    raw = given["header_raw"]
    header = BlockHeader(
        number=raw.get("number", 0),
        timestamp=UnixMillis(raw.get("timestamp", 0)),
        parent_id=BlockId(raw["parentHash"]),
        tx_trie_root=bytes.fromhex(raw["txTrieRoot"]),
        witness=bytes.fromhex(raw["witness_address"]),
        version=raw.get("version", 0),
    )
    assert header.id == expected["blockID"]
    check_reference(header.id, expected)


def check_reference(block_id: str, expected: Fields) -> None:
    reference = Reference.to_block(block_id)
    if "ref_block_bytes" in expected:
        assert reference.block_bytes.hex() == expected["ref_block_bytes"]
        assert reference.block_hash.hex() == expected["ref_block_hash"]


def check_ref_block(given: Fields, expected: Fields) -> None:
    check_reference(given["blockID"], expected)
    assert int(given["blockID"][:16], 16) == expected["number"]


def check_chain_id(given: Fields, expected: Fields) -> None:
    network = NETWORKS[given["network"]]
    assert network.genesis_id == given["genesis_block_id"]
    assert chain_id(given["genesis_block_id"]) == expected["chain_id"]
    assert network.chain_id == expected["chain_id"]
    assert hex(network.chain_id) == expected["chain_id_hex"]


def check_contract_address(address: Address, expected: Fields) -> None:
    forms = {address.base58, address.hex, address.evm}
    assert forms.issuperset(expected.values())


def check_contract_address_create(given: Fields, expected: Fields) -> None:
    [txid] = [value for value in given.values() if len(value) == 64]
    [owner] = [value for value in given.values() if len(value) != 64]
    address = created_by_transaction(bytes.fromhex(txid), parse_address(owner).raw)
    check_contract_address(address, expected)


def check_contract_address_create2(given: Fields, expected: Fields) -> None:
    address = created_with_salt(
        parse_address(given["sender"]),
        bytes.fromhex(given["salt"].removeprefix("0x")),
        bytes.fromhex(given["init_code_hash"].removeprefix("0x")),
    )
    check_contract_address(address, expected)


def check_event_topic(given: Fields, expected: Fields) -> None:
    assert abi.topic(given["signature"]).hex() == expected["topic0"]


def check_genesis_block(given: Fields, expected: Fields) -> None:
    given = {**given, **given.get("genesis", {})}
    assets = given.get("assets") or given["genesis_assets"]
    parent = given.get("parent_hash") or given.get("parentHash") or ""
    block = make_genesis(
        [
            GenesisAsset(
                parse_address(asset.get("address") or asset["base58"]),
                Sun(int(asset["balance"])),
            )
            for asset in assets
        ],
        parent_id=BlockId(parent.removeprefix("0x")),
        timestamp=UnixMillis(int(given.get("timestamp", 0))),
    )
    wanted = expected.get("blockID") or expected["genesis_block_id"]
    assert check_block(block) == wanted
    if "txTrieRoot" in expected:
        assert block.header.tx_trie_root.hex() == expected["txTrieRoot"]


def check_hex_message(given: Fields, expected: Fields) -> None:
    assert read_node_text(given["hex"]) == expected["text"]


def check_message_sign_v2(given: Fields, expected: Fields) -> None:
    message = bytes.fromhex(given["message_hex"])
    assert message_digest(message).hex() == expected["digest"]
    signature = bytes.fromhex(expected["signature"])
    if "private_key" in given:
        key = PrivateKey.from_hex(given["private_key"])
        assert sign_message(key, message) == signature
    signer = recover_message_signer(message, signature)
    assert signer.base58 == expected["address_base58"]


def check_mnemonic_to_address(given: Fields, expected: Fields) -> None:
    assert parse_mnemonic(given["mnemonic"]) == given["mnemonic"]
    seed = derive_seed(given["mnemonic"], given["passphrase"])
    key = PrivateNode.from_seed(seed).descend(parse_path(given["path"])).private_key()
    assert key.address.base58 == expected["address_base58"]
    assert key.address.hex == expected["address_hex"]
    if "private_key" in expected:
        assert key.secret.hex() == expected["private_key"]


def check_permission_operations(given: Fields, expected: Fields) -> None:
    operations = bytes.fromhex(given["operations"])
    types = parse_operations(operations)
    assert list(types) == expected["contract_type_ids"]
    assert format_operations(types) == operations


def check_privkey_to_address(given: Fields, expected: Fields) -> None:
    key = PrivateKey.from_hex(given["private_key"])
    assert key.address.base58 == expected["address_base58"]
    assert key.address.hex == expected["address_hex"]
    if "public_key_uncompressed" in expected:
        assert "04" + key.public_key.hex() == expected["public_key_uncompressed"]


def check_pubkey_to_address(given: Fields, expected: Fields) -> None:
    address = address_of(bytes.fromhex(given["public_key_xy"]))
    assert address.base58 == expected["address_base58"]


def check_raw_data_codec(given: Fields, expected: Fields) -> None:
    raw = bytes.fromhex(given["raw_data_hex"])
    visible = given["visible"]
    assert print_raw_data(raw, visible=visible) == expected["raw_data"]
    assert parse_raw_data(expected["raw_data"], visible=visible) == raw
    assert decode_raw(raw).encode() == raw
    assert Transaction(raw).txid == expected["txID"]


def check_revert_reason(given: Fields, expected: Fields) -> None:
    [data] = [value for key, value in given.items() if key in ("data", "hex", "output")]
    reason = read_revert(bytes.fromhex(data.removeprefix("0x")))
    assert str(reason) in expected.values()


def check_sign_deterministic(given: Fields, expected: Fields) -> None:
    digest = bytes.fromhex(given["digest"])
    signature = PrivateKey.from_hex(given["private_key"]).sign(digest)
    assert signature.hex() == expected["signature"]
    assert recover(digest, signature).base58 == expected["address_base58"]


def check_signature_recover(given: Fields, expected: Fields) -> None:
    digest, signature = bytes.fromhex(given["digest"]), given["signature"]
    signer = recover(digest, bytes.fromhex(signature))
    assert signer.base58 == expected["address_base58"]


def check_signed_tx_hex(given: Fields, expected: Fields) -> None:
    data = bytes.fromhex(given["transaction_hex"])
    transaction = Transaction.from_bytes(data)
    assert transaction.encode() == data
    printed = print_transaction(transaction.raw, transaction.signatures, visible=False)
    for name in ("txID", "raw_data", "raw_data_hex"):
        assert printed[name] == expected[name]
    assert printed.get("signature", []) == expected["signature"]
    assert parse_transaction(printed, visible=False) == transaction
    if "signer_base58" in expected:
        signer = recover(transaction.digest, transaction.signatures[0])
        assert signer.base58 == expected["signer_base58"]
    if "owner_base58" in expected:
        [contract] = expected["raw_data"]["contract"]
        owner = parse_address(contract["parameter"]["value"]["owner_address"])
        assert owner.base58 == expected["owner_base58"]
    if "bandwidth" in expected:
        size = bandwidth_bytes(transaction.raw, len(transaction.signatures))
        assert size == expected["bandwidth"]


def check_trc20_transfer_log(given: Fields, expected: Fields) -> None:
    log = given["log"]
    read = trc20.parse_log(
        Log(
            Address.from_evm(log["address"]),
            tuple(bytes.fromhex(topic) for topic in log["topics"]),
            bytes.fromhex(log["data"]),
        )
    )
    assert isinstance(read, trc20.TransferLog)
    assert read.token.base58 == expected["contract_base58"]
    assert read.sender.base58 == expected["from"]
    assert read.recipient.base58 == expected["to"]
    assert str(read.amount) == expected["value"]


def check_txid(given: Fields, expected: Fields) -> None:
    assert Transaction(bytes.fromhex(given["raw_data_hex"])).txid == expected["txID"]


def check_validateaddress(given: Fields, expected: Fields) -> None:
    verdict = validate_address(given["address"])
    assert verdict.result == expected["result"]
    assert verdict.message == expected["message"]


CHECKS: Final[Mapping[str, Check]] = {
    "abi_call": check_abi_call,
    "abi_decode_lenient": check_abi_decode_lenient,
    "abi_encode": check_abi_encode,
    "abi_output": check_abi_output,
    "abi_selector": check_abi_selector,
    "base58check_invalid": check_base58check_invalid,
    "base58check_pair": check_base58check_pair,
    "block_id": check_block_id,
    "chain_id": check_chain_id,
    "contract_address_create": check_contract_address_create,
    "contract_address_create2": check_contract_address_create2,
    "event_topic": check_event_topic,
    "genesis_block": check_genesis_block,
    "hex_message": check_hex_message,
    "message_sign_v2": check_message_sign_v2,
    "mnemonic_to_address": check_mnemonic_to_address,
    "permission_operations": check_permission_operations,
    "privkey_to_address": check_privkey_to_address,
    "pubkey_to_address": check_pubkey_to_address,
    "raw_data_codec": check_raw_data_codec,
    "raw_data_codec_visible": check_raw_data_codec,
    "ref_block": check_ref_block,
    "revert_reason": check_revert_reason,
    "sign_deterministic": check_sign_deterministic,
    "signature_recover": check_signature_recover,
    "signed_tx_hex": check_signed_tx_hex,
    "trc20_transfer_log": check_trc20_transfer_log,
    "txid": check_txid,
    "validateaddress": check_validateaddress,
}

NOT_REACHABLE_YET: Final[frozenset[str]] = frozenset()
"""Kinds that the protocol rooms can't check yet; the only such list."""
