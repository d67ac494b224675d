"""HTTP/1.1 to a node without TLS, over connections that are kept.

httpx could do it, for more than twice the CPU time per request and 60 ms at the start
of a program; so it is for TLS only (`http_tls`). The grammar of answers is llhttp's. A
connection carries one request at a time; it is kept when the answer was whole and
nothing came after it, and left when the peer has closed it meanwhile. How many there
are is decided by who asks: one per request under way.
"""

import contextlib
import select
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import httptools
import trio
from attrs import define, field

from lucidtrond.errors import NodeUnavailable
from lucidtrond.node.transport.protocol import Reply, Sink

KEEP_ALIVE_S: Final = 15.0
"""Shorter than Jetty's 30 s, so that connections are seldom closed under a request."""
PIECE_BYTES: Final = 64 * 1024
OVERHEAD_BYTES: Final = 64 * 1024
"""Headers may have so many, and the framing of each byte of a body a few more."""
_FRAMING: Final = 8
_HTTP_PORT: Final = 80
_FRAMES: Final = frozenset((b"content-length", b"transfer-encoding"))


class BrokenOff(Exception):
    """The answer is no HTTP, or it ends before its end."""


@define(eq=False)
class PlainConnection:
    """One connection; does not look at what it carries."""

    _stream: trio.SocketStream
    kept_at: float = 0.0
    """When its last answer was over."""

    async def send(self, request: bytes) -> None:
        """Write the whole request."""
        await self._stream.send_all(request)

    async def receive(self, sink: Sink) -> tuple[Reply, bool]:
        """Read one answer; also, whether the connection may be used again.

        Raises:
            BrokenOff
        """
        answer = _Answer(sink)
        while not answer.is_over:
            answer.feed(await self._stream.receive_some(PIECE_BYTES))
        return answer.reply, answer.may_be_followed

    def is_open(self) -> bool:
        """Whether the peer has neither closed it nor said anything unasked."""
        poll = select.poll()
        poll.register(self._stream.socket.fileno(), select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """Let go of it at once; there is nothing to wait for."""
        self._stream.socket.close()


@define(eq=False)
class PlainTransport:
    """Posts to *url* for endpoint *name*; *headers* go with every request."""

    _name: str
    _url: str = field(repr=False)
    _headers: list[tuple[str, str]] = field(repr=False)
    _host: str = field(init=False)
    _port: int = field(init=False)
    _target: str = field(init=False, repr=False)
    _fields: bytes = field(init=False, repr=False)
    _kept: list[PlainConnection] = field(init=False, factory=list)

    def __attrs_post_init__(self) -> None:
        parts = urlsplit(self._url)
        self._host, self._port = parts.hostname or "", parts.port or _HTTP_PORT
        self._target = parts.path.rstrip("/")
        fields = [("Host", parts.netloc), *self._headers]
        self._fields = "".join(f"{name}: {value}\r\n" for name, value in fields).encode(
            "ascii"
        )

    async def post(self, path: str, content: bytes, sink: Sink) -> Reply:
        """See `HttpTransport`."""
        request = b"POST %b HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (
            f"{self._target}{path}".encode("ascii"),
            self._fields,
            len(content),
            content,
        )
        with self._translated():
            connection = self._kept_one() or await self._connect()
            kept = False
            try:
                await connection.send(request)
                reply, kept = await connection.receive(sink)
            finally:
                if kept:
                    connection.kept_at = trio.current_time()
                    self._kept.append(connection)
                else:
                    connection.close()
        return reply

    def close(self) -> None:
        """Close what is kept."""
        while self._kept:
            self._kept.pop().close()

    def _kept_one(self) -> PlainConnection | None:
        """The one used last that can be used again; lets go of those that can't."""
        oldest = trio.current_time() - KEEP_ALIVE_S
        while self._kept:
            connection = self._kept.pop()
            if connection.kept_at >= oldest and connection.is_open():
                return connection
            connection.close()
        return None

    async def _connect(self) -> PlainConnection:
        try:
            stream = await trio.open_tcp_stream(self._host, self._port)
        except OSError as error:
            raise NodeUnavailable(self._name, 1, "can't connect") from error
        return PlainConnection(stream)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """No other exception than a NodeError gets out."""
        try:
            yield
        except BrokenOff as error:
            reason = "the connection was cut, or it speaks no HTTP"
            raise NodeUnavailable(self._name, 1, reason) from error
        except (OSError, trio.BrokenResourceError) as error:
            raise NodeUnavailable(self._name, 1, "the connection broke") from error


@define(eq=False)
class _Answer:
    """One answer as it comes in; the methods with ``on_`` are called by llhttp."""

    _sink: Sink
    is_over: bool = field(init=False, default=False)
    may_be_followed: bool = field(init=False, default=False)
    reply: Reply = field(init=False, default=Reply(0))
    _llhttp: httptools.HttpResponseParser = field(init=False)
    _has_head: bool = field(init=False, default=False)
    _is_framed: bool = field(init=False, default=False)
    """It tells where it ends; otherwise the end of the connection does."""
    _headers: dict[bytes, bytes] = field(init=False, factory=dict)
    _read: int = field(init=False, default=0)
    _body: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self._llhttp = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Take what came from the socket; nothing means that it has ended.

        Raises:
            BrokenOff
        """
        if not data:
            if not self._has_head or self._is_framed:
                raise BrokenOff("it ends early")
            self.is_over = True
            return
        self._read += len(data)
        try:
            self._llhttp.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            raise BrokenOff("not HTTP") from None
        if self._read - self._body > OVERHEAD_BYTES + _FRAMING * self._body:
            raise BrokenOff("too many headers")

    def on_message_begin(self) -> None:
        if self.is_over:  # what comes after the answer was not asked for
            self.may_be_followed = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        status = self._llhttp.get_status_code()
        if self.is_over or status < 200:
            return
        headers, self._headers = self._headers, {}
        self._has_head = True
        self._is_framed = (
            b"content-length" in headers or b"transfer-encoding" in headers
        )
        values = (headers.get(name) for name in (b"retry-after", b"date"))
        after, date = (
            None if value is None else value.decode("latin-1") for value in values
        )
        self.reply = Reply(status, after, date)
        self._sink.begin(headers.get(b"content-encoding", b"").decode("latin-1"))

    def on_body(self, chunk: bytes) -> None:
        if not self.is_over:
            self._body += len(chunk)
            self._sink.take(chunk)

    def on_message_complete(self) -> None:
        if self._has_head and not self.is_over:
            self.is_over = True
            self.may_be_followed = self._llhttp.should_keep_alive()
