"""A blocking JSON-RPC connection to the daemon, from the standard library alone.

The client starts in under 100 ms because of what is not imported here.
"""

import itertools
import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self


class Unreachable(Exception):
    """No daemon answers; the text says where we looked."""


class RpcFailure(Exception):
    """The daemon answered with an error."""

    def __init__(self, code: int, message: str, data: Mapping[str, Any] | None) -> None:
        super().__init__(f"{message} (code {code})")
        self.code, self.message, self.data = code, message, data or {}


class Connection:
    """One connection; close it or use it in a ``with`` block."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._lines = sock.makefile("rb")
        self._ids = itertools.count(1)
        self._events: list[dict[str, Any]] = []

    @classmethod
    def open(cls, candidates: list[Path], *, timeout_s: float | None = None) -> Self:
        """Connect to the first candidate where a socket answers.

        Raises:
            Unreachable: none does.
        """
        for path in candidates:
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(timeout_s)
            try:
                sock.connect(str(path))
            except OSError:
                sock.close()
                continue
            return cls(sock)
        looked = ", ".join(str(path) for path in candidates)
        raise Unreachable(f"no daemon answers at {looked}; start it: lucidtrond run")

    def call(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """Ask and wait for the answer's result.

        Raises:
            RpcFailure: the daemon said no.
            Unreachable: it went away meanwhile.
        """
        wanted = next(self._ids)
        request = {"jsonrpc": "2.0", "id": wanted, "method": method}
        if params:
            request["params"] = dict(params)
        try:
            self._sock.sendall(json.dumps(request).encode() + b"\n")
            while True:
                answer = self._read()
                if answer.get("id") == wanted and "method" not in answer:
                    break
                self._events.append(answer)
        except OSError as exc:
            raise Unreachable(f"the daemon went away ({exc.strerror or exc})") from None
        if error := answer.get("error"):
            raise RpcFailure(error["code"], error["message"], error.get("data"))
        return answer["result"]

    def notifications(self) -> Iterator[dict[str, Any]]:
        """Everything the daemon sends by itself, until it closes the connection."""
        yield from self._events
        while True:
            try:
                yield self._read()
            except Unreachable:
                return

    def _read(self) -> dict[str, Any]:
        line = self._lines.readline()
        if not line:
            raise Unreachable("the daemon closed the connection")
        message: dict[str, Any] = json.loads(line)
        return message

    def close(self) -> None:
        self._lines.close()
        self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()
