"""From recorded answers to our types, and what a changed answer comes to."""

import contextlib
import copy
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lucidtrond.node.questions import translate, wire
from lucidtrond.node.questions.results import CONTRACT_RET
from lucidtrond.node.questions.translate import Contradiction, Nonsense
from lucidtrond.tron.account import Resources
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockHeader
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.transaction import TxId
from tests.node.nodes import Json, block_json, infos_json, recorded
from tests.tron.chainrun import load, make_block

BLOCKS = load()["blocks"]
WITH_RECEIPTS = [int(number) for number in load()["infos"] if number != "0"]
RICH = next(
    number
    for number in WITH_RECEIPTS
    if any("internal_transactions" in info for info in infos_json(number))
    and any("resMessage" in info for info in infos_json(number))
)
"""A block with internal transfers and a failed call."""


def read_block(printed: Json) -> Block:
    data = json.dumps(printed).encode()
    return translate.read_block(msgspec.json.decode(data, type=wire.BlockJson))


def read_receipts(printed: Json, number: int) -> tuple[Receipt, ...]:
    data = json.dumps(printed).encode()
    found = msgspec.json.decode(data, type=tuple[wire.InfoJson, ...])
    return translate.read_receipts(found, number)


def test_all_recorded_blocks_are_read_as_they_are() -> None:
    for number, printed in enumerate(BLOCKS):
        block = read_block(printed)
        assert block == make_block(printed)
        assert block.header.number == number
        assert block.header.id == printed["blockID"]


def test_a_header_is_read_without_its_transactions() -> None:
    for printed in BLOCKS[:50]:
        bare = {key: printed[key] for key in ("blockID", "block_header")}
        found = msgspec.json.decode(json.dumps(bare), type=wire.BlockJson)
        assert translate.read_header(found) == make_block(printed).header


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
                (each.address.hex, [t.hex() for t in each.topics], each.data.hex())
                for each in receipt.logs
            ]
            inner = info.get("internal_transactions", ())
            assert len(inner) == len(receipt.internal)
            for ours, theirs in zip(receipt.internal, inner, strict=True):
                assert ours.note == bytes.fromhex(theirs["note"]).decode()
                assert ours.rejected == theirs.get("rejected", False)
                assert [amount for amount, _ in ours.values] == [
                    each.get("callValue", 0) for each in theirs["callValueInfo"]
                ]
            if "resMessage" in info:
                text = bytes.fromhex(info["resMessage"]).decode()
                assert receipt.message == text


def test_all_recorded_accounts_are_read() -> None:
    contracts = 0
    for text, printed in load()["accounts"].items():
        if not printed:
            continue
        address = Address.from_hex(text)
        data = json.dumps(printed).encode()
        found = msgspec.json.decode(data, type=wire.AccountJson)
        account = translate.read_account(found, address)
        assert account.activated
        assert account.balance == printed.get("balance", 0)
        assert account.is_contract == (printed.get("type") == "Contract")
        contracts += account.is_contract
        stakes = {
            each.get("type", "BANDWIDTH"): each.get("amount", 0)
            for each in printed["frozenV2"]
        }
        assert account.staked_bandwidth == stakes["BANDWIDTH"]
        assert account.staked_energy == stakes["ENERGY"]
    assert contracts


def test_stakes_of_both_generations_count() -> None:
    printed = {
        "address": "41" + "00" * 20,
        "frozen": [{"frozen_balance": 1}, {"frozen_balance": 2}],
        "frozenV2": [{"amount": 10}, {"type": "ENERGY"}, {"type": "TRON_POWER"}],
        "account_resource": {"frozen_balance_for_energy": {"frozen_balance": 100}},
    }
    found = msgspec.json.decode(json.dumps(printed), type=wire.AccountJson)
    account = translate.read_account(found, Address.from_hex("41" + "00" * 20))
    assert (account.staked_bandwidth, account.staked_energy) == (13, 100)


def test_recorded_parameters_are_read() -> None:
    data = json.dumps(recorded()["getchainparameters"])
    found = msgspec.json.decode(data, type=wire.ParametersJson)
    prices = translate.read_parameters(found)
    assert prices.transaction_fee == 1000
    assert prices.energy_fee == 100
    assert prices.create_account_fee == 100_000
    assert prices.activation_fee == 1_000_000
    assert prices.memo_fee == 1_000_000
    assert prices.multi_sign_fee == 1_000_000
    assert prices.max_fee_limit == 15_000_000_000
    assert prices.free_net_limit == 600
    assert prices.every["getRemoveThePowerOfTheGr"] == 0


