"""Base58 with a four-byte checksum: how bytes of any length become readable text.

An address is 21 such bytes (`address`); the node prints other lengths the same way.
"""

from typing import Final

import base58

from lucidtrond.tron.hashing import sha256

ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
CHECKSUM_SIZE: Final = 4
_LETTERS: Final = frozenset(ALPHABET)


class InvalidBase58(ValueError):
    """A text that is not base58check; the message says why."""


def encode_check(payload: bytes) -> str:
    """Append the checksum and write base58."""
    return base58.b58encode(payload + _checksum(payload)).decode()


def decode_check(text: str) -> bytes:
    """Undo `encode_check`.

    Raises:
        InvalidBase58: a letter outside the alphabet, too short, or a wrong checksum.
    """
    if not _LETTERS.issuperset(text):  # the library would forgive blanks
        raise InvalidBase58("base58: a character outside the alphabet")
    data = base58.b58decode(text)
    if len(data) < CHECKSUM_SIZE:
        raise InvalidBase58("base58: too short for a checksum")
    payload, checksum = data[:-CHECKSUM_SIZE], data[-CHECKSUM_SIZE:]
    if _checksum(payload) != checksum:
        raise InvalidBase58("base58: the checksum does not fit")
    return payload


def _checksum(payload: bytes) -> bytes:
    return sha256(sha256(payload))[:CHECKSUM_SIZE]
