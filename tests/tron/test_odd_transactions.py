"""Transactions that are unusual and valid, as small vectors of our own."""

import json
from typing import Any

import pytest

from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockTransaction
from lucidtrond.tron.contracts import RawContract, Transfer
from lucidtrond.tron.keys import BadSignature
from lucidtrond.tron.recovery import recover_signer
from lucidtrond.tron.transaction import Transaction, decode_raw
from lucidtrond.tron.units import Sun
from tests.tron.vectors import DATA

ODD: list[dict[str, Any]] = json.loads((DATA / "odd-transactions.json").read_text())[
    "transactions"
]
each_odd = pytest.mark.parametrize("row", ODD, ids=lambda row: row["what"])


def made(row: dict[str, Any]) -> Transaction:
    signatures = tuple(bytes.fromhex(signature) for signature in row["signature"])
    return Transaction(bytes.fromhex(row["raw_data_hex"]), signatures)


@each_odd
def test_its_bytes_stay_what_they_are(row: dict[str, Any]) -> None:
    transaction = made(row)
    assert transaction.txid == row["txid"]
    assert Transaction.from_bytes(transaction.encode()) == transaction
    stored = BlockTransaction.with_code(transaction, 1)
    assert BlockTransaction.from_bytes(stored.encode()) == stored


@each_odd
def test_its_signer_is_named(row: dict[str, Any]) -> None:
    transaction = made(row)
    for signature, signer in zip(transaction.signatures, row["signers"], strict=True):
        if signer is None:
            with pytest.raises(BadSignature):
                recover_signer(transaction.digest, signature)
        else:
            recovered = recover_signer(transaction.digest, signature)
            assert recovered == Address.from_hex(signer)


@each_odd
def test_what_it_moves_is_read(row: dict[str, Any]) -> None:
    contract = decode_raw(made(row).raw).contract
    moves = row["moves"]
    assert not isinstance(contract, RawContract)
    assert isinstance(contract, Transfer) == (moves is not None)
    if isinstance(contract, Transfer):
        assert contract == Transfer(
            Address.from_hex(moves["owner"]),
            Address.from_hex(moves["to"]),
            Sun(moves["amount"]),
        )
