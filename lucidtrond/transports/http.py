"""An HTTP/1.1 server on trio: connections in, requests to one handler, responses out.

Keep-alive and pipelining (answers in order, coalesced), HEAD, 100-continue, chunked
bodies, and a door for another protocol (websocket). Bounds: see `HttpLimits`. Time is
watched by one coarse janitor per server instead of a cancel scope per read, which
costs more than the read. One connection runs one request at a time and reads nothing
meanwhile, so a peer that floods fills the kernel's buffers and not ours.
"""

import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from math import inf
from typing import Final

import trio
from attrs import define, field

from lucidtrond.transports.accept import accept_forever
from lucidtrond.transports.http_messages import (
    HttpLimits,
    HttpRequest,
    HttpResponse,
    Parsed,
    Phase,
    Refusal,
    RequestParser,
    encode_head,
    encode_response,
    is_websocket,
)

__all__ = [
    "Handler",
    "HttpLimits",
    "HttpRequest",
    "HttpResponse",
    "ReplayedStream",
    "Upgrade",
    "serve_http",
]

log = logging.getLogger(__name__)

Handler = Callable[[HttpRequest], Awaitable[HttpResponse]]
READ_BYTES: Final = 64 * 1024
FLUSH_BYTES: Final = 64 * 1024
FAIR_BURST: Final = 32
"""Pipelined requests of one connection before others get their turn."""
JANITOR_S: Final = 1.0
DEFAULT_HTTP_LIMITS: Final = HttpLimits()
LINGER_S: Final = 1.0
LINGER_BYTES: Final = 1 << 20
MAX_LINGERING: Final = 64
"""Beyond these a refused peer is reset without a word."""


class ReplayedStream(trio.abc.HalfCloseableStream):
    """A stream whose first bytes were read already.

    *sock* is what lies beneath, non-blocking, for who writes to it without waiting.
    """

    def __init__(
        self, first: bytes, stream: trio.SocketStream, *, sock: socket.socket
    ) -> None:
        self._first, self._stream = first, stream
        self.sock = sock

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        if not self._first:
            return await self._stream.receive_some(max_bytes)
        await trio.lowlevel.checkpoint()
        size = len(self._first) if max_bytes is None else max_bytes
        first, self._first = self._first[:size], self._first[size:]
        return first

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        await self._stream.send_eof()

    async def aclose(self) -> None:
        await self._stream.aclose()


Upgrade = Callable[[HttpRequest], Callable[[ReplayedStream], Awaitable[None]] | None]
"""Gives what takes over the connection of a websocket request, or None: then the
handler answers it like any other. The stream starts with the request itself."""


@define(eq=False)
class _Connection:
    """One peer; *deadline* is what the janitor looks at."""

    sock: socket.socket
    parser: RequestParser
    deadline: float
    scope: trio.CancelScope = field(factory=trio.CancelScope)
    phase: Phase = Phase.IDLE
    busy: bool = False
    """A request is being answered: the time is the handler's."""
    timed_out: bool = False


