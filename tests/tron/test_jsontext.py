"""The parser of java-tron's bodies: texts and positions were recorded on a node."""

import json
from contextlib import suppress
from typing import Any

import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.base58 import encode_check
from lucidtrond.tron.javanumbers import NumberFormat
from lucidtrond.tron.jsontext import NullPointer, ParseError, merge

OWNER = "41b7175f7d210110c4fafa86ec6a98bdbb99f9cb27"
OTHER = "41d5ba3141c99545a3eb985ca18895741e84caac48"
BASE58 = "TSfJf9aSnCe84HSQNoSZezqVfKuCX2kSDW"


def transfer(**changes: Any) -> str:
    body = {"owner_address": OWNER, "to_address": OTHER, "amount": 1000, **changes}
    return json.dumps(body)


def read(text: str, made: type[Message], *, visible: bool = False) -> Message:
    message = made()
    merge(text, message, visible=visible)
    return message


RECORDED = [
    (
        transfer(amount="1000"),
        '1:135: Couldn\'t parse integer: For input string: ""1000""',
    ),
    (transfer(amount=1.5), '1:135: Couldn\'t parse integer: For input string: "1.5"'),
    (
        transfer(amount=1000.0),
        '1:135: Couldn\'t parse integer: For input string: "1000.0"',
    ),
    (
        transfer(amount=2**63),
        (
            "1:135: Couldn't parse integer: "
            "Number out of range for 64-bit signed integer: 9223372036854775808"
        ),
    ),
    (transfer(to_address="zz"), "1:79: INVALID hex String"),
    (transfer(to_address=BASE58), "1:79: INVALID hex String"),
    (transfer(hello={}), "1:151: Expected identifier. -}"),
    (transfer(hello=[]), "1:151: Expected string."),
    (transfer(hello=1.5), '1:150: Couldn\'t parse integer: For input string: "1.5"'),
    ("", '1:1: Expected "{".'),
    ('{"to_address":"41",}', "1:20: Expected identifier. -}"),
    ("{'to_address':'41'}", "1:2: Expected identifier. -'"),
    ('{/*x*/"to_address":"41"}', "1:2: Expected identifier. -/"),
    ('{"to_address": 5}', "1:16: Expected string."),
]


@pytest.mark.parametrize(("text", "said"), RECORDED)
def test_refusals_are_worded_and_placed_as_the_node_does(text: str, said: str) -> None:
    with pytest.raises(ParseError) as caught:
        read(text, pb.TransferContract)
    assert str(caught.value) == said


RECORDED_VISIBLE = [
    (transfer(), "1:19: INVALID base58 String, Illegal character 0 at 12"),
    (
        transfer(owner_address=BASE58, to_address="hello!"),
        "1:71: INVALID base58 String, Illegal character l at 2",
    ),
]


@pytest.mark.parametrize(("text", "said"), RECORDED_VISIBLE)
def test_visible_refusals_too(text: str, said: str) -> None:
    with pytest.raises(ParseError) as caught:
        read(text, pb.TransferContract, visible=True)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    "address",
    [
        BASE58[:-1] + "1",
        BASE58[:-1],
        "",
        "1",
        "T" * 34,
        encode_check(b"\x42" + bytes(20)),
        encode_check(b"\x41" + bytes(19)),
    ],
)
def test_an_address_whose_checksum_does_not_fit_is_a_null_pointer(address: str) -> None:
    text = transfer(owner_address=BASE58, to_address=address)
    with pytest.raises(NullPointer, match="null"):
        read(text, pb.TransferContract, visible=True)


def test_an_unknown_enum_name_points_at_itself() -> None:
    """Seen: freezebalancev2 with the resource CPU."""
    body = {"owner_address": OTHER, "frozen_balance": 1000000, "resource": "CPU"}
    with pytest.raises(ParseError) as caught:
        read(json.dumps(body), pb.FreezeBalanceV2Contract)
    assert str(caught.value) == (
        '1:104: Enum type "protocol.ResourceCode" has no value named "CPU".'
    )
    body["resource"] = 7
    with pytest.raises(ParseError, match="has no value with number 7"):
        read(json.dumps(body), pb.FreezeBalanceV2Contract)
    body["resource"] = 2**31
    with pytest.raises(ParseError, match="out of range for 32-bit"):
        read(json.dumps(body), pb.FreezeBalanceV2Contract)


ACCEPTED = [
    ('{"amount":5}', 5),
    (' { "amount" : 5 } ', 5),
    ("{amount:5}", 5),
    ('{"amount":[5]}', 5),
    ('{"amount":[1 5]}', 5),
    ('{"amount":[]}', 0),
    ('{"amount":null}', 0),
    ('{"amount":1,"amount":5}', 5),
    ('{"amount":010}', 8),
    ('{"amount":0x10}', 16),
    ('{"amount":-010}', -8),
    ('{"amount":-9223372036854775808}', -(2**63)),
    ('{"3":5}', 5),
    ('{"hello":"x","amount":5}', 5),
    ('{"hello":{"a":[1,true,null,"b",{"c":2}]},"amount":5}', 5),
    ('{"amount":5 # a comment\n}', 5),
    ('{"amount":\n5}', 5),
]


