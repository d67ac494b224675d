"""JSON-RPC over a Unix socket.

One task, the pump, serves whichever connections are ready. Methods marked inline are
answered in it, 32 at a time and then it is the next connection's turn; others get a
task each. Raw non-blocking sockets in an epoll of our own and a hand-made outbox,
because at 60,000 calls a second each layer counts.

Bounds and what happens when they are reached:
    connections         the newcomer hears TooBusy and is closed
    calls in flight     nothing more is read from that peer until one ends
    answers unsent      the same; a peer that takes no byte for `write_s` is closed
    events unsent       `Session.push` says no, the bus marks the gap
    bytes of one text   TooLarge, closed
    seconds of one text a text must be whole `text_s` after its first byte
One janitor looks at all connections about once a second while there are any. It also
ends inline methods that broke their promise not to wait, and drops what is left of
peers that are gone.
"""

import os
import socket
from contextlib import ExitStack
from typing import Final

import trio
from attrs import define, field

from lucidtrond.errors import TooBusy
from lucidtrond.rpc.access import AccessRules
from lucidtrond.rpc.dispatch import Dispatcher
from lucidtrond.transports.accept import Accepting, accept_forever
from lucidtrond.transports.pump import Pump
from lucidtrond.transports.unix_connection import (
    Connection,
    Service,
    UnixLimits,
    refuse_all,
)
from lucidtrond.transports.unix_listener import (
    UnixListener,
    bind_unix_listener,
    open_unix_listener,
    read_peer,
)

__all__ = [
    "UnixLimits",
    "UnixListener",
    "bind_unix_listener",
    "open_unix_listener",
    "serve_unix",
]

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
    accepting: Accepting | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until *stop*; then calls in flight have *grace_s* to end.

    Owns *listener*. New calls on connections that are still open hear `ShuttingDown`.
    """
    with ExitStack() as owned:
        owned.callback(listener.close)
        async with trio.open_nursery() as connections:
            pump = Pump(connections)
            server = _Server(
                Service(dispatcher, limits, pump, connections),
                access or AccessRules(owner=os.geteuid()),
            )
            owned.callback(server.close)
            connections.start_soon(pump.run)
            async with trio.open_nursery() as intake:
                intake.start_soon(
                    accept_forever, listener.sock, server.admit, accepting
                )
                intake.start_soon(server.watch)
                task_status.started()
                await stop.wait()
                intake.cancel_scope.cancel()
            listener.close()
            server.drain()
            connections.cancel_scope.deadline = trio.current_time() + grace_s


@define(eq=False)
class _Server:
    service: Service
    access: AccessRules
    _has_connections: trio.Event = field(init=False, factory=trio.Event)

    def admit(self, sock: socket.socket) -> None:
        """Take one accepted socket into our care."""
        try:
            if len(self.service.connections) >= self.service.limits.max_connections:
                sock.send(refuse_all(TooBusy("too many connections")) + b"\n")
                sock.close()
                return
            caller = self.access.caller(read_peer(sock))
        except OSError:
            sock.close()  # the peer went away: nobody is left to be told
            return
        Connection(self.service, caller, sock).open()
        self._has_connections.set()

    async def watch(self) -> None:
        """Look after all connections once a second; sleep while there are none."""
        while True:
            await self._has_connections.wait()
            await trio.sleep(JANITOR_S)
            now = trio.current_time()
            for connection in list(self.service.connections):
                connection.look_after(now)
            if not self.service.connections:
                self._has_connections = trio.Event()

    def drain(self) -> None:
        """Refuse new calls; close what has nothing in flight."""
        self.service.is_draining = True
        for connection in list(self.service.connections):
            connection.drain()
        self.service.end_if_drained()

    def close(self) -> None:
        """Drop whoever is left; no task of ours runs any more."""
        for connection in list(self.service.connections):
            connection.hang_up()
        self.service.pump.close()
