"""Single transactions, calls, logs and odd ones of public networks."""

import json
from collections import Counter
from typing import Any

import pytest

from lucidtrond.tron import trc20
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockTransaction
from lucidtrond.tron.contracts import RawContract, Transfer, Trigger, owner_of
from lucidtrond.tron.hashing import sha256
from lucidtrond.tron.jsonformat import print_raw_data
from lucidtrond.tron.receipt import Log
from lucidtrond.tron.recovery import recover_signer
from lucidtrond.tron.transaction import Transaction, decode_raw
from lucidtrond.tron.units import Sun
from tests import mainnet, recorded

pytestmark = pytest.mark.mainnet


def transactions() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = mainnet.load("transactions.json.gz")
    return rows


def test_each_transaction_has_its_txid_and_its_signers() -> None:
    signed = unread = 0
    for row in transactions():
        transaction = Transaction(bytes.fromhex(row["raw_data_hex"]))
        assert transaction.txid == row["txid"]
        contract = decode_raw(transaction.raw).contract
        if isinstance(contract, RawContract):
            # Block 0's owner is no address; shielded transfers are long off.
            assert contract.type in (1, 51), row["txid"]
            unread += 1
        signers = [
            recover_signer(transaction.digest, bytes.fromhex(one))
            for one in row["signature"]
        ]
        assert (signers == [owner_of(contract)]) == row["signed_by_owner"] or (
            "infinity" in row["what"]
        )
        signed += len(signers)
    assert len(transactions()) >= 101
    assert signed >= 60
    assert unread <= 4


def test_the_point_at_infinity_pays_like_anybody() -> None:
    [odd] = [row for row in transactions() if "infinity" in row["what"]]
    transaction = Transaction(bytes.fromhex(odd["raw_data_hex"]))
    contract = decode_raw(transaction.raw).contract
    assert isinstance(contract, Transfer)
    [signature] = odd["signature"]
    assert recover_signer(transaction.digest, bytes.fromhex(signature)) == (
        contract.owner
    )


def test_each_transaction_prints_as_its_node_printed_it() -> None:
    count = 0
    for row in transactions():
        if row["raw_data"] is None:
            continue
        raw = bytes.fromhex(row["raw_data_hex"])
        printed = print_raw_data(raw, visible=row["visible"])
        if printed["contract"][0]["type"] == "ShieldedTransferContract":
            continue  # had a field "fee" on the test network of 2019
        assert as_printed_by_a_node(row["raw_data"], printed) == printed, row["txid"]
        count += 1
    assert count >= 90


def as_printed_by_a_node(raw_data: Any, ours: Any) -> Any:
    """Without what gateways that index the chain (/v1) print in their own way: zeros,
    ids of TRC-10 tokens as text, two readings of ``resource``."""
    theirs = json.loads(json.dumps(raw_data))
    [contract] = theirs["contract"]
    value = contract["parameter"]["value"]
    for inside, names in (
        (theirs, ("fee_limit",)),
        (value, ("call_value", "resource", "resource_value", "resource_type")),
    ):
        for name in names:
            if inside.get(name) in (0, "BANDWIDTH"):
                del inside[name]
    [ours] = ours["contract"]
    token = ours["parameter"]["value"].get("asset_name")
    if token and value["asset_name"].encode().hex() == token:
        value["asset_name"] = token
    return theirs


def test_each_whole_transaction_is_its_leaf() -> None:
    rows = mainnet.load("roots.json.gz")["transactions"]
    for row in rows:
        data = bytes.fromhex(row["transaction"])
        stored = BlockTransaction.from_bytes(data)
        assert stored.encode() == data
        assert sha256(data).hex() == row["leaf"]
        assert stored.transaction.txid == row["txid"]
        assert stored.contract_ret == 1
        assert not isinstance(decode_raw(stored.transaction.raw).contract, RawContract)
    assert len(rows) >= 35


def test_each_token_call_means_what_it_did() -> None:
    calls = mainnet.load("trc20.json.gz")["calls"]
    dirty = 0
    for recorded_call in calls:
        means = recorded_call["means"]
        call = trc20.parse_call(bytes.fromhex(recorded_call["data"]))
        assert call is not None
        assert type(call).__name__ == means["kind"]
        to = call.spender if isinstance(call, trc20.ApproveCall) else call.recipient
        assert to == Address.from_hex(means["recipient"])
        assert str(call.amount) == means["amount"]
        if isinstance(call, trc20.TransferCall):
            sender = means["sender"]
            assert call.sender == (sender and Address.from_hex(sender))
        dirty += recorded_call["prefix_in_address_word"]
    assert len(calls) >= 375
    assert dirty > 0


