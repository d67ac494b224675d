"""Texts of requests and what they mean: numbers, hex, base58, messages as JSON."""

import re
from decimal import Decimal
from typing import Any, Final

import msgspec

from lucidtrond.devnet.java.errors import (
    JavaError,
    bad_hex,
    beyond_hex,
    null_pointer,
)
from lucidtrond.tron import base58, jsontext
from lucidtrond.tron.address import PREFIX, SIZE

_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})*")
_DECIMAL: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
MAX_DIGITS: Final = 18
"""A long has one more."""
_LONG: Final = re.compile(r"[+-]?[0-9]+", re.ASCII)


def merge(text: str, message: Any, *, visible: bool) -> Any:
    """JsonFormat.merge with java's exceptions."""
    try:
        jsontext.merge(text, message, visible=visible)
    except jsontext.ParseError as error:
        raise JavaError(
            "org.tron.core.services.http.JsonFormat$ParseException", str(error)
        ) from None
    except jsontext.NullPointer:
        raise null_pointer() from None
    return message


def is_long(text: str) -> bool:
    """Whether Long.parseLong takes it."""
    return bool(_LONG.fullmatch(text)) and -(2**63) <= int(text) < 2**63


def as_text(value: Any) -> str | None:
    """JSONObject.getString: what is no text becomes one."""
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


def to_long(value: Any) -> int | None:
    """JSONObject.getBigDecimal and longValueExact: texts are read, null is None.

    Raises:
        JavaError: no number, not whole, or too big.
    """
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if value is None or text in ("", "null"):
        return None
    if isinstance(value, dict | list) or not _DECIMAL.fullmatch(text):
        strange = next(
            (character for character in text if character not in "0123456789+-."),
            text[0],
        )
        raise JavaError(
            "java.lang.NumberFormatException",
            f"Character {strange} is neither a decimal digit number, decimal point,"
            ' nor "e" notation exponential mark.',
        )
    number = Decimal(text)
    if number.adjusted() > MAX_DIGITS or not -(2**63) <= int(number) < 2**63:
        raise JavaError("java.lang.ArithmeticException", "Overflow")
    if number != int(number):
        raise JavaError("java.lang.ArithmeticException", "Rounding necessary")
    return int(number)


def decode_hex(text: str) -> bytes:
    """ByteArray.fromHexString: 0x stripped, odd length padded in front.

    Raises:
        JavaError: a DecoderException.
    """
    digits = text.removeprefix("0x")
    if len(digits) % 2:
        digits = "0" + digits
    good = _HEX.match(digits)
    read = good.end() if good else 0
    if read != len(digits):
        # HexEncoder looks both letters of a pair up in a table before it judges them.
        pair = digits[read : read + 2]
        beyond = next((letter for letter in pair if not letter.isascii()), None)
        raise bad_hex() if beyond is None else beyond_hex(beyond)
    return bytes.fromhex(digits)


def decode_base58(text: str) -> bytes | None:
    """Commons.decodeFromBase58Check: None for a wrong sum, length or prefix.

    Raises:
        JavaError: a letter outside the alphabet.
    """
    for at, letter in enumerate(text):
        if letter not in base58.ALPHABET:
            raise JavaError(
                "java.lang.IllegalArgumentException",
                f"Illegal character {letter} at {at}",
            )
    try:
        raw = base58.decode_check(text)
    except base58.InvalidBase58:
        return None
    return raw if len(raw) == SIZE and raw[0] == PREFIX else None
