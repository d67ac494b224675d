"""The many ways to write one contract: each is read as the network reads it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.address import Address
from lucidtrond.tron.contracts import (
    TYPE_URL_PREFIX,
    Contract,
    RawContract,
    Transfer,
    TransferAsset,
    Trigger,
    decode,
    encode,
    owner_of,
)
from lucidtrond.tron.jsonformat import CONTRACT_TYPES, message_class, print_raw_data
from lucidtrond.tron.transaction import decode_raw
from lucidtrond.tron.units import Sun
from lucidtrond.tron.wirebytes import MalformedMessage, length_field, shortened, varint
from tests.tron.strategies import addresses, messages
from tests.tron.test_contracts import READ, complete
from tests.tron.vectors import DATA

A, B = (Address(b"\x41" + bytes([n]) * 20) for n in (1, 2))
FORMS: list[dict[str, Any]] = json.loads((DATA / "contract-forms.json").read_text())[
    "transfers"
]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form["what"])
def test_each_form_of_a_transfer_moves_what_the_network_moves(
    form: dict[str, Any],
) -> None:
    contract = decode_raw(bytes.fromhex(form["raw_data_hex"])).contract
    moves = form["moves"]
    if moves is None:
        assert isinstance(contract, RawContract)
        return
    assert contract == Transfer(
        Address.from_hex(moves["owner"]),
        Address.from_hex(moves["to"]),
        Sun(moves["amount"]),
    )


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form["what"])
def test_each_form_prints_as_the_same_transfer(form: dict[str, Any]) -> None:
    """What can't be unpacked is left out; a bad address is shown as it is."""
    printed = print_raw_data(bytes.fromhex(form["raw_data_hex"]), visible=False)
    moves = form["moves"]
    if moves is None:
        shown = [status["parameter"]["value"] for status in printed["contract"]]
        assert shown == [] or len(shown[0]["owner_address"]) == 40
        return
    [contract] = printed["contract"]
    value = {"owner_address": moves["owner"], "to_address": moves["to"]}
    if moves["amount"]:
        value["amount"] = moves["amount"]
    assert contract["parameter"]["value"] == value
    assert contract["type"] == "TransferContract"


# A writer that may do what java's does not.

LONG = st.integers(0, 9)
"""Bytes more than a varint needs, as far as ten allow."""


def long_varint(value: int, more: int, size: int = 10) -> bytes:
    short = varint(value)
    more = min(more, size - len(short))
    if more <= 0:
        return short
    return short[:-1] + bytes([short[-1] | 0x80]) + b"\x80" * (more - 1) + b"\0"


def written(number: int, value: int | bytes, longer: Sequence[int]) -> bytes:
    in_tag, in_value = longer
    if isinstance(value, int):
        return long_varint(number << 3, in_tag) + long_varint(value, in_value)
    tag = long_varint(number << 3 | 2, in_tag)
    return tag + long_varint(len(value), in_value) + value


unknown_fields = st.tuples(
    st.integers(100, 2**29 - 1), st.integers(0, 2**64 - 1) | st.binary(max_size=30)
)
MOVING: Mapping[str, Mapping[int, st.SearchStrategy[int] | st.SearchStrategy[bytes]]]
_address = addresses.map(lambda address: address.raw)
_amount = st.integers(0, 2**63 - 1)
MOVING = {
    "TransferContract": {1: _address, 2: _address, 3: _amount},
    "TransferAssetContract": {
        1: st.binary(max_size=9),
        2: _address,
        3: _address,
        4: _amount,
    },
    "TriggerSmartContract": {
        1: _address,
        2: _address,
        3: _amount,
        4: st.binary(max_size=70),
        5: _amount,
        6: _amount,
    },
}


def meant(name: str, last: Mapping[int, Any]) -> Contract:
    def at(number: int) -> Any:
        return last.get(number, 0)

    if name == "TransferContract":
        return Transfer(Address(at(1)), Address(at(2)), Sun(at(3)))
    if name == "TransferAssetContract":
        return TransferAsset(Address(at(2)), Address(at(3)), at(1) or b"", at(4))
    return Trigger(
        Address(at(1)), Address(at(2)), at(4) or b"", Sun(at(3)), at(5), at(6)
    )