@pytest.mark.parametrize(
    "key",
    [
        "getTransactionFee",
        "getEnergyFee",
        "getCreateAccountFee",
        "getCreateNewAccountFeeInSystemContract",
        "getMemoFee",
        "getMultiSignFee",
        "getMaxFeeLimit",
        "getFreeNetLimit",
    ],
)
def test_a_missing_or_negative_price_is_not_zero(key: str) -> None:
    every = recorded()["getchainparameters"]["chainParameter"]
    for changed in (
        [each for each in every if each["key"] != key],
        [{"key": key, "value": -1} if each["key"] == key else each for each in every],
    ):
        data = json.dumps({"chainParameter": changed})
        found = msgspec.json.decode(data, type=wire.ParametersJson)
        with pytest.raises(Nonsense, match=key):
            translate.read_parameters(found)


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
    found = msgspec.convert(printed, wire.TransactionJson)
    assert translate.read_transaction(found, TxId(found.txid)).contract_ret == number


def test_what_is_left_out_of_resources_is_zero() -> None:
    found = msgspec.convert({"TotalNetLimit": 1}, wire.ResourcesJson)
    assert translate.read_resources(found) == Resources()


@pytest.mark.parametrize(
    ("result", "failed"), [("SUCESS", False), (0, False), ("FAILED", True), (1, True)]
)
def test_a_failure_is_told_by_name_or_number(result: Json, *, failed: bool) -> None:
    [receipt, *_] = read_receipts([{**infos_json(300)[0], "result": result}], 300)
    assert receipt.failed == failed


# What a changed answer comes to.


