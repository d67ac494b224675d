"""The websocket client, against a peer that answers whatever it likes."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lucidtrond.cli.connection import RpcFailure, Unreachable
from lucidtrond.cli.websocket import TEXT, WebSocket


def text(message: Any) -> bytes:
    data = json.dumps(message).encode()
    assert len(data) < 126
    return bytes((TEXT, len(data))) + data


@contextmanager
def answered(*frames: bytes) -> Iterator[WebSocket]:
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile("rb") as stream:
        ours.settimeout(10)
        theirs.sendall(b"".join(frames))
        theirs.shutdown(socket.SHUT_WR)
        yield WebSocket(ours, stream)


def test_an_error_without_an_id_ends_the_call() -> None:
    error = {"code": -32700, "message": "Parse error"}
    frame = text({"jsonrpc": "2.0", "error": error, "id": None})
    with answered(frame) as ws, pytest.raises(RpcFailure, match="Parse error"):
        ws.call("any.method", {})


def test_an_event_before_the_answer_is_no_answer() -> None:
    event = text({"jsonrpc": "2.0", "method": "events.event", "params": {}})
    with answered(event, text({"jsonrpc": "2.0", "id": 1, "result": 5})) as ws:
        assert ws.call("any.method", {}) == 5


@pytest.mark.parametrize("message", [[], {}, {"id": 2, "result": 5}, "x"])
def test_what_is_no_answer_ends_the_call_too(message: Any) -> None:
    with answered(text(message)) as ws, pytest.raises(Unreachable):
        ws.call("any.method", {})


def test_a_connection_that_breaks_is_named() -> None:
    with answered() as ws, pytest.raises(Unreachable, match="closed"):
        ws.call("any.method", {})
