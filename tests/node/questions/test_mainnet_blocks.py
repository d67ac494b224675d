"""Whole blocks and headers of public networks through the path that reads a node."""

import copy
import json
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lucidtrond.node.questions import translate, wire
from lucidtrond.node.questions.translate import Contradiction
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockHeader, check_block
from lucidtrond.tron.contracts import RawContract, owner_of
from lucidtrond.tron.jsonformat import parse_transaction, print_transaction
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.recovery import recover_signer
from lucidtrond.tron.transaction import Transaction, TxId, decode_raw
from tests import mainnet, recorded

pytestmark = pytest.mark.mainnet

every_block = pytest.mark.parametrize(
    "file", mainnet.block_files(), ids=lambda path: path.name.partition(".")[0]
)


def read_block(printed: Any) -> Block:
    data = json.dumps(printed).encode()
    return translate.read_block(msgspec.json.decode(data, type=wire.BlockJson))


def read_receipts(printed: Any, number: int) -> tuple[Receipt, ...]:
    data = json.dumps(printed).encode()
    answer = msgspec.json.decode(data, type=tuple[wire.InfoJson, ...])
    return translate.read_receipts(answer, number)


@every_block
def test_each_block_is_read_and_proven_as_far_as_json_shows_it(file: Path) -> None:
    recording = recorded.read_json(file)
    block = read_block(mainnet.block_json(recording))
    assert block.header.id == recording["id"]
    assert block.root_proven == (block.header.number != mainnet.UNPROVABLE)
    for included, printed in zip(
        block.transactions, recording["transactions"], strict=True
    ):
        assert included.transaction.raw.hex() == printed["raw_data_hex"]
        assert [one.hex() for one in included.transaction.signatures] == printed[
            "signature"
        ]


def test_exact_bytes_prove_the_block_that_json_does_not_show_whole() -> None:
    [file] = [path for path in mainnet.block_files() if "79072107" in path.name]
    recording = recorded.read_json(file)
    exact = mainnet.make_block(recording)
    assert check_block(exact, expected_id=recording["id"]) == recording["id"]
    shown = read_block(mainnet.block_json(recording))
    others = [
        index
        for index, (ours, theirs) in enumerate(
            zip(shown.transactions, exact.transactions, strict=True)
        )
        if ours != theirs
    ]
    assert others == [187]
    hidden = exact.transactions[187]
    assert hidden.results[0].hex() == "1801d23e0cc83e81f6a50cd03ed4b6a20f"
    assert shown.transactions[187].contract_ret == hidden.contract_ret == 1
    # Nothing else was lost: with those bytes the root fits.
    transactions = (*shown.transactions[:187], hidden, *shown.transactions[188:])
    assert check_block(Block(shown.header, transactions)) == recording["id"]


@every_block
def test_each_transaction_is_understood_printed_and_read_back(file: Path) -> None:
    recording = recorded.read_json(file)
    kinds: Counter[str] = Counter()
    for included in recording["transactions"]:
        raw = bytes.fromhex(included["raw_data_hex"])
        signatures = tuple(bytes.fromhex(one) for one in included["signature"])
        contract = decode_raw(raw).contract
        kinds[type(contract).__name__] += 1
        assert owner_of(contract) is not None
        for visible in (False, True):
            printed = print_transaction(raw, signatures, visible=visible)
            again = parse_transaction(printed, visible=visible)
            if decode_raw(raw).encode() == raw:
                assert again == Transaction(raw, signatures)
            else:  # read anew from JSON it is another transaction, of the same meaning
                assert decode_raw(again.raw).contract == contract
    assert kinds[RawContract.__name__] == 0
    assert kinds.total() == len(recording["transactions"])


@every_block
def test_each_signature_names_a_signer(file: Path) -> None:
    """Without another permission and a second signature that is the owner."""
    recording = recorded.read_json(file)
    by_owner = 0
    for included in recording["transactions"]:
        transaction = Transaction(bytes.fromhex(included["raw_data_hex"]))
        data = decode_raw(transaction.raw)
        signatures = [bytes.fromhex(one) for one in included["signature"]]
        signers = [recover_signer(transaction.digest, one) for one in signatures]
        assert len(signers) == len(set(signers)) > 0
        if data.permission_id == 0 and len(signers) == 1:
            assert signers == [owner_of(data.contract)]
            by_owner += 1
    assert by_owner >= 0.8 * len(recording["transactions"])


