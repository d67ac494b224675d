"""Sockets that leave the HTTP pump: for another protocol, or with last words."""

import socket
from typing import Final

import trio

READ_BYTES: Final = 64 * 1024
LINGER_S: Final = 1.0
LINGER_BYTES: Final = 1 << 20


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


async def part(sock: socket.socket, last_words: bytes) -> None:
    """Send *last_words*, then wait a moment for the peer to read them.

    Closing a TCP socket with unread input resets it and may destroy the answer on its
    way, so the input is read for a moment and thrown away.
    """
    with trio.move_on_after(LINGER_S):
        await send_all(sock, last_words)
        sock.shutdown(socket.SHUT_WR)
        left = LINGER_BYTES
        while left > 0 and (data := await _receive(sock)):
            left -= len(data)


async def send_all(sock: socket.socket, data: bytes) -> None:
    """Send on a non-blocking socket without giving a turn away while it takes all."""
    view = memoryview(data)
    while view:
        try:
            view = view[sock.send(view) :]
        except BlockingIOError:
            await trio.lowlevel.wait_writable(sock)


async def _receive(sock: socket.socket) -> bytes:
    while True:
        await trio.lowlevel.wait_readable(sock)
        try:
            return sock.recv(READ_BYTES)
        except BlockingIOError:
            pass
