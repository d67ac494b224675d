"""Blocks recorded on public networks, as the JSON that a node prints of them."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.block import Block, BlockHeader, BlockId, BlockTransaction
from lucidtrond.tron.jsonformat import print_message, print_transaction
from lucidtrond.tron.transaction import Transaction
from lucidtrond.tron.units import UnixMillis
from tests import recorded

Json = Any
UNPROVABLE = 79072107
"""A transaction of this block has a result with a field that JSON does not show."""


def block_files() -> list[Path]:
    """Of each whole block."""
    return sorted((recorded.MAINNET / "blocks").glob("*.json.gz"))


@cache
def load(name: str) -> Json:
    """What a file in the folder holds; not to be changed."""
    return recorded.read_json(recorded.MAINNET / name)


def header_json(header: Mapping[str, Any], block_id: str) -> dict[str, Any]:
    """A block without transactions, as a node prints it: zeros are left out."""
    raw = {
        key: value
        for key, value in header.items()
        if key in _HEADER_FIELDS and value not in (0, "")
    }
    printed = {"raw_data": raw}
    if header.get("witness_signature"):
        printed["witness_signature"] = header["witness_signature"]
    return {"blockID": block_id, "block_header": printed}


_HEADER_FIELDS = (
    "number",
    "txTrieRoot",
    "witness_address",
    "parentHash",
    "version",
    "timestamp",
)


def block_json(recording: Mapping[str, Any]) -> dict[str, Any]:
    """A whole recorded block, as a node prints it."""
    return {
        **header_json(recording["header"], recording["id"]),
        "transactions": [transaction_json(each) for each in recording["transactions"]],
    }


def transaction_json(recording: Mapping[str, Any]) -> dict[str, Any]:
    """A recorded transaction, as a node prints it."""
    printed = print_transaction(
        bytes.fromhex(recording["raw_data_hex"]),
        [bytes.fromhex(each) for each in recording["signature"]],
        visible=False,
    )
    if "ret" in recording:
        printed["ret"] = recording["ret"]
    else:
        printed["ret"] = [result_json(each) for each in recording["ret_hex"]]
    return printed


def result_json(encoded: str) -> dict[str, Any]:
    """A result as HTTP prints it: without what it does not know."""
    result = pb.Transaction.Result.FromString(bytes.fromhex(encoded))
    result.DiscardUnknownFields()
    printed = print_message(result, visible=False)
    if result.contractRet:
        name = pb.Transaction.Result.contractResult.Name(result.contractRet)
        printed["contractRet"] = name
    return printed


def make_header(header: Mapping[str, Any]) -> BlockHeader:
    """A recorded header."""
    return BlockHeader(
        number=header["number"],
        timestamp=UnixMillis(header["timestamp"]),
        parent_id=BlockId(header["parentHash"]),
        tx_trie_root=bytes.fromhex(header["txTrieRoot"]),
        witness=bytes.fromhex(header["witness_address"]),
        version=header["version"],
        witness_signature=bytes.fromhex(header.get("witness_signature") or ""),
    )


def make_block(recording: Mapping[str, Any]) -> Block:
    """A recorded block with the exact bytes of its results (``ret_hex``)."""
    return Block(
        make_header(recording["header"]),
        tuple(
            BlockTransaction(
                Transaction(
                    bytes.fromhex(each["raw_data_hex"]),
                    tuple(bytes.fromhex(one) for one in each["signature"]),
                ),
                tuple(bytes.fromhex(one) for one in each["ret_hex"]),
            )
            for each in recording["transactions"]
        ),
    )
