"""Protobuf as java-tron reads it and writes it again (protobuf-java's generated code).

A node keeps no bytes that came: it parses a whole message and serialises what it
parsed, so that the same transaction has one form, whoever wrote it. Known fields stand
in the order of their numbers without defaults; of a field that came twice the last one
counts, messages are merged; what is not known, or known with another wire type, stands
behind them by number (UnknownFieldSet). Texts of errors are protobuf-java's, and the
first error in the order of the bytes is the one that is reported.

Only what the network's messages use is here: integers, booleans, enums, texts, bytes,
messages; repeated are only the last two.
"""

from typing import Final, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from msgspec import Struct

from lucidtrond.tron.wirebytes import varint

_VARINT: Final = 0
_FIXED64: Final = 1
_LENGTH: Final = 2
_GROUP: Final = 3
_END_GROUP: Final = 4
_FIXED32: Final = 5
_MAX_VARINT_BYTES: Final = 10
_RECURSION_LIMIT: Final = 100  # CodedInputStream.defaultRecursionLimit
_SIZES: Final = {_FIXED64: 8, _FIXED32: 4}
_UNKNOWN_ORDER: Final = (_VARINT, _FIXED32, _FIXED64, _LENGTH, _GROUP)
"""UnknownFieldSet.Field.writeTo."""
_CONTENT: Final = frozenset(
    {
        FieldDescriptor.TYPE_MESSAGE,
        FieldDescriptor.TYPE_STRING,
        FieldDescriptor.TYPE_BYTES,
    }
)
_32_BITS: Final = frozenset({FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_ENUM})

# Sentences of com.google.protobuf.InvalidProtocolBufferException.
TRUNCATED: Final = (
    "While parsing a protocol message, the input ended unexpectedly in the middle of a"
    " field.  This could mean either that the input has been truncated or that an"
    " embedded message misreported its own length."
)
NEGATIVE_SIZE: Final = (
    "CodedInputStream encountered an embedded string or message which claimed to have"
    " negative size."
)
MALFORMED_VARINT: Final = "CodedInputStream encountered a malformed varint."
INVALID_TAG: Final = "Protocol message contained an invalid tag (zero)."
INVALID_END_TAG: Final = "Protocol message end-group tag did not match expected tag."
INVALID_WIRE_TYPE: Final = "Protocol message tag had invalid wire type."
INVALID_UTF8: Final = "Protocol message had invalid UTF-8."
TOO_DEEP: Final = (
    "Protocol message had too many levels of nesting.  May be malicious.  Use"
    " setRecursionLimit() to increase the recursion depth limit."
)

Unknown = dict[int, dict[int, list[bytes]]]
"""Values as they are written, by field number, then by wire type."""


class BadProtobuf(ValueError):
    """Bytes that protobuf-java refuses; the text is its own."""

    @property
    def java_class(self) -> str:
        """The name of the exception's class."""
        name = "com.google.protobuf.InvalidProtocolBufferException"
        if str(self) == INVALID_WIRE_TYPE:
            return f"{name}$InvalidWireTypeException"
        return name


class Parsed(Struct, frozen=True):
    """A message that was parsed. *fields* holds each field's values by its number,
    those of varints as 64 bits, of messages as they are serialised again; defaults are
    not there, nor are messages that did not come."""

    fields: dict[int, list[int | bytes]]
    unknown: bytes
    """Those not known, as they are serialised again."""

    def content(self, number: int) -> tuple[bytes, ...]:
        """Values of a length-delimited field."""
        return tuple(
            value for value in self.fields.get(number, ()) if isinstance(value, bytes)
        )

    def encode_fields(self) -> bytes:
        """The message without what is not known in it (in it, not in its parts)."""
        out = bytearray()
        for number in sorted(self.fields):
            for value in self.fields[number]:
                if isinstance(value, int):
                    out += varint(number << 3)
                    out += varint(value)
                else:
                    out += varint(number << 3 | _LENGTH)
                    out += varint(len(value))
                    out += value
        return bytes(out)

    def encode(self) -> bytes:
        """The whole message, serialised again."""
        return self.encode_fields() + self.unknown


def parse(data: bytes, made: type[Message]) -> Parsed:
    """Read a message as Java's ``parseFrom`` does.

    Raises:
        BadProtobuf: with protobuf-java's sentence.
    """
    return _parse(data, cast("Descriptor", made.DESCRIPTOR), 0)


