"""JSON-RPC over a Unix socket.

Each connection has one reader task. Methods marked inline are answered by it, 32 at
a time and then it is the next connection's turn; others get a task each in the
connection's nursery. Answers gather in an outbox and leave in one write. Raw
non-blocking sockets and a hand-made outbox, because at 90,000 calls a second (one
connection, 64 in flight) each layer counts.

Bounds and what happens when they are reached:
    connections         the newcomer hears TooBusy and is closed
    calls in flight     nothing more is read from that peer until one ends
    answers unsent      the same; a peer that takes no byte for `write_s` is closed
    events unsent       `Session.push` says no, the bus marks the gap
    bytes of one text   TooLarge, closed
    seconds of one text a text must be whole `text_s` after its first byte
One janitor looks at all connections about once a second while there are any. It also
ends inline methods that broke their promise not to wait, and notices peers that are
gone while nobody reads from them.
"""

import os
import socket
from typing import Final

import trio
from attrs import define, field

from lucidtrond.errors import TooBusy
from lucidtrond.rpc.access import AccessRules
from lucidtrond.rpc.dispatch import Dispatcher
from lucidtrond.transports.accept import accept_forever
from lucidtrond.transports.unix_connection import (
    Connection,
    Service,
    UnixLimits,
    refuse_all,
)
from lucidtrond.transports.unix_listener import (
    UnixListener,
    open_unix_listener,
    read_peer,
)

__all__ = ["UnixLimits", "UnixListener", "open_unix_listener", "serve_unix"]

JANITOR_S: Final = 1.0
DEFAULT_UNIX_LIMITS: Final = UnixLimits()


async def serve_unix(
    listener: UnixListener,
    dispatcher: Dispatcher,
    *,
    stop: trio.Event,
    grace_s: float,
    access: AccessRules | None = None,
    limits: UnixLimits = DEFAULT_UNIX_LIMITS,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until *stop*; then calls in flight have *grace_s* to end.

    Owns *listener*. New calls on connections that are still open hear `ShuttingDown`.
    """
    server = _Server(
        Service(dispatcher, limits), access or AccessRules(owner=os.geteuid())
    )
    try:
        async with trio.open_nursery() as connections:
            async with trio.open_nursery() as intake:
                intake.start_soon(
                    accept_forever, listener.sock, server.serve, connections
                )
                intake.start_soon(server.watch)
                task_status.started()
                await stop.wait()
                intake.cancel_scope.cancel()
            listener.close()
            server.drain()
            connections.cancel_scope.deadline = trio.current_time() + grace_s
    finally:
        listener.close()


@define(eq=False)
class _Server:
    service: Service
    access: AccessRules
    _connections: set[Connection] = field(init=False, factory=set)
    _somebody: trio.Event = field(init=False, factory=trio.Event)

    async def serve(self, sock: socket.socket) -> None:
        """Own one accepted socket."""
        connection: Connection | None = None
        try:
            if len(self._connections) >= self.service.limits.max_connections:
                sock.send(refuse_all(TooBusy("too many connections")) + b"\n")
                return
            # A peer that left waits for no answer, so its calls are cancelled; what
            # it sent without waiting (notifications) is carried out all the same.
            async with (
                trio.open_nursery() as notifications,
                trio.open_nursery() as calls,
            ):
                connection = Connection(
                    self.service,
                    self.access.caller(read_peer(sock)),
                    sock,
                    calls,
                    notifications,
                )
                self._connections.add(connection)
                self._somebody.set()
                await connection.converse()
        except* OSError:
            pass  # the peer went away: nobody is left to be told
        finally:
            if connection is not None:
                self._connections.discard(connection)
            sock.close()

    async def watch(self) -> None:
        """Look after all connections once a second; sleep while there are none."""
        while True:
            await self._somebody.wait()
            await trio.sleep(JANITOR_S)
            now = trio.current_time()
            for connection in self._connections:
                connection.look_after(now)
            if not self._connections:
                self._somebody = trio.Event()

    def drain(self) -> None:
        self.service.is_draining = True
        for connection in self._connections:
            connection.wake_to_drain()
