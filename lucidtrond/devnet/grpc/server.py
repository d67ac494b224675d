"""gRPC of a chain at a port of its own: plain text, with prior knowledge.

Both services are at the one port; a node has WalletSolidity at another. Calls are
answered from memory and the log, in the order in which they arrive; a response that is
larger than what its reader lets us send waits for that without holding up the others.
"""

import contextlib
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import quote

import trio
from attrs import define, field
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    DataReceived,
    Event,
    RequestReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import H2Error

from lucidtrond.devnet.grpc.methods import CallFailed, answer
from lucidtrond.devnet.state.view import ChainView
from lucidtrond.errors import ConfigError

MESSAGE_BYTES: Final = 4 << 20
"""Of a request (grpc-java's default)."""
PREFIX_BYTES: Final = 5
PIECE_BYTES: Final = 64 * 1024
RESOURCE_EXHAUSTED: Final = 8
UNIMPLEMENTED: Final = 12
INTERNAL: Final = 13


@define
class _Call:
    """One request while it arrives."""

    path: str
    body: bytearray = field(factory=bytearray)


@define
class _Response:
    """What of a response is not sent yet."""

    body: memoryview
    trailers: list[tuple[str, str]]


@define(eq=False)
class GrpcConnection:
    """One connection: bytes in, bytes out."""

    _chain: ChainView
    _h2: H2Connection = field(init=False)
    _calls: dict[int, _Call] = field(init=False, factory=dict)
    _responses: dict[int, _Response] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        self._h2 = H2Connection(H2Configuration(client_side=False))
        self._h2.initiate_connection()

    def receive(self, data: bytes) -> None:
        """Take what arrived.

        Raises:
            H2Error: the peer breaks HTTP/2; what is to be sent says so.
        """
        for event in self._h2.receive_data(data):
            self._apply(event)
        for stream_id in list(self._responses):
            self._send(stream_id)

    def data_to_send(self) -> bytes:
        """All that may be sent now."""
        data: bytes = self._h2.data_to_send()
        return data

    def _apply(self, event: Event) -> None:
        match event:
            case RequestReceived(stream_id=at):
                headers = dict(event.headers)
                self._calls[at] = _Call(headers[b":path"].decode("latin-1"))
            case DataReceived(stream_id=at):
                self._h2.acknowledge_received_data(event.flow_controlled_length, at)
                if at in self._calls:
                    self._take(at, self._calls[at], event.data)
            case StreamEnded(stream_id=at):
                if at in self._calls:
                    self._respond(at, self._calls.pop(at))
            case StreamReset(stream_id=at):
                self._calls.pop(at, None)
                self._responses.pop(at, None)

    def _take(self, stream_id: int, call: _Call, data: bytes) -> None:
        call.body += data
        if len(call.body) > MESSAGE_BYTES + PREFIX_BYTES:
            del self._calls[stream_id]
            self._fail(
                stream_id,
                CallFailed(RESOURCE_EXHAUSTED, "gRPC message exceeds maximum size"),
            )

    def _respond(self, stream_id: int, call: _Call) -> None:
        try:
            message = answer(self._chain, call.path, _message(call.body))
        except CallFailed as failure:
            self._fail(stream_id, failure)
            return
        self._h2.send_headers(stream_id, _HEAD)
        body = b"\0" + len(message).to_bytes(4, "big") + message
        done = [("grpc-status", "0")]
        self._responses[stream_id] = _Response(memoryview(body), done)

    def _fail(self, stream_id: int, failure: CallFailed) -> None:
        status = ("grpc-status", str(failure.status))
        text = ("grpc-message", quote(failure.message, safe=" /:"))
        self._h2.send_headers(stream_id, [*_HEAD, status, text], end_stream=True)

    def _send(self, stream_id: int) -> None:
        response = self._responses[stream_id]
        while response.body:
            window = self._h2.local_flow_control_window(stream_id)
            size = min(window, self._h2.max_outbound_frame_size)
            if size <= 0:
                return
            self._h2.send_data(stream_id, bytes(response.body[:size]))
            response.body = response.body[size:]
        self._h2.send_headers(stream_id, response.trailers, end_stream=True)
        del self._responses[stream_id]


_HEAD: Final = [
    (":status", "200"),
    ("content-type", "application/grpc"),
    ("grpc-encoding", "identity"),
    ("grpc-accept-encoding", "gzip"),
]


def _message(body: bytearray) -> bytes:
    if len(body) < PREFIX_BYTES:
        raise CallFailed(INTERNAL, "Half-closed without a request")
    if body[0]:
        text = "Can't decode compressed gRPC message as compression not configured"
        raise CallFailed(INTERNAL, text)
    if len(body) != PREFIX_BYTES + int.from_bytes(body[1:PREFIX_BYTES], "big"):
        raise CallFailed(INTERNAL, "Encountered end-of-stream mid-frame")
    return bytes(body[PREFIX_BYTES:])


@contextlib.asynccontextmanager
async def open_grpc(chain: ChainView, place: tuple[str, int]) -> AsyncIterator[str]:
    """Serve *chain* at *place* while the block is entered; gives the URL.

    Raises:
        ConfigError: the port can't be had.
    """
    host, port = place
    try:
        listeners = await trio.open_tcp_listeners(port, host=host)
    except OSError as error:
        where = f"{host}:{port}"
        raise ConfigError(f"devnet: {where}: {error.strerror}") from None

    async def serve(stream: trio.SocketStream) -> None:
        connection = GrpcConnection(chain)
        with contextlib.suppress(trio.BrokenResourceError, H2Error):
            await stream.send_all(connection.data_to_send())
            while data := await stream.receive_some(PIECE_BYTES):
                try:
                    connection.receive(bytes(data))
                finally:
                    await stream.send_all(connection.data_to_send())

    bound_port = listeners[0].socket.getsockname()[1]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, serve, listeners)
        try:
            yield f"http://{host}:{bound_port}"
        finally:
            nursery.cancel_scope.cancel()
