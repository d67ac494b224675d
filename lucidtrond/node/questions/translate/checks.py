"""What an answer may hold, whatever it says: errors, and values of known form. Pure."""

from typing import Final

from lucidtrond.tron.address import PREFIX, SIZE, Address
from lucidtrond.tron.base58 import decode_check

_HEX_DIGITS: Final = (40, 42)
_BEYOND: Final = 2**53
"""No chain gets there, and what we add to numbers and times stays far below 64 bits."""


class InvalidAnswer(ValueError):
    """It can't be an answer to what was asked; the message says why."""


class Contradiction(InvalidAnswer):
    """It contradicts itself, the question or what we computed."""


class CallsUnsupported(InvalidAnswer):
    """The node runs no calls without effect; the message is its own."""


class CallRefused(InvalidAnswer):
    """The node did not run a call; the message is its own."""


def limited(number: int, what: str) -> int:
    """*number* of a block or of a time; *what* names it in errors."""
    if number >= _BEYOND:
        raise InvalidAnswer(f"{what}: beyond 53 bits")
    return unsigned(number, what)


def unsigned(number: int, what: str) -> int:
    """*number*, which is not below 0."""
    if number < 0:
        raise InvalidAnswer(f"{what}: negative")
    return number


def read_hash(text: str, what: str) -> bytes:
    """32 bytes in hex."""
    data = unhex(text, what)
    if len(data) != 32:
        raise InvalidAnswer(f"{what}: expected 32 bytes, got {len(data)}")
    return data


def unhex(text: str, what: str) -> bytes:
    """Bytes in hex, two digits each and nothing else."""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        raise InvalidAnswer(f"{what}: not hex") from None
    if len(data) * 2 != len(text):  # bytes.fromhex skips blanks
        raise InvalidAnswer(f"{what}: not hex")
    return data


def read_address(text: str) -> Address:
    """An address of 20 bytes, as TransactionInfo.Log has them, or of 21.

    We ask for hex; base58 can't be misread all the same: it has a checksum.
    """
    try:
        if len(text) > max(_HEX_DIGITS):  # reading base58 takes its length squared
            raise InvalidAnswer("an address that is none")
        raw = bytes.fromhex(text) if len(text) in _HEX_DIGITS else decode_check(text)
        return Address(raw if len(raw) == SIZE else bytes([PREFIX]) + raw)
    except ValueError:
        raise InvalidAnswer("an address that is none") from None


def read_address_or_none(text: str) -> Address | None:
    """The same where it may be left out."""
    return read_address(text) if text else None