@given(st.sampled_from(sorted(MOVING)), st.data())
def test_order_repetition_defaults_unknown_fields_and_long_varints_change_nothing(
    name: str, data: st.DataObject
) -> None:
    kinds = MOVING[name]
    required = [number for number in kinds if kinds[number] is _address]
    numbers = data.draw(st.lists(st.sampled_from(sorted(kinds)), max_size=8))
    numbers = data.draw(st.permutations([*numbers, *required]))
    fields: list[tuple[int, int | bytes]] = []
    last: dict[int, int | bytes] = {}
    for number in numbers:
        last[number] = cast("int | bytes", data.draw(kinds[number]))
        fields.append((number, last[number]))
    for other in data.draw(st.lists(unknown_fields, max_size=3)):
        fields.insert(data.draw(st.integers(0, len(fields))), other)
    value = b"".join(
        written(number, content, data.draw(st.tuples(LONG, LONG)))
        for number, content in fields
    )
    host = data.draw(st.text(max_size=8))
    url = f"{host}/protocol.{name}"
    assert decode(CONTRACT_TYPES[name], url, value) == meant(name, last)


@given(st.data())
def test_any_contract_in_any_form_reads_as_googles_library_reads_it(
    data: st.DataObject,
) -> None:
    name = data.draw(st.sampled_from(READ))
    made = message_class(name)
    assert made is not None
    first, second = (complete(data.draw(messages(made))) for _ in range(2))
    extra = b"".join(
        written(*unknown, (0, 0)) for unknown in data.draw(st.lists(unknown_fields))
    )
    parts = [first.SerializeToString(), second.SerializeToString(), extra]
    value = b"".join(data.draw(st.permutations(parts)))
    plain = made.FromString(value)
    plain.DiscardUnknownFields()
    canonical = plain.SerializeToString(deterministic=True)
    number, url = CONTRACT_TYPES[name], TYPE_URL_PREFIX + name
    contract = decode(number, "/protocol." + name, value)
    assert not isinstance(contract, RawContract)
    assert contract == decode(number, url, canonical)
    assert encode(contract) == (number, url, canonical)
    longer = data.draw(st.tuples(LONG, LONG))
    assert decode(number, url, lengthened(made.FromString(value), longer)) == contract


def lengthened(message: Message, longer: Sequence[int]) -> bytes:
    """The same message, every tag and length longer than it need be."""
    out = []
    for field, value in message.ListFields():
        for element in value if field.is_repeated else [value]:
            content = element
            if field.type == FieldDescriptor.TYPE_MESSAGE:
                content = lengthened(element, longer)
            elif isinstance(element, str):
                content = element.encode()
            out.append(written(field.number, content, longer))
    return b"".join(out)


@given(st.binary(max_size=60))
def test_shortening_changes_nothing_that_was_readable(value: bytes) -> None:
    try:
        plain = pb.TransferContract.FromString(value)
    except DecodeError:
        return
    again = pb.TransferContract.FromString(shortened(value, pb.TransferContract))
    plain.DiscardUnknownFields()
    again.DiscardUnknownFields()
    assert again == plain


@given(st.binary(max_size=60))
def test_whatever_comes_is_shortened_or_refused(value: bytes) -> None:
    try:
        once = shortened(value, pb.CreateSmartContract)
    except MalformedMessage:
        return
    assert shortened(once, pb.CreateSmartContract) == once
    assert len(once) <= len(value)


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("98808080800005", 5),  # six bytes of tag
        ("988080801005", 5),  # bits beyond 32 in a tag are dropped
        ("1885808080808080808000", 5),
        ("230801241805", 5),  # a group before it
        ("2308012418052318632418052424", None),  # the end of no group
        ("23080125", None),
        ("0318051805", None),  # field 0
        ("18", None),
        ("188580808080808080808000", None),  # eleven bytes
        ("1a0105", 0),  # a text where a number belongs is an unknown field
    ],
)
def test_bytes_that_java_reads_otherwise_than_googles_c_library(
    value: str, amount: int | None
) -> None:
    ends = length_field(1, A.raw) + length_field(2, B.raw)
    url = TYPE_URL_PREFIX + "TransferContract"
    contract = decode(1, url, ends + bytes.fromhex(value))
    if amount is None:
        assert isinstance(contract, RawContract)
    else:
        assert contract == Transfer(A, B, Sun(amount))


def test_messages_too_deep_in_one_another_are_refused() -> None:
    deep = b""
    for _ in range(200):
        deep = b"\x23" + deep + b"\x24"
    with pytest.raises(MalformedMessage, match="deep"):
        shortened(deep, pb.TransferContract)


def test_the_owner_of_what_can_not_be_read_otherwise_is_still_named() -> None:
    odd = pb.FreezeBalanceContract(owner_address=A.raw, receiver_address=b"\1")
    url = TYPE_URL_PREFIX + "FreezeBalanceContract"
    contract = decode(11, url, odd.SerializeToString())
    assert isinstance(contract, RawContract)
    assert owner_of(contract) == A
    for other in (
        RawContract(11, url, b"\xff"),
        RawContract(11, "", odd.SerializeToString()),
        RawContract(11, url, b"\x0a\x01\x41"),
    ):
        assert owner_of(other) is None
