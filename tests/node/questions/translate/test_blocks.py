"""Blocks and transactions from recorded answers, and what a changed one comes to."""

import contextlib
import copy
import json
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lucidtrond.node.questions import translate, wire
from lucidtrond.node.questions.results import CONTRACT_RET
from lucidtrond.node.questions.translate import Contradiction, InvalidAnswer
from lucidtrond.tron.block import Block, BlockHeader
from lucidtrond.tron.transaction import TxId
from tests.node.nodes import Json, block_json, infos_json
from tests.node.questions.translate.answers import (
    BLOCKS,
    RICH,
    WITH_RECEIPTS,
    changed,
    leaves,
    near,
    read_block,
    value_at,
)
from tests.tron.chainrun import make_block


def test_all_recorded_blocks_are_read_as_they_are() -> None:
    for number, printed in enumerate(BLOCKS):
        block = read_block(printed)
        assert block == make_block(printed)
        assert block.header.number == number
        assert block.header.id == printed["blockID"]


def test_a_header_is_read_without_its_transactions() -> None:
    for printed in BLOCKS[:50]:
        bare = {key: printed[key] for key in ("blockID", "block_header")}
        answer = msgspec.json.decode(json.dumps(bare), type=wire.BlockJson)
        assert translate.read_header(answer) == make_block(printed).header


def test_every_result_name_has_its_number() -> None:
    for name, number in {"DEFAULT": 0, "SUCCESS": 1, "OUT_OF_ENERGY": 10}.items():
        assert CONTRACT_RET[name] == number
    assert len(CONTRACT_RET) == 16


@pytest.mark.parametrize(
    ("ret", "number"),
    [
        ([], None),
        ([{}], 0),  # proto3 leaves a zero out
        ([{"contractRet": "DEFAULT"}], 0),
        ([{"contractRet": "REVERT"}], 2),
        ([{"contractRet": 99}], 99),
        ([{"contractRet": "REVERT"}, {"contractRet": "SUCCESS"}], 2),
    ],
)
def test_no_result_and_the_result_zero_are_two_things(
    ret: Json, number: int | None
) -> None:
    printed = {**block_json(300)["transactions"][0], "ret": ret}
    answer = msgspec.convert(printed, wire.TransactionJson)
    assert translate.read_transaction(answer, TxId(answer.txid)).contract_ret == number


@st.composite
def changed_blocks(draw: st.DrawFn) -> tuple[Json, Json]:
    """A recorded block and the same with one value changed."""
    printed = draw(st.sampled_from(BLOCKS))
    at = draw(st.sampled_from(list(leaves(printed))))
    new = draw(near(value_at(printed, at)))
    return printed, changed(printed, at, new)


def bound(block: Block) -> tuple[bytes, tuple[Any, ...]]:
    """All that matters of a block: everything but how its signature is spelled."""
    return block.header.encode_raw(), block.transactions


@given(changed_blocks())
@settings(max_examples=400)
def test_one_changed_value_in_a_block_is_caught_unproven_or_does_not_matter(
    case: tuple[Json, Json],
) -> None:
    printed, edited = case
    assume(edited != printed)
    try:
        block = read_block(edited)
    except (InvalidAnswer, msgspec.ValidationError):
        return
    header, transactions = bound(make_block(printed))
    assert block.header.encode_raw() == header
    if block.root_proven:
        assert block.transactions == transactions
        return
    # What is still true of it: no transaction is another than its txid says.
    assert block.transactions != transactions
    txids = [
        included["txID"] for included in edited["transactions"] if included.get("txID")
    ]
    assert {*txids} <= {included.transaction.txid for included in block.transactions}


def test_every_value_that_makes_a_block_counts() -> None:
    """What the root alone covers makes it unproven, all else a lie."""
    printed = block_json(RICH)
    unproven = set()
    for at in leaves(printed):
        value = value_at(printed, at)
        if "transactions" in at and {"raw_data", "contract_address"} & {*at}:
            continue  # the node's reading of the bytes is not ours
        if isinstance(value, str) and at[-1] != "contractRet":
            last = "1" if value[-1] == "0" else "0"
            edited = changed(printed, at, value[:-1] + last)
        elif isinstance(value, str):
            edited = changed(printed, at, "REVERT" if value != "REVERT" else "SUCCESS")
        elif isinstance(value, int):
            edited = changed(printed, at, value + 1)
        else:
            continue
        if {"signature", "contractRet"} & {*at}:
            assert not read_block(edited).root_proven
            unproven.add(at[2])
            continue
        if at[-1] == "witness_signature":
            # The id does not cover it; whose it must be is for `chain.producers`.
            with contextlib.suppress(InvalidAnswer):
                header = read_block(edited).header
                assert header.signer().raw != header.witness
            continue
        with pytest.raises(InvalidAnswer):
            read_block(edited)
    assert unproven == {"signature", "ret"}


