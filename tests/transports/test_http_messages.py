"""Heads that come again are not parsed again, and nobody can tell."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.transports.http_messages import (
    MAX_HEAD,
    MAX_HEADS,
    HeadCache,
    HttpLimits,
    HttpResponse,
    Parsed,
    RequestParser,
    encode_response,
)

HEAD = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
PIECES = [
    HEAD % 1,
    HEAD % 2,
    HEAD % 1 + HEAD % 2,
    b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"0\r\n\r\n",
    b"\r\n\r\n",
    b"\r\n",
    b"\r",
    b"\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n",
    b"X: y\r\n\r\n",
    b"abcd",
]


class NoCache(HeadCache):
    """Knows no head."""

    def keep(self, data: bytes, parsed: Parsed) -> None:
        """Nothing is kept."""


@settings(max_examples=500)
@given(
    st.lists(
        st.lists(st.sampled_from(PIECES), min_size=1, max_size=6),
        min_size=1,
        max_size=4,
    )
)
def test_a_cache_of_heads_changes_nothing(connections: list[list[bytes]]) -> None:
    limits, heads = HttpLimits(), HeadCache()
    for piece in PIECES:
        RequestParser(limits, heads).feed(piece)
    for pieces in connections:
        cached, plain = RequestParser(limits, heads), RequestParser(limits, NoCache())
        for piece in pieces:
            assert cached.feed(piece) == plain.feed(piece)
            assert cached.phase is plain.phase
            assert cached.refusal == plain.refusal
            assert cached.unread == plain.unread
            assert cached.expects_continue is plain.expects_continue
            if plain.refusal is not None:
                break


def feed_twice(head: bytes) -> bool:
    """Tell whether the second time gave the first one's request."""
    heads = HeadCache()
    [first] = RequestParser(HttpLimits(), heads).feed(head)
    [second] = RequestParser(HttpLimits(), heads).feed(head)
    assert first == second
    return first is second


def test_a_head_is_parsed_once() -> None:
    assert feed_twice(HEAD % 1)


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n" % (b"a" * MAX_HEAD),
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab",
    ],
)
def test_what_ends_a_connection_or_is_long_or_has_a_body_is_not_kept(
    head: bytes,
) -> None:
    assert not feed_twice(head)


def test_a_parser_with_requests_between_its_bytes_looks_them_up_too() -> None:
    heads = HeadCache()
    parser = RequestParser(HttpLimits(), heads)
    [first] = parser.feed(HEAD % 1)
    parser.feed(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na")
    parser.feed(HEAD % 2)
    assert parser.feed(HEAD % 1) == [first]
    assert parser.feed(HEAD % 1)[0] is first


def test_however_many_heads_come_few_are_kept() -> None:
    heads = HeadCache()
    parser = RequestParser(HttpLimits(), heads)
    for number in range(3 * MAX_HEADS):
        parser.feed(HEAD % number)
        assert len(heads) <= MAX_HEADS
    [last] = parser.feed(HEAD % (3 * MAX_HEADS - 1))
    assert parser.feed(HEAD % (3 * MAX_HEADS - 1))[0] is last


def test_a_percent_sign_is_one_in_an_answer() -> None:
    response = HttpResponse(200, b"100 %d", "text/%s; x=%%")
    assert encode_response(response, keep_alive=True) == (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/%s; x=%%\r\ncontent-length: 6\r\n"
        b"\r\n100 %d"
    )
    assert encode_response(response, keep_alive=False) == (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/%s; x=%%\r\ncontent-length: 6\r\n"
        b"connection: close\r\n\r\n100 %d"
    )


def test_a_line_break_in_a_field_is_refused_each_time() -> None:
    response = HttpResponse(200, b"", "text/plain\r\nx: y")
    for _ in range(2):
        with pytest.raises(ValueError, match="line break"):
            encode_response(response, keep_alive=True)
