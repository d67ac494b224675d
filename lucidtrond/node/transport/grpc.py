"""Unary gRPC to a node, over HTTP/2 connections that are kept.

h2 knows the protocol, trio carries the bytes. httpx could not do it: it drops trailers,
where gRPC has its status. A connection carries one request at a time and is kept after
a whole response, so who asks one thing after the other uses one connection; how many
there are is decided by who asks, as with `http_plain`. Whoever stops waiting closes the
connection: nothing then has to be read to its end.

A kept connection may be closed by the node at any time (GOAWAY, or the end of the
stream). All that is asked here only reads, so a request that a connection ended under
before any of its response arrived is sent once more, over a new one.

Imported only when an endpoint has a `grpc_url`: h2 takes 8 ms and 1 MB.
"""

import contextlib
import ssl
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import urlsplit

import trio
from attrs import define, field
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import H2Error
from h2.settings import SettingCodes, Settings

from lucidtrond.errors import NodeUnavailable
from lucidtrond.node.health.errors import SlowDown
from lucidtrond.node.transport.grpc_answer import GrpcAnswer, prefixed
from lucidtrond.node.transport.http_plain import KEEP_ALIVE_S, OVERHEAD_BYTES
from lucidtrond.node.transport.protocol import MessageSink, Reply

PLAIN_PORT: Final = 50051
"""Of a full node (node.rpc.port)."""
_TLS_PORT: Final = 443
PIECE_BYTES: Final = 256 * 1024
WINDOW_BYTES: Final = 1024 * 1024
"""So much may be under way before we say that we have read it."""
FRAME_BYTES: Final = 256 * 1024
"""Of one frame: h2 takes 20 µs for each, whatever is in it."""
HEADER_LIST_BYTES: Final = 16 * 1024
"""Of one block of headers, decoded."""
_FRAMING: Final = 8
"""Bytes of framing that each byte of a message may have, beside `OVERHEAD_BYTES`."""
_LAST_STREAM_ID: Final = 2**30
_SETTINGS: Final = {
    SettingCodes.ENABLE_PUSH: 0,
    SettingCodes.INITIAL_WINDOW_SIZE: WINDOW_BYTES,
    SettingCodes.MAX_HEADER_LIST_SIZE: HEADER_LIST_BYTES,
    SettingCodes.MAX_FRAME_SIZE: FRAME_BYTES,
}
_DEFAULT_WINDOW_BYTES: Final = 65_535
"""RFC 9113, 6.9.2; of the connection, whatever the settings say."""


class BrokenOff(Exception):
    """The response is no HTTP/2, or it ends before its end."""


class ConnectionOver(Exception):
    """The peer ended the connection before it responded at all."""


class StreamWasReset(Exception):
    """The peer gave up this request; the argument is HTTP/2's error code."""


@define(eq=False)
class GrpcConnection:
    """One connection; requests go one after the other."""

    _stream: trio.abc.Stream
    close: Callable[[], None]
    """Closes it at once; there is nothing to wait for."""
    kept_at: float = field(init=False, default=0.0)
    """When its last response was over."""
    _h2: H2Connection = field(init=False)
    _received: int = field(init=False, default=0)
    """Bytes of this response, framing included."""

    def __attrs_post_init__(self) -> None:
        self._h2 = H2Connection(H2Configuration(client_side=True))
        self._h2.local_settings = Settings(client=True, initial_values=_SETTINGS)
        self._h2.max_inbound_frame_size = self._h2.local_settings.max_frame_size
        self._h2.decoder.max_header_list_size = HEADER_LIST_BYTES
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(WINDOW_BYTES - _DEFAULT_WINDOW_BYTES)

    async def ask(
        self, headers: list[tuple[str, str]], body: bytes, answer: GrpcAnswer
    ) -> bool:
        """Send one request and read its response into *answer*; gives whether the
        connection may be used again.

        Raises:
            ConnectionOver: nothing of a response came; it was not carried out, or it
                may be sent again.
            BrokenOff: the response ends early, or is no HTTP/2.
            NodeError: what *answer* raises, or the stream was reset.
        """
        self._received = 0
        stream_id = self._h2.get_next_available_stream_id()
        self._h2.send_headers(stream_id, headers)
        while True:
            if body and self._h2.local_flow_control_window(stream_id) >= len(body):
                self._h2.send_data(stream_id, body, end_stream=True)
                body = b""
            if waiting := self._h2.data_to_send():
                await self._stream.send_all(waiting)
            for event in await self._receive(answer):
                if self._apply(event, stream_id, answer):
                    return not body and stream_id < _LAST_STREAM_ID

    async def _receive(self, answer: GrpcAnswer) -> list[Event]:
        data = bytes(await self._stream.receive_some(PIECE_BYTES))
        if not data:
            raise BrokenOff("it ends early")
        self._received += len(data)
        events: list[Event] = self._h2.receive_data(data)
        arriving = sum(
            len(event.data) for event in events if isinstance(event, DataReceived)
        )
        body = answer.body_bytes + arriving
        # A frame of the body counts as soon as it is whole.
        if self._received - body > OVERHEAD_BYTES + FRAME_BYTES + _FRAMING * body:
            raise BrokenOff("too many headers, or frames without content")
        return events

    def _apply(self, event: Event, stream_id: int, answer: GrpcAnswer) -> bool:
        """Take one event; gives whether the response is over."""
        match event:
            case ConnectionTerminated():
                # h2 reads nothing after a GOAWAY, not even what is under way.
                raise BrokenOff("the node ended the connection")
            case ResponseReceived(stream_id=at) if at == stream_id:
                answer.take_head(event.headers)
            case DataReceived(stream_id=at) if at == stream_id:
                size = event.flow_controlled_length
                self._h2.acknowledge_received_data(size, stream_id)
                answer.take_data(event.data)
            case TrailersReceived(stream_id=at) if at == stream_id:
                answer.take_trailers(event.headers)
            case StreamEnded(stream_id=at) if at == stream_id:
                return True
            case StreamReset(stream_id=at) if at == stream_id:
                raise StreamWasReset(event.error_code)
        return False


