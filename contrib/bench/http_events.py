"""Measure HTTP and its websockets: one event to thousands of subscribers.

    .venv/bin/python contrib/bench/http_events.py [--subscribers 5000] [--events 20]

The server is the daemon's own HTTP engine, handler, websockets, event bus and SQLite
store around two methods: `publish` commits one event and notifies the bus, as the
daemon's services do, and `events.subscribe`. The client (``fanout.c``, needs ``cc``)
is another process. Time runs from the end of the transaction to the last subscriber's
frame.
"""

import argparse
import cProfile
import gc
import json
import pstats
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import rpc
import trio

from lucidtrond.events import outbox
from lucidtrond.events.bus import Bus
from lucidtrond.events.types import WalletCreated
from lucidtrond.ports import Clock
from lucidtrond.rpc.dispatch import Call, Dispatcher, Method
from lucidtrond.rpc.events import events_methods
from lucidtrond.store.database import open_store
from lucidtrond.store.migrate import migrate
from lucidtrond.transports.accept import open_tcp_listeners
from lucidtrond.transports.http import HttpLimits, serve_http
from lucidtrond.transports.rpc_access import HttpAccess
from lucidtrond.transports.rpc_http import RpcHttp
from lucidtrond.transports.websocket import WebSockets

ADDRESS: Final = "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8"
PROBLEMS: Final = {"network": None, "store": None, "keystore": None}


class WallClock(Clock):
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class Published(msgspec.Struct):
    committed_ns: int


async def serve(folder: Path) -> None:
    """Serve on a loopback port and say which in *folder*/port."""
    listeners = open_tcp_listeners("127.0.0.1", 0)
    dispatcher, stop = Dispatcher(), trio.Event()
    async with open_store(folder / "bench.sqlite") as store:
        await migrate(store, outbox.MIGRATIONS)
        bus = Bus(store, clock=WallClock())

        async def publish(_: Call) -> Published:
            event = WalletCreated(wallet_id="w" * 32, address=ADDRESS)
            emit = bus.emitter()
            await store.write(lambda tx: emit(tx, event))
            committed_ns = time.monotonic_ns()
            bus.notify()
            return Published(committed_ns)

        dispatcher.add(Method("publish", publish, result=Published))
        for method in events_methods(bus, store):
            dispatcher.add(method)
        access = HttpAccess(frozenset({"read"}))
        handler = RpcHttp(
            dispatcher=dispatcher,
            access=access,
            clock=WallClock(),
            problems=lambda: PROBLEMS,
            is_ready=lambda: True,
            metrics=list,
        )
        sockets = WebSockets(dispatcher=dispatcher, access=access, stop=stop)
        async with trio.open_nursery() as nursery:
            await nursery.start(bus.run)
            await nursery.start(
                partial(
                    serve_http,
                    handler,
                    listeners,
                    stop=stop,
                    grace_s=1,
                    limits=HttpLimits(max_connections=8192),
                    upgrade=sockets.takeover,
                )
            )
            gc.freeze()
            write_port(folder, listeners[0].getsockname()[1])
            with trio.open_signal_receiver(signal.SIGTERM) as signals:
                async for _ in signals:
                    nursery.cancel_scope.cancel()


def write_port(folder: Path, port: int) -> None:
    """Tell the port; the file is whole as soon as it is there."""
    new = folder / "port.new"
    new.write_text(str(port))
    new.rename(folder / "port")


def serve_profiled(folder: Path) -> None:
    with cProfile.Profile() as profile:
        trio.run(serve, folder)
    pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(30)


def fan_out(
    folder: Path, port: int, *, subscribers: int, events: int, look_us: int = 0
) -> dict[str, Any]:
    """Give the client's view of *events* events, times in microseconds.

    With *look_us* the client looks so often instead of being woken for each frame.
    """
    client = rpc.build_client(folder, "fanout.c")
    words = [client, *map(str, (port, subscribers, events, look_us))]
    done = subprocess.run(words, stdout=subprocess.PIPE, check=True)
    row: dict[str, Any] = json.loads(done.stdout)
    for key in ("first_us", "last_us", "asked_us"):
        row[key] = statistics.median(event[key] for event in row["events"])
    row["worst_us"] = max(event["last_us"] for event in row["events"])
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--subscribers", type=int, default=5000)
    parser.add_argument("--events", type=int, default=20)
    parser.add_argument("--look-us", type=int, default=0)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        # One descriptor for each subscriber.
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        if options.profile:
            serve_profiled(options.serve)
        else:
            trio.run(serve, options.serve)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, __file__, "--serve", str(folder)]
        if options.profile:
            command.append("--profile")
        server = subprocess.Popen(command)
        while not (folder / "port").exists():
            time.sleep(0.05)
        port = int((folder / "port").read_text())
        row = fan_out(
            folder,
            port,
            subscribers=options.subscribers,
            events=options.events,
            look_us=options.look_us,
        )
        server.terminate()
        server.wait()
    row.pop("events")
    print(json.dumps(row, indent=1))


if __name__ == "__main__":
    main()
