"""How ``lucidtron call`` types its values: as the daemon's own schema says."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.cli.calling import kinds_of, typed

AMOUNT = {"anyOf": [{"type": "string", "maxLength": 78}, {"type": "null"}]}
COUNT = {"type": "integer", "minimum": 1}
SECONDS = {"anyOf": [{"type": "number"}, {"type": "null"}]}


@given(st.integers(0, 2**256))
def test_the_digits_of_an_amount_stay_a_string(amount: int) -> None:
    assert typed(str(amount), kinds_of(AMOUNT, {})) == str(amount)


@given(st.text(max_size=20))
def test_a_quoted_text_is_that_text(text: str) -> None:
    for schema in (AMOUNT, COUNT, {}):
        assert typed(json.dumps(text), kinds_of(schema, {})) == text


@pytest.mark.parametrize(
    ("text", "schema", "wanted"),
    [
        ("3", COUNT, 3),
        ("3", SECONDS, 3),
        ("1.5", SECONDS, 1.5),
        ("007", AMOUNT, "007"),
        ("1.50", AMOUNT, "1.50"),
        ("true", AMOUNT, "true"),
        ("true", {"type": "boolean"}, True),
        ("null", AMOUNT, None),
        ("null", {"type": "string"}, "null"),
        ("NaN", SECONDS, "NaN"),
        ("none", {"enum": ["none", "included"]}, "none"),
        ('["a"]', {"type": "array"}, ["a"]),
        ("3", {}, 3),
        ("plain", {}, "plain"),
        ("3", {"$ref": "#/components/schemas/Word"}, "3"),
    ],
)
def test_a_value_is_what_the_parameter_takes(
    text: str, schema: dict[str, Any], wanted: Any
) -> None:
    value = typed(text, kinds_of(schema, {"Word": {"type": "string"}}))
    assert (value, type(value)) == (wanted, type(wanted))
