"""Taking connections off listening sockets, in bursts.

One accept per trip through the event loop starves a thousand clients that connect at
once: each trip also serves those that are in already. So a wake-up takes up to `BURST`
(the last of 1,000 busy clients had its first answer after 0.75 s with bursts of 64,
0.3 s with 256). Sockets here are the standard library's, non-blocking: what a
connection does with its socket is its transport's business.
"""

import errno
import logging
import socket
from collections.abc import Callable
from typing import Final

import trio
from attrs import define, field

log = logging.getLogger(__name__)

BURST: Final = 256
OUT_OF_RESOURCES: Final = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
)
FIRST_BACK_OFF_S: Final = 0.1
LONGEST_BACK_OFF_S: Final = 1.6


def open_tcp_listeners(
    host: str, port: int, *, backlog: int = 512
) -> list[socket.socket]:
    """Bind and listen on every address *host* has; port 0 means one the kernel picks.

    With port 0 and several addresses all listeners share the first one's port.

    Raises:
        OSError: the name is unknown, or the address is taken or not ours.
    """
    addresses = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    listeners: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(addresses):
            listener = socket.socket(family, kind, protocol)
            listeners.append(listener)
            listener.settimeout(0)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            chosen = listeners[0].getsockname()[1] if port == 0 else port
            listener.bind((address[0], chosen, *address[2:]))
            listener.listen(backlog)
    except BaseException:
        for listener in listeners:
            listener.close()
        raise
    return listeners


@define
class Accepting:
    """Whether connections can be accepted, of all listeners that share it.

    One log line when a resource runs out and one when a connection is accepted again;
    *short_of* is the error's name meanwhile.
    """

    short_of: str | None = field(init=False, default=None)
    _back_off_s: float = field(init=False, default=FIRST_BACK_OFF_S)

    def note_failure(self, error: OSError) -> float:
        """There was no resource; say how long to wait."""
        if self.short_of is None:
            self.short_of = errno.errorcode.get(error.errno or 0, "?")
            log.warning(
                "no resources to accept connections", extra={"errno": self.short_of}
            )
        wait_s = self._back_off_s
        self._back_off_s = min(2 * wait_s, LONGEST_BACK_OFF_S)
        return wait_s

    def note_accepted(self) -> None:
        """A connection was accepted."""
        if self.short_of is not None:
            log.info("connections are accepted again")
            self.short_of, self._back_off_s = None, FIRST_BACK_OFF_S


async def accept_forever(
    listener: socket.socket,
    admit: Callable[[socket.socket], None],
    accepting: Accepting | None = None,
) -> None:
    """Call ``admit(connection)`` for each peer, until cancelled.

    *admit* owns the connection and sees that it is closed. When the process has no
    descriptor left the peers stay in the kernel's queue and are taken a little later.
    """
    accepting = accepting or Accepting()
    listener.settimeout(0)
    while True:
        await trio.lowlevel.wait_readable(listener)
        for _ in range(BURST):
            try:
                connection, _ = listener.accept()
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno in OUT_OF_RESOURCES:
                    await trio.sleep(accepting.note_failure(error))
                    break
                if listener.fileno() < 0:
                    raise
                continue  # the peer gave up while it was queued (ECONNABORTED, EPROTO)
            accepting.note_accepted()
            connection.settimeout(0)
            admit(connection)
        else:
            await trio.lowlevel.checkpoint()  # a full burst: let them speak first
