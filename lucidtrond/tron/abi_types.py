"""Solidity's types, parsed from their names: ``uint256``, ``(address,bytes)[]``."""

import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

WORD: Final = 32
_MAX_DEPTH: Final = 16
_MAX_LENGTH: Final = 1 << 20
_ARRAY: Final = re.compile(r"(.*)\[([0-9]{0,7})\]\Z", re.ASCII | re.DOTALL)
_SIZED: Final = re.compile(r"(uint|int|bytes)([1-9][0-9]{0,2})\Z", re.ASCII)


class AbiError(ValueError):
    """A type, value or bytes that don't fit the contract ABI; the message says how."""


class Integer(Struct, frozen=True):
    """``uintN`` and ``intN``."""

    bits: int
    signed: bool


class Boolean(Struct, frozen=True):
    """``bool``."""


class AddressType(Struct, frozen=True):
    """``address``: the low 20 bytes of a word, without TRON's prefix."""


class FixedBytes(Struct, frozen=True):
    """``bytesN``, and ``function`` (24 bytes)."""

    size: int


class DynamicBytes(Struct, frozen=True):
    """``bytes``."""


class Text(Struct, frozen=True):
    """``string``: UTF-8."""


class Array(Struct, frozen=True):
    """``T[]``, or ``T[length]``."""

    element: "AbiType"
    length: int | None


class Tuple(Struct, frozen=True):
    """``(T1,T2)``: a struct, or a list of parameters."""

    parts: "tuple[AbiType, ...]"


AbiType = (
    Integer | Boolean | AddressType | FixedBytes | DynamicBytes | Text | Array | Tuple
)

_NAMED: Final[dict[str, AbiType]] = {
    "address": AddressType(),
    "bool": Boolean(),
    "bytes": DynamicBytes(),
    "function": FixedBytes(24),
    "int": Integer(256, signed=True),
    "string": Text(),
    "trcToken": Integer(256, signed=False),  # TRON's own: id of a TRC-10 token
    "uint": Integer(256, signed=False),
}


def parse_type(text: str) -> AbiType:
    """Read a type's name; ``tuple`` must be spelled out as ``(...)``.

    Raises:
        AbiError: no type, or one that nests too deep.
    """
    return _parse(text, depth=0)


def parse_types(texts: Sequence[str]) -> Tuple:
    """Read a list of types, as parameters stand in a call."""
    return Tuple(tuple(parse_type(text) for text in texts))


def split_types(text: str) -> tuple[str, ...]:
    """Split ``address,(uint256,bytes)[]`` at its outermost commas.

    Raises:
        AbiError: brackets that don't match.
    """
    if text == "":
        return ()
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(text):
        if letter == "(":
            depth += 1
        elif letter == ")":
            depth -= 1
        elif letter == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
        if depth < 0:
            break
    if depth != 0:
        raise AbiError(f"brackets do not match: {text[:60]!r}")
    return (*parts, text[start:])


def is_dynamic(kind: AbiType) -> bool:
    """Whether its encoding stands behind an offset."""
    match kind:
        case DynamicBytes() | Text():
            return True
        case Array():
            return kind.length is None or is_dynamic(kind.element)
        case Tuple():
            return any(is_dynamic(part) for part in kind.parts)
        case _:
            return False


def head_size(kind: AbiType) -> int:
    """Bytes that it takes among its neighbours: an offset, or all of it."""
    if is_dynamic(kind):
        return WORD
    match kind:
        case Array():
            return (kind.length or 0) * head_size(kind.element)
        case Tuple():
            return sum(head_size(part) for part in kind.parts)
        case _:
            return WORD


def _parse(text: str, *, depth: int) -> AbiType:
    if depth > _MAX_DEPTH:
        raise AbiError("a type that nests too deep")
    array = _ARRAY.match(text)
    if array is not None:
        return _parse_array(array[1], array[2], depth=depth)
    if text.startswith("(") and text.endswith(")") and len(text) > 2:
        parts = split_types(text[1:-1])
        return Tuple(tuple(_parse(part, depth=depth + 1) for part in parts))
    if text in _NAMED:
        return _NAMED[text]
    sized = _SIZED.match(text)
    if sized is not None:
        size = int(sized[2])
        if sized[1] == "bytes" and size <= WORD:
            return FixedBytes(size)
        if sized[1] != "bytes" and size % 8 == 0 and size <= 256:
            return Integer(size, signed=sized[1] == "int")
    raise AbiError(f"not a type: {text[:60]!r}")


def _parse_array(element: str, length: str, *, depth: int) -> Array:
    kind = _parse(element, depth=depth + 1)
    if length == "":
        return Array(kind, None)
    count = int(length)
    # Solidity has no empty arrays; a huge one would fill the memory.
    if not 0 < count <= _MAX_LENGTH or head_size(kind) * count > _MAX_LENGTH * WORD:
        raise AbiError(f"an array of {length} elements")
    return Array(kind, count)
