"""Receipts from recorded answers, and what a changed one comes to."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.node.questions import translate
from lucidtrond.node.questions.translate import Contradiction, InvalidAnswer
from tests.node.nodes import Json, block_json, infos_json
from tests.node.questions.translate.answers import (
    WITH_RECEIPTS,
    changed,
    leaves,
    near,
    read_block,
    read_receipts,
    value_at,
)
from tests.tron.chainrun import make_block


def test_all_recorded_receipts_fit_their_blocks() -> None:
    for number in WITH_RECEIPTS:
        receipts = read_receipts(infos_json(number), number)
        translate.check_receipts(read_block(block_json(number)), receipts)


def test_a_receipts_fields_are_those_of_its_json() -> None:
    for number in WITH_RECEIPTS:
        printed = infos_json(number)
        for receipt, info in zip(read_receipts(printed, number), printed, strict=True):
            cost = info["receipt"]
            assert receipt.txid == info["id"]
            assert receipt.fee == info.get("fee", 0)
            assert receipt.net_fee == cost.get("net_fee", 0)
            assert receipt.net_usage == cost.get("net_usage", 0)
            assert receipt.energy_usage == cost.get("energy_usage", 0)
            assert receipt.energy_usage_total == cost.get("energy_usage_total", 0)
            assert receipt.energy_fee == cost.get("energy_fee", 0)
            assert receipt.vm_result == cost.get("result")
            assert receipt.failed == (info.get("result") == "FAILED")
            assert receipt.contract_result.hex() == info["contractResult"][0]
            logs = [
                ("41" + log["address"], log["topics"], log.get("data", ""))
                for log in info.get("log", ())
            ]
            assert logs == [
                (log.address.hex, [t.hex() for t in log.topics], log.data.hex())
                for log in receipt.logs
            ]
            inner = info.get("internal_transactions", ())
            assert len(inner) == len(receipt.internal)
            for ours, theirs in zip(receipt.internal, inner, strict=True):
                assert ours.note == bytes.fromhex(theirs["note"]).decode()
                assert ours.rejected == theirs.get("rejected", False)
                assert [amount for amount, _ in ours.values] == [
                    value.get("callValue", 0) for value in theirs["callValueInfo"]
                ]
            if "resMessage" in info:
                text = bytes.fromhex(info["resMessage"]).decode()
                assert receipt.message == text


@pytest.mark.parametrize(
    ("result", "failed"), [("SUCESS", False), (0, False), ("FAILED", True), (1, True)]
)
def test_a_failure_is_told_by_name_or_number(result: Json, *, failed: bool) -> None:
    [receipt, *_] = read_receipts([{**infos_json(300)[0], "result": result}], 300)
    assert receipt.failed == failed


@st.composite
def changed_receipts(draw: st.DrawFn) -> tuple[int, Json]:
    number = draw(st.sampled_from(WITH_RECEIPTS))
    printed = infos_json(number)
    at = draw(st.sampled_from(list(leaves(printed))))
    return number, changed(printed, at, draw(near(value_at(printed, at))))


@given(changed_receipts())
@settings(max_examples=400)
def test_changed_receipts_are_refused_or_still_those_of_the_block(
    case: tuple[int, Json],
) -> None:
    number, edited = case
    try:
        receipts = read_receipts(edited, number)
    except (InvalidAnswer, msgspec.ValidationError):
        return
    assert all(receipt.block_number == number for receipt in receipts)
    assert all(receipt.fee >= 0 and receipt.net_usage >= 0 for receipt in receipts)
    block = make_block(block_json(number))
    txids = [included.transaction.txid for included in block.transactions]
    times = {receipt.block_timestamp for receipt in receipts}
    if [receipt.txid for receipt in receipts] == txids and times == {
        block.header.timestamp
    }:
        translate.check_receipts(block, receipts)
    else:
        with pytest.raises(Contradiction):
            translate.check_receipts(block, receipts)


def test_receipts_in_another_order_are_caught() -> None:
    number = next(n for n in WITH_RECEIPTS if len(infos_json(n)) > 1)
    block = make_block(block_json(number))
    receipts = read_receipts(infos_json(number)[::-1], number)
    with pytest.raises(Contradiction, match="other transactions"):
        translate.check_receipts(block, receipts)


def test_two_receipts_of_one_transaction_are_caught() -> None:
    number = WITH_RECEIPTS[0]
    with pytest.raises(Contradiction, match="two receipts"):
        read_receipts([*infos_json(number), infos_json(number)[0]], number)
