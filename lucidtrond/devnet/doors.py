"""The ports of a chain: one for everything, or one for each side as on a node."""

import contextlib
import socket
from collections.abc import Iterator, Sequence

from attrs import frozen

from lucidtrond.devnet.http.router import EVERYTHING, Side
from lucidtrond.errors import ConfigError

Place = tuple[str, int]
"""Host and port; port 0 is any free one."""


@frozen
class Door:
    """A socket that listens, and what is behind it."""

    listener: socket.socket
    sides: frozenset[Side]
    number: int
    """What fault rules call it by; 0 is the main one."""

    @property
    def url(self) -> str:
        host, port = self.listener.getsockname()[:2]
        return f"http://{host}:{port}"


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
    with contextlib.ExitStack() as stack:
        yield [
            Door(stack.enter_context(_listening(place)), sides, number)
            for number, (place, sides) in enumerate([(main, rest), *wanted, *spare])
        ]


@contextlib.contextmanager
def _listening(place: Place) -> Iterator[socket.socket]:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(place)
        except OSError as error:
            raise ConfigError(
                f"devnet: {place[0]}:{place[1]}: {error.strerror}"
            ) from None
        listener.listen(128)
        listener.setblocking(False)  # noqa: FBT003 - the socket module's own name
        yield listener
    finally:
        listener.close()
