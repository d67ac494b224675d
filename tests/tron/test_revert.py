import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.tron import abi
from lucidtrond.tron.revert import (
    CustomReason,
    ErrorReason,
    PanicReason,
    read_revert,
)


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_the_text_of_a_require_is_read(text: str) -> None:
    reason = read_revert(abi.encode_call("Error(string)", [text]))
    assert reason == ErrorReason(text)
    assert str(reason) == text


def test_panics_are_named() -> None:
    overflow = read_revert(abi.encode_call("Panic(uint256)", [0x11]))
    assert overflow == PanicReason(0x11)
    assert str(overflow) == "panic 0x11: arithmetic overflow or underflow"
    assert str(PanicReason(0x99)) == "panic 0x99: unknown"


def test_selectors_are_soliditys() -> None:
    assert abi.selector("Error(string)").hex() == "08c379a0"
    assert abi.selector("Panic(uint256)").hex() == "4e487b71"


@pytest.mark.parametrize("data", [b"", b"\x08\xc3\x79"])
def test_nothing_returned_is_no_reason(data: bytes) -> None:
    assert read_revert(data) is None


@given(st.binary(min_size=4, max_size=100))
def test_anything_else_is_a_custom_error(data: bytes) -> None:
    for whole in (data, abi.selector("Error(string)") + data):
        reason = read_revert(whole)
        assert reason is not None
        if isinstance(reason, CustomReason):
            assert reason.selector + reason.arguments == whole
            assert whole[:4].hex() in str(reason)
