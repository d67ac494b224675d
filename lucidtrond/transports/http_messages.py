"""HTTP/1.1 requests out of bytes, responses into bytes; no socket here.

llhttp (through httptools) does the grammar: methods, chunked bodies, conflicting
lengths. What it leaves open is decided here: limits, ``Host``, ``Expect``, trailers
(ignored) and repeated fields (joined by commas, RFC 9110 5.3).
"""

import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from http import HTTPStatus
from typing import Final

import httptools
import msgspec
from attrs import define, field
from msgspec import Struct

REASONS: Final = {status.value: status.phrase for status in HTTPStatus}
# A body of one-byte chunks is six times its size on the wire; more is abuse.
CHUNK_OVERHEAD: Final = 8
NO_BODY: Final = frozenset({204, 304})


# Structs of msgspec, made in a sixth of the time: there are three for each request.


class HttpRequest(msgspec.Struct, frozen=True):
    """One whole request; *path* and *query* as sent, not percent-decoded."""

    method: str
    path: str
    query: str
    headers: Mapping[bytes, bytes]
    """Names in lower case."""
    body: bytes = b""


class HttpResponse(msgspec.Struct, frozen=True):
    """What a handler answers; a HEAD request gets it without the body."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    """Empty for none."""
    headers: Sequence[tuple[str, str]] = ()
    deliver: Callable[[socket.socket, bytes], Awaitable[None]] | None = None
    """Sends the encoded answer in a way of its own; the connection ends with it."""


class HttpLimits(Struct, frozen=True):
    """Bounds of one server; when `max_connections` are open a new one gets 503."""

    max_connections: int = 512
    head_bytes: int = 16 * 1024
    body_bytes: int = 1 << 20
    head_s: float = 10.0
    """From a request's first byte to the end of its head, however it drips."""
    body_s: float = 60.0
    idle_s: float = 75.0
    write_s: float = 30.0
    """A peer that takes no byte for so long is cut off."""


class Refusal(Struct, frozen=True):
    """Why a connection can't go on: the status and a text for people."""

    status: int
    text: str


class Phase(Enum):
    """Where in a request the stream stands."""

    IDLE = "idle"
    HEAD = "head"
    BODY = "body"


class Parsed(msgspec.Struct, frozen=True):
    """A request and what its connection must know about it."""

    request: HttpRequest
    keep_alive: bool
    version: str
    upgrade: bool


MAX_HEADS: Final = 64
MAX_HEAD: Final = 2048
_END_OF_HEAD: Final = b"\r\n\r\n"


@define(eq=False)
class HeadCache:
    """Requests without a body, by their very bytes; of all connections of a server.

    A client that keeps its connection sends the same head again and again. At most
    `MAX_HEADS` of at most `MAX_HEAD` bytes; when it is full it starts anew.
    """

    _requests: dict[bytes, Parsed] = field(init=False, factory=dict)

    def __len__(self) -> int:
        return len(self._requests)

    @property
    def lookup(self) -> Callable[[bytes], Parsed | None]:
        return self._requests.get

    def keep(self, data: bytes, parsed: Parsed) -> None:
        """Remember that *data* and nothing else is the whole of *parsed*."""
        if len(data) > MAX_HEAD or parsed.upgrade:
            return
        if len(self._requests) >= MAX_HEADS:
            self._requests.clear()
        self._requests[data] = parsed


class _Stop(Exception):
    """Leaves llhttp's callbacks; the reason is in `RequestParser.refusal`."""


