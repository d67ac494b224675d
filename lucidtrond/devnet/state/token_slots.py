"""The token's storage: a slot is named by a letter and the addresses of holders."""

from typing import Final

from lucidtrond.tron.hashing import keccak256

WORD: Final = 32

TOTAL_SUPPLY: Final = b"s"
RULE: Final = b"r"
"""Of a token whose rule can be changed (`Moves.SIMULATED`)."""


def balance_slot(holder: bytes) -> bytes:
    return b"b" + holder


def allowance_slot(holder: bytes, spender: bytes) -> bytes:
    return b"a" + holder + spender


def listed_slot(account: bytes) -> bytes:
    return b"l" + account


def compiled_slot(slot: bytes) -> bytes:
    """Where compiled code keeps what is in a slot here (Solidity's layout)."""
    kind, key = slot[:1], slot[1:]
    if slot in (TOTAL_SUPPLY, RULE):
        return uint(3 if slot == TOTAL_SUPPLY else 8)
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
