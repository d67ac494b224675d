"""Blocks of any transactions through JSON: proven if JSON shows all, else unproven."""

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.node.questions import translate, wire
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.block import Block, BlockTransaction, check_block
from lucidtrond.tron.transaction import Transaction
from tests import mainnet
from tests.tron.strategies import messages, unknown_fields
from tests.tron.test_block import block_of, payment
from tests.tron.test_odd_transactions import ODD, made


def printed(block: Block) -> Any:
    """What a node prints of a block."""
    header = block.header
    return {
        **mainnet.header_json(
            {
                "number": header.number,
                "timestamp": header.timestamp,
                "txTrieRoot": header.tx_trie_root.hex(),
                "parentHash": header.parent_id,
                "witness_address": header.witness.hex(),
                "version": header.version,
                "witness_signature": header.witness_signature.hex(),
            },
            header.id,
        ),
        "transactions": [
            mainnet.transaction_json(
                {
                    "raw_data_hex": included.transaction.raw.hex(),
                    "signature": [one.hex() for one in included.transaction.signatures],
                    "ret_hex": [one.hex() for one in included.results],
                }
            )
            for included in block.transactions
        ],
    }


def read(shown: Any) -> Block:
    data = json.dumps(shown).encode()
    return translate.read_block(msgspec.json.decode(data, type=wire.BlockJson))


@st.composite
def results(draw: st.DrawFn) -> bytes:
    """What a sender may leave in a result, and the code that the node sets."""
    result = draw(messages(pb.Transaction.Result))
    assert isinstance(result, pb.Transaction.Result)
    return result.SerializeToString(deterministic=True)


@st.composite
def stored(draw: st.DrawFn) -> BlockTransaction:
    """A transaction as JSON can show it whole, with a number of its own."""
    raw = payment(draw(st.integers(1, 2**40))).transaction.raw
    signatures = draw(st.lists(st.binary(min_size=65, max_size=68), max_size=3))
    return BlockTransaction(
        Transaction(raw, tuple(signatures)),
        tuple(draw(st.lists(results(), max_size=2))),
    )


several = st.lists(
    stored(),
    min_size=1,
    max_size=4,
    unique_by=lambda included: included.transaction.raw,
)


@given(several)
def test_what_json_shows_whole_is_proven(transactions: list[BlockTransaction]) -> None:
    block = block_of(*transactions)
    assert read(printed(block)) == block


@given(
    several,
    unknown_fields().filter(bool),
    st.sampled_from(["result", "beside"]),
    st.data(),
)
def test_what_json_does_not_show_leaves_the_root_unproven(
    shown: list[BlockTransaction], more: bytes, place: str, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(shown) - 1))
    included = shown[at]
    if place == "result":
        shown[at] = BlockTransaction(
            included.transaction, (b"\x18\x01", *included.results)
        )
        hidden = BlockTransaction(
            included.transaction, (b"\x18\x01" + more, *included.results)
        )
    else:
        beside = Transaction(
            included.transaction.raw, included.transaction.signatures, more
        )
        hidden = BlockTransaction(beside, included.results)
    whole = block_of(*shown[:at], hidden, *shown[at + 1 :])
    assert check_block(whole) == whole.header.id
    block = read(printed(whole))
    assert not block.root_proven
    assert block.header == whole.header
    assert block.transactions == tuple(shown)


def test_unusual_transactions_in_one_block_are_proven() -> None:
    rows = {row["txid"]: row for row in ODD}.values()
    transactions = [BlockTransaction.with_code(made(row), 1) for row in rows]
    block = block_of(*transactions)
    assert read(printed(block)) == block
