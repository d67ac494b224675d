import json
from typing import Any, TypedDict

import pytest
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.jsonformat import (
    CONTRACT_TYPES,
    message_class,
    parse_raw_data,
    parse_transaction,
    print_message,
    print_raw_data,
    print_transaction,
)
from lucidtrond.tron.jsontext import NullPointer, ParseError, merge
from lucidtrond.tron.transaction import MalformedTransaction, Transaction
from tests.tron.chainrun import printed_transactions
from tests.tron.strategies import blobs, int64s, messages

CLASSES = {name: made for name in CONTRACT_TYPES if (made := message_class(name))}
STORED = next(
    row
    for row in printed_transactions()
    if row["raw_data"]["contract"][0]["type"] == "TransferContract"
    and row.get("signature")
)


class Mode(TypedDict):
    visible: bool


modes = st.sampled_from([Mode(visible=True), Mode(visible=False)])


def make_raw(name: str, value: Message, **fields: Any) -> pb.Transaction.raw:
    raw = pb.Transaction.raw(**fields)
    contract = raw.contract.add(
        parameter=pb.Any(
            type_url=f"type.googleapis.com/protocol.{name}",
            value=value.SerializeToString(deterministic=True),
        )
    )
    contract.type = CONTRACT_TYPES[name]  # type: ignore[assignment] # stubs want names
    return raw


@st.composite
def raws(draw: st.DrawFn) -> bytes:
    name = draw(st.sampled_from(sorted(CLASSES)))
    raw = make_raw(
        name,
        draw(messages(CLASSES[name])),
        ref_block_bytes=draw(blobs),
        ref_block_hash=draw(blobs),
        expiration=draw(int64s),
        data=draw(blobs),
        timestamp=draw(int64s),
        fee_limit=draw(int64s),
    )
    raw.contract[0].Permission_id = draw(st.integers(0, 9))
    return raw.SerializeToString(deterministic=True)


@settings(max_examples=300)
@given(raws(), st.lists(blobs.filter(len), max_size=3), modes)
def test_what_is_printed_reads_back_to_the_same_bytes(
    raw: bytes, signatures: list[bytes], mode: Mode
) -> None:
    printed = print_transaction(raw, signatures, **mode)
    assert parse_raw_data(printed["raw_data"], **mode) == raw
    if printed["raw_data"]["contract"][0]["type"] != "VoteAssetContract":
        sent = Transaction(raw, tuple(signatures))
        assert parse_transaction(printed, **mode) == sent


@settings(max_examples=300)
@given(st.sampled_from(sorted(CLASSES)).flatmap(lambda n: messages(CLASSES[n])), modes)
def test_any_message_reads_back(message: Message, mode: Mode) -> None:
    again = type(message)()
    text = json.dumps(print_message(message, **mode), ensure_ascii=False)
    merge(text, again, **mode)
    assert again == message


@given(raws(), modes)
def test_txid_and_bytes_are_ours_whatever_else_is_printed(
    raw: bytes, mode: Mode
) -> None:
    printed = print_transaction(raw, [], **mode)
    assert printed["txID"] == Transaction(raw).txid
    assert printed["raw_data_hex"] == raw.hex()
    assert "signature" not in printed
    assert "ret" not in printed


def test_every_contract_type_but_two_has_a_message() -> None:
    without = sorted(set(CONTRACT_TYPES) - set(CLASSES))
    assert without == ["CustomContract", "GetContract"]
    assert message_class("Transaction") is None
    assert message_class("TransferContract") is pb.TransferContract


def test_defaults_are_left_out_and_an_empty_list_of_contracts_is_not() -> None:
    assert print_raw_data(b"", visible=False) == {"contract": []}
    raw = make_raw("TransferContract", pb.TransferContract()).SerializeToString()
    assert print_raw_data(raw, visible=False)["contract"] == [
        {
            "type": "TransferContract",
            "parameter": {
                "type_url": "type.googleapis.com/protocol.TransferContract",
                "value": {},
            },
        }
    ]


def test_a_stored_transaction_shows_its_result() -> None:
    made = [
        print_transaction(b"", [], visible=False, contract_ret=name).get("ret")
        for name in (None, "DEFAULT", "SUCCESS", "REVERT")
    ]
    assert made == [
        None,
        [{}],
        [{"contractRet": "SUCCESS"}],
        [{"contractRet": "REVERT"}],
    ]


def test_a_contract_that_does_not_fit_its_type_url_is_not_printed() -> None:
    raw = make_raw("TransferContract", pb.TransferContract(amount=1))
    raw.contract[0].parameter.type_url = "type.googleapis.com/protocol.VoteWitness"
    assert print_raw_data(raw.SerializeToString(), visible=False)["contract"] == []
    raw.contract[0].parameter.type_url = "protocol.TransferContract"  # no slash
    assert print_raw_data(raw.SerializeToString(), visible=False)["contract"] == []
    raw.contract[0].parameter.type_url = "x/protocol.TransferContract"
    assert print_raw_data(raw.SerializeToString(), visible=False)["contract"] != []
    raw.contract[0].parameter.value = b"\xff"
    assert print_raw_data(raw.SerializeToString(), visible=False)["contract"] == []


def test_types_without_a_message_print_without_a_value() -> None:
    raw = make_raw("TransferContract", pb.TransferContract())
    for number, name in ((20, "CustomContract"), (77, "UNRECOGNIZED")):
        raw.contract[0].type = number  # type: ignore[assignment] # stubs want names
        [contract] = print_raw_data(raw.SerializeToString(), visible=False)["contract"]
        assert contract["type"] == name
        assert "value" not in contract["parameter"]


