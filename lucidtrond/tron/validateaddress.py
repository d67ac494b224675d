"""What a node's /wallet/validateaddress says of a text (ValidateAddressServlet)."""

from typing import Final

from attrs import frozen

from lucidtrond.tron.address import PREFIX, SIZE
from lucidtrond.tron.base58 import ALPHABET, InvalidBase58, decode_check

_BASE64: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_INVALID: Final = "Invalid address"


@frozen
class Verdict:
    """The node's answer. It looks at the text alone, not at the chain."""

    result: bool
    message: str


class _Exception(ValueError):
    """What java's decoder threw; the message is the node's answer."""


def validate_address(text: str) -> Verdict:
    """Judge by length: 42 is hex, 34 base58check, 28 base64."""
    match len(text):
        case 42:
            decode, form = _decode_hex, "Hex string format"
        case 34:
            decode, form = _decode_base58, "Base58check format"
        case 28:
            decode, form = _decode_base64, "Base64 format"
        case _:
            return Verdict(result=False, message="Length error")
    try:
        raw = decode(text)
    except _Exception as why:
        return Verdict(result=False, message=str(why))
    valid = len(raw) == SIZE and raw[0] == PREFIX
    return Verdict(result=valid, message=form if valid else _INVALID)


def _decode_hex(text: str) -> bytes:
    digits = text.removeprefix("0x")
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise _Exception(
            "exception decoding Hex string: "
            "invalid characters encountered in Hex string"
        ) from None


def _decode_base58(text: str) -> bytes:
    for place, letter in enumerate(text):
        if letter not in ALPHABET:
            raise _Exception(f"Illegal character {letter} at {place}")
    try:
        return decode_check(text)
    except InvalidBase58:
        return b""


def _decode_base64(text: str) -> bytes:
    """java.util.Base64's basic decoder, of which only the errors are of interest.

    28 letters with padding are fewer than 21 bytes, whatever they say.
    """
    octets = text.encode("latin-1", "replace")
    bits, count = 0, 0
    for place, octet in enumerate(octets):
        value = _BASE64.find(chr(octet))
        if value >= 0:
            bits, count = bits << 6 | value, count + 1
            continue
        if octet != ord("="):
            signed = octet - 256 if octet > 127 else octet
            raise _Exception(f"Illegal base64 character {signed:x}")
        _check_padding(octets, place, count % 4)
        return b""
    return bits.to_bytes(count * 6 // 8, "big")


def _check_padding(octets: bytes, place: int, left: int) -> None:
    """The first ``=`` is at *place*, after *left* letters of a group of four."""
    end = place + 1
    if left == 2 and octets[end : end + 1] == b"=":
        end += 1
    elif left in (0, 2):
        raise _Exception("Input byte array has wrong 4-byte ending unit")
    elif left == 1:
        raise _Exception("Last unit does not have enough valid bits")
    if end < len(octets):
        raise _Exception(f"Input byte array has incorrect ending byte at {end + 1}")
