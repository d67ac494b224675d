"""Answers of a recorded node (java-tron 4.8.0) to every form of address."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.tron.address import Address
from lucidtrond.tron.validateaddress import validate_address
from tests.tron.strategies import addresses

RECORDED = [
    ("TSfJf9aSnCe84HSQNoSZezqVfKuCX2kSDW", True, "Base58check format"),
    ("41b7175f7d210110c4fafa86ec6a98bdbb99f9cb27", True, "Hex string format"),
    ("41B7175F7D210110C4FAFA86EC6A98BDBB99F9CB27", True, "Hex string format"),
    ("0xb7175f7d210110c4fafa86ec6a98bdbb99f9cb27", False, "Invalid address"),
    ("0x41b7175f7d210110c4fafa86ec6a98bdbb99f9cb27", False, "Length error"),
    ("b7175f7d210110c4fafa86ec6a98bdbb99f9cb27", False, "Length error"),
    ("42b7175f7d210110c4fafa86ec6a98bdbb99f9cb27", False, "Invalid address"),
    ("TSfJf9aSnCe84HSQNoSZezqVfKuCX2kSD1", False, "Invalid address"),
    ("TSfJf9aSnCe84HSQNoSZezqVfKuCX2kSD0", False, "Illegal character 0 at 33"),
    ("TSfJf9aSnCe84HSQNoSZezqVfKuCX2kSDW ", False, "Length error"),
    ("tsfjf9asnce84hsqnoszezqvfkucx2ksdw", False, "Invalid address"),
    (
        "g" * 42,
        False,
        ("exception decoding Hex string: invalid characters encountered in Hex string"),
    ),
    ("QbcXX30hARDE+vqG7GqYvbuZ+csn", True, "Base64 format"),
    ("!" * 28, False, "Illegal base64 character 21"),
    ("", False, "Length error"),
    ("12345", False, "Length error"),
]


@pytest.mark.parametrize(("text", "result", "message"), RECORDED)
def test_answers_are_the_nodes(text: str, result: object, message: str) -> None:
    verdict = validate_address(text)
    assert (verdict.result, verdict.message) == (result, message)


@given(addresses)
def test_every_form_of_an_address_is_valid(address: Address) -> None:
    for text in (address.hex, address.base58, base64.b64encode(address.raw).decode()):
        assert validate_address(text).result


@given(st.text(max_size=45) | st.text(min_size=28, max_size=28))
def test_any_text_has_a_verdict(text: str) -> None:
    assert validate_address(text).message


BASE64 = "ABCDEFGHabcdefgh01234567+/=="


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # java.util.Base64.Decoder, decode0
        ("A" * 26 + "==", "Invalid address"),
        ("A" * 27 + "=", "Invalid address"),
        ("A" * 25 + "===", "Last unit does not have enough valid bits"),
        ("A" * 24 + "====", "Input byte array has wrong 4-byte ending unit"),
        ("A" * 22 + "=" + "A" * 5, "Input byte array has wrong 4-byte ending unit"),
        ("A" * 22 + "==" + "A" * 4, "Input byte array has incorrect ending byte at 25"),
        ("A" * 23 + "=" + "A" * 4, "Input byte array has incorrect ending byte at 25"),
        ("A" * 27 + "-", "Illegal base64 character 2d"),
        ("A" * 27 + "\u00e9", "Illegal base64 character -17"),
        ("A" * 27 + "\u0080", "Illegal base64 character -80"),
        ("A" * 27 + "\u007f", "Illegal base64 character 7f"),
        ("A" * 27 + "\u0663", "Illegal base64 character 3f"),
    ],
)
def test_base64_errors_are_javas(text: str, message: str) -> None:
    verdict = validate_address(text)
    assert (verdict.result, verdict.message) == (False, message)


@given(st.text("AZaz09+/", min_size=28, max_size=28))
def test_base64_is_decoded_as_python_does(text: str) -> None:
    raw = base64.b64decode(text)
    assert validate_address(text).result == (raw[0] == 0x41)
