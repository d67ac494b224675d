"""Bytes that wait to be sent on one non-blocking socket."""

import socket
from math import inf

import trio
from attrs import define, field


@define(eq=False)
class Outbox:
    """Gathers parts and sends them in one write; what the kernel refuses stays first.

    *size* counts the bytes that wait. *deadline* (trio's clock) is when a peer that
    takes nothing is given up: *write_s* after it last took a byte, `inf` when nothing
    waits in the kernel's way. The owner bounds *size* before it puts more in.
    """

    write_s: float
    size: int = 0
    deadline: float = inf
    _parts: list[bytes] = field(init=False, factory=list)

    def __bool__(self) -> bool:
        return bool(self._parts)

    def put(self, part: bytes) -> None:
        """Add to what waits."""
        self._parts.append(part)
        self.size += len(part)

    def clear(self) -> None:
        """Drop what waits; nobody receives it."""
        self._parts.clear()
        self.size = 0
        self.deadline = inf

    def take(self) -> bytes:
        """Give all that waits to an owner who sends it in another way."""
        data = b"".join(self._parts)
        self.clear()
        return data

    def flush(self, sock: socket.socket) -> bool:
        """Send as much as the kernel takes; False when nobody receives any more."""
        parts = self._parts
        if not parts:
            return True
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        try:
            sent = sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.clear()
            return False
        parts.clear()
        self.size -= sent
        if sent == len(data):
            self.deadline = inf
            return True
        parts.append(data[sent:] if sent else data)
        if sent or self.deadline == inf:
            self.deadline = trio.current_time() + self.write_s
        return True
