import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.cli.amounts import parse_typed_amount, show_sun
from lucidtrond.tron.units import Sun

amounts = st.integers(min_value=0, max_value=2**63 - 1).map(Sun)


@given(amounts)
def test_what_is_shown_can_be_typed(amount: Sun) -> None:
    assert parse_typed_amount(show_sun(amount).split()) == amount


@given(amounts)
def test_sun_can_be_typed(amount: Sun) -> None:
    assert parse_typed_amount([str(amount), "sun"]) == amount


@pytest.mark.parametrize(
    "text", ["1", "1 USD", "", "TRX", "-1 TRX", "1e3 TRX", "0.0000001 TRX", "1.5 sun"]
)
def test_an_amount_without_a_clear_unit_or_value_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_typed_amount(text.split())
