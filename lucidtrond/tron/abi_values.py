"""ABI values as JSON holds them: numbers as digit strings, bytes as 0x hex.

`parse_value` and `format_value` are inverses for what the latter writes; the former
also takes JSON numbers, 0x numbers, and addresses in any of their forms.
"""

from typing import Any, assert_never

from lucidtrond.tron.abi_types import (
    AbiError,
    AbiType,
    AddressType,
    Array,
    Boolean,
    DynamicBytes,
    FixedBytes,
    Integer,
    Text,
    Tuple,
)
from lucidtrond.tron.address import InvalidAddress, parse_address

_MAX_DIGITS = 80
"""Of a 256-bit number there are 78."""


def parse_value(kind: AbiType, value: Any) -> Any:  # noqa: C901, PLR0911 - a case per type
    """Give what `abi.encode` takes for this JSON value.

    Raises:
        AbiError: a JSON value that can't mean this type.
    """
    match kind:
        case Integer():
            return _parse_integer(value)
        case Boolean():
            if not isinstance(value, bool):
                raise _unfit("true or false", value)
            return value
        case AddressType():
            try:
                return parse_address(_text(value))
            except InvalidAddress as why:
                raise AbiError(str(why)) from None
        case FixedBytes() | DynamicBytes():
            return _parse_hex(_text(value))
        case Text():
            return _text(value)
        case Array():
            return tuple(parse_value(kind.element, element) for element in _list(value))
        case Tuple():
            values = _list(value)
            if len(values) != len(kind.parts):
                raise _unfit(f"{len(kind.parts)} values", value)
            pairs = zip(kind.parts, values, strict=True)
            return tuple(parse_value(part, component) for part, component in pairs)
        case _:
            assert_never(kind)


def format_value(kind: AbiType, value: Any) -> Any:
    """Write a value that `abi.decode` gave."""
    match kind:
        case Integer():
            return str(value)
        case AddressType():
            return value.base58
        case FixedBytes() | DynamicBytes():
            return "0x" + value.hex()
        case Boolean() | Text():
            return value
        case Array():
            return [format_value(kind.element, element) for element in value]
        case Tuple():
            pairs = zip(kind.parts, value, strict=True)
            return [format_value(part, component) for part, component in pairs]
        case _:
            assert_never(kind)


def _parse_integer(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = _text(value)
    digits = text.removeprefix("-")
    base = 16 if digits.startswith("0x") else 10
    if len(digits) <= _MAX_DIGITS and digits.removeprefix("0x").isalnum():
        try:
            number = int(digits, base)
        except ValueError:
            pass
        else:
            return -number if text.startswith("-") else number
    raise _unfit("a number", value)


def _parse_hex(text: str) -> bytes:
    digits = text.removeprefix("0x")
    try:
        data = bytes.fromhex(digits)
    except ValueError:
        data = b""
    if len(data) * 2 != len(digits):
        raise _unfit("hex digits", text)
    return data


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _unfit("a text", value)
    return value


def _list(value: Any) -> list[Any] | tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise _unfit("a list", value)
    return value


def _unfit(wanted: str, value: Any) -> AbiError:
    return AbiError(f"expected {wanted}, got {str(value)[:60]!r}")
