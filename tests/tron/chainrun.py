"""The recorded chain of tests/data/chain-run.json.gz, as blocks."""

import gzip
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.block import (
    BadBlock,
    Block,
    BlockHeader,
    BlockId,
    BlockTransaction,
    check_block,
)
from lucidtrond.tron.transaction import Transaction
from lucidtrond.tron.units import UnixMillis
from tests.tron.vectors import DATA

RESULTS = pb.Transaction.Result.contractResult


@cache
def load() -> Mapping[str, Any]:
    """A recorded private java-tron chain; ``about`` in it says how it was made."""
    with gzip.open(DATA / "chain-run.json.gz") as file:
        loaded: Mapping[str, Any] = json.load(file)
    return loaded


def printed_transactions() -> Iterator[dict[str, Any]]:
    for block in load()["blocks"]:
        yield from block.get("transactions", ())


def result_name(printed: Mapping[str, Any]) -> str | None:
    if "ret" not in printed:
        return None
    [result] = printed["ret"]
    return str(result.get("contractRet", "DEFAULT"))


def make_block(printed: Mapping[str, Any]) -> Block:
    raw = printed["block_header"]["raw_data"]
    header = BlockHeader(
        number=raw.get("number", 0),
        timestamp=UnixMillis(raw.get("timestamp", 0)),
        parent_id=BlockId(raw["parentHash"]),
        tx_trie_root=bytes.fromhex(raw["txTrieRoot"]),
        witness=bytes.fromhex(raw["witness_address"]),
        version=raw.get("version", 0),
        witness_signature=bytes.fromhex(
            printed["block_header"].get("witness_signature", "")
        ),
    )
    return Block(
        header, tuple(make_transaction(tx) for tx in printed.get("transactions", ()))
    )


def check_signed(block: Block, *, expected_id: BlockId | None = None) -> BlockId:
    """`check_block` where each producer signs with its own key.

    Which key that is, `check_block` can't know.
    """
    block_id = check_block(block, expected_id=expected_id)
    if block.header.number and block.header.signer().raw != block.header.witness:
        raise BadBlock("not signed by its producer")
    return block_id


def make_transaction(printed: Mapping[str, Any]) -> BlockTransaction:
    name = result_name(printed)
    return BlockTransaction.with_code(
        Transaction(
            bytes.fromhex(printed["raw_data_hex"]),
            tuple(
                bytes.fromhex(signature) for signature in printed.get("signature", ())
            ),
        ),
        None if name is None else RESULTS.Value(name),
    )
