"""Protobuf's outermost layer, read and written without interpreting what is inside.

For bytes that must stay as they came: raw data and contracts of others.
"""

from collections.abc import Iterator
from typing import Final

_VARINT: Final = 0
_FIXED64: Final = 1
_LENGTH: Final = 2
_FIXED32: Final = 5
_MAX_VARINT_BYTES: Final = 10
_FIXED_SIZES: Final = {_FIXED64: 8, _FIXED32: 4}


class MalformedMessage(ValueError):
    """Bytes that are no protobuf message."""


def varint(value: int) -> bytes:
    """Write an integer; negative ones as 64-bit two's complement."""
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


def walk(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Give (field number, value): int for varints, bytes for everything else.

    Raises:
        MalformedMessage: cut off, a group, a zero tag.
    """
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        number, kind = tag >> 3, tag & 7
        if number == 0 or tag > 0xFFFF_FFFF:
            raise MalformedMessage("an invalid tag")
        if kind == _VARINT:
            value, at = _read_varint(data, at)
            yield number, value
            continue
        if kind == _LENGTH:
            size, at = _read_varint(data, at)
        elif kind in _FIXED_SIZES:
            size = _FIXED_SIZES[kind]
        else:
            raise MalformedMessage("a wire type that is not used")
        if size > len(data) - at:
            raise MalformedMessage("the input ends in the middle of a field")
        yield number, data[at : at + size]
        at += size


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
