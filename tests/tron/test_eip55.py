"""EIP-55, by its own vectors and by what it is for: seeing a wrong digit."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lucidtrond.tron.address import (
    ZERO,
    Address,
    InvalidAddress,
    has_checksum,
    parse_address,
)
from lucidtrond.tron.eip55 import checksummed, is_mixed_case

# EIP-55, "Test Cases": all caps, all lower, normal.
VECTORS = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]
HEX = "0123456789abcdef"
raws = st.binary(min_size=20, max_size=20)


@pytest.mark.parametrize("text", VECTORS)
def test_it_is_as_in_the_eip(text: str) -> None:
    raw = bytes.fromhex(text[2:])
    assert checksummed(raw) == text
    assert parse_address(text) == Address(b"\x41" + raw)
    assert has_checksum(text) == is_mixed_case(text[2:])


@given(raws)
def test_every_address_can_be_written_with_its_checksum(raw: bytes) -> None:
    address = Address(b"\x41" + raw)
    text = checksummed(raw)
    assert text.lower() == address.evm
    assert parse_address(text) == address
    assert has_checksum(text) == is_mixed_case(text[2:])
    assert has_checksum(address.base58)


@given(raws)
def test_forms_without_one_are_read_and_known_as_such(raw: bytes) -> None:
    address = Address(b"\x41" + raw)
    upper = "0x" + address.evm[2:].upper()
    for text in (address.evm, upper, address.hex, address.hex.upper()):
        assert parse_address(text) == address
        assert not has_checksum(text)


@given(raws, st.data())
def test_one_letter_in_the_other_case_is_refused(
    raw: bytes, data: st.DataObject
) -> None:
    text = checksummed(raw)
    letters = [at for at in range(2, 42) if text[at].isalpha()]
    assume(letters)
    at = data.draw(st.sampled_from(letters))
    wrong = text[:at] + text[at].swapcase() + text[at + 1 :]
    assume(is_mixed_case(wrong[2:]))
    with pytest.raises(InvalidAddress, match="EIP-55"):
        parse_address(wrong)


def test_wrong_digits_are_mostly_seen() -> None:
    """EIP-55 says that a typo passes in 0.0247 % of cases; 3 of 3,000 is far out."""
    passed = tried = 0
    for text in VECTORS[4:]:
        for at in range(2, 42):
            for digit in HEX:
                wrong = text[:at] + digit + text[at + 1 :]
                if wrong.lower() == text.lower() or not is_mixed_case(wrong[2:]):
                    continue
                tried += 1
                try:
                    parse_address(wrong)
                except InvalidAddress:
                    continue
                passed += 1
    assert tried > 2000
    assert passed <= 3


def test_the_zero_address_is_the_one_that_burns() -> None:
    assert ZERO.base58 == "T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb"
    assert ZERO.hex == "41" + 40 * "0"
