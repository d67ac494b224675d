import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.tron.base58 import (
    ALPHABET,
    InvalidBase58,
    decode_check,
    encode_check,
)
from lucidtrond.tron.hashing import sha256


def reference_encode(payload: bytes) -> str:
    """Base58 by its definition: leading zeros are ones, the rest a big number."""
    data = payload + sha256(sha256(payload))[:4]
    number, digits = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        digits = ALPHABET[digit] + digits
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


@given(st.binary(max_size=60))
def test_encoding_agrees_with_the_definition(payload: bytes) -> None:
    assert encode_check(payload) == reference_encode(payload)


@given(st.binary(max_size=60))
def test_decoding_undoes_encoding(payload: bytes) -> None:
    assert decode_check(encode_check(payload)) == payload


@given(st.text(ALPHABET, max_size=60))
def test_each_payload_has_one_text(text: str) -> None:
    try:
        payload = decode_check(text)
    except InvalidBase58:
        return
    assert encode_check(payload) == text


@given(st.binary(max_size=60), st.data())
def test_one_changed_letter_is_noticed(payload: bytes, data: st.DataObject) -> None:
    text = encode_check(payload)
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from([c for c in ALPHABET if c != text[at]]))
    with pytest.raises(InvalidBase58):
        decode_check(text[:at] + letter + text[at + 1 :])


@given(st.binary(max_size=60), st.sampled_from(" \t\n0OIl\u00e9\u0663\0"), st.data())
def test_a_letter_outside_the_alphabet_is_refused_wherever_it_stands(
    payload: bytes, letter: str, data: st.DataObject
) -> None:
    text = encode_check(payload)
    at = data.draw(st.integers(0, len(text)))
    with pytest.raises(InvalidBase58, match="outside the alphabet"):
        decode_check(text[:at] + letter + text[at:])


@pytest.mark.parametrize("text", ["", "1", "111", "z"])
def test_a_text_without_room_for_a_checksum_is_refused(text: str) -> None:
    with pytest.raises(InvalidBase58, match="too short"):
        decode_check(text)
