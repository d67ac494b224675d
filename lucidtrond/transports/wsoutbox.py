"""The writing side of one websocket: events and answers enter without waiting.

trio-websocket does the handshake, control frames and everything that comes in; what it
writes goes through `send_all`. Texts are framed here (one frame each, never split),
so that the event bus can push without a task switch and frames never interleave.
"""

import socket
from typing import Final

import trio
from attrs import define, field

TEXT: Final = 0x81
"""The last frame of a text (RFC 6455 5.2); a server masks nothing."""


def encode_text(text: bytes) -> bytes:
    """Make one websocket frame of a UTF-8 text."""
    size = len(text)
    if size < 126:
        return bytes((TEXT, size)) + text
    if size < 1 << 16:
        return bytes((TEXT, 126)) + size.to_bytes(2, "big") + text
    return bytes((TEXT, 127)) + size.to_bytes(8, "big") + text


@define(eq=False)
class WsOutbox(trio.abc.HalfCloseableStream):
    """Reads from *stream*, and writes to it in whole frames, in order.

    Each `push` that finds nothing ahead of it goes straight to the socket. One task
    (`run`) sends what did not fit.
    """

    stream: trio.abc.HalfCloseableStream
    sock: socket.socket
    """Beneath *stream*; non-blocking."""
    event_bytes: int
    out_bytes: int
    write_s: float
    is_closed: bool = False
    _out: list[bytes] = field(init=False, factory=list)
    _waiting: int = 0
    _is_sending: bool = False
    _wake: trio.Event = field(init=False, factory=trio.Event)
    _empty: trio.Event = field(init=False, factory=trio.Event)

    def push(self, frame: bytes) -> bool:
        """Take an event's text without blocking; False when there is no room."""
        if self.is_closed:
            return False
        data = encode_text(frame)
        if self._waiting and self._waiting + len(data) > self.event_bytes:
            return False
        self._put(data)
        return True

    async def send_text(self, text: bytes) -> None:
        """Take an answer; wait while too much is ahead of it."""
        while self._waiting > self.out_bytes:
            await self._empty.wait()
        if self.is_closed:
            raise trio.BrokenResourceError
        self._put(encode_text(text))

    def _put(self, data: bytes) -> None:
        if not self._waiting and not self._is_sending:
            try:
                sent = self.sock.send(data)
            except OSError:
                sent = 0  # full, or broken: that shows in `run`
            if sent == len(data):
                return
            data = data[sent:]
        self._out.append(data)
        self._waiting += len(data)
        self._wake.set()

    async def run(self) -> None:
        """Send what waits, until the peer takes no byte for *write_s* or is gone."""
        try:
            while True:
                await self._wake.wait()
                self._wake = trio.Event()
                self._is_sending = True
                while self._out:
                    data = b"".join(self._out)
                    self._out.clear()
                    await self._send(memoryview(data))
                self._is_sending = False
                self._tell_waiters()
        except (OSError, trio.TooSlowError):
            pass  # gone or asleep: the connection ends
        finally:
            self.is_closed = True
            self._waiting = 0
            self._tell_waiters()

    async def _send(self, view: memoryview) -> None:
        while view:
            try:
                sent = self.sock.send(view)
            except BlockingIOError:
                with trio.fail_after(self.write_s):
                    await trio.lowlevel.wait_writable(self.sock)
                continue
            view = view[sent:]
            self._waiting -= sent

    def _tell_waiters(self) -> None:
        self._empty.set()
        self._empty = trio.Event()

    # What trio-websocket calls.

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Queue control frames and wait until everything is out."""
        await trio.lowlevel.checkpoint()
        if self.is_closed:
            raise trio.BrokenResourceError
        if data:
            self._put(bytes(data))
        while self._waiting:
            await self._empty.wait()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        return await self.stream.receive_some(max_bytes)

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def send_eof(self) -> None:
        await self.stream.send_eof()

    async def aclose(self) -> None:
        self.is_closed = True
        await self.stream.aclose()
