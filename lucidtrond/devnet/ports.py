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

ANSWER_S: Final = 0.1
"""Who is shut has so long for requests under way; then connections break."""
AGAIN_S: Final = 0.1

Place = tuple[str, int]
"""Host and port; port 0 is any free one."""


@define(eq=False)
class Door:
    """A socket that listens, and what is behind it; it can be shut for a while."""

    listener: socket.socket
    sides: frozenset[Side]
    number: int
    """What fault rules call it by; 0 is the main one."""
    place: Place = field(init=False)
    _shut: trio.Event = field(init=False, factory=trio.Event)
    _shut_until: float = field(init=False, default=0.0)

    def __attrs_post_init__(self) -> None:
        self.place = self.listener.getsockname()[:2]

    @property
    def url(self) -> str:
        host, port = self.place
        return f"http://{host}:{port}"

    def shut(self, for_s: float) -> None:
        """Refuse connections from now on and break those that there are."""
        self._shut_until = max(self._shut_until, trio.current_time() + for_s)
        self._shut.set()

    async def serve(
        self,
        handler: Handler,
        limits: HttpLimits,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Answer with *handler* until cancelled, but for when it is shut."""
        while True:
            await serve_http(
                handler,
                [self.listener],
                stop=self._shut,
                grace_s=ANSWER_S,
                limits=limits,
                task_status=task_status,
            )
            task_status = trio.TASK_STATUS_IGNORED
            await trio.sleep_until(self._shut_until)
            self._shut = trio.Event()
            while not self._listens_again():  # noqa: ASYNC110 - nobody tells of ports
                await trio.sleep(AGAIN_S)

    def _listens_again(self) -> bool:
        try:
            self.listener = _listen(self.place)
        except OSError as error:
            extra = {"url": self.url, "error": error.strerror}
            log.warning("the port is taken meanwhile", extra=extra)
            return False
        return True


def url_of(doors: Sequence[Door], side: Side) -> str:
    """Where a side is."""
    return next(door.url for door in doors if side in door.sides)


@contextlib.contextmanager
def open_doors(
    main: Place,
    *,
    solidity: Place | None = None,
    jsonrpc: Place | None = None,
    replicas: int = 0,
) -> Iterator[Sequence[Door]]:
    """Listen while the block is entered; the first door is the main one.

    What has a place of its own is not at the main one. Behind them come *replicas* on
    free ports, each with everything.

    Raises:
        ConfigError: a place can't be had.
    """
    apart = {Side.SOLIDITY: solidity, Side.JSONRPC: jsonrpc}
    wanted = [(place, frozenset({side})) for side, place in apart.items() if place]
    rest = EVERYTHING.difference(*(sides for _, sides in wanted))
    spare = [((main[0], 0), EVERYTHING)] * replicas
    doors: list[Door] = []
    try:
        for number, (place, sides) in enumerate([(main, rest), *wanted, *spare]):
            try:
                doors.append(Door(_listen(place), sides, number))
            except OSError as error:
                where = f"{place[0]}:{place[1]}"
                raise ConfigError(f"devnet: {where}: {error.strerror}") from None
        yield doors
    finally:
        for door in doors:
            door.listener.close()


def _listen(place: Place) -> socket.socket:
    """Raises OSError."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)  # noqa: FBT003 - the socket module's own name
    return listener