def leaves(value: Json, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all values, the containers too."""
    if at:
        yield at
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, (*at, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from leaves(each, (*at, index))


def changed(printed: Json, at: tuple[Any, ...], new: Any) -> Json:
    """A copy with one value replaced, or removed when *new* is ``...``."""
    whole = copy.deepcopy(printed)
    inner = whole
    for key in at[:-1]:
        inner = inner[key]
    if new is ...:
        del inner[at[-1]]
    else:
        inner[at[-1]] = new
    return whole


def value_at(printed: Json, at: tuple[Any, ...]) -> Json:
    for key in at:
        printed = printed[key]
    return printed


def near(value: Json) -> st.SearchStrategy[Any]:
    """Something like *value*, and sometimes something else."""
    other = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**64), 2**64),
        st.text(max_size=5),
        st.just([]),
        st.just({}),
        st.just(...),
    )
    if isinstance(value, bool):
        return st.one_of(st.just(not value), other)
    if isinstance(value, int):
        return st.one_of(st.sampled_from([value + 1, value - 1, -value, 0]), other)
    if isinstance(value, str) and value:
        edited = st.tuples(
            st.integers(0, len(value) - 1), st.sampled_from("0123456789abcdefg ")
        ).map(lambda edit: value[: edit[0]] + edit[1] + value[edit[0] + 1 :])
        cut = st.integers(0, len(value) - 1).map(lambda end: value[:end])
        return st.one_of(edited, cut, st.just(value + "00"), other)
    if isinstance(value, list) and value:
        edited_list = st.sampled_from([value[:-1], value[1:], [*value, value[0]]])
        return st.one_of(edited_list, st.just(value[::-1]), other)
    return other


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
    except (Nonsense, msgspec.ValidationError):
        return
    header, transactions = bound(make_block(printed))
    assert block.header.encode_raw() == header
    if block.root_proven:
        assert block.transactions == transactions
        return
    # What is still true of it: no transaction is another than its txid says.
    assert block.transactions != transactions
    txids = [each["txID"] for each in edited["transactions"] if each.get("txID")]
    assert {*txids} <= {each.transaction.txid for each in block.transactions}


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
            with contextlib.suppress(Nonsense):
                header = read_block(edited).header
                assert header.signer().raw != header.witness
            continue
        with pytest.raises(Nonsense):
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
    empty = next(each for each in BLOCKS[1:] if "transactions" not in each)
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
    found = msgspec.json.decode(json.dumps(printed), type=wire.TransactionJson)
    txid = TxId(printed["txID"])
    assert translate.read_transaction(found, txid).transaction.txid == txid
    with pytest.raises(Contradiction):
        translate.read_transaction(found, TxId("00" * 32))
    lie = changed(printed, ("txID",), "00" * 32)
    found = msgspec.json.decode(json.dumps(lie), type=wire.TransactionJson)
    with pytest.raises(Contradiction):
        translate.read_transaction(found, txid)


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
    except (Nonsense, msgspec.ValidationError):
        return
    assert all(each.block_number == number for each in receipts)
    assert all(each.fee >= 0 and each.net_usage >= 0 for each in receipts)
    block = make_block(block_json(number))
    txids = [each.transaction.txid for each in block.transactions]
    times = {each.block_timestamp for each in receipts}
    if [each.txid for each in receipts] == txids and times == {block.header.timestamp}:
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


def test_a_signed_block_0_is_caught() -> None:
    printed = copy.deepcopy(block_json(0))
    printed["block_header"]["witness_signature"] = "00" * 65
    with pytest.raises(Contradiction, match="block 0"):
        read_block(printed)


@pytest.mark.parametrize("signature", ["", "00" * 65, "ff" * 65])
def test_a_header_that_no_key_signed_is_caught(signature: str) -> None:
    printed = copy.deepcopy(block_json(7))
    printed["block_header"]["witness_signature"] = signature
    found = msgspec.json.decode(json.dumps(printed), type=wire.BlockJson)
    with pytest.raises(Contradiction, match="no key signed"):
        translate.read_header(found)


@given(st.builds(dict, number=st.integers(), timestamp=st.integers()))
def test_a_header_of_any_numbers_is_refused_and_never_crashes(
    numbers: dict[str, int],
) -> None:
    printed = copy.deepcopy(block_json(7))
    printed["block_header"]["raw_data"] |= numbers
    try:
        data = json.dumps(printed)
        found = msgspec.json.decode(data, type=wire.BlockJson)
        header: BlockHeader = translate.read_header(found)
    except (Nonsense, msgspec.ValidationError):
        return
    assert header == make_block(block_json(7)).header


@pytest.mark.parametrize(
    ("printed", "says"),
    [
        ({"result": True, "txid": "11" * 32}, "another transaction"),
        ({"result": True}, "without txid"),
        ({"result": True, "code": "SIGERROR", "txid": "00" * 32}, "do not fit"),
        ({"result": False, "code": "SUCCESS", "txid": "00" * 32}, "do not fit"),
    ],
)
def test_broadcast_answers_that_contradict_themselves_are_caught(
    printed: Json, says: str
) -> None:
    found = msgspec.json.decode(json.dumps(printed), type=wire.BroadcastJson)
    with pytest.raises(Nonsense, match=says):
        translate.read_broadcast(found, TxId("00" * 32), name="n")


@pytest.mark.parametrize(
    ("printed", "code", "message"),
    [
        ({"result": True, "txid": "00" * 32}, "SUCCESS", ""),
        ({"result": True, "code": "SUCCESS", "txid": "00" * 32}, "SUCCESS", ""),
        (
            {
                "code": "TAPOS_ERROR",
                "txid": "00" * 32,
                "message": "5461706f7320636865636b206572726f722e",
            },
            "TAPOS_ERROR",
            "Tapos check error.",
        ),
        (
            {
                "result": False,
                "code": "DUP_TRANSACTION_ERROR",
                "txid": "00" * 32,
                "message": "Dup transaction.",
            },
            "DUP_TRANSACTION_ERROR",
            "Dup transaction.",
        ),
    ],
)
def test_both_doors_answers_to_a_broadcast_are_read(
    printed: Json, code: str, message: str
) -> None:
    found = msgspec.json.decode(json.dumps(printed), type=wire.BroadcastJson)
    answer = translate.read_broadcast(found, TxId("00" * 32), name="n")
    assert (answer.code, answer.message, answer.endpoint) == (code, message, "n")
    assert answer.accepted == (code == "SUCCESS")


@pytest.mark.parametrize(
    ("balance", "fits"),
    [
        (2**63 - 1, True),
        (-(2**63), True),  # the burn account at the beginning
        (2**53 + 1, True),
        (2**63, False),
        (-(2**63) - 1, False),
        (1.5, False),
        ("1", False),
    ],
)
def test_numbers_are_whole_and_fit_the_protocol(balance: Json, *, fits: bool) -> None:
    printed = {"address": "41" + "00" * 20, "balance": balance}
    data = json.dumps(printed)
    if not fits:
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(data, type=wire.AccountJson)
        return
    found = msgspec.json.decode(data, type=wire.AccountJson)
    account = translate.read_account(found, Address.from_hex("41" + "00" * 20))
    assert account.balance == balance
