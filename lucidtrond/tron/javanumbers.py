"""Integers as java-tron reads them out of JSON, errors included.

JsonFormat.parseInteger over the JDK's Long.parseLong and BigInteger: a leading 0 is
octal, 0x is hex, short and long texts go different ways. Texts are those of Java 17.
"""

from typing import Final

_LONG_TEXT: Final = 16
"""From this length on BigInteger reads it."""
_GROUP_DIGITS: Final = {8: 10, 10: 9, 16: 7}
"""BigInteger.digitsPerInt."""
_DIGITS: Final = "0123456789abcdef"


class NumberFormat(ValueError):
    """java.lang.NumberFormatException with its message."""


def parse_integer(text: str, *, bits: int) -> int:
    """Read a signed integer of *bits* (32 or 64).

    Raises:
        NumberFormat: not a number, or out of range.
    """
    negative = text.startswith("-")
    digits = text[1:] if negative else text
    radix = 10
    if digits.startswith("0x"):
        digits, radix = digits[2:], 16
    elif digits.startswith("0"):
        radix = 8
    read = parse_digits if len(digits) < _LONG_TEXT else _parse_big
    value = read(digits, radix=radix)
    if negative:
        value = -value
    if not -(1 << bits - 1) <= value < 1 << bits - 1:
        raise NumberFormat(f"Number out of range for {bits}-bit signed integer: {text}")
    return value


def parse_digits(text: str, *, radix: int) -> int:
    """Long.parseLong of a text too short to overflow; a sign is taken.

    Raises:
        NumberFormat: not digits.
    """
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not _are_digits(digits, radix):
        raise _for_input(text, radix)
    value = int(digits, radix)
    return -value if text.startswith("-") else value


def _parse_big(text: str, *, radix: int) -> int:
    minus, plus = text.rfind("-"), text.rfind("+")
    if minus >= 0 or plus >= 0:
        if max(minus, plus) != 0 or (minus >= 0 and plus >= 0):
            raise NumberFormat("Illegal embedded sign character")
        digits = text[1:]
    else:
        digits = text
    stripped = digits.lstrip("0")
    first = len(stripped) % _GROUP_DIGITS[radix] or _GROUP_DIGITS[radix]
    group = stripped[:first]
    if group and not _are_digits(group, radix):
        raise _for_input(group, radix)
    if stripped and not _are_digits(stripped, radix):
        raise NumberFormat(text)
    value = int(digits, radix)
    return -value if minus == 0 else value


def _are_digits(text: str, radix: int) -> bool:
    return text != "" and all(digit in _DIGITS[:radix] for digit in text.lower())


def _for_input(text: str, radix: int) -> NumberFormat:
    suffix = "" if radix == 10 else f" under radix {radix}"
    return NumberFormat(f'For input string: "{text}"{suffix}')
