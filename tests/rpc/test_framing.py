"""Framing: how the bytes were cut never matters, and no input is expensive."""

import json
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.rpc.framing import Framer, is_too_deep, outside_strings

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
texts = st.builds(
    lambda value, ascii_only: json.dumps(value, ensure_ascii=ascii_only).encode(),
    json_values,
    st.booleans(),
)
separators = st.sampled_from([b"\n", b"\n\n", b"\r\n", b" \n", b"\n \t\r\n"])


def feed_in_pieces(framer: Framer, data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    got: list[bytes] = []
    for start, end in pairwise(edges):
        got += framer.feed(data[start:end])
    return got + framer.finish()


@given(
    st.lists(st.tuples(texts, separators), max_size=6),
    st.lists(st.integers(0, 10_000), max_size=20),
    st.booleans(),
)
def test_any_cut_gives_the_same_texts(
    sent: list[tuple[bytes, bytes]], places: list[int], last_ends: object
) -> None:
    data = b"".join(text + separator for text, separator in sent)
    if not last_ends:
        data = data.rstrip(b" \t\r\n")
    got = feed_in_pieces(Framer(), data, places)
    assert [text.strip() for text in got] == [text for text, _ in sent]


@given(st.lists(st.binary(max_size=30), max_size=10))
def test_garbage_never_raises_and_nothing_is_lost_without_a_word(
    pieces: list[bytes],
) -> None:
    framer = Framer(max_text=50)
    got = [text for piece in pieces for text in framer.feed(piece)] + framer.finish()
    sent = b"".join(b"".join(pieces).split())
    content = b"".join(b"".join(got).split())
    assert framer.overflow or content == sent


@given(texts.filter(lambda text: text[:1] in (b"{", b"[")), texts)
def test_a_whole_object_or_array_needs_no_newline(first: bytes, second: bytes) -> None:
    framer = Framer()
    assert framer.feed(first) == [first]
    assert framer.is_empty
    assert framer.feed(b"\n" + second + b"\n") == [second]


def test_a_text_that_only_looks_whole_waits_for_its_end() -> None:
    framer = Framer()
    assert framer.feed(b'{"a":[1]') == []
    assert framer.feed(b',"b":{}') == []
    assert framer.feed(b"}") == [b'{"a":[1],"b":{}}']


def test_what_cannot_be_json_is_handed_over_at_once() -> None:
    assert Framer().feed(b"\x16\x03\x01\x02") == [b"\x16\x03\x01\x02"]
    assert Framer().feed(b" \nGET / HT") == [b"GET / HT"]


@pytest.mark.parametrize("tail", [b"", b"\n", b"\n1\n"])
def test_a_long_text_overflows_after_the_good_ones(tail: bytes) -> None:
    framer = Framer(max_text=8)
    assert framer.feed(b"12345678\n" + b"123456789" + tail) == [b"12345678"]
    assert framer.overflow
    assert framer.finish() == []


def test_a_long_text_overflows_however_slowly_it_comes() -> None:
    framer = Framer(max_text=8)
    for _ in range(8):
        assert framer.feed(b"1") == []
        assert not framer.overflow
    framer.feed(b"1")
    assert framer.overflow


def test_short_texts_never_add_up_to_a_long_one() -> None:
    framer = Framer(max_text=8)
    for _ in range(20):
        assert framer.feed(b"[1,") == []
        assert framer.feed(b"2]\n") == [b"[1,2]"]
        assert framer.feed(b"[1,") == []
        assert framer.feed(b"2]") == [b"[1,2]"]
    assert not framer.overflow


def test_what_looks_whole_is_tried_a_bounded_number_of_times() -> None:
    """Each try costs a decode of all that came; the newline ends it all the same."""
    framer = Framer()
    framer.feed(b'["')
    for _ in range(1000):
        assert framer.feed(b"]") == []
    assert framer.feed(b'"]') == []
    assert framer.feed(b"\n") == [b'["' + b"]" * 1000 + b'"]']
    assert framer.feed(b"[1]") == [b"[1]"]


def test_nothing_comes_out_behind_an_overflow() -> None:
    framer = Framer(max_text=8)
    assert framer.feed(b"1" * 9) == []
    assert framer.feed(b"[]\n[]\n") == []
    assert framer.finish() == []


@given(json_values)
def test_depth_is_what_a_parser_would_find(value: object) -> None:
    text = json.dumps(value).encode()
    depth = depth_of(value)
    assert not is_too_deep(text, limit=depth)
    assert depth == 0 or is_too_deep(text, limit=depth - 1)


def depth_of(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


@given(json_values)
def test_strings_are_cut_out_whatever_they_hold(value: object) -> None:
    text = json.dumps(value).encode()
    rest = outside_strings(text)
    assert b'"' not in rest
    assert b"\\" not in rest
    assert rest.count(b":") == count_names(value)


def count_names(value: object) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(count_names, value.values()))
    if isinstance(value, list):
        return sum(map(count_names, value))
    return 0


SIZE = 200_000
EXPENSIVE = {
    "nested arrays": b"[" * SIZE,
    "nested objects": b'{"a":' * (SIZE // 5),
    "closed": b"[" * (SIZE // 2) + b"]" * (SIZE // 2),
    "open in a string": b'{"a":"' + b"[" * SIZE,
    "escaped quotes": b'["' + b'\\"' * (SIZE // 2),
    "backslashes": b'["' + b"\\" * SIZE,
    "quotes": b"[" * 65 + b'"' * SIZE,
    "flat": b"[" + b"[]," * (SIZE // 3) + b"[]]",
    "saw": (b"[" * 60 + b"]" * 60) * (SIZE // 120),
}


@pytest.mark.process
@pytest.mark.parametrize("name", EXPENSIVE)
def test_the_cost_of_depth_grows_no_faster_than_the_text(name: str) -> None:
    """Four times the text costs about four times as much; squared it were sixteen."""
    text = EXPENSIVE[name]
    quarter = min(timed(text[: len(text) // 4]) for _ in range(7))
    whole = min(timed(text) for _ in range(7))
    assert whole < 10 * max(quarter, 0.0002)


def timed(text: bytes) -> float:
    start = time.perf_counter()
    is_too_deep(text)
    return time.perf_counter() - start