@pytest.mark.parametrize(("text", "amount"), ACCEPTED)
def test_what_is_no_json_or_not_quite_passes_where_the_node_lets_it(
    text: str, amount: int
) -> None:
    message = read(text, pb.TransferContract)
    assert isinstance(message, pb.TransferContract)
    assert message.amount == amount


def test_hex_may_be_odd_prefixed_or_upper_case() -> None:
    for text, data in (
        ("0x41", b"A"),
        ("abc", b"\x0a\xbc"),
        ("", b""),
        ("0x", b""),
        ("FF", b"\xff"),
        ("4 1", None),
        ("4\\u0031", None),  # escapes are not undone inside bytes
    ):
        body = '{"bytecode":"' + text + '"}'
        if data is None:
            with pytest.raises(ParseError, match="INVALID hex String"):
                read(body, pb.SmartContract)
        else:
            message = read(body, pb.SmartContract)
            assert isinstance(message, pb.SmartContract)
            assert message.bytecode == data


def test_escapes_are_undone_in_strings_but_not_in_visible_text() -> None:
    named = read(r'{"name":"a\n\"\u00e9\ud83d\ude00"}', pb.SmartContract)
    assert isinstance(named, pb.SmartContract)
    assert named.name == 'a\n"é😀'
    issued = read(r'{"name":"a\n"}', pb.AssetIssueContract, visible=True)
    assert isinstance(issued, pb.AssetIssueContract)
    assert issued.name == rb"a\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (r'{"name":"\q"}', r"Invalid escape sequence: '\q'"),
        ('{"name":"abc', "String missing ending quote."),
        (r'{"name":"\u12"}', "end of string"),
        ('{"name" "x"}', 'Expected ":".'),
        ('{"name":"x"', "1:12: Expected string."),
        ('{"name":"x"} x', "Expecting the end of the stream"),
        ('{"abi":5}', 'Expected "{".'),
        ('{"abi":{"entrys":{"constant":1}}}', 'Expected "true" or "false".'),
        ('{"version":2147483648}', "Number out of range for 32-bit"),
        ("[]", 'Expected "{".'),
    ],
)
def test_other_refusals(text: str, said: str) -> None:
    with pytest.raises(ParseError) as caught:
        read(text, pb.SmartContract)
    assert said in str(caught.value)


def test_an_escape_that_is_no_number_is_refused_in_javas_words() -> None:
    with pytest.raises(NumberFormat) as caught:
        read(r'{"name":"\u12zz"}', pb.SmartContract)
    assert str(caught.value) == 'For input string: "12zz" under radix 16'


def test_lines_and_columns_are_counted() -> None:
    with pytest.raises(ParseError, match=r"^2:11: INVALID hex"):
        read('{\n"address":"zz"}', pb.Key)
    with pytest.raises(ParseError, match=r"^1:14: INVALID hex"):
        read('  {"address":"zz"}', pb.Key)
    with pytest.raises(ParseError, match=r"^4:14: INVALID hex"):
        read('{"weight":1 # one\n\n,\n  "address": "zz"}', pb.Key)


def test_enums_may_be_lower_case_or_numbers() -> None:
    for spelling in ('"Owner"', '"owner"', "0", '"Active"', '"active"', "2", "Active"):
        message = read('{"type":' + spelling + "}", pb.Permission)
        assert isinstance(message, pb.Permission)
        assert message.type == (2 if spelling.strip('"') in "Activeactive2" else 0)


def test_a_repeated_field_takes_one_value_and_a_map_writes_zeros() -> None:
    votes = read('{"votes":{"vote_count":3}}', pb.VoteWitnessContract)
    assert isinstance(votes, pb.VoteWitnessContract)
    assert [vote.vote_count for vote in votes.votes] == [3]
    proposal = read('{"parameters":[{"key":0,"value":0}]}', pb.ProposalCreateContract)
    assert proposal.SerializeToString().hex() == "1204" + "08001000"
    missing = read('{"parameters":{"key":9}}', pb.ProposalCreateContract)
    assert missing.SerializeToString().hex() == "1204" + "08091000"


def test_a_sub_message_by_its_number_is_read_from_encoded_bytes() -> None:
    """Fields named by a single digit are taken for what a printer did not know."""
    inner = pb.Permission(threshold=7)
    text = '{"2":"' + inner.SerializeToString().hex() + '"}'
    message = read(text, pb.AccountPermissionUpdateContract)
    assert isinstance(message, pb.AccountPermissionUpdateContract)
    assert message.owner == inner


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for body in (text, "{" + text + "}", '{"abi":' + text + "}"):
        with suppress(ParseError, NullPointer, NumberFormat):
            read(body, pb.SmartContract)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["abi", "entrys", "name", "inputs", "type", "bytecode"])
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values, st.sampled_from([{"visible": True}, {"visible": False}]))
def test_any_json_is_read_or_refused(value: object, mode: dict[str, bool]) -> None:
    with suppress(ParseError, NullPointer):
        read(json.dumps(value), pb.SmartContract, **mode)
