import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.tron.nodetext import read_node_text


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_hex_of_a_text_is_that_text(text: str) -> None:
    assert read_node_text(text.encode().hex()) == text


@pytest.mark.parametrize(
    "text", ["", "Tapos check error.", "Server busy.", "abc", "ff", "62 61", "0x6261"]
)
def test_what_is_no_hex_of_a_text_stays(text: str) -> None:
    assert read_node_text(text) == text
