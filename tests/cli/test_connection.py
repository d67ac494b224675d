"""The client's connection, against a peer that says whatever it likes."""

import contextlib
import json
import socket
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.cli.connection import (
    Connection,
    RpcFailure,
    Unreachable,
    encode_request,
    parse_message,
    result_of,
)

ERROR = {"code": -32700, "message": "Parse error"}


def answered(*lines: bytes, ask: Callable[[Connection], Any]) -> Any:
    """What *ask* gives when the peer answers its first line with *lines*."""
    ours, theirs = socket.socketpair()
    ours.settimeout(10)

    def answer() -> None:
        with theirs, theirs.makefile("rb") as stream:
            stream.readline()
            theirs.sendall(b"".join(line + b"\n" for line in lines))

    thread = Thread(target=answer)
    thread.start()
    try:
        with Connection(ours) as connection:
            return ask(connection)
    finally:
        thread.join(10)


def call(connection: Connection) -> Any:
    return connection.call("any.method")


def test_an_error_without_an_id_ends_the_call() -> None:
    """JSON-RPC 2.0 section 5: null where the id could not be read."""
    line = json.dumps({"jsonrpc": "2.0", "error": ERROR, "id": None}).encode()
    with pytest.raises(RpcFailure, match="Parse error") as caught:
        answered(line, ask=call)
    assert caught.value.code == -32700
    with pytest.raises(RpcFailure):  # and one that has no id member at all
        answered(json.dumps({"jsonrpc": "2.0", "error": ERROR}).encode(), ask=call)


def test_events_before_the_answer_are_kept() -> None:
    event = {"jsonrpc": "2.0", "method": "events.event", "params": {"seq": 1}}
    lines = (json.dumps(event), '{"jsonrpc":"2.0","id":1,"result":5}')

    def ask(connection: Connection) -> Any:
        return call(connection), list(connection.notifications())

    assert answered(*map(str.encode, lines), ask=ask) == (5, [event])


@pytest.mark.parametrize(
    "line",
    [
        b"HTTP/1.1 400 Bad Request",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"jsonrpc":"2.0","id":2,"result":5}',
        b'{"jsonrpc":"2.0","id":null,"result":5}',
        b'{"jsonrpc":"2.0","id":1}',
        b'{"jsonrpc":"2.0","id":1,"error":"no"}',
    ],
)
def test_what_is_no_answer_ends_the_call_too(line: bytes) -> None:
    with pytest.raises(Unreachable):
        answered(line, ask=call)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "error", "result", "code", "message", "data"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(
    st.binary(max_size=40) | json_values.map(lambda value: json.dumps(value).encode())
)
def test_any_line_is_a_result_or_one_of_two_errors(line: bytes) -> None:
    with contextlib.suppress(RpcFailure, Unreachable):
        result_of(parse_message(line), wanted=1)


surrogates = st.characters(categories=["Cs"])


@given(surrogates)
def test_a_lone_surrogate_is_refused_before_it_is_sent(letter: str) -> None:
    for params in ({"label": f"caf{letter}"}, {"a": [{letter: 1}]}):
        with pytest.raises(ValueError, match="expected text"):
            encode_request("wallet.create", params, request_id=1)


def test_other_text_is_sent_as_it_is() -> None:
    line = encode_request("m", {"label": "café 🍕"}, request_id=7)
    assert "café 🍕".encode() in line
    assert json.loads(line) == {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "m",
        "params": {"label": "café 🍕"},
    }