@define(eq=False)
class RequestParser:
    """Turns the bytes of one connection into requests.

    After a `feed`: *phase* says where the stream stands, *refusal* that it can't go
    on, *unread* holds bytes behind a request that asked for another protocol (feed
    them again to ignore that), *expects_continue* that the peer waits for a 100.
    """

    limits: HttpLimits
    heads: HeadCache = field(factory=HeadCache)
    phase: Phase = Phase.IDLE
    refusal: Refusal | None = None
    unread: bytes = b""
    expects_continue: bool = False
    _done: list[Parsed] = field(init=False, factory=list)
    _llhttp: httptools.HttpRequestParser = field(init=False)
    _url: bytes = b""
    _headers: dict[bytes, bytes] = field(init=False, factory=dict)
    _body: list[bytes] = field(init=False, factory=list)
    _head_bytes: int = 0
    _body_bytes: int = 0
    _fed: int = 0
    _version: str = ""
    _is_between: bool = True
    """llhttp has seen nothing of the next request, not even a blank line before it."""
    _lookup: Callable[[bytes], Parsed | None] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._llhttp = httptools.HttpRequestParser(self)
        self._lookup = self.heads.lookup

    def feed(self, data: bytes) -> list[Parsed]:
        """Take bytes off the wire and give the requests they complete."""
        if self._is_between:
            parsed = self._lookup(data)
            if parsed is not None:
                return [parsed]
        self._fed += len(data)
        try:
            self._llhttp.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self.unread = data[upgrade.args[0] :]
            self._llhttp = httptools.HttpRequestParser(self)
        except httptools.HttpParserError:
            if self.refusal is None:
                self.refusal = Refusal(400, "not an HTTP/1.1 request")
        if self.refusal is None:
            self._check_size()
        done, self._done = self._done, []
        was_between, self._is_between = self._is_between, False
        if len(done) == 1 and data.find(_END_OF_HEAD) == len(data) - len(_END_OF_HEAD):
            # All of it, if it began here, is one request's head. Behind the last
            # request of a connection nothing is one.
            self._is_between = (
                self.phase is Phase.IDLE and self.refusal is None and done[0].keep_alive
            )
            if self._is_between and was_between and not self.unread:
                self.heads.keep(data, done[0])
        return done

    def _check_size(self) -> None:
        # httptools gathers a header or trailer that comes in pieces before it calls
        # back, so the callbacks alone can't bound what a peer makes us hold.
        limits = self.limits
        if self.phase is Phase.IDLE:
            self._fed = 0
        elif self.phase is Phase.HEAD and self._fed > limits.head_bytes:
            self.refusal = Refusal(431, f"head over {limits.head_bytes} bytes")
        elif self._fed > limits.head_bytes + CHUNK_OVERHEAD * limits.body_bytes:
            self.refusal = Refusal(413, f"body over {limits.body_bytes} bytes")

    def _refuse(self, status: int, text: str) -> None:
        self.refusal = Refusal(status, text)
        raise _Stop

    # Called by llhttp.

    def on_message_begin(self) -> None:
        self.phase = Phase.HEAD
        self._url = b""
        self._head_bytes = 0
        self._headers = {}
        self._body = []
        self._body_bytes = 0
        self.expects_continue = False

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._head_bytes += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.phase is not Phase.HEAD:
            return  # a trailer: it must not pass for a header
        self._head_bytes += len(name) + len(value) + 4
        name = name.lower()
        if name in self._headers:
            if name == b"host":
                self._refuse(400, "two Host fields")
            value = self._headers[name] + b", " + value
        self._headers[name] = value

    def on_headers_complete(self) -> None:
        self.phase = Phase.BODY
        headers, limits = self._headers, self.limits
        if self._head_bytes > limits.head_bytes:
            self._refuse(431, f"head over {limits.head_bytes} bytes")
        self._version = self._llhttp.get_http_version()
        if b"host" not in headers and self._version != "1.0":
            self._refuse(400, "no Host field")
        length = headers.get(b"content-length")
        if length is not None and int(length) > limits.body_bytes:
            self._refuse(413, f"body over {limits.body_bytes} bytes")
        expect = headers.get(b"expect")
        if expect is not None and self._version != "1.0":
            if expect.lower() != b"100-continue":
                self._refuse(417, "only 100-continue can be expected")
            self.expects_continue = True

    def on_body(self, body: bytes) -> None:
        self.expects_continue = False  # it did not wait
        self._body_bytes += len(body)
        if self._body_bytes > self.limits.body_bytes:
            self._refuse(413, f"body over {self.limits.body_bytes} bytes")
        self._body.append(body)

    def on_message_complete(self) -> None:
        path, query = _split_target(self._url)
        llhttp, body = self._llhttp, self._body
        request = HttpRequest(
            method=llhttp.get_method().decode("ascii"),
            path=path,
            query=query,
            headers=self._headers,
            body=body[0] if len(body) == 1 else b"".join(body),
        )
        self._done.append(
            Parsed(
                request,
                keep_alive=llhttp.should_keep_alive(),
                version=self._version,
                upgrade=llhttp.should_upgrade(),
            )
        )
        self.phase = Phase.IDLE
        self.expects_continue = False
        self._body = []
        self._fed = 0