def test_raw_data_that_are_no_protobuf_are_malformed() -> None:
    with pytest.raises(MalformedTransaction):
        print_raw_data(b"\xff", visible=False)


def test_numbers_of_enums_are_shown_and_unknown_fields_are_not() -> None:
    message = pb.FreezeBalanceV2Contract.FromString(
        bytes.fromhex("18 07 d8 01 05 e2 01 01 ff 4b 08 01 4c")
    )
    assert print_message(message, visible=False) == {
        "resource": "UNKNOWN_ENUM_VALUE_ResourceCode_7",
    }


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        (b"plain", "plain"),
        ('é "quoted" 😀'.encode(), 'é "quoted" 😀'),
        (b"line\nbreak", "line\nbreak"),
        (rb"a\nb", "a\nb"),  # two letters, taken for an escape
        (rb"\u0041\x42\0", "AB\0"),
        (rb"a\qb", rb"a\qb".hex()),
        (b"end\\", b"end\\".hex()),
        (rb"\"", rb"\"".hex()),
        (rb"\u00g0", rb"\u00g0".hex()),
        (b"\xff", "\ufffd"),
    ],
)
def test_visible_text_is_text_or_hex_where_it_would_break_json(
    text: bytes, printed: str
) -> None:
    message = pb.AssetIssueContract(url=text)
    assert print_message(message, visible=True) == {"url": printed}
    assert print_message(message, visible=False) == {"url": text.hex()}


def sent(**changes: Any) -> dict[str, Any]:
    return {**STORED, **changes}


def with_contract(**changes: Any) -> dict[str, Any]:
    [contract] = STORED["raw_data"]["contract"]
    raw_data = {**STORED["raw_data"], "contract": [{**contract, **changes}]}
    return sent(raw_data=raw_data)


def with_value(**changes: Any) -> dict[str, Any]:
    [contract] = STORED["raw_data"]["contract"]
    value = {**contract["parameter"]["value"], **changes}
    return with_contract(parameter={**contract["parameter"], "value": value})


def test_only_raw_data_and_signatures_count() -> None:
    expected = parse_transaction(STORED, visible=False)
    assert expected.raw.hex() == STORED["raw_data_hex"]
    for changed in (
        sent(txID="00", raw_data_hex="00", permission=None),
        sent(hello="x"),
        with_contract(type_urls="x"),
    ):
        assert parse_transaction(changed, visible=False) == expected


def test_what_a_node_does_with_bodies_that_are_not_quite_a_transaction() -> None:
    """Recorded on a node: broadcasttransaction's shapes."""
    for dead in (
        {},
        sent(raw_data=None),
        sent(raw_data={}),
        sent(signature=[5]),
        sent(raw_data={**STORED["raw_data"], "expiration": "5"}),
    ):
        with pytest.raises(NullPointer):
            parse_transaction(dead, visible=False)
    for without in (
        sent(raw_data={**STORED["raw_data"], "contract": []}),
        with_contract(type="HelloContract"),
        with_contract(type=None),
        with_contract(parameter=None),
        with_value(owner_address="TSfJf9aSnCe84HSQNoSZezqVfKuCX2kSDW"),
        with_value(amount="5"),
    ):
        raw = parse_transaction(without, visible=False).raw
        assert print_raw_data(raw, visible=False)["contract"] == []


def test_signatures_may_be_one_text_or_missing() -> None:
    assert parse_transaction(sent(signature="00"), visible=False).signatures == (b"\0",)
    assert parse_transaction(sent(signature=None), visible=False).signatures == ()


def test_a_wrong_type_url_is_kept_and_changes_the_txid() -> None:
    [contract] = STORED["raw_data"]["contract"]
    url = "type.googleapis.com/protocol.VoteWitnessContract"
    changed = with_contract(parameter={**contract["parameter"], "type_url": url})
    raw = parse_transaction(changed, visible=False).raw
    assert pb.Transaction.raw.FromString(raw).contract[0].parameter.type_url == url


def test_parse_raw_data_refuses_what_a_node_would_drop() -> None:
    with pytest.raises(MalformedTransaction, match="not known"):
        parse_raw_data(with_contract(type="Hello")["raw_data"], visible=False)
    with pytest.raises(ParseError):
        parse_raw_data(with_value(owner_address="zz")["raw_data"], visible=False)
    with pytest.raises(NullPointer):
        parse_raw_data({}, visible=False)
    odds: list[Any] = [5, [], "x", "[]"]
    for odd in odds:
        with pytest.raises((MalformedTransaction, NullPointer)):
            parse_raw_data(with_contract(parameter=odd)["raw_data"], visible=False)
        with pytest.raises((MalformedTransaction, NullPointer)):
            parse_transaction(sent(raw_data=odd), visible=False)


def test_parts_may_be_json_texts_as_fastjson_lets_them() -> None:
    expected = parse_transaction(STORED, visible=False)
    text = json.dumps(STORED["raw_data"])
    assert parse_transaction(sent(raw_data=text), visible=False) == expected


def test_the_node_reads_no_asset_votes_and_we_do() -> None:
    raw = make_raw(
        "VoteAssetContract", pb.VoteAssetContract(support=True)
    ).SerializeToString()
    printed = print_transaction(raw, [], visible=False)
    assert parse_raw_data(printed["raw_data"], visible=False) == raw
    assert parse_transaction(printed, visible=False).raw != raw
