"""The ports of a chain: one for everything, or one for each side as on a node."""

import contextlib
import logging
import socket
from collections.abc import Iterator, Sequence
from typing import Final

import trio
from attrs import define, field

from lucidtrond.devnet.router import EVERYTHING, Side
from lucidtrond.errors import ConfigError
from lucidtrond.transports.http import Handler, HttpLimits, serve_http

log = logging.getLogger(__name__)

GRACE_S: Final = 0.1
"""How long a port that closes waits for requests under way; then connections break."""
RETRY_S: Final = 0.1

HostPort = tuple[str, int]
"""Host and port; port 0 is any free one."""


@define(eq=False)
class Port:
    """A socket that listens for one part of the chain; it can be closed for a while."""

    listener: socket.socket
    sides: frozenset[Side]
    number: int
    """What fault rules call it by; 0 is the main one."""
    host_port: HostPort = field(init=False)
    _closed: trio.Event = field(init=False, factory=trio.Event)
    _closed_until: float = field(init=False, default=0.0)

    def __attrs_post_init__(self) -> None:
        self.host_port = self.listener.getsockname()[:2]

    @property
    def url(self) -> str:
        host, port = self.host_port
        return f"http://{host}:{port}"

    def close_for(self, for_s: float) -> None:
        """Refuse connections from now on and break those that there are."""
        self._closed_until = max(self._closed_until, trio.current_time() + for_s)
        self._closed.set()

    async def serve(
        self,
        handler: Handler,
        limits: HttpLimits,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Answer with *handler* until cancelled, but for the time it is closed."""
        while True:
            await serve_http(
                handler,
                [self.listener],
                stop=self._closed,
                grace_s=GRACE_S,
                limits=limits,
                task_status=task_status,
            )
            task_status = trio.TASK_STATUS_IGNORED
            await trio.sleep_until(self._closed_until)
            self._closed = trio.Event()
            while not self._listens_again():  # noqa: ASYNC110 - no event says so
                await trio.sleep(RETRY_S)

    def _listens_again(self) -> bool:
        try:
            self.listener = _listen(self.host_port)
        except OSError as error:
            extra = {"url": self.url, "error": error.strerror}
            log.warning("the port is taken meanwhile", extra=extra)
            return False
        return True


def url_of(ports: Sequence[Port], side: Side) -> str:
    """Where a side is."""
    return next(port.url for port in ports if side in port.sides)


@contextlib.contextmanager
def open_ports(
    main: HostPort,
    *,
    solidity: HostPort | None = None,
    jsonrpc: HostPort | None = None,
    replicas: int = 0,
) -> Iterator[Sequence[Port]]:
    """Listen while the block is entered; the first port is the main one.

    What has a port of its own is not at the main one. After them come *replicas* on
    free ports, each with everything.

    Raises:
        ConfigError: a port is taken or cannot be opened.
    """
    apart = {Side.SOLIDITY: solidity, Side.JSONRPC: jsonrpc}
    wanted = [
        (host_port, frozenset({side})) for side, host_port in apart.items() if host_port
    ]
    rest = EVERYTHING.difference(*(sides for _, sides in wanted))
    spare = [((main[0], 0), EVERYTHING)] * replicas
    ports: list[Port] = []
    try:
        for number, (host_port, sides) in enumerate([(main, rest), *wanted, *spare]):
            try:
                ports.append(Port(_listen(host_port), sides, number))
            except OSError as error:
                where = f"{host_port[0]}:{host_port[1]}"
                raise ConfigError(f"devnet: {where}: {error.strerror}") from None
        yield ports
    finally:
        for port in ports:
            port.listener.close()


def _listen(host_port: HostPort) -> socket.socket:
    """Raises OSError."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(host_port)
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)  # noqa: FBT003 - the socket module's own name
    return listener
