"""Hypothesis strategies for protocol values."""

from typing import Any, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

from lucidtrond.tron.address import Address
from lucidtrond.tron.jsonfields import bytes_form, is_map_entry, is_repeated
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.units import MAX_SUN, Sun
from lucidtrond.tron.wirebytes import length_field, varint

N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Order of secp256k1."""

addresses = st.binary(min_size=20, max_size=20).map(lambda b: Address(b"\x41" + b))
suns = st.integers(0, MAX_SUN).map(Sun)
int64s = st.integers(-(2**63), 2**63 - 1)
int32s = st.integers(-(2**31), 2**31 - 1)
secrets = st.integers(1, N - 1).map(lambda n: n.to_bytes(32, "big"))
keys = secrets.map(PrivateKey)
digests = st.binary(min_size=32, max_size=32)
blobs = st.binary(max_size=80)
plain_texts = st.text(
    st.characters(codec="utf-8", exclude_characters="\\\"'", exclude_categories=["Cc"]),
    max_size=20,
)
"""What visible mode prints as it is, and reads back as it was."""


@st.composite
def unknown_fields(draw: st.DrawFn) -> bytes:
    """Fields that none of our messages has, in ascending order."""
    numbers = draw(st.lists(st.integers(100, 2**29 - 1), max_size=3, unique=True))
    values = st.binary(max_size=30) | st.integers(0, 2**64 - 1)
    out = b""
    for number in sorted(numbers):
        value = draw(values)
        if isinstance(value, bytes):
            out += length_field(number, value)
        else:
            out += varint(number << 3) + varint(value)
    return out


@st.composite
def messages(draw: st.DrawFn, made: type[Message]) -> Message:
    """Any message of this type whose addresses and texts have a visible form."""
    message = made()
    fill_message(draw, message)
    return message


def fill_message(draw: st.DrawFn, message: Message) -> None:
    descriptor = cast("Descriptor", message.DESCRIPTOR)
    for field in descriptor.fields:
        _fill_field(draw, message, field, is_entry=is_map_entry(descriptor))


def _fill_field(
    draw: st.DrawFn, message: Message, field: Any, *, is_entry: bool
) -> None:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        if is_repeated(field):
            for _ in range(draw(st.integers(0, 2))):
                fill_message(draw, getattr(message, field.name).add())
        elif draw(st.booleans()):
            sub = getattr(message, field.name)
            sub.SetInParent()
            fill_message(draw, sub)
        return
    values = _scalars(field)
    if is_repeated(field):
        getattr(message, field.name).extend(draw(st.lists(values, max_size=3)))
    elif is_entry or draw(st.booleans()):
        setattr(message, field.name, draw(values))


def _scalars(  # noqa: PLR0911 - a case per type
    field: FieldDescriptor,
) -> st.SearchStrategy[Any]:
    match field.type:
        case FieldDescriptor.TYPE_INT64:
            return int64s
        case FieldDescriptor.TYPE_INT32:
            return int32s
        case FieldDescriptor.TYPE_BOOL:
            return st.booleans()
        case FieldDescriptor.TYPE_STRING:
            return st.text(st.characters(codec="utf-8"), max_size=12)
        case FieldDescriptor.TYPE_ENUM:
            assert field.enum_type is not None
            return st.sampled_from(sorted(field.enum_type.values_by_number))
        case FieldDescriptor.TYPE_BYTES:
            form = bytes_form(field)
            if form == "address":
                return addresses.map(lambda address: address.raw)
            return plain_texts.map(str.encode) if form == "text" else blobs
        case _:
            raise AssertionError(field.type)
