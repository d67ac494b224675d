"""Ours, the baseline and another checkout of ours under the same load, in turns.

In turns, so that a machine whose speed drifts slows all; a ratio is the median over
the rounds. Each side is a process, and so is the client.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
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
RPC_MARK: Final = '"jsonrpc"'
HTTP_MARK: Final = "HTTP/1.1 200 "
WARM_S: Final = 0.5
"""As in load.c."""


@frozen
class Repeats:
    """How often each side is measured, and for how long."""

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


def runtime_python(tree: Path = TOP) -> Path:
    """An environment as it is deployed: the daemon of *tree* and what it depends on.

    In the developers' one httpx finds click and rich and imports them, for 60 ms.
    """
    return _environment(tree / ".venv-runtime", "-e", tree)


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
        process.wait(60)
        ready.unlink(missing_ok=True)


@frozen
class Servers:
    """The two servers of one side: JSON-RPC on a Unix socket, HTTP on a port."""

    rpc: Target
    http: Target


@contextmanager
def our_http(
    folder: Path, tree: Path = TOP, python: str | Path = sys.executable
) -> Iterator[tuple[int, int]]:
    """Run our HTTP server with websockets; gives its process and its port."""
    bench = tree / "contrib/bench"
    script = bench / "http_events.py"
    if not script.exists():
        script = bench / "doors.py"  # its name until December 2026
    with _running([python, script, "--serve", folder], folder / "port") as pid:
        yield pid, int((folder / "port").read_text())


@contextmanager
def our_servers(
    folder: Path, tree: Path = TOP, python: str | Path = sys.executable
) -> Iterator[Servers]:
    """Run the transports of the checkout *tree* with that checkout's own scripts."""
    folder.mkdir()
    sock = folder / "rpc.sock"
    command = [python, tree / "contrib/bench/rpc.py", "--serve", sock]
    with _running(command, sock) as pid, our_http(folder, tree, python) as http:
        yield Servers(
            Target(pid, sock, rpc.make_request("inline", PARAMS), RPC_MARK),
            Target(*http, GET, HTTP_MARK),
        )


@contextmanager
def baseline_servers(folder: Path) -> Iterator[Servers]:
    """Run aiohttp: the same call as a POST, and a fixed text for the GET."""
    folder.mkdir()
    sock, port = folder / "baseline.sock", folder / "baseline.port"
    command = [baseline_python(), HERE / "baseline_aiohttp.py", sock, port]
    with _running(command, sock) as pid:
        call = rpc.make_request("inline", PARAMS)
        head = f"POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: {len(call)}\r\n\r\n"
        yield Servers(
            # It answers requests of one connection one after the other.
            Target(pid, sock, head.encode() + call, RPC_MARK),
            Target(pid, int(port.read_text()), GET, HTTP_MARK),
        )


@contextmanager
def bare_servers(folder: Path) -> Iterator[Servers]:
    """Run the loop that answers without looking: what the kernel alone costs."""
    folder.mkdir()
    sock, port = folder / "bare.sock", folder / "bare.port"
    command = [sys.executable, HERE / "bare_loop.py", sock, port]
    with _running(command, sock) as pid:
        yield Servers(
            Target(pid, sock, rpc.make_request("inline", PARAMS), RPC_MARK),
            Target(pid, int(port.read_text()), GET, HTTP_MARK),
        )


def compare(
    folder: Path,
    sides: Mapping[str, Target],
    *,
    shapes: Sequence[tuple[int, int]],
    repeats: Repeats,
) -> list[dict[str, Any]]:
    """Load all *sides*, "ours" among them, in turns; a row for each shape.

    *ratio* is how many times as many calls a second ours answers as the baseline,
    *ratio_before* as the other checkout.
    """
    client = rpc.build_client(folder)
    table = []
    for shape in shapes:
        rounds = [
            {
                name: _load(client, side, shape, repeats.seconds)
                for name, side in sides.items()
            }
            for _ in range(repeats.rounds)
        ]
        row = {"connections": shape[0], "in_flight": shape[1], "rounds": rounds}
        for name, key in (("baseline", "ratio"), ("before", "ratio_before")):
            if name in sides:
                ratios = [
                    one["ours"]["calls_per_s"] / one[name]["calls_per_s"]
                    for one in rounds
                ]
                row[key] = round(statistics.median(ratios), 2)
        table.append(row)
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
