"""Protobuf's outermost layer, read and written without interpreting what is inside.

For bytes that must stay as they came: raw data and contracts of others.
"""

from collections.abc import Iterator
from typing import Final, TypeVar, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message
from msgspec import Struct

MAX_DEPTH: Final = 100
"""Messages in one another that a protobuf reader takes (CodedInputStream)."""
_VARINT: Final = 0
_FIXED64: Final = 1
_LENGTH: Final = 2
_GROUP: Final = 3
_END_GROUP: Final = 4
_FIXED32: Final = 5
_KIND_OF: Final = {
    FieldDescriptor.CPPTYPE_MESSAGE: _LENGTH,
    FieldDescriptor.CPPTYPE_STRING: _LENGTH,  # bytes too
}
"""Wire type by kind of field; of all others that we have, varint."""
_MAX_VARINT_BYTES: Final = 10
_FIXED_SIZES: Final = {_FIXED64: 8, _FIXED32: 4}


class MalformedMessage(ValueError):
    """Bytes that are no protobuf message."""


def varint(value: int) -> bytes:
    """Write an integer; negative ones as 64-bit two's complement."""
    if 0 <= value <= 0x7F:
        return bytes((value,))
    value &= 0xFFFF_FFFF_FFFF_FFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def length_field(number: int, content: bytes) -> bytes:
    """Write one length-delimited field (bytes, text or message)."""
    return varint(number << 3 | _LENGTH) + varint(len(content)) + content


class Field(Struct, frozen=True):
    """One field as it stands: *value* is int for varints, bytes for all else."""

    number: int
    kind: int
    """Wire type: 0, 1, 2 or 5."""
    value: int | bytes
    written: bytes
    """With its tag, as it came."""

    @property
    def content(self) -> bytes | None:
        """Of a length-delimited field; None of any other."""
        return self.value if self.kind == _LENGTH else None  # type: ignore[return-value]


def fields(data: bytes) -> Iterator[Field]:
    """Give the outermost fields of a message, in order.

    Raises:
        MalformedMessage: cut off, a group, a zero tag.
    """
    at = 0
    while at < len(data):
        start = at
        tag, at = _read_varint(data, at)
        number, kind = tag >> 3, tag & 7
        if number == 0 or tag > 0xFFFF_FFFF:
            raise MalformedMessage("an invalid tag")
        if kind == _VARINT:
            value, at = _read_varint(data, at)
            yield Field(number, kind, value, data[start:at])
            continue
        if kind == _LENGTH:
            size, at = _read_varint(data, at)
        elif kind in _FIXED_SIZES:
            size = _FIXED_SIZES[kind]
        else:
            raise MalformedMessage("a wire type that is not used")
        if size > len(data) - at:
            raise MalformedMessage("the input ends in the middle of a field")
        yield Field(number, kind, data[at : at + size], data[start : at + size])
        at += size


def walk(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Give (field number, value) of each of `fields`."""
    for field in fields(data):
        yield field.number, field.value


def unknown_fields(data: bytes, message_type: type[Message]) -> bytes:
    """The outermost fields that *message_type* does not know, as they came, in order.

    A field of another wire type than the one it has there is unknown as well.

    Raises:
        MalformedMessage: as `fields`.
    """
    kinds = {
        field.number: _KIND_OF.get(field.cpp_type, _VARINT)
        for field in cast("Descriptor", message_type.DESCRIPTOR).fields
    }
    return b"".join(
        field.written for field in fields(data) if kinds.get(field.number) != field.kind
    )


M = TypeVar("M", bound=Message)


def parse(message_type: type[M], data: bytes) -> M:
    """Read a message as java does, which takes some that google's C library refuses.

    Raises:
        MalformedMessage: java refuses it, too.
    """
    try:
        return message_type.FromString(data)
    except DecodeError:
        pass
    try:
        return message_type.FromString(shortened(data, message_type))
    except DecodeError:
        raise MalformedMessage("not a message of this kind") from None


def shortened(data: bytes, message_type: type[Message]) -> bytes:
    """The same message with tags and lengths in as few bytes as they need.

    Java takes up to ten bytes for any varint and drops what is beyond 32 bits of a tag
    or a length (CodedInputStream.readRawVarint32); google's C library takes five and
    refuses the rest. Sub-messages that *message_type* knows are done too; groups, which
    no message of the network has, are left out.

    Raises:
        MalformedMessage: what Java refuses as well.
    """
    return _shortened(data, cast("Descriptor", message_type.DESCRIPTOR), MAX_DEPTH)


def _shortened(data: bytes, descriptor: Descriptor, depth: int) -> bytes:
    out = bytearray()
    at = 0
    while at < len(data):
        number, kind, content, at = _java_field(data, at, depth)
        if content is None:
            continue
        field = descriptor.fields_by_number.get(number)
        inner = None if field is None or kind != _LENGTH else field.message_type
        if inner is not None:
            content = _shortened(content, inner, depth - 1)
        out += varint(number << 3 | kind)
        if kind == _LENGTH:
            out += varint(len(content))
        out += content
    return bytes(out)


def _java_field(data: bytes, at: int, depth: int) -> tuple[int, int, bytes | None, int]:
    """Give (field number, wire type, content, where the next begins); the content of
    a group is None."""
    tag, at = _read_java_varint32(data, at)
    number, kind = tag >> 3, tag & 7
    if number == 0 or depth == 0:
        raise MalformedMessage("an invalid tag, or messages too deep in one another")
    if kind == _VARINT:
        value, at = _read_varint(data, at)
        return number, kind, varint(value), at
    if kind == _GROUP:
        return number, kind, None, _behind_group(data, at, number, depth - 1)
    if kind == _LENGTH:
        size, at = _read_java_varint32(data, at)
    elif kind in _FIXED_SIZES:
        size = _FIXED_SIZES[kind]
    else:
        raise MalformedMessage("a wire type that is not used")
    if size > len(data) - at:
        raise MalformedMessage("the input ends in the middle of a field")
    return number, kind, data[at : at + size], at + size


def _behind_group(data: bytes, at: int, number: int, depth: int) -> int:
    while True:
        tag, behind = _read_java_varint32(data, at)
        if tag & 7 == _END_GROUP:
            if tag >> 3 != number:
                raise MalformedMessage("the end of another group")
            return behind
        *_, at = _java_field(data, at, depth)


def _read_java_varint32(data: bytes, at: int) -> tuple[int, int]:
    value, at = _read_varint(data, at)
    return value & 0xFFFF_FFFF, at


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(_MAX_VARINT_BYTES):
        if at + place >= len(data):
            raise MalformedMessage("the input ends in the middle of a field")
        byte = data[at + place]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at + place + 1
    raise MalformedMessage("a varint of more than ten bytes")
