import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.tron.units import (
    MAX_RAW,
    MAX_SUN,
    Sun,
    format_decimal,
    format_trx,
    parse_amount,
    parse_decimal,
    parse_trx,
)
from tests.tron.strategies import suns


@given(suns)
def test_formatting_and_parsing_trx_are_inverses(amount: Sun) -> None:
    assert parse_trx(format_trx(amount)) == amount


@given(suns)
def test_trx_text_has_no_exponent_and_no_trailing_zero(amount: Sun) -> None:
    text = format_trx(amount)
    assert set(text) <= set("0123456789.")
    assert "." not in text or not text.endswith("0")


@given(suns)
def test_a_negative_amount_is_written_with_a_minus_and_not_read(amount: Sun) -> None:
    if amount:
        assert format_trx(Sun(-amount)) == "-" + format_trx(amount)
    with pytest.raises(ValueError, match="not an amount"):
        parse_trx("-" + format_trx(amount))


@given(st.text(max_size=30))
def test_any_text_is_an_amount_of_trx_or_a_value_error(text: str) -> None:
    try:
        amount = parse_trx(text)
    except ValueError:
        return
    assert 0 <= amount <= MAX_SUN


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "1.",
        ".5",
        "1e6",
        "1,5",
        "+1",
        " 1",
        "1 ",
        "1.0000001",
        "0x1",
        "\u0661",
        "NaN",
    ],
)
def test_what_is_no_amount_of_trx_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        parse_trx(text)


def test_trx_up_to_int64_fit_and_no_more() -> None:
    assert parse_trx("9223372036854.775807") == MAX_SUN
    with pytest.raises(ValueError, match="more than there can be"):
        parse_trx("9223372036854.775808")


@given(st.integers(0, MAX_SUN))
def test_digit_strings_are_read_exactly(amount: int) -> None:
    assert parse_amount(str(amount)) == amount


@given(st.text(max_size=30), st.integers(0, 2**256))
def test_any_text_is_an_amount_within_the_limit_or_a_value_error(
    text: str, limit: int
) -> None:
    try:
        amount = parse_amount(text, limit=limit)
    except ValueError:
        return
    assert 0 <= amount <= limit


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", " 1", "1.0", "1e3", "0x10", "\u0663", "\u00b2"]
)
def test_only_ascii_digits_are_an_amount(text: str) -> None:
    with pytest.raises(ValueError, match="expected a string of digits"):
        parse_amount(text)


def test_an_amount_above_its_limit_is_refused() -> None:
    assert parse_amount("10", limit=10) == 10
    with pytest.raises(ValueError, match="expected at most 10"):
        parse_amount("11", limit=10)


@given(st.integers(0, MAX_RAW), st.integers(0, 77))
def test_any_number_of_smallest_units_is_read_as_it_is_written(
    amount: int, decimals: int
) -> None:
    text = format_decimal(amount, decimals)
    assert parse_decimal(text, decimals) == amount
    assert not text.endswith(".")
    assert decimals or "." not in text


def test_one_decimal_too_many_is_refused_even_if_it_is_zero() -> None:
    with pytest.raises(ValueError, match="has more than 2 decimals"):
        parse_decimal("1.000", 2)
