import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.tron.address import Address, InvalidAddress, parse_address
from lucidtrond.tron.base58 import encode_check
from tests.tron.strategies import addresses


@given(addresses)
def test_each_form_reads_back(address: Address) -> None:
    assert Address.from_base58(address.base58) == address
    assert Address.from_hex(address.hex) == address
    assert Address.from_evm(address.evm) == address
    assert Address.from_evm(address.evm.removeprefix("0x")) == address


@given(addresses)
def test_parse_address_takes_every_form(address: Address) -> None:
    for text in (
        address.base58,
        address.hex,
        address.hex.upper(),
        "0x" + address.hex,
        address.evm,
        "0x" + address.evm[2:].upper(),
    ):
        assert parse_address(text) == address


@given(addresses)
def test_every_address_is_a_t_and_33_more_letters(address: Address) -> None:
    assert len(address.base58) == 34
    assert address.base58.startswith("T")
    assert str(address) == address.base58


@given(st.text(max_size=50))
def test_any_text_is_an_address_or_invalid(text: str) -> None:
    try:
        address = parse_address(text)
    except InvalidAddress:
        return
    assert text in {address.base58, address.hex, "0x" + address.hex, address.evm}


@given(st.binary(max_size=30))
def test_only_21_bytes_from_41_on_are_an_address(raw: bytes) -> None:
    fits = len(raw) == 21 and raw[0] == 0x41
    try:
        Address(raw)
    except InvalidAddress:
        assert not fits
    else:
        assert fits


@given(st.binary(min_size=20, max_size=22).filter(lambda b: b[:1] != b"\x41"))
def test_base58_of_other_bytes_is_no_address(raw: bytes) -> None:
    with pytest.raises(InvalidAddress):
        Address.from_base58(encode_check(raw))


@given(addresses, st.sampled_from(" \n\t_"), st.integers(0, 34))
def test_blanks_inside_a_text_are_not_forgiven(
    address: Address, blank: str, at: int
) -> None:
    for text in (address.base58, address.hex, address.evm):
        with pytest.raises(InvalidAddress):
            parse_address(text[:at] + blank + text[at:])
        with pytest.raises(InvalidAddress):
            parse_address(text[:at] + blank + text[at + 1 :])


def test_the_message_says_what_is_wrong() -> None:
    for text, said in (
        ("T" * 33, "got 33 characters"),
        ("T" + "0" * 33, "outside the alphabet"),
        ("TXYZopYRdj2D9XRtbG411XZZ3kM5VkAeBg", "checksum"),
        ("42" + "0" * 40, "got 42"),
        ("41" + "g" * 40, "no hex digit"),
    ):
        with pytest.raises(InvalidAddress, match=said):
            parse_address(text)


def test_addresses_sort_as_their_bytes() -> None:
    low, high = Address(b"\x41" + bytes(20)), Address(b"\x41" + b"\xff" * 20)
    assert sorted([high, low]) == [low, high]
