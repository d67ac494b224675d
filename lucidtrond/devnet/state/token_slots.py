"""The token's storage: a slot is named by a letter and the addresses of holders."""

from typing import Final

from lucidtrond.tron.hashing import keccak256

WORD: Final = 32

TOTAL_SUPPLY: Final = b"s"
RULE: Final = b"r"
"""Of a token whose rule can be changed (`Moves.SIMULATED`)."""
BASIS_POINTS: Final = b"p"
MOST_FEE: Final = b"f"
DEPRECATED: Final = b"d"
"""Of a token whose owner sets a fee, and ends it (`TokenSort.has_params`)."""
_PLACES: Final = {
    TOTAL_SUPPLY: 3,
    RULE: 8,
    BASIS_POINTS: 9,
    MOST_FEE: 10,
    DEPRECATED: 11,
}


def balance_slot(holder: bytes) -> bytes:
    return b"b" + holder


def allowance_slot(holder: bytes, spender: bytes) -> bytes:
    return b"a" + holder + spender


def listed_slot(account: bytes) -> bytes:
    return b"l" + account


def compiled_slot(slot: bytes) -> bytes:
    """Where compiled code keeps what is in a slot here (Solidity's layout)."""
    kind, key = slot[:1], slot[1:]
    if slot in _PLACES:
        return uint(_PLACES[slot])
    place = uint({b"b": 5, b"a": 6, b"l": 7}[kind])
    for at in range(0, len(key), 20):
        place = keccak256(word_of(key[at : at + 20]) + place)
    return place


def initial_slots(owner: bytes, supply: int) -> dict[bytes, int]:
    """What the constructor leaves in storage."""
    return {TOTAL_SUPPLY: supply, balance_slot(owner): supply}


def uint(value: int) -> bytes:
    return value.to_bytes(WORD, "big")


def word_of(address: bytes) -> bytes:
    return address.rjust(WORD, b"\0")
