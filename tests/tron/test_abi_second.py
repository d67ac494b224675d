"""The ABI against another implementation of it, eth-abi.

A TRON address is an Ethereum one behind the byte 0x41; trcToken is uint256.
"""

import re
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.tron import abi
from lucidtrond.tron.address import PREFIX, Address
from tests.tron.test_abi import arguments

_SHORT = re.compile(r"\b(u?int)\b")


def theirs(kind: str) -> str:
    return _SHORT.sub(r"\g<1>256", kind.replace("trcToken", "uint256"))


def as_theirs(value: Any) -> Any:
    if isinstance(value, Address):
        return "0x" + value.raw[1:].hex()
    if isinstance(value, tuple):
        return tuple(as_theirs(element) for element in value)
    return value


@settings(max_examples=300, deadline=None)
@given(arguments())
def test_both_encode_to_the_same_bytes_and_read_each_other(
    given_: tuple[list[str], list[Any]],
) -> None:
    types, values = given_
    kinds = [theirs(kind) for kind in types]
    expected = tuple(as_theirs(value) for value in values)
    encoded = encode(kinds, expected)
    assert abi.encode(types, values) == encoded
    assert abi.decode(types, encoded) == tuple(values)
    assert decode(kinds, encoded) == expected


WORDS = st.lists(
    st.integers(0, 200).map(lambda n: n.to_bytes(32, "big"))
    | st.binary(min_size=32, max_size=32),
    max_size=8,
).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(arguments(), WORDS)
def test_what_they_accept_of_any_bytes_we_read_to_the_same(
    given_: tuple[list[str], list[Any]], data: bytes
) -> None:
    types, _ = given_
    try:
        read = decode([theirs(kind) for kind in types], data)
    except (DecodingError, OverflowError, UnicodeDecodeError):
        return
    ours = abi.decode(types, data, lenient=True)
    assert tuple(as_theirs(value) for value in ours) == read


def test_the_prefix_of_an_address_is_not_part_of_its_word() -> None:
    address = Address(bytes([PREFIX]) + bytes(range(20)))
    assert abi.encode(["address"], [address]) == bytes(12) + bytes(range(20))
