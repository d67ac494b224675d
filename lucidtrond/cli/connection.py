"""A blocking JSON-RPC connection to the daemon, from the standard library alone.

The client starts in under 100 ms because of what is not imported here.
"""

import contextlib
import errno
import itertools
import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Self

_REASONS: Final = {
    errno.ENOENT: "no socket is there",
    errno.ENOTDIR: "no socket is there",
    errno.EACCES: "permission denied",
    errno.ECONNREFUSED: "nobody accepts connections",
}
_HINTS: Final = (
    (
        errno.EACCES,
        (
            "your user may not connect: root, the daemon's user and the members of its"
            " group (lucidtrond where it is installed as a service) may; after `adduser"
            " YOU lucidtrond` log in again"
        ),
    ),
    (
        errno.ECONNREFUSED,
        (
            "its daemon is starting (it serves once a node has responded; see its log),"
            " or was killed: then start it with lucidtrond run"
        ),
    ),
)
"""The first that fits is the most telling."""


class Unreachable(Exception):
    """No daemon answers; the text says where we looked, and why not there.

    *refused*: a socket is there, and nobody accepts connections. *gone*: none is.
    """

    def __init__(self, text: str, *, refused: bool = False, gone: bool = False) -> None:
        super().__init__(text)
        self.refused, self.gone = refused, gone


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
            Unreachable: none does; each is named with its reason.
        """
        failures = []
        for path in candidates:
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(timeout_s)
            try:
                sock.connect(str(path))
            except OSError as exc:
                sock.close()
                failures.append((path, exc))
                continue
            return cls(sock)
        refused = any(exc.errno == errno.ECONNREFUSED for _, exc in failures)
        gone = all(exc.errno == errno.ENOENT for _, exc in failures)
        raise Unreachable(_no_daemon(failures), refused=refused, gone=gone)

    def call(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """Ask and wait for the answer's result.

        Raises:
            RpcFailure: the daemon said no.
            Unreachable: it went away meanwhile, or what answers is no daemon.
            ValueError: the parameters can't be sent.
        """
        wanted = next(self._ids)
        request = encode_request(method, params, request_id=wanted)
        try:
            # Who closes the connection under a request may have said why.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._sock.sendall(request)
            answer = self._read()
            while "method" in answer:
                self._events.append(answer)
                answer = self._read()
        except OSError as exc:
            raise Unreachable(f"the daemon went away ({exc.strerror or exc})") from None
        return result_of(answer, wanted=wanted)

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
        return parse_message(line)

    def close(self) -> None:
        self._lines.close()
        self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


def encode_request(
    method: str, params: Mapping[str, Any] | None, *, request_id: int
) -> bytes:
    """One request on one line.

    Raises:
        ValueError: a text in it is no Unicode text (it has a lone surrogate).
    """
    request: dict[str, Any] = {"jsonrpc": "2.0", "id": request_id, "method": method}
    if params:
        request["params"] = dict(params)
    try:
        return json.dumps(request, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:
        raise ValueError(
            f"{method}: expected text that can be written as UTF-8, got a lone"
            " surrogate in a parameter"
        ) from None


def parse_message(line: bytes) -> dict[str, Any]:
    """One message of the daemon. Raises Unreachable: what answers is no daemon."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise Unreachable(f"expected a JSON-RPC object, got {len(line)} other bytes")
    return message


def result_of(answer: Mapping[str, Any], *, wanted: int) -> Any:
    """The result of the only request in flight.

    An error without an id answers it too: JSON-RPC 2.0 (5) answers ``id: null`` where
    the request's id could not be read.

    Raises:
        RpcFailure: it is an error.
        Unreachable: it answers another request, or is no answer at all.
    """
    match answer:
        case {"error": {"code": int(code), "message": str(message), **others}} if (
            answer.get("id") in (wanted, None)
        ):
            data = others.get("data")
            raise RpcFailure(code, message, data if isinstance(data, dict) else None)
        case {"id": int(number), "result": result} if number == wanted:
            return result
    raise Unreachable(
        f"expected the answer to request {wanted}, got one with id"
        f" {json.dumps(answer.get('id'))}"
    )


def _no_daemon(failures: list[tuple[Path, OSError]]) -> str:
    """Where we looked, what was wrong there, and what to do."""
    looked = ", ".join(
        f"{path} ({_REASONS.get(exc.errno or 0) or exc.strerror or exc})"
        for path, exc in failures
    )
    numbers = {exc.errno for _, exc in failures}
    hints = (hint for number, hint in _HINTS if number in numbers)
    hint = next(hints, "start it: lucidtrond run")
    return f"no daemon answers at {looked}; {hint}"