def _split_target(url: bytes) -> tuple[str, str]:
    """Split origin-form or absolute-form (RFC 9112 3.2) into path and query."""
    target = url.partition(b"#")[0]
    if not target.startswith((b"/", b"*")) and b"://" in target:
        authority, slash, rest = target.partition(b"://")[2].partition(b"/")
        target = slash + rest if slash else b"/?" + authority.partition(b"?")[2]
    path, _, query = target.partition(b"?")
    return path.decode("latin-1"), query.decode("latin-1")


def is_websocket(request: HttpRequest) -> bool:
    """Tell whether the peer asks for the one protocol we may switch to."""
    wanted = request.headers.get(b"upgrade", b"").lower()
    return request.method == "GET" and wanted == b"websocket"


def encode_head(request: HttpRequest) -> bytes:
    """Write a request's head again, for a parser that has not seen it."""
    target = f"{request.path}?{request.query}" if request.query else request.path
    lines = [f"{request.method} {target} HTTP/1.1".encode("latin-1")]
    lines += [name + b": " + value for name, value in request.headers.items()]
    return b"\r\n".join([*lines, b"", b""])


def encode_response(
    response: HttpResponse,
    *,
    keep_alive: bool,
    version: str = "1.1",
    head_only: bool = False,
) -> bytes:
    """Write status line, fields and body.

    There is no ``Date`` field: this layer has no wall clock (RFC 9110 6.6.1 allows
    that to a server without one).

    Raises:
        ValueError: a field would break out of its line.
    """
    status, body = response.status, response.body
    if response.headers or head_only or version != "1.1" or status in NO_BODY:
        length = None if status in NO_BODY else str(len(body))
        head = _write_head(response, length, keep_alive=keep_alive, version=version)
        return head if head_only or status in NO_BODY else head + body
    usual = _format_head(status, response.content_type, keep_alive)
    return usual % (len(body), body)


@lru_cache(maxsize=64)
def _format_head(status: int, content_type: str, keep_alive: bool) -> bytes:  # noqa: FBT001 - found more quickly by position
    """The usual head, as a format for the body's length and the body."""
    plain = HttpResponse(status, content_type=content_type.replace("%", "%%"))
    return _write_head(plain, "%d", keep_alive=keep_alive, version="1.1") + b"%b"


def _write_head(
    response: HttpResponse, length: str | None, *, keep_alive: bool, version: str
) -> bytes:
    status = response.status
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Unknown')}"]
    if response.content_type:
        lines.append(f"content-type: {response.content_type}")
    if length is not None:
        lines.append(f"content-length: {length}")
    lines += [f"{name}: {value}" for name, value in response.headers]
    if not keep_alive:
        lines.append("connection: close")
    elif version == "1.0":
        lines.append("connection: keep-alive")
    text = "\n".join([*lines, "", ""])
    if text.count("\n") != len(lines) + 1 or "\r" in text:
        raise ValueError("a response field holds a line break")
    return text.replace("\n", "\r\n").encode("latin-1")
