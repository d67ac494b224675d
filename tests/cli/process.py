"""``lucidtron`` as a process, and a proxy of a daemon that claims another network."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lucidtrond.cli.connection import RpcFailure
from tests.daemon.process import DaemonProcess

TIMEOUT_S = 60.0


def lucidtron(
    *words: str | bytes, home: Path, typed: str | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run the client; *typed* is its standard input, which is no terminal."""
    return subprocess.run(
        [sys.executable, "-m", "lucidtrond.cli.client", *words],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            **environ,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
        input=typed or "",  # nothing typed: the end of input at once
    )


@contextlib.contextmanager
def renamed_network(
    daemon: DaemonProcess, path: Path, *, network: str
) -> Iterator[list[str]]:
    """A socket at *path* behind which *daemon* says that it is on *network*.

    Gives the methods that were called there, in order.
    """
    called: list[str] = []
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    thread = threading.Thread(
        target=_relay_all, args=(listener, daemon, network, called), daemon=True
    )
    thread.start()
    try:
        yield called
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(TIMEOUT_S)


def _relay_all(
    listener: socket.socket, daemon: DaemonProcess, network: str, called: list[str]
) -> None:
    with contextlib.suppress(OSError):
        while True:
            sock, _ = listener.accept()
            with sock, daemon.connect() as connection:
                _relay(sock, connection, network, called)


def _relay(
    sock: socket.socket, connection: Any, network: str, called: list[str]
) -> None:
    for line in sock.makefile("rb"):
        request = json.loads(line)
        called.append(request["method"])
        answer = {"jsonrpc": "2.0", "id": request["id"]}
        try:
            result = connection.call(request["method"], request.get("params"))
            if request["method"] == "daemon.info":
                result["network"] = network
            answer["result"] = result
        except RpcFailure as exc:
            error = {"code": exc.code, "message": exc.message, "data": exc.data}
            answer["error"] = error
        sock.sendall(json.dumps(answer).encode() + b"\n")
