"""A websocket client for one question at a time, of the standard library alone.

Enough for `demo`: one text each way, no fragments, no extensions (RFC 6455).
"""

import base64
import contextlib
import hashlib
import os
import socket
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final
from urllib.parse import urlsplit

from attrs import frozen

from lucidtrond.cli.connection import (
    Unreachable,
    encode_request,
    parse_message,
    result_of,
)

GUID: Final = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT: Final = 0x81
MASKED: Final = 0x80


@frozen
class WebSocket:
    """Made by `connect`."""

    _sock: socket.socket
    _input: BinaryIO

    def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """Ask, and wait for the answer's result; events before it are dropped.

        Raises:
            RpcFailure, Unreachable, ValueError: as `Connection.call`.
        """
        request = encode_request(method, params, request_id=1)
        try:
            self._sock.sendall(_frame(request.rstrip()))
            answer = parse_message(self._receive())
            while "method" in answer:
                answer = parse_message(self._receive())
        except OSError as exc:
            raise Unreachable(f"the daemon went away ({exc.strerror or exc})") from None
        return result_of(answer, wanted=1)

    def _receive(self) -> bytes:
        kind, size = self._take(2)
        if kind != TEXT or size & MASKED:
            raise Unreachable("the websocket did not answer with a text")
        if size == 126:
            size = int.from_bytes(self._take(2), "big")
        elif size == 127:
            size = int.from_bytes(self._take(8), "big")
        return self._take(size)

    def _take(self, count: int) -> bytes:
        data = self._input.read(count)
        if len(data) < count:
            raise Unreachable("the websocket was closed")
        return data


@contextlib.contextmanager
def connect(url: str, *, timeout_s: float) -> Iterator[WebSocket]:
    """Open ``/ws`` of an ``http://`` URL. Raises Unreachable."""
    parts = urlsplit(url)
    key = base64.b64encode(os.urandom(16)).decode()
    head = (
        f"GET /ws HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\n\r\n"
    )
    try:
        sock = socket.create_connection(
            (parts.hostname or "", parts.port or 80), timeout_s
        )
    except OSError as exc:
        raise Unreachable(f"{url}: {exc.strerror or exc}") from None
    with sock, sock.makefile("rb") as stream:
        sock.sendall(head.encode())
        answer = b"".join(iter(stream.readline, b"\r\n"))
        digest = hashlib.sha1((key + GUID).encode(), usedforsecurity=False).digest()
        if b" 101 " not in answer or base64.b64encode(digest) not in answer:
            raise Unreachable(f"{url}/ws: no websocket there")
        yield WebSocket(sock, stream)


def _frame(text: bytes) -> bytes:
    """One masked text (RFC 6455 5.3: a client masks everything)."""
    size = len(text)
    if size < 126:
        head = bytes((TEXT, MASKED | size))
    elif size < 1 << 16:
        head = bytes((TEXT, MASKED | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((TEXT, MASKED | 127)) + size.to_bytes(8, "big")
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(text))
    return head + mask + masked
