"""A TRON address: 21 bytes, the first of which is 0x41."""

from typing import Final, Self

from attrs import frozen

from lucidtrond.tron.base58 import InvalidBase58, decode_check, encode_check
from lucidtrond.tron.eip55 import checksummed, is_mixed_case

PREFIX: Final = 0x41
"""Mainnet's and every known testnet's (Constant.ADD_PRE_FIX_BYTE_MAINNET)."""
SIZE: Final = 21
_BASE58_SIZE: Final = 34
_HEX_SIZE: Final = 42
_EVM_SIZE: Final = 40


class InvalidAddress(ValueError):
    """A text or bytes that are no address; the message says why."""


@frozen(order=True)
class Address:
    """One account or contract. Make it from a text with `parse_address`."""

    raw: bytes

    def __attrs_post_init__(self) -> None:
        if len(self.raw) != SIZE:
            raise InvalidAddress(f"expected 21 bytes, got {len(self.raw)}")
        if self.raw[0] != PREFIX:
            raise InvalidAddress(f"expected 41 in front, got {self.raw[0]:02x}")

    @property
    def base58(self) -> str:
        """The form people see: T and 33 more characters."""
        return encode_check(self.raw)

    @property
    def hex(self) -> str:
        """42 lower-case hex digits starting with 41."""
        return self.raw.hex()

    @property
    def evm(self) -> str:
        """``0x`` and the 20 bytes behind the prefix."""
        return "0x" + self.raw[1:].hex()

    @classmethod
    def from_base58(cls, text: str) -> Self:
        """Raises InvalidAddress on a wrong length, letter, checksum or prefix."""
        if len(text) != _BASE58_SIZE:
            raise InvalidAddress(f"base58: expected 34 characters, got {len(text)}")
        try:
            return cls(decode_check(text))
        except InvalidBase58 as why:
            raise InvalidAddress(str(why)) from None

    @classmethod
    def from_hex(cls, text: str) -> Self:
        """Raises InvalidAddress unless it is 41 and 40 more hex digits."""
        if len(text) != _HEX_SIZE:
            raise InvalidAddress(f"hex: expected 42 digits, got {len(text)}")
        return cls(_unhex(text))

    @classmethod
    def from_evm(cls, text: str) -> Self:
        """Raises InvalidAddress unless it is (0x and) 40 hex digits."""
        digits = text.removeprefix("0x")
        if len(digits) != _EVM_SIZE:
            raise InvalidAddress(f"evm: expected 40 digits, got {len(digits)}")
        return cls(bytes([PREFIX]) + _unhex(digits))

    def __str__(self) -> str:
        return self.base58


ZERO: Final = Address(bytes((PREFIX,)) + bytes(SIZE - 1))
"""T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb: nobody has its key, what it gets is lost."""


def parse_address(text: str) -> Address:
    """Read base58, 41-hex (also with 0x) or EVM hex (with 0x).

    Raises:
        InvalidAddress: none of them, or a wrong checksum: base58's, or EIP-55's where
            EVM hex is in mixed case. `has_checksum` tells which texts have one.
    """
    if len(text) == _BASE58_SIZE and text.startswith("T"):
        return Address.from_base58(text)
    if text.startswith("0x") and len(text) == _EVM_SIZE + 2:
        address = Address.from_evm(text)
        if is_mixed_case(text[2:]) and text != checksummed(address.raw[1:]):
            raise InvalidAddress(
                "evm: the mixed case is no EIP-55 checksum of these digits; one of them"
                " is wrong, or its case"
            )
        return address
    if len(text.removeprefix("0x")) == _HEX_SIZE:
        return Address.from_hex(text.removeprefix("0x"))
    raise InvalidAddress(
        f"expected base58 (34), 41-hex (42) or 0x-hex (42), got {len(text)} characters"
    )


def has_checksum(text: str) -> bool:
    """Whether a text that `parse_address` reads would not be read with a typo in it.

    So are base58 and EVM hex in mixed case (EIP-55); there is none for 41-hex.
    """
    if text.startswith("T"):
        return True
    is_evm = text.startswith("0x") and len(text) == _EVM_SIZE + 2
    return is_evm and is_mixed_case(text[2:])


def _unhex(text: str) -> bytes:
    try:
        data = bytes.fromhex(text)
    except ValueError:
        raise InvalidAddress("hex: a character that is no hex digit") from None
    if len(data) * 2 != len(text):  # bytes.fromhex skips blanks
        raise InvalidAddress("hex: blanks between digits")
    return data