def _parse(data: bytes, descriptor: Descriptor, depth: int) -> Parsed:
    stream = _Stream(data)
    fields = descriptor.fields_by_number
    values: dict[int, list[int | bytes]] = {}
    pieces: dict[int, bytes] = {}
    """Of each message that came more than once: all of it."""
    unknown: Unknown = {}
    while (tag := stream.tag()) is not None:
        number, kind = tag >> 3, tag & 7
        made = fields.get(number)
        if made is None or kind != (_LENGTH if made.type in _CONTENT else _VARINT):
            _take_unknown(stream, tag, unknown, depth)
            continue
        if kind == _VARINT:
            values[number] = _kept(_as_read(stream.varint(), made))
            continue
        if made.type != FieldDescriptor.TYPE_MESSAGE:
            value = stream.content()
            if made.type == FieldDescriptor.TYPE_STRING:
                _check_text(value)
            if made.is_repeated:
                values.setdefault(number, []).append(value)
            else:
                values[number] = _kept(value)
            continue
        if depth >= _RECURSION_LIMIT:
            raise BadProtobuf(TOO_DEEP)
        inner = cast("Descriptor", made.message_type)
        piece = stream.content()
        read = _parse(piece, inner, depth + 1)
        if made.is_repeated:
            values.setdefault(number, []).append(read.encode())
        elif number in pieces:
            pieces[number] += piece
            values[number] = [_parse(pieces[number], inner, depth + 1).encode()]
        else:
            pieces[number] = piece
            values[number] = [read.encode()]
    return Parsed({n: v for n, v in values.items() if v}, _encode_unknown(unknown))


def _kept(value: int | bytes) -> list[int | bytes]:
    return [value] if value else []


def _as_read(value: int, made: FieldDescriptor) -> int:
    """What of a varint's 64 bits a field keeps, in 64 bits."""
    if made.type in _32_BITS:
        value &= 0xFFFF_FFFF
        return value | 0xFFFF_FFFF_0000_0000 if value >> 31 else value
    if made.type == FieldDescriptor.TYPE_BOOL:
        return int(value != 0)
    return value


def _check_text(value: bytes) -> None:
    try:
        value.decode()
    except UnicodeDecodeError:
        raise BadProtobuf(INVALID_UTF8) from None


def _take_unknown(stream: "_Stream", tag: int, unknown: Unknown, depth: int) -> None:
    number, kind = tag >> 3, tag & 7
    if kind == _VARINT:
        written = varint(stream.varint())
    elif kind == _LENGTH:
        content = stream.content()
        written = varint(len(content)) + content
    elif kind in _SIZES:
        written = stream.take(_SIZES[kind])
    elif kind == _GROUP:
        written = _read_group(stream, number, depth + 1)
    elif kind == _END_GROUP:
        # Ends a message's loop; none that we are in expects it (checkLastTagWas).
        raise BadProtobuf(INVALID_END_TAG)
    else:
        raise BadProtobuf(INVALID_WIRE_TYPE)
    unknown.setdefault(number, {}).setdefault(kind, []).append(written)


def _read_group(stream: "_Stream", number: int, depth: int) -> bytes:
    if depth > _RECURSION_LIMIT:
        raise BadProtobuf(TOO_DEEP)
    inside: Unknown = {}
    end = number << 3 | _END_GROUP
    while (tag := stream.tag()) != end:
        if tag is None:
            raise BadProtobuf(INVALID_END_TAG)
        _take_unknown(stream, tag, inside, depth)
    return _encode_unknown(inside) + varint(end)


def _encode_unknown(unknown: Unknown) -> bytes:
    return b"".join(
        varint(number << 3 | kind) + written
        for number in sorted(unknown)
        for kind in _UNKNOWN_ORDER
        for written in unknown[number].get(kind, ())
    )


class _Stream:
    """CodedInputStream over one message's bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def tag(self) -> int | None:
        """The next tag; None at the end."""
        if self._at == len(self._data):
            return None
        tag = self.varint() & 0xFFFF_FFFF
        if tag >> 3 == 0:
            raise BadProtobuf(INVALID_TAG)
        return tag

    def varint(self) -> int:
        """64 bits, of up to ten bytes."""
        if self._at < len(self._data) and (byte := self._data[self._at]) < 0x80:
            self._at += 1
            return byte
        value = 0
        for place in range(_MAX_VARINT_BYTES):
            if self._at == len(self._data):
                raise BadProtobuf(TRUNCATED)
            byte = self._data[self._at]
            self._at += 1
            value |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                return value & 0xFFFF_FFFF_FFFF_FFFF
        raise BadProtobuf(MALFORMED_VARINT)

    def content(self) -> bytes:
        """A length and as many bytes."""
        size = self.varint() & 0xFFFF_FFFF
        if size >> 31:
            raise BadProtobuf(NEGATIVE_SIZE)
        return self.take(size)

    def take(self, size: int) -> bytes:
        if size > len(self._data) - self._at:
            raise BadProtobuf(TRUNCATED)
        start = self._at
        self._at += size
        return self._data[start : self._at]