def test_what_the_json_says_of_raw_data_is_not_believed() -> None:
    printed = copy.deepcopy(block_json(RICH))
    for transaction in printed["transactions"]:
        transaction["raw_data"] = {"contract": [{"type": "TransferContract"}]}
    assert read_block(printed) == make_block(block_json(RICH))


def test_an_amount_that_is_printed_otherwise_is_a_lie() -> None:
    edits = 0
    for number in WITH_RECEIPTS:
        printed = block_json(number)
        for at in leaves(printed):
            if at[-1] not in ("amount", "call_value", "data"):
                continue
            if "value" not in at:  # the memo
                continue
            value = value_at(printed, at)
            other = value + 1 if isinstance(value, int) else value[:-1] + "g"
            edits += 1
            with pytest.raises(Contradiction, match="is printed for"):
                read_block(changed(printed, at, other))
    assert edits > 10


def test_raw_data_of_another_transaction_are_caught() -> None:
    first, second = [n for n in WITH_RECEIPTS if len(infos_json(n)) == 1][:2]
    other = block_json(second)["transactions"][0]["raw_data_hex"]
    at = ("transactions", 0, "raw_data_hex")
    with pytest.raises(Contradiction, match="txID"):
        read_block(changed(block_json(first), at, other))


@pytest.mark.parametrize("field", ["signature", "ret"])
def test_other_signatures_and_results_leave_the_root_unproven(field: str) -> None:
    """Nothing tells them from unknown fields that JSON does not show."""
    first, second = [n for n in WITH_RECEIPTS if len(infos_json(n)) == 1][:2]
    other = block_json(second)["transactions"][0][field]
    edited = changed(
        block_json(first),
        ("transactions", 0, field),
        [{"contractRet": "REVERT"}] if field == "ret" else other,
    )
    block = read_block(edited)
    assert not block.root_proven
    assert block.header == make_block(block_json(first)).header
    assert read_block(block_json(first)).root_proven


def test_a_transaction_of_another_block_leaves_the_root_unproven() -> None:
    first, second = [n for n in WITH_RECEIPTS if len(infos_json(n)) == 1][:2]
    other = block_json(second)["transactions"][0]
    edited = changed(block_json(first), ("transactions", 0), other)
    assert not read_block(edited).root_proven


def test_a_block_without_its_transactions_is_caught() -> None:
    printed = {k: v for k, v in block_json(RICH).items() if k != "transactions"}
    with pytest.raises(Contradiction, match="root"):
        read_block(printed)


def test_transactions_in_a_block_that_has_none_are_caught() -> None:
    empty = next(block for block in BLOCKS[1:] if "transactions" not in block)
    printed = {**empty, "transactions": block_json(RICH)["transactions"]}
    with pytest.raises(Contradiction, match="root"):
        read_block(printed)


def test_a_transaction_that_stands_there_twice_is_caught() -> None:
    transactions = block_json(RICH)["transactions"]
    printed = {**block_json(RICH), "transactions": [*transactions, transactions[0]]}
    with pytest.raises(Contradiction, match="twice"):
        read_block(printed)


def test_a_txid_of_other_bytes_is_caught() -> None:
    printed = block_json(RICH)["transactions"][0]
    answer = msgspec.json.decode(json.dumps(printed), type=wire.TransactionJson)
    txid = TxId(printed["txID"])
    assert translate.read_transaction(answer, txid).transaction.txid == txid
    with pytest.raises(Contradiction):
        translate.read_transaction(answer, TxId("00" * 32))
    lie = changed(printed, ("txID",), "00" * 32)
    answer = msgspec.json.decode(json.dumps(lie), type=wire.TransactionJson)
    with pytest.raises(Contradiction):
        translate.read_transaction(answer, txid)


def test_a_signed_block_0_is_caught() -> None:
    printed = copy.deepcopy(block_json(0))
    printed["block_header"]["witness_signature"] = "00" * 65
    with pytest.raises(Contradiction, match="block 0"):
        read_block(printed)


@pytest.mark.parametrize("signature", ["", "00" * 65, "ff" * 65])
def test_a_header_that_no_key_signed_is_caught(signature: str) -> None:
    printed = copy.deepcopy(block_json(7))
    printed["block_header"]["witness_signature"] = signature
    answer = msgspec.json.decode(json.dumps(printed), type=wire.BlockJson)
    with pytest.raises(Contradiction, match="no key signed"):
        translate.read_header(answer)


@given(st.builds(dict, number=st.integers(), timestamp=st.integers()))
def test_a_header_of_any_numbers_is_refused_and_never_crashes(
    numbers: dict[str, int],
) -> None:
    printed = copy.deepcopy(block_json(7))
    printed["block_header"]["raw_data"] |= numbers
    try:
        data = json.dumps(printed)
        answer = msgspec.json.decode(data, type=wire.BlockJson)
        header: BlockHeader = translate.read_header(answer)
    except (InvalidAnswer, msgspec.ValidationError):
        return
    assert header == make_block(block_json(7)).header
