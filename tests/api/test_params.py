"""Texts of parameters: what is read, and what is said of the others."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.api import (
    AmountText,
    InvalidInput,
    Params,
    read_address,
    read_amount,
    read_txid,
)
from lucidtrond.testing.strategies import addresses, amount_texts, txids
from lucidtrond.tron.address import Address
from lucidtrond.tron.transaction import TxId
from lucidtrond.tron.units import MAX_SUN


class Pay(Params, frozen=True):
    amount_sun: AmountText


@given(addresses(), st.sampled_from(["base58", "hex", "evm"]))
def test_an_address_is_read_in_every_form(address: Address, form: str) -> None:
    assert read_address(f" {getattr(address, form)}\n") == address


@given(st.text(max_size=33))
def test_any_shorter_text_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"\Ato: expected"):
        read_address(text, name="to")


@given(txids())
def test_a_txid_is_read_in_small_and_capital_digits(txid: TxId) -> None:
    assert read_txid(txid) == read_txid(txid.upper()) == read_txid("0x" + txid) == txid


@pytest.mark.parametrize("text", ["", "0x", "ab" * 31, "ab" * 33, "zz" * 32, "٣" * 64])
def test_what_is_no_txid_is_refused_and_shown(text: str) -> None:
    with pytest.raises(
        InvalidInput, match="txid: expected 64 hex digits, got"
    ) as error:
        read_txid(text)
    assert repr(text) in str(error.value)


@given(amount_texts())
def test_an_amount_is_read_exactly(text: str) -> None:
    assert str(read_amount(text, name="amount_sun")) == text


@pytest.mark.parametrize(
    "text",
    ["0", "00", "-1", "+1", "1.0", "1e3", " 1", "", "٣", str(MAX_SUN + 1), "9" * 78],
)
def test_what_is_no_amount_above_zero_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="amount_sun: expected"):
        read_amount(text, name="amount_sun")


@pytest.mark.parametrize("number", ["1500000", "1.5", "true", "null", "[]"])
def test_an_amount_as_a_json_number_is_refused(number: str) -> None:
    body = f'{{"amount_sun": {number}}}'
    with pytest.raises(msgspec.ValidationError, match="amount_sun"):
        msgspec.json.decode(body, type=Pay)
