"""A TCP proxy before a node that can fall silent: it accepts and never answers."""

import contextlib
import select
import socket
import threading
from typing import Self


class SilentProxy:
    """Forwards to *port* on this machine; `silent` may be changed at any time.

    While silent, new connections are accepted and what is sent is never read; open ones
    carry nothing in either direction. They are closed when it speaks again, as by a
    node that was restarted.
    """

    def __init__(self, port: int) -> None:
        self.silent = False
        self._to = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def name(self) -> str:
        return self.url.removeprefix("http://")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self._listener.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                ours, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(ours,), daemon=True).start()

    def _carry(self, ours: socket.socket) -> None:
        with contextlib.closing(ours):
            began_silent = self.silent
            with contextlib.suppress(OSError):
                node = socket.create_connection(self._to, 5)
                with contextlib.closing(node):
                    self._pump(ours, node, began_silent=began_silent)

    def _pump(
        self, ours: socket.socket, node: socket.socket, *, began_silent: bool
    ) -> None:
        fell_silent = began_silent
        while not self._closed:
            if self.silent:
                fell_silent = True
                threading.Event().wait(0.02)
                continue
            if fell_silent:
                return
            readable, _, _ = select.select([ours, node], [], [], 0.02)
            for source in readable:
                if self.silent:
                    break
                data = source.recv(65536)
                if not data:
                    return
                (node if source is ours else ours).sendall(data)
