"""An HTTP/1.1 server: connections in, requests to one handler, responses out.

Keep-alive and pipelining (answers in order, coalesced), HEAD, 100-continue, chunked
bodies, and a way out for another protocol (websocket). Like the Unix socket's, the
connections are served by one pump (`pump`, `http_connection`). Bounds: see
`HttpLimits`. Time is watched by one coarse janitor per server instead of a cancel scope
per read, which costs more than the read.
"""

import socket
from collections.abc import Sequence
from typing import Final

import trio
from attrs import define

from lucidtrond.transports.accept import Accepting, accept_forever
from lucidtrond.transports.http_connection import (
    Handler,
    HttpConnection,
    HttpService,
    Upgrade,
)
from lucidtrond.transports.http_messages import (
    HttpLimits,
    HttpRequest,
    HttpResponse,
    Refusal,
)
from lucidtrond.transports.http_stream import ReplayedStream
from lucidtrond.transports.pump import Pump

__all__ = [
    "Handler",
    "HttpLimits",
    "HttpRequest",
    "HttpResponse",
    "ReplayedStream",
    "Upgrade",
    "serve_http",
]

JANITOR_S: Final = 1.0
DEFAULT_HTTP_LIMITS: Final = HttpLimits()


async def serve_http(
    handler: Handler,
    listeners: Sequence[socket.socket],
    *,
    stop: trio.Event,
    grace_s: float,
    limits: HttpLimits = DEFAULT_HTTP_LIMITS,
    upgrade: Upgrade | None = None,
    accepting: Accepting | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until *stop*, then let requests in flight end within *grace_s*.

    Owns *listeners* and closes them when it stops accepting. What *handler* raises is
    logged and answered with a bare 500.
    """
    server: _Server | None = None
    try:
        async with trio.open_nursery() as connections:
            pump = Pump(connections)
            server = _Server(HttpService(handler, limits, upgrade, pump, connections))
            connections.start_soon(pump.run)
            async with trio.open_nursery() as intake:
                for listener in listeners:
                    intake.start_soon(accept_forever, listener, server.admit, accepting)
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
        if server is not None:
            server.close()


@define(eq=False)
class _Server:
    service: HttpService

    def admit(self, sock: socket.socket) -> None:
        """Take one accepted socket into our care."""
        service = self.service
        if len(service.connections) >= service.limits.max_connections:
            service.tasks.start_soon(self._turn_away, sock)
            return
        try:
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            sock.close()  # the peer went away: nobody is left to be told
            return
        HttpConnection(service, sock).open()

    async def _turn_away(self, sock: socket.socket) -> None:
        with sock:
            try:
                full = Refusal(503, "too many connections")
                await self.service.turn_away(sock, full)
            except OSError:
                pass  # the peer went away

    async def watch(self) -> None:
        """Cut off whoever is past its deadline, about once a second."""
        while True:
            await trio.sleep(JANITOR_S)
            now = trio.current_time()
            for connection in list(self.service.connections):
                connection.look_after(now)

    def drain(self) -> None:
        """Close what is idle; what is busy closes after its answer."""
        self.service.is_draining = True
        for connection in list(self.service.connections):
            connection.drain()
        self.service.end_if_drained()

    def close(self) -> None:
        """Drop whoever is left; no task of ours runs any more."""
        for connection in list(self.service.connections):
            connection.close()
        self.service.pump.close()