async def serve_http(
    handler: Handler,
    listeners: Sequence[socket.socket],
    *,
    stop: trio.Event,
    grace_s: float,
    limits: HttpLimits = DEFAULT_HTTP_LIMITS,
    upgrade: Upgrade | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until *stop*, then let requests in flight end within *grace_s*.

    Owns *listeners* and closes them when it stops accepting. What *handler* raises is
    logged and answered with a bare 500.
    """
    server = _Server(handler, limits, upgrade)
    try:
        async with trio.open_nursery() as connections:

            def admit(sock: socket.socket) -> None:
                connections.start_soon(server.serve, sock)

            async with trio.open_nursery() as intake:
                for listener in listeners:
                    intake.start_soon(accept_forever, listener, admit)
                intake.start_soon(server.watch)
                task_status.started()
                await stop.wait()
                intake.cancel_scope.cancel()
            for listener in listeners:
                listener.close()
            server.drain()
            connections.cancel_scope.deadline = trio.current_time() + grace_s
    finally:
        for listener in listeners:
            listener.close()


@define(eq=False)
class _Server:
    handler: Handler
    limits: HttpLimits
    upgrade: Upgrade | None
    draining: bool = False
    _connections: set[_Connection] = field(init=False, factory=set)
    _turned_away: int = 0

    async def watch(self) -> None:
        """Cut off whoever is past its deadline, about once a second."""
        while True:
            await trio.sleep(JANITOR_S)
            now = trio.current_time()
            for connection in self._connections:
                if connection.deadline < now:
                    connection.timed_out = True
                    connection.scope.cancel()

    def drain(self) -> None:
        """Close what is idle; what is busy closes after its answer."""
        self.draining = True
        for connection in self._connections:
            if connection.phase is Phase.IDLE and not connection.busy:
                connection.scope.cancel()

    async def serve(self, sock: socket.socket) -> None:
        """Own one accepted socket."""
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(
            sock,
            RequestParser(self.limits),
            deadline=trio.current_time() + self.limits.idle_s,
        )
        full = len(self._connections) >= self.limits.max_connections
        if not full:
            self._connections.add(connection)
        try:
            if full:
                await self._turn_away(sock, Refusal(503, "too many connections"))
                return
            with connection.scope:
                await self._converse(connection)
            if connection.timed_out and connection.phase is not Phase.IDLE:
                await self._turn_away(sock, Refusal(408, "the request came too slowly"))
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the peer went away: nobody is left to be told
        finally:
            self._connections.discard(connection)
            sock.close()

    async def _converse(self, connection: _Connection) -> None:
        parser = connection.parser
        while True:
            data = await _receive(connection.sock)
            if not data:
                return
            while data:
                done = parser.feed(data)
                data, parser.unread = parser.unread, b""
                if done and not await self._answer(connection, done, data):
                    return
            if parser.refusal is not None:
                # Answered under a deadline of its own, so not by the janitor.
                connection.deadline = inf
                await self._turn_away(connection.sock, parser.refusal)
                return
            self._set_deadline(connection, fresh=bool(done))
            if parser.expects_continue:
                parser.expects_continue = False
                await _send(connection.sock, b"HTTP/1.1 100 Continue\r\n\r\n")
            if self.draining and parser.phase is Phase.IDLE:
                return

    def _set_deadline(self, connection: _Connection, *, fresh: bool) -> None:
        """One deadline for each phase of a request, from when the phase began."""
        phase = connection.parser.phase
        if phase is connection.phase and not fresh:
            return
        connection.phase = phase
        allowed = {
            Phase.IDLE: self.limits.idle_s,
            Phase.HEAD: self.limits.head_s,
            Phase.BODY: self.limits.body_s,
        }[phase]
        connection.deadline = trio.current_time() + allowed

    async def _answer(
        self, connection: _Connection, done: list[Parsed], unread: bytes
    ) -> bool:
        """Answer requests in order; False when the connection is finished."""
        connection.busy = True
        connection.phase = Phase.IDLE  # a 408 in the middle of an answer would be noise
        connection.deadline = inf
        out: list[bytes] = []
        held = 0
        keep = True
        for number, parsed in enumerate(done, 1):
            takeover = self._takeover(parsed)
            if takeover is not None:
                await self._write(connection, out)
                first = encode_head(parsed.request) + unread
                connection.deadline = inf
                stream = trio.SocketStream(
                    trio.socket.from_stdlib_socket(connection.sock)
                )
                await takeover(ReplayedStream(first, stream, sock=connection.sock))
                return False
            response = await self._handle(parsed.request)
            keep = parsed.keep_alive and not self.draining
            answer = self._encode(response, parsed, keep_alive=keep)
            if response.deliver is not None:
                await self._write(connection, out)
                await response.deliver(connection.sock, answer)
                return False
            out.append(answer)
            held += len(answer)
            if not keep:
                break
            if held > FLUSH_BYTES or number % FAIR_BURST == 0:
                await self._write(connection, out)
                await trio.lowlevel.checkpoint()  # the next connection's turn
                held = 0
        await self._write(connection, out)
        connection.busy = False
        return keep

    def _takeover(
        self, parsed: Parsed
    ) -> Callable[[ReplayedStream], Awaitable[None]] | None:
        if self.upgrade is None or not parsed.upgrade:
            return None
        return self.upgrade(parsed.request) if is_websocket(parsed.request) else None

    async def _handle(self, request: HttpRequest) -> HttpResponse:
        try:
            return await self.handler(request)
        except Exception:
            # The HTTP side of the dispatcher: one bad request must not end the others.
            log.exception("http handler failed", extra={"method": request.method})
            return _plain(Refusal(500, "internal error"))

    def _encode(
        self, response: HttpResponse, parsed: Parsed, *, keep_alive: bool
    ) -> bytes:
        head_only = parsed.request.method == "HEAD"
        try:
            return encode_response(
                response,
                keep_alive=keep_alive,
                version=parsed.version,
                head_only=head_only,
            )
        except ValueError:
            log.exception("http response can't be sent")
            return encode_response(
                _plain(Refusal(500, "internal error")),
                keep_alive=keep_alive,
                version=parsed.version,
                head_only=head_only,
            )

    async def _write(self, connection: _Connection, out: list[bytes]) -> None:
        if not out:
            return
        data = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        connection.deadline = trio.current_time() + self.limits.write_s
        await _send(connection.sock, data)
        connection.deadline = inf

    async def _turn_away(self, sock: socket.socket, refusal: Refusal) -> None:
        """Say why, then close so that the peer can still read it.

        Closing a TCP socket with unread input resets it and may destroy the answer on
        its way, so the input is read for a moment and thrown away.
        """
        if self._turned_away >= MAX_LINGERING:
            return
        self._turned_away += 1
        try:
            await _part(sock, encode_response(_plain(refusal), keep_alive=False))
        finally:
            self._turned_away -= 1


async def _part(sock: socket.socket, last_words: bytes) -> None:
    with trio.move_on_after(LINGER_S):
        await _send(sock, last_words)
        sock.shutdown(socket.SHUT_WR)
        left = LINGER_BYTES
        while left > 0 and (data := await _receive(sock)):
            left -= len(data)


def _plain(refusal: Refusal) -> HttpResponse:
    text = f"{refusal.text}\n".encode()
    return HttpResponse(refusal.status, text, "text/plain; charset=utf-8")


# Not trio's own: its `recv` asks the kernel twice, and its `send` gives everybody else
# a turn behind each answer, which the next wait for input does as well.


async def _receive(sock: socket.socket) -> bytes:
    while True:
        await trio.lowlevel.wait_readable(sock)
        try:
            return sock.recv(READ_BYTES)
        except BlockingIOError:
            pass


async def _send(sock: socket.socket, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[sock.send(view) :]
        except BlockingIOError:
            await trio.lowlevel.wait_writable(sock)
