import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.cli.amounts import TRX, Assets, show_sun
from lucidtrond.tron.units import Sun

TOKENS = [
    {"token": "TTokenOne", "symbol": "IUSD", "decimals": 6},
    {"token": "TTokenTwo", "symbol": "U2.x", "decimals": 18},
    {"token": "TTokenThree", "symbol": "whole", "decimals": 0},
]
ASSETS = Assets(TOKENS)
amounts = st.integers(min_value=0, max_value=2**63 - 1).map(Sun)


@given(amounts)
def test_what_is_shown_can_be_typed(amount: Sun) -> None:
    assert Assets().parse(show_sun(amount).split()) == (TRX, amount)


@given(amounts)
def test_sun_can_be_typed(amount: Sun) -> None:
    assert Assets().parse([str(amount), "sun"]) == (TRX, amount)


@pytest.mark.parametrize(
    "text", ["1", "1 USD", "", "TRX", "-1 TRX", "1e3 TRX", "0.0000001 TRX", "1.5 sun"]
)
def test_an_amount_without_a_clear_unit_or_value_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Assets().parse(text.split())


@given(st.integers(0, 2**256 - 1), st.sampled_from(TOKENS))
def test_tokens_too_can_be_typed_as_they_are_shown(
    amount: int, token: dict[str, str]
) -> None:
    shown = ASSETS.show(amount, token["token"])
    assert ASSETS.parse(shown.split()) == (token["token"], amount)
    assert ASSETS.parse([shown.replace(" ", "").swapcase()]) == (token["token"], amount)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("1.5 whole", "more than 0 decimals"),
        ("0.0000001 IUSD", "more than 6 decimals"),
        ("1 USDT", "like 1.5 TRX, 1500000 sun, 2 IUSD, 2 U2.x, 2 whole, got '1 USDT'"),
        (f"{2**256} whole", "more than there can be"),
        ("-1 IUSD", "expected a plain number"),
        ("IUSD", "expected a plain number"),
        ("5 1INCH", "got '5 1INCH'"),  # never 51 of INCH
        ("1.5 _usd2 TRX", "expected a plain number"),
        ("", "got ''"),
    ],
)
def test_an_amount_of_a_token_that_makes_no_sense_is_refused(
    text: str, complaint: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)):
        ASSETS.parse(text.split())


def test_a_symbol_may_begin_with_a_digit_or_an_underscore() -> None:
    symbols = ["INCH", "1INCH", "_x", "x", "a_b"]
    assets = Assets({"token": f"T{s}", "symbol": s, "decimals": 0} for s in symbols)
    for symbol in symbols:
        assert assets.parse(["5", symbol]) == (f"T{symbol}", 5)
        assert assets.parse([f"1_000 {symbol}"]) == (f"T{symbol}", 1000)
    assert assets.parse(["1", "000", "a_b"]) == ("Ta_b", 1000)
    assert assets.parse(["5a_b"]) == ("Ta_b", 5)
    assert assets.parse(["5INCH"]) == ("TINCH", 5)
    for two_ways in ("51INCH", "5_x"):
        with pytest.raises(ValueError, match="with a blank between"):
            assets.parse([two_ways])


def test_a_token_nobody_knows_is_shown_raw() -> None:
    assert ASSETS.show("5", "TSomewhere") == "5 of TSomewhere"