def test_each_recorded_receipt_fits_its_block() -> None:
    count = 0
    for file in mainnet.block_files():
        recording = recorded.read_json(file)
        if "receipts" not in recording:
            continue
        block = read_block(mainnet.block_json(recording))
        receipts = read_receipts(recording["receipts"], block.header.number)
        translate.check_receipts(block, receipts)
        for receipt, printed in zip(receipts, recording["receipts"], strict=True):
            assert receipt.fee == printed.get("fee", 0)
            assert len(receipt.logs) == len(printed.get("log", ()))
            inner = printed.get("internal_transactions", ())
            assert len(receipt.internal) == len(inner)
            assert receipt.net_usage == printed["receipt"].get("net_usage", 0)
            assert receipt.energy_fee == printed["receipt"].get("energy_fee", 0)
            count += 1
    assert count >= 264


@every_block
def test_one_changed_field_of_a_real_block_is_caught_or_unproven(file: Path) -> None:
    printed = mainnet.block_json(recorded.read_json(file))
    edits: list[tuple[Callable[[dict[str, Any]], None], bool]] = [
        (lambda tx: tx.update(txID="00" * 32), True),
        (lambda tx: tx.update(raw_data_hex=tx["raw_data_hex"] + "00"), True),
        (lambda tx: tx.update(raw_data_hex=tx["raw_data_hex"] + "0801"), True),
        (lambda tx: tx.update(signature=[]), False),
        (lambda tx: tx.update(ret=[{"contractRet": "REVERT"}]), False),
        (lambda tx: tx.update(ret=tx["ret"] * 2), False),
    ]
    for edit, is_lie in edits:
        changed = copy.deepcopy(printed)
        edit(changed["transactions"][-1])
        if is_lie:
            with pytest.raises(Contradiction):
                read_block(changed)
        else:
            assert not read_block(changed).root_proven


def headers() -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = mainnet.load("headers.json.gz")["headers"]
    return loaded


def test_each_header_has_its_id_and_its_signer() -> None:
    signed: Counter[str] = Counter()
    for row in headers():
        header = mainnet.make_header(row)
        assert header.id == row["id"]
        if row["witness_signature"]:
            assert header.signer() == Address.from_hex(row["signer"])
            signed[row["signed_by"]] += 1
    assert len(headers()) >= 701
    assert signed["witness"] >= 84
    assert signed["witness permission key"] >= 17


def test_each_signed_header_is_read_from_json() -> None:
    """Whose key it is, `chain.producers` judges."""
    count = 0
    for header in headers():
        if not header["witness_signature"]:
            continue
        data = json.dumps(mainnet.header_json(header, header["id"]))
        answer = msgspec.json.decode(data, type=wire.BlockJson)
        assert translate.read_header(answer) == mainnet.make_header(header)
        count += 1
    assert count >= 101


def test_consecutive_headers_follow_one_another() -> None:
    linked = 0
    made: list[BlockHeader] = [mainnet.make_header(header) for header in headers()]
    for parent, header in pairwise(made):
        if header.number == parent.number + 1 and header.version == parent.version:
            linked += header.parent_id == parent.id
    assert linked >= 600


def test_the_transaction_with_a_long_signature_is_found_with_its_signer() -> None:
    [row] = [
        signature
        for signature in mainnet.load("classes.json")["signatures"]
        if "68 bytes" in signature["what"]
    ]
    [file] = [path for path in mainnet.block_files() if "79072107" in path.name]
    [printed] = [
        included
        for included in mainnet.block_json(recorded.read_json(file))["transactions"]
        if included["txID"] == row["txid"]
    ]
    answer = msgspec.json.decode(json.dumps(printed), type=wire.TransactionJson)
    transaction = translate.read_transaction(answer, TxId(row["txid"])).transaction
    [signature] = transaction.signatures
    assert len(signature) == 68
    owner = owner_of(decode_raw(transaction.raw).contract)
    assert recover_signer(transaction.digest, signature) == owner
