import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.wirebytes import MalformedMessage, length_field, varint, walk
from tests.tron.strategies import blobs, int64s


@given(int64s)
def test_varints_are_protobufs(value: int) -> None:
    assert (
        b"\x18" + varint(value) == pb.TransferContract(amount=value).SerializeToString()
        or value == 0
    )


@given(blobs.filter(len))
def test_length_fields_are_protobufs(content: bytes) -> None:
    message = pb.TransferContract(to_address=content)
    assert length_field(2, content) == message.SerializeToString()


@given(blobs, blobs, int64s)
def test_walking_finds_what_protobuf_wrote(a: bytes, b: bytes, n: int) -> None:
    message = pb.TransferContract(owner_address=a, to_address=b, amount=n)
    fields = dict(walk(message.SerializeToString()))
    assert fields.get(1, b"") == a
    assert fields.get(2, b"") == b
    assert fields.get(3, 0) == n & (1 << 64) - 1


@given(blobs)
def test_fixed_numbers_are_walked_over(content: bytes) -> None:
    """No field of TRON's is fixed; an unknown one may be."""
    data = b"\x09" + bytes(range(8)) + b"\x15" + bytes(4) + length_field(3, content)
    assert list(walk(data)) == [(1, bytes(range(8))), (2, bytes(4)), (3, content)]
    for cut in range(1, 9):
        with pytest.raises(MalformedMessage):
            list(walk(data[:cut]))


@given(st.binary(max_size=60))
def test_walking_and_protobuf_agree_on_what_is_a_message(data: bytes) -> None:
    try:
        fields = list(walk(data))
    except MalformedMessage:
        return
    # WithdrawBalanceContract knows field 1 alone: the others are only walked over.
    if all(isinstance(value, bytes) for number, value in fields if number == 1):
        pb.WithdrawBalanceContract.FromString(data)


@pytest.mark.parametrize(
    "text",
    [
        "0a",  # cut off before the length
        "0a05",  # cut off before the content
        "0a0561",
        "08",
        "0880808080808080808080",  # cut off in a varint
        "08ffffffffffffffffffff01",  # eleven bytes
        "00",  # field 0
        "0b",  # a group
        "0d0000",  # half a fixed32
        "8080808080807f",  # a tag beyond 32 bits
    ],
)
def test_what_is_no_message_is_refused_by_both(text: str) -> None:
    data = bytes.fromhex(text)
    with pytest.raises(MalformedMessage):
        list(walk(data))
    with pytest.raises(DecodeError):
        pb.WithdrawBalanceContract.FromString(data)