def test_each_log_of_a_transfer_is_read() -> None:
    logs = mainnet.load("trc20.json.gz")["logs"]
    kinds: Counter[str] = Counter()
    for recorded_log in logs:
        topics = tuple(bytes.fromhex(one) for one in recorded_log["topics"])
        data = bytes.fromhex(recorded_log["data"])
        log = Log(Address.from_hex(recorded_log["address"]), topics, data)
        read = trc20.parse_log(log)
        kinds[type(read).__name__] += 1
        if topics[0] == trc20.TRANSFER_TOPIC:
            assert isinstance(read, trc20.TransferLog)
            assert read.amount == int.from_bytes(data[:32], "big")
            assert read.sender.raw[1:] == topics[1][12:]
            assert read.recipient.raw[1:] == topics[2][12:]
    assert kinds["TransferLog"] >= 125
    assert kinds["ApprovalLog"] >= 1


def test_each_class_of_odd_transfer_moves_what_the_network_moved() -> None:
    rows = mainnet.load("classes.json")["transfers"]
    for row in rows:
        moves = row["moves"]
        assert decode_raw(bytes.fromhex(row["raw_data_hex"])).contract == Transfer(
            Address.from_hex(moves["owner"]),
            Address.from_hex(moves["to"]),
            Sun(moves["amount"]),
        ), row["what"]
    assert len(rows) >= 7


def test_each_class_of_result_tells_what_became_of_it() -> None:
    for result in mainnet.load("classes.json")["results"]:
        encoded = result["ret_hex"]
        results = [encoded] if isinstance(encoded, str) else encoded
        stored = BlockTransaction(
            Transaction(b""), tuple(bytes.fromhex(one) for one in results)
        )
        assert stored.contract_ret == result["contract_ret"]
        assert [mainnet.result_json(one) for one in results] == result["http_prints"]


def test_raw_data_with_odd_fields_are_read_and_kept() -> None:
    odd = {
        included["txid"]: included
        for included in mainnet.load("classes.json")["raw_fields"]
    }
    odd_count = 0
    for file in mainnet.block_files():
        for included in recorded.read_json(file)["transactions"]:
            transaction = Transaction(bytes.fromhex(included["raw_data_hex"]))
            if transaction.txid not in odd:
                continue
            odd_count += 1
            data = decode_raw(transaction.raw)
            assert not isinstance(data.contract, RawContract)
            assert data.encode() != transaction.raw  # we would write it otherwise
            if "scripts" in odd[transaction.txid]["what"]:
                assert print_raw_data(transaction.raw, visible=False)["scripts"]
            else:
                assert isinstance(data.contract, Trigger)
                assert data.contract.call_value == 0
    assert odd_count == len(odd)


def test_transactions_inside_other_answers_are_understood() -> None:
    """Of simulated calls, of JSON-RPC's buildTransaction, of TronGrid's pages."""
    transactions: list[dict[str, Any]] = []
    for name in ("constant_calls.json", "jsonrpc.json", "trongrid.json.gz"):
        for row in mainnet.load(name):
            _collect(row["body"], transactions)
    for transaction in transactions:
        raw = bytes.fromhex(transaction["raw_data_hex"])
        assert Transaction(raw).txid == transaction["txID"]
        visible = bool(transaction.get("visible", False))
        printed = print_raw_data(raw, visible=visible)
        assert as_printed_by_a_node(transaction["raw_data"], printed) == printed
        assert not isinstance(decode_raw(raw).contract, RawContract)
    assert len(transactions) >= 25


def _collect(value: Any, transactions: list[dict[str, Any]]) -> None:
    if isinstance(value, dict):
        if "raw_data_hex" in value:
            transactions.append(value)
        for element in value.values():
            _collect(element, transactions)
    elif isinstance(value, list):
        for element in value:
            _collect(element, transactions)
    elif isinstance(value, str) and value.startswith("{"):
        try:
            _collect(json.loads(value), transactions)
        except ValueError:
            return
