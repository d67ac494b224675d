"""Protobuf as java-tron reads and writes it, against google's own library and texts."""

import random

import pytest
from google.protobuf.message import DecodeError, Message
from hypothesis import example, given
from hypothesis import strategies as st

from lucidtrond.devnet.state import javaproto
from lucidtrond.devnet.state.javaproto import BadProtobuf, parse
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.wirebytes import length_field, varint

ints = st.integers(-(2**63), 2**63 - 1)
small_bytes = st.binary(max_size=40)
transfers = st.builds(
    pb.TransferContract,
    owner_address=small_bytes,
    to_address=small_bytes,
    amount=ints,
)


@st.composite
def transactions(draw: st.DrawFn) -> pb.Transaction:
    """Whole transactions; any field may be absent."""
    contracts = [
        pb.Transaction.Contract(
            type=draw(st.sampled_from([0, 1, 4, 31])),  # type: ignore[arg-type] # stubs want names
            parameter=pb.Any(
                type_url=draw(st.text(max_size=20)), value=draw(small_bytes)
            ),
            Permission_id=draw(st.integers(-(2**31), 2**31 - 1)),
        )
        for _ in range(draw(st.integers(0, 2)))
    ]
    raw = pb.Transaction.raw(
        ref_block_bytes=draw(small_bytes),
        expiration=draw(ints),
        data=draw(small_bytes),
        contract=contracts,
        fee_limit=draw(ints),
    )
    return pb.Transaction(
        raw_data=raw,
        signature=draw(st.lists(small_bytes, max_size=3)),
        ret=[pb.Transaction.Result(fee=draw(ints)) for _ in range(draw(st.just(1)))],
    )


def written(data: bytes, made: type[Message] = pb.Transaction) -> bytes:
    """What a node makes of bytes."""
    return parse(data, made).encode()


def overlong(value: int, size: int) -> bytes:
    """A varint of *size* bytes, more than it needs."""
    parts = [value >> 7 * place & 0x7F for place in range(size)]
    return bytes([part | 0x80 for part in parts[:-1]] + [parts[-1]])


@given(transactions())
def test_a_canonical_message_is_written_as_it_was(message: pb.Transaction) -> None:
    data = message.SerializeToString(deterministic=True)
    assert written(data) == data


@given(transactions(), st.randoms(use_true_random=False))
def test_order_and_defaults_do_not_change_what_is_written(
    message: pb.Transaction, chance: random.Random
) -> None:
    raw = message.raw_data
    fields = [
        length_field(1, b""),  # a default that is written out, and does not stay
        length_field(1, raw.ref_block_bytes),
        varint(8 << 3) + varint(7),  # the last one counts
        varint(8 << 3) + varint(raw.expiration),
        length_field(10, raw.data),
        *(length_field(11, contract.SerializeToString()) for contract in raw.contract),
        overlong(18 << 3, 5) + overlong(raw.fee_limit & (2**64 - 1), 10),
    ]
    expected = raw.SerializeToString(deterministic=True)
    assert written(b"".join(fields), pb.Transaction.raw) == expected
    order = list(range(len(fields)))
    chance.shuffle(order)
    # Those of one number keep their order.
    for kept in ((0, 1), (2, 3), tuple(range(5, 5 + len(raw.contract)))):
        places = sorted(order.index(position) for position in kept)
        for place, position in zip(places, kept, strict=True):
            order[place] = position
    shuffled = b"".join(fields[position] for position in order)
    assert written(shuffled, pb.Transaction.raw) == expected


@given(transactions(), st.integers(30, 2**29 - 1), st.binary(max_size=20), ints)
def test_unknown_fields_stay_behind_the_known_ones_by_number(
    message: pb.Transaction, number: int, content: bytes, value: int
) -> None:
    canonical = message.raw_data.SerializeToString(deterministic=True)
    text = length_field(number, content)
    whole = varint(number << 3) + varint(value)
    group = varint(29 << 3 | 3) + text + varint(29 << 3 | 4)
    data = text + group + whole + canonical
    # Of one number varints come first (UnknownFieldSet.Field.writeTo).
    assert written(data, pb.Transaction.raw) == canonical + group + whole + text
    assert parse(data, pb.Transaction.raw).encode_fields() == canonical


def test_a_known_number_of_another_wire_type_is_unknown() -> None:
    data = varint(8 << 3 | 2) + b"\x01x" + varint(1 << 3) + b"\x05"
    expected = varint(1 << 3) + b"\x05" + varint(8 << 3 | 2) + b"\x01x"
    assert written(data, pb.Transaction.raw) == expected


