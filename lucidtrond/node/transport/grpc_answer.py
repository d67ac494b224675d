"""One unary gRPC response: one message and a status, from what HTTP/2 delivers.

The body is a flag, a length of 4 bytes and the message (gRPC over HTTP/2,
"Length-Prefixed-Message"); the status is in the trailers, or in the headers of a
response without a body. Only a whole message with status 0 is a response; whatever else
comes is one of the exceptions of `errors`, with the endpoint's name.
"""

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from attrs import define, field

from lucidtrond.errors import NodeError, NodeRefused, NodeTimeout, NodeUnavailable
from lucidtrond.node.health.errors import SlowDown
from lucidtrond.node.transport.protocol import MessageSink
from lucidtrond.node.transport.refusals import refusal_of, shown

PREFIX_BYTES: Final = 5
"""Flag and length before a message."""
_MESSAGE_BYTES: Final = 1024
"""Of a grpc-message, before it is decoded."""

Headers = Iterable[tuple[bytes, bytes]]

# google.rpc.Code
_OK: Final = 0
_DEADLINE_EXCEEDED: Final = 4
_RESOURCE_EXHAUSTED: Final = 8
_UNIMPLEMENTED: Final = 12
_NOT_NOW: Final[Mapping[int, str]] = {
    1: "CANCELLED",
    2: "UNKNOWN",
    10: "ABORTED",
    13: "INTERNAL",
    14: "UNAVAILABLE",
    15: "DATA_LOSS",
}
_NO: Final[Mapping[int, str]] = {
    3: "INVALID_ARGUMENT",
    5: "NOT_FOUND",
    6: "ALREADY_EXISTS",
    7: "PERMISSION_DENIED",
    9: "FAILED_PRECONDITION",
    11: "OUT_OF_RANGE",
    16: "UNAUTHENTICATED",
}


def prefixed(message: bytes) -> bytes:
    """*message* as a body, not compressed."""
    return b"\0" + len(message).to_bytes(4, "big") + message


@define(eq=False)
class GrpcAnswer:
    """The response of endpoint *name* as it arrives; the message goes to *sink*."""

    _name: str
    _sink: MessageSink
    body_bytes: int = field(init=False, default=0)
    _head: Mapping[bytes, bytes] | None = field(init=False, default=None)
    _last: Mapping[bytes, bytes] = field(init=False, factory=dict)
    """The newest block of headers: the trailers, or the head where nothing follows."""
    _statuses: list[bytes] = field(init=False, factory=list)
    """What that block says for grpc-status."""
    _prefix: bytes = field(init=False, default=b"")
    _missing: int = field(init=False, default=0)
    """Bytes of the message that are still to come."""

    @property
    def has_begun(self) -> bool:
        """Some of it arrived."""
        return self._head is not None

    def take_head(self, headers: Headers) -> None:
        """Take the response's headers.

        Raises:
            NodeUnavailable, NodeRefused, QuotaSpent: it is no gRPC response.
        """
        head = self._head = self._take_headers(headers)
        self._sink.begin("")
        status = head.get(b":status", b"")
        if status != b"200":
            raise self._refusal_of_gateway(head, status)
        if not head.get(b"content-type", b"").startswith(b"application/grpc"):
            raise NodeRefused(self._name, "gRPC: a response of another content type")

    def take_data(self, data: bytes) -> None:
        """Take some of the body.

        Raises:
            NodeRefused: a compressed message, more than one, or one that is too long
                for *sink*.
        """
        self.body_bytes += len(data)
        if data:
            self._statuses = []  # of a response with a body the trailers tell
        if len(self._prefix) < PREFIX_BYTES:
            lacking = PREFIX_BYTES - len(self._prefix)
            self._prefix += data[:lacking]
            data = data[lacking:]
            if len(self._prefix) < PREFIX_BYTES:
                return
            self._begin_message()
        if len(data) > self._missing:
            raise NodeRefused(self._name, "gRPC: more than one message")
        if data:
            self._missing -= len(data)
            self._sink.take(data)

    def _begin_message(self) -> None:
        if self._prefix[0] != 0:
            raise NodeRefused(self._name, "gRPC: a compressed message, not asked for")
        self._missing = int.from_bytes(self._prefix[1:], "big")
        self._sink.expect(self._missing)

    def take_trailers(self, headers: Headers) -> None:
        """Take what follows the body."""
        self._take_headers(headers)

    def _take_headers(self, headers: Headers) -> Mapping[bytes, bytes]:
        pairs = list(headers)
        self._statuses = [value for name, value in pairs if name == b"grpc-status"]
        self._last = dict(pairs)
        return self._last

    def finish(self) -> None:
        """The response is over.

        Raises:
            NodeError: a status that is not 0, none at all, or no whole message.
        """
        status = self._status()
        if status != _OK:
            raise self._failure(status)
        if len(self._prefix) < PREFIX_BYTES or self._missing:
            text = "gRPC: status 0 without a whole message"
            raise NodeUnavailable(self._name, 1, text)

    def _status(self) -> int:
        # Without a body the one block of headers is that of the trailers, too.
        if not self._statuses:
            raise NodeUnavailable(self._name, 1, "gRPC: a response without status")
        text = b", ".join(self._statuses)
        if not (text.isdigit() and len(text) <= 3):
            raise NodeRefused(self._name, shown(f"gRPC: status {_text(text)}"))
        return int(text)

    def _failure(self, status: int) -> NodeError:
        name = self._name
        encoded = self._last.get(b"grpc-message", b"")[:_MESSAGE_BYTES]
        message = _text(unquote_to_bytes(encoded))
        label = _NOT_NOW.get(status) or _NO.get(status) or str(status)
        text = shown(f"gRPC status {label}: {message}" if message else label)
        if status == _RESOURCE_EXHAUSTED:
            return SlowDown(name, 1, "gRPC: too many requests")
        if status == _DEADLINE_EXCEEDED:
            return NodeTimeout(name, 1, "gRPC: its own deadline passed")
        if status == _UNIMPLEMENTED:
            return NodeRefused(name, "gRPC: no such method or service at this port")
        if status in _NOT_NOW:
            return NodeUnavailable(name, 1, text)
        return NodeRefused(name, text)

    def _refusal_of_gateway(
        self, head: Mapping[bytes, bytes], status: bytes
    ) -> NodeError:
        """What a status of HTTP means, which only a gateway in between sends."""
        number = int(status) if status.isdigit() and len(status) == 3 else 0
        after, date = head.get(b"retry-after"), head.get(b"date")
        refusal = refusal_of(
            self._name,
            status=number,
            body=b"",
            retry_after=None if after is None else _text(after),
            date=None if date is None else _text(date),
        )
        return refusal or NodeRefused(self._name, f"gRPC: HTTP {number}")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
