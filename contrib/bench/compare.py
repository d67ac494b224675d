"""Ours and the baseline under the same load, in turns.

In turns, so that a machine whose speed drifts slows both; the ratio is the median over
the rounds. Each side is a process, and so is the client.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import rpc
from attrs import frozen

HERE: Final = Path(__file__).parent
TOP: Final = HERE.parents[1]
RPC_SHAPES: Final = ((1, 1), (1, 64), (100, 1), (1000, 1))
GET_SHAPES: Final = ((1, 1), (100, 1))
PARAMS: Final = {"address": "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8", "limit": 10}
GET: Final = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
WARM_S: Final = 0.5
"""As in load.c."""


@frozen
class Patience:
    """How much of it there is."""

    rounds: int
    seconds: float


@frozen
class Target:
    """What the client is let loose on; each answer holds *mark* once."""

    pid: int
    address: Path | int
    """A Unix socket or a port of this machine."""
    request: bytes
    mark: str


def baseline_python() -> Path:
    """An environment of its own for what the daemon must not depend on."""
    return _environment(TOP / ".venv-bench", "-r", HERE / "requirements.txt")


def runtime_python() -> Path:
    """An environment as it is deployed: the daemon and what it depends on.

    In the developers' one httpx finds click and rich and imports them, for 60 ms.
    """
    return _environment(TOP / ".venv-runtime", "-e", TOP)


def _environment(venv: Path, *what: str | Path) -> Path:
    python = venv / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *what], check=True)
    return python


@contextmanager
def _running(command: Sequence[str | Path], ready: Path) -> Iterator[int]:
    """Run a server until the block ends; *ready* is a file it makes."""
    process = subprocess.Popen(command)
    try:
        while not ready.exists():
            if process.poll() is not None:
                raise RuntimeError(f"{command[1]} ended with {process.returncode}")
            time.sleep(0.02)
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)
        ready.unlink(missing_ok=True)


@contextmanager
def our_socket(room: Path) -> Iterator[tuple[int, Path]]:
    """Run our transport with two methods; gives its process and its socket."""
    sock = room / "ours.sock"
    command = [sys.executable, HERE / "rpc.py", "--serve", sock]
    with _running(command, sock) as pid:
        yield pid, sock


@contextmanager
def our_doors(room: Path) -> Iterator[tuple[int, int]]:
    """Run our HTTP door with websockets; gives its process and its port."""
    command = [sys.executable, HERE / "doors.py", "--serve", room]
    with _running(command, room / "port") as pid:
        yield pid, int((room / "port").read_text())


@contextmanager
def baseline(room: Path) -> Iterator[tuple[int, Path, int]]:
    """Run aiohttp; gives its process, its socket and its port."""
    sock, port = room / "baseline.sock", room / "baseline.port"
    command = [baseline_python(), HERE / "baseline_aiohttp.py", sock, port]
    with _running(command, sock) as pid:
        yield pid, sock, int(port.read_text())


def compare_rpc(
    room: Path, theirs: tuple[int, Path, int], patience: Patience
) -> list[dict[str, Any]]:
    """The same call as a line on our socket and as a POST on theirs."""
    request = rpc.make_request("inline", PARAMS)
    head = f"POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: {len(request)}\r\n\r\n"
    mark = '"jsonrpc"'
    their_pid, their_sock, _ = theirs
    with our_socket(room) as (pid, sock):
        return _compare(
            room,
            Target(pid, sock, request, mark),
            # aiohttp answers requests of one connection one after the other.
            Target(their_pid, their_sock, head.encode() + request, mark),
            shapes=RPC_SHAPES,
            patience=patience,
        )


def compare_http(
    room: Path,
    ours: tuple[int, int],
    theirs: tuple[int, Path, int],
    patience: Patience,
) -> list[dict[str, Any]]:
    """The same GET on both; our answer tells more."""
    mark = "HTTP/1.1 200 "
    return _compare(
        room,
        Target(*ours, GET, mark),
        Target(theirs[0], theirs[2], GET, mark),
        shapes=GET_SHAPES,
        patience=patience,
    )


def _compare(
    room: Path,
    ours: Target,
    theirs: Target,
    *,
    shapes: Sequence[tuple[int, int]],
    patience: Patience,
) -> list[dict[str, Any]]:
    client = rpc.build_client(room)
    table = []
    for shape in shapes:
        pairs = [
            {
                "ours": _load(client, ours, shape, patience.seconds),
                "baseline": _load(client, theirs, shape, patience.seconds),
            }
            for _ in range(patience.rounds)
        ]
        ratios = [
            pair["ours"]["calls_per_s"] / pair["baseline"]["calls_per_s"]
            for pair in pairs
        ]
        table.append(
            {
                "connections": shape[0],
                "in_flight": shape[1],
                "ratio": round(statistics.median(ratios), 2),
                "rounds": pairs,
            }
        )
    return table


def _load(
    client: Path, target: Target, shape: tuple[int, int], seconds: float
) -> dict[str, Any]:
    before = rpc.cpu_s(target.pid)
    words = [client, str(target.address), *map(str, shape), str(seconds), target.mark]
    done = subprocess.run(
        words, input=target.request, stdout=subprocess.PIPE, check=True
    )
    row: dict[str, Any] = json.loads(done.stdout)
    # Its CPU while warming is in this, the answers then are not: a little high.
    busy = (rpc.cpu_s(target.pid) - before) * row["seconds"]
    calls = max(row["calls"], 1)
    row["cpu_us_per_call"] = round(busy / (row["seconds"] + WARM_S) / calls * 1e6, 1)
    return row