@define(eq=False)
class GrpcTransport:
    """Calls methods at *url* for endpoint *name*, with *metadata* in every request.

    ``http:`` is plain text with prior knowledge, ``https:`` TLS with ALPN h2, checked
    against the machine's certificates. *api_key* is part of the metadata: whether it
    may go over plain text was decided before (`endpoint`).
    """

    _name: str
    _url: str = field(repr=False)
    _metadata: list[tuple[str, str]] = field(repr=False)
    _tls: ssl.SSLContext | None = field(init=False, default=None)
    _host: str = field(init=False)
    _port: int = field(init=False)
    _headers: list[tuple[str, str]] = field(init=False, repr=False)
    _kept: list[GrpcConnection] = field(init=False, factory=list)

    def __attrs_post_init__(self) -> None:
        parts = urlsplit(self._url)
        is_secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (_TLS_PORT if is_secure else PLAIN_PORT)
        if is_secure:
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["h2"])
        self._headers = [
            (":method", "POST"),
            (":scheme", parts.scheme),
            (":authority", parts.netloc),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            *self._metadata,
        ]

    async def post(self, path: str, content: bytes, sink: MessageSink) -> Reply:
        """See `MessageTransport`."""
        headers = [*self._headers[:3], (":path", path), *self._headers[3:]]
        body = prefixed(content)
        with self._translated():
            kept = self._take_kept()
            if kept is not None:
                with contextlib.suppress(ConnectionOver):
                    return await self._ask(kept, headers, body, sink)
            return await self._ask(await self._connect(), headers, body, sink)

    async def _ask(
        self,
        connection: GrpcConnection,
        headers: list[tuple[str, str]],
        body: bytes,
        sink: MessageSink,
    ) -> Reply:
        answer = GrpcAnswer(self._name, sink)
        may_be_kept = False
        try:
            may_be_kept = await connection.ask(headers, body, answer)
        except (BrokenOff, OSError, trio.BrokenResourceError, H2Error) as error:
            if not answer.has_begun:
                raise ConnectionOver from error
            raise
        except StreamWasReset as error:
            if error.args[0] == ErrorCodes.REFUSED_STREAM and not answer.has_begun:
                raise ConnectionOver from error
            raise
        finally:
            if may_be_kept:
                connection.kept_at = trio.current_time()
                self._kept.append(connection)
            else:
                connection.close()
        answer.finish()
        return Reply(200)

    def close(self) -> None:
        """Close what is kept."""
        while self._kept:
            self._kept.pop().close()

    def _take_kept(self) -> GrpcConnection | None:
        """The one used last, unless it was not used for too long."""
        oldest = trio.current_time() - KEEP_ALIVE_S
        while self._kept:
            connection = self._kept.pop()
            if connection.kept_at >= oldest:
                return connection
            connection.close()
        return None

    async def _connect(self) -> GrpcConnection:
        try:
            stream = await trio.open_tcp_stream(self._host, self._port)
        except OSError as error:
            raise NodeUnavailable(self._name, 1, "gRPC: can't connect") from error
        if self._tls is None:
            return GrpcConnection(stream, stream.socket.close)
        try:
            secured = await self._secure(stream, self._tls)
        except BaseException:
            stream.socket.close()
            raise
        return GrpcConnection(secured, stream.socket.close)

    async def _secure(
        self, stream: trio.SocketStream, tls: ssl.SSLContext
    ) -> trio.SSLStream[trio.SocketStream]:
        secured = trio.SSLStream(
            stream, tls, server_hostname=self._host, https_compatible=True
        )
        try:
            await secured.do_handshake()
        except trio.BrokenResourceError as error:
            text = _reason_of_tls(error)
            raise NodeUnavailable(self._name, 1, text) from error
        if secured.selected_alpn_protocol() != "h2":
            text = "gRPC: it speaks TLS but not HTTP/2"
            raise NodeUnavailable(self._name, 1, text)
        return secured

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """No other exception than a NodeError gets out."""
        try:
            yield
        except StreamWasReset as error:
            [code] = error.args
            if code == ErrorCodes.ENHANCE_YOUR_CALM:
                text = "gRPC: too many requests"
                raise SlowDown(self._name, 1, text) from error
            text = f"gRPC: the stream was reset, code {int(code)}"
            raise NodeUnavailable(self._name, 1, text) from error
        except (BrokenOff, ConnectionOver, H2Error) as error:
            text = "gRPC: the connection was cut, or it speaks no HTTP/2"
            raise NodeUnavailable(self._name, 1, text) from error
        except (OSError, trio.BrokenResourceError) as error:
            text = "gRPC: the connection broke"
            raise NodeUnavailable(self._name, 1, text) from error


def _reason_of_tls(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "gRPC: its TLS certificate is not accepted"
        cause = cause.__cause__ or cause.__context__
    return "gRPC: the TLS handshake failed"
