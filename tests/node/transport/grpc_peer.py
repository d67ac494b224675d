"""A scripted gRPC server over h2, which does what its script says, right or wrong."""

import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial

import trio
from attrs import define, field
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded
from h2.exceptions import H2Error
from h2.settings import SettingCodes

from lucidtrond.node.transport.grpc import GrpcTransport

HEAD = ((":status", "200"), ("content-type", "application/grpc"))
OK = (("grpc-status", "0"),)
OVER = (trio.BrokenResourceError, trio.ClosedResourceError, H2Error)
"""The end of a connection, by either side."""
Pairs = Sequence[tuple[str, str]]


def prefixed(message: bytes, *, flag: int = 0, size: int | None = None) -> bytes:
    """A body; written here again, not to test the framing with itself."""
    length = len(message) if size is None else size
    return bytes([flag]) + length.to_bytes(4, "big") + message


@define(eq=False)
class Exchange:
    """One request at the peer."""

    connection: H2Connection
    stream: trio.abc.Stream
    stream_id: int
    headers: dict[bytes, bytes]
    body: bytes = b""

    async def flush(self) -> None:
        await self.stream.send_all(self.connection.data_to_send())

    async def raw(self, data: bytes) -> None:
        """Bytes past h2, which would not write them."""
        await self.flush()
        await self.stream.send_all(data)

    async def respond(
        self,
        body: bytes,
        trailers: Pairs | None = OK,
        *,
        head: Pairs = HEAD,
        pieces: int = 16_000,
    ) -> None:
        """Headers, then the body in pieces as flow control lets them, then trailers."""
        self.connection.send_headers(self.stream_id, head)
        await self.flush()
        while body:
            window = self.connection.local_flow_control_window(self.stream_id)
            if not window:
                self.connection.receive_data(await self.stream.receive_some())
                continue
            size = min(pieces, window)
            self.connection.send_data(self.stream_id, body[:size])
            body = body[size:]
            await self.flush()
        if trailers is None:
            self.connection.end_stream(self.stream_id)
        else:
            self.connection.send_headers(self.stream_id, trailers, end_stream=True)
        await self.flush()


Answer = Callable[[Exchange], Awaitable[None]]


@define(eq=False)
class Peer:
    """Answers each request with the next of *answers*, then with *then*; without one
    it closes."""

    answers: list[Answer] = field(factory=list)
    settings: dict[SettingCodes | int, int] = field(factory=dict)
    room: int = 0
    """Given to each request beside what the settings give, when its headers came."""
    then: Answer | None = None
    requests: list[Exchange] = field(factory=list)
    connections: int = 0

    async def serve(self, stream: trio.abc.Stream) -> None:
        self.connections += 1
        connection = H2Connection(H2Configuration(client_side=False))
        connection.initiate_connection()
        connection.update_settings(self.settings)
        with contextlib.suppress(*OVER):
            await stream.send_all(connection.data_to_send())
            await self._serve(connection, stream)
        await trio.aclose_forcefully(stream)

    async def _serve(self, connection: H2Connection, stream: trio.abc.Stream) -> None:
        under_way: dict[int, Exchange] = {}
        while data := await stream.receive_some():
            for event in connection.receive_data(bytes(data)):
                match event:
                    case RequestReceived(stream_id=at):
                        exchange = Exchange(connection, stream, at, dict(event.headers))
                        under_way[at] = exchange
                        if self.room:
                            connection.increment_flow_control_window(self.room, at)
                    case DataReceived(stream_id=at):
                        under_way[at].body += event.data
                    case StreamEnded(stream_id=at):
                        self.requests.append(under_way[at])
                        answer = self.answers.pop(0) if self.answers else self.then
                        if answer is None:
                            return
                        await answer(under_way[at])
            await stream.send_all(connection.data_to_send())


@define
class Taken:
    """Takes a message."""

    message: bytes = b""
    expected: int | None = None
    begun: int = 0

    def begin(self, encoding: str) -> None:
        assert not encoding
        self.begun += 1

    def expect(self, size: int) -> None:
        self.expected = size

    def take(self, chunk: bytes) -> None:
        self.message += chunk


@contextlib.asynccontextmanager
async def listening(
    peer: Peer, *, server_tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """*peer* at a port; gives the URL."""

    async def serve(stream: trio.SocketStream) -> None:
        if server_tls is None:
            await peer.serve(stream)
            return
        secured = trio.SSLStream(
            stream, server_tls, server_side=True, https_compatible=True
        )
        try:
            await secured.do_handshake()
        except trio.BrokenResourceError:
            await trio.aclose_forcefully(stream)
        else:
            await peer.serve(secured)

    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(
            partial(trio.serve_tcp, serve, 0, host="127.0.0.1")
        )
        port = listener.socket.getsockname()[1]
        scheme = "http" if server_tls is None else "https"
        try:
            yield f"{scheme}://localhost:{port}"
        finally:
            nursery.cancel_scope.cancel()


@contextlib.asynccontextmanager
async def way_to(
    peer: Peer,
    *,
    metadata: Sequence[tuple[str, str]] = (),
    server_tls: ssl.SSLContext | None = None,
) -> AsyncIterator[GrpcTransport]:
    async with listening(peer, server_tls=server_tls) as url:
        way = GrpcTransport("n", url, list(metadata))
        try:
            yield way
        finally:
            way.close()


def answering(
    body: bytes, trailers: Pairs | None = OK, *, head: Pairs = HEAD
) -> Answer:
    async def answer(exchange: Exchange) -> None:
        await exchange.respond(body, trailers, head=head)

    return answer


async def ask(*answers: Answer, times: int = 1) -> tuple[list[bytes], Peer]:
    """Ask *times* times, one after the other; the messages, and what the peer saw."""
    peer = Peer(list(answers))
    messages = []
    async with way_to(peer) as way:
        for _ in range(times):
            taken = Taken()
            await way.post("/s/m", b"q", taken)
            messages.append(taken.message)
    return messages, peer