def test_a_message_that_comes_in_parts_is_merged() -> None:
    first = pb.Transaction.raw(expiration=5, data=b"a", fee_limit=1)
    second = pb.Transaction.raw(expiration=6, data=b"b")
    parts = b"".join(
        length_field(1, message.SerializeToString()) for message in (first, second)
    )
    expected = pb.Transaction.raw(expiration=6, data=b"b", fee_limit=1)
    assert written(parts) == length_field(1, expected.SerializeToString())


@given(transactions(), st.data())
def test_whatever_comes_is_refused_in_javas_words_or_written_stably(
    message: pb.Transaction, data: st.DataObject
) -> None:
    spoiled = bytearray(message.SerializeToString())
    for _ in range(data.draw(st.integers(1, 3))):
        if spoiled:
            spoiled[data.draw(st.integers(0, len(spoiled) - 1))] = data.draw(
                st.integers(0, 255)
            )
    check_agreement(bytes(spoiled))


@given(st.binary(max_size=60))
@example(b"\x0b\x0c")
def test_random_bytes_are_refused_in_javas_words_or_written_stably(
    data: bytes,
) -> None:
    check_agreement(data)


def check_agreement(data: bytes) -> None:
    """Against google's library, which differs only where varints are too long."""
    try:
        theirs = pb.Transaction.FromString(data)
    except DecodeError:
        theirs = None
    try:
        once = parse(data, pb.Transaction).encode()
    except BadProtobuf:
        assert theirs is None
        return
    assert written(once) == once
    ours = pb.Transaction.FromString(once)
    if theirs is not None:
        theirs.DiscardUnknownFields()
        ours.DiscardUnknownFields()
        assert ours == theirs


@pytest.mark.parametrize(
    ("data", "words", "java"),
    [
        (b"\x00", javaproto.INVALID_TAG, ""),
        (b"\x07", javaproto.INVALID_TAG, ""),
        (b"\x0a\x05ab", javaproto.TRUNCATED, ""),
        (b"\x0a", javaproto.TRUNCATED, ""),
        (b"\x0a\x80", javaproto.TRUNCATED, ""),
        (b"\x7d\x01", javaproto.TRUNCATED, ""),
        (b"\x0c", javaproto.INVALID_END_TAG, ""),
        (b"\x9b\x06\x9c\x07", javaproto.INVALID_END_TAG, ""),
        (b"\x9b\x06", javaproto.INVALID_END_TAG, ""),
        (b"\x0a\x01\x0c", javaproto.INVALID_END_TAG, ""),
        (b"\x0e", javaproto.INVALID_WIRE_TYPE, "$InvalidWireTypeException"),
        (b"\x0f", javaproto.INVALID_WIRE_TYPE, "$InvalidWireTypeException"),
        (b"\x12\xff\xff\xff\xff\x0f", javaproto.NEGATIVE_SIZE, ""),
        (b"\x98\x06" + b"\xff" * 10 + b"\x01", javaproto.MALFORMED_VARINT, ""),
        (b"\x2a\x03\x72\x01\xff", javaproto.INVALID_UTF8, ""),
        (b"\x0b" * 101 + b"\x0c" * 101, javaproto.TOO_DEEP, ""),
        # The first error in the order of the bytes.
        (
            b"\x12\x01a\x0e\x00",
            javaproto.INVALID_WIRE_TYPE,
            "$InvalidWireTypeException",
        ),
    ],
)
def test_errors_are_protobuf_javas(data: bytes, words: str, java: str) -> None:
    with pytest.raises(BadProtobuf) as caught:
        parse(data, pb.Transaction)
    assert str(caught.value) == words
    name = "com.google.protobuf.InvalidProtocolBufferException"
    assert caught.value.java_class == name + java


def test_a_hundred_groups_in_one_another_are_read() -> None:
    data = b"\x0b" * 100 + b"\x0c" * 100
    assert written(data) == data


@pytest.mark.parametrize(
    ("number", "given_value", "kept"),
    [
        (5, 2**40 + 3, 3),  # int32: the low 32 bits
        (5, 2**31, 2**64 - 2**31),  # with their sign
        (1, 2**32, 0),  # an enum likewise, and 0 is not written
        (1, 2**64 - 1, 2**64 - 1),
    ],
)
def test_a_number_keeps_the_bits_of_its_field(
    number: int, given_value: int, kept: int
) -> None:
    tag = varint(number << 3)
    expected = tag + varint(kept) if kept else b""
    data = tag + varint(given_value)
    assert written(data, pb.Transaction.Contract) == expected


def test_a_truth_value_is_one_or_absent() -> None:
    kind = pb.VoteWitnessContract
    assert written(b"\x18\x02", kind) == b"\x18\x01"
    assert written(b"\x18\x80\x00", kind) == b""
