"""EIP-55: the checksum that an EVM address carries in the case of its letters.

A letter is upper case where the nibble at its place in the Keccak-256 of the lower-case
digits (their ASCII, without ``0x``) is 8 or more. All lower or all upper case says
nothing; a wrong digit in a mixed-case text goes unnoticed about once in 4,000 times
(EIP-55, "Rationale").
"""

from lucidtrond.tron.hashing import keccak256


def checksummed(evm: bytes) -> str:
    """``0x`` and the 40 digits of 20 bytes, in the case that EIP-55 gives them."""
    digits = evm.hex()
    nibbles = keccak256(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if int(nibble, 16) >= 8 else digit
        for digit, nibble in zip(digits, nibbles, strict=False)
    )


def is_mixed_case(digits: str) -> bool:
    """Whether a text has letters of both cases, and so claims a checksum."""
    return digits != digits.lower() and digits != digits.upper()
