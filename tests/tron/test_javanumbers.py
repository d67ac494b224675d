import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.tron.javanumbers import NumberFormat, parse_integer
from tests.tron.strategies import int32s, int64s


@given(int64s)
def test_decimal_octal_and_hex_of_a_long_are_read(value: int) -> None:
    sign, digits = ("-", -value) if value < 0 else ("", value)
    assert parse_integer(str(value), bits=64) == value
    assert parse_integer(f"{sign}0{digits:o}", bits=64) == value
    assert parse_integer(f"{sign}0x{digits:x}", bits=64) == value


@given(int32s)
def test_ints_are_read_and_longs_refused(value: int) -> None:
    assert parse_integer(str(value), bits=32) == value
    beyond = value + (2**32 if value >= 0 else -(2**32))
    with pytest.raises(NumberFormat, match="Number out of range for 32-bit signed"):
        parse_integer(str(beyond), bits=32)


@given(st.text("0123456789abcdefx+-.\"' _\u0663", max_size=40))
def test_any_text_is_a_number_in_range_or_refused(text: str) -> None:
    try:
        value = parse_integer(text, bits=64)
    except NumberFormat:
        return
    assert -(2**63) <= value < 2**63


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"0"', 'For input string: ""0""'),
        ("1.5", 'For input string: "1.5"'),
        ("", 'For input string: ""'),
        ("-", 'For input string: ""'),
        ("08", 'For input string: "08" under radix 8'),
        ("0xzz", 'For input string: "zz" under radix 16'),
        ("0x", 'For input string: "" under radix 16'),
        # From 16 characters on another class of the JDK reads, in groups of digits.
        ('"123456789012345"', 'For input string: ""1234567"'),
        ("1234567890123456x", "1234567890123456x"),
        ("1-234567890123456", "Illegal embedded sign character"),
        ("1+234567890123456", "Illegal embedded sign character"),
        ("+-234567890123456", "Illegal embedded sign character"),
        ("+1234567890123456+", "Illegal embedded sign character"),
        (
            "9223372036854775808",
            "Number out of range for 64-bit signed integer: 9223372036854775808",
        ),
    ],
)
def test_refusals_are_worded_as_the_jdk_does(text: str, said: str) -> None:
    with pytest.raises(NumberFormat) as caught:
        parse_integer(text, bits=64)
    assert str(caught.value) == said


def test_signs_of_the_jdk_are_taken() -> None:
    assert parse_integer("+5", bits=64) == 5
    assert parse_integer("--5", bits=64) == 5
    assert parse_integer("-0", bits=64) == 0
    assert parse_integer("+1234567890123456", bits=64) == 1234567890123456
    assert parse_integer("--1234567890123456", bits=64) == 1234567890123456
    assert parse_integer("-+1234567890123456", bits=64) == -1234567890123456
