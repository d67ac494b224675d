"""Measure JSON-RPC over the Unix socket: calls a second, latency, CPU for each call.

    .venv/bin/python contrib/bench/rpc.py [--seconds 5] [--json FILE] [--profile]
    .venv/bin/python contrib/bench/rpc.py --socket /run/lucidtrond/rpc.sock --pid PID \
        --method network.status

Without ``--socket`` it starts a server of its own: the daemon's transport, dispatcher
and access rules around one method with typed parameters, once answered inline and once
by a task. The client (``load.c``, needs ``cc``) is another process and saturates its
own core, so on two cores nothing else should run.
"""

import argparse
import cProfile
import gc
import json
import os
import pstats
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
import trio

from lucidtrond.rpc.access import AccessRules
from lucidtrond.rpc.dispatch import Call, Dispatcher, Method
from lucidtrond.transports.unix import open_unix_listener, serve_unix

TICKS = os.sysconf("SC_CLK_TCK")
SHAPES = [(1, 1), (1, 64), (100, 1), (100, 8), (1000, 1)]


class Params(msgspec.Struct, forbid_unknown_fields=True):
    address: str
    limit: int = 100


class Result(msgspec.Struct):
    address: str
    balance_sun: str
    limit: int


async def get(_: Call, params: Params) -> Result:
    return Result(params.address, "1000000", params.limit)


async def serve(path: Path) -> None:
    dispatcher = Dispatcher()
    for name, inline in (("inline", True), ("task", False)):
        dispatcher.add(Method(name, get, params=Params, result=Result, inline=inline))
    stop = trio.Event()

    async def stop_on_signal() -> None:
        with trio.open_signal_receiver(signal.SIGTERM) as signals:
            async for _ in signals:
                stop.set()
                return

    async with trio.open_nursery() as nursery:
        nursery.start_soon(stop_on_signal)
        gc.freeze()
        await serve_unix(
            open_unix_listener(path),
            dispatcher,
            stop=stop,
            grace_s=1,
            access=AccessRules(owner=os.geteuid()),
        )


def serve_profiled(path: Path) -> None:
    with cProfile.Profile() as profile:
        trio.run(serve, path)
    pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(30)


def build_client(folder: Path, name: str = "load.c") -> Path:
    """Compile one of the C files here into *folder*."""
    source = Path(__file__).with_name(name)
    client = folder / source.stem
    subprocess.run(["cc", "-O2", "-o", client, source], check=True)
    return client


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def run_client(
    client: Path, sock: Path, request: bytes, shape: tuple[int, int], seconds: float
) -> dict[str, Any]:
    connections, in_flight = shape
    done = subprocess.run(
        [client, sock, str(connections), str(in_flight), str(seconds)],
        input=request,
        stdout=subprocess.PIPE,
        check=True,
    )
    row: dict[str, Any] = json.loads(done.stdout)
    return {"connections": connections, "in_flight": in_flight, **row}


def measure(
    client: Path, sock: Path, pid: int | None, request: bytes, seconds: float
) -> list[dict[str, Any]]:
    rows = []
    for shape in SHAPES:
        before = cpu_s(pid) if pid else 0.0
        row = run_client(client, sock, request, shape, seconds)
        if pid:
            # Its CPU while warming is in this, the answers then are not: a little high.
            busy = (cpu_s(pid) - before) * row["seconds"] / (row["seconds"] + 0.5)
            row["cpu_us_per_call"] = round(busy / max(row["calls"], 1) * 1e6, 1)
        rows.append(row)
    return rows


def show(title: str, rows: list[dict[str, Any]]) -> None:
    print(f"\n{title}")
    print(
        "conns  each   calls/s   p50 µs   p99 µs  worst µs  1st µs  none  CPU µs/call"
    )
    for row in rows:
        print(
            f"{row['connections']:5} {row['in_flight']:5} {row['calls_per_s']:9.0f}"
            f" {row['p50_us']:8.1f} {row['p99_us']:8.1f} {row['worst_us']:9.1f}"
            f" {row['worst_first_us']:7.0f} {row['unanswered']:5}"
            f" {row.get('cpu_us_per_call', '-'):>8}"
        )


def make_request(method: str, params: dict[str, Any]) -> bytes:
    message = {"jsonrpc": "2.0", "method": method, "params": params, "id": 12345}
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--socket", type=Path)
    parser.add_argument("--pid", type=int)
    parser.add_argument("--method", default="daemon.info")
    parser.add_argument("--params", type=json.loads, default={})
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        if options.profile:
            serve_profiled(options.serve)
        else:
            trio.run(serve, options.serve)
        return
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        build = Path(folder)
        client = build_client(build)
        if options.socket:
            requests = {options.method: make_request(options.method, options.params)}
            for title, request in requests.items():
                results[title] = measure(
                    client, options.socket, options.pid, request, options.seconds
                )
        else:
            sock = build / "rpc.sock"
            command = [sys.executable, __file__, "--serve", str(sock)]
            if options.profile:
                command.append("--profile")
            server = subprocess.Popen(command)
            while not sock.exists():
                time.sleep(0.05)
            params = {"address": "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8", "limit": 10}
            for title in ("inline", "task"):
                request = make_request(title, params)
                results[title] = measure(
                    client, sock, server.pid, request, options.seconds
                )
            server.terminate()
            server.wait()
    for title, rows in results.items():
        show(title, rows)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
