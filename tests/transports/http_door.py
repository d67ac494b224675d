"""The HTTP door on a loopback port, with websockets, for tests."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import trio
from attrs import define

from lucidtrond.api.caller import CallerClass
from lucidtrond.pluginhost import BoundRoute
from lucidtrond.ports import Clock
from lucidtrond.rpc.dispatch import Dispatcher
from lucidtrond.transports.accept import open_tcp_listeners
from lucidtrond.transports.http import serve_http
from lucidtrond.transports.rpc_access import HttpAccess
from lucidtrond.transports.rpc_http import RpcHttp
from lucidtrond.transports.rpc_metrics import Metric
from lucidtrond.transports.websocket import WebSockets, WsLimits
from tests.transports.unix_daemon import read_all


class StillClock(Clock):
    def now_ms(self) -> int:
        return 1_500


@define(eq=False)
class Door:
    port: int
    stop: trio.Event
    problems: dict[str, str | None]

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    async def ask(
        self, verb: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, bytes]:
        """Send one request; gives status and body."""
        fields = {"host": f"127.0.0.1:{self.port}", **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        text = f"{verb} {path} HTTP/1.1\r\n{head}content-length: {len(body)}\r\n"
        async with await trio.open_tcp_stream("127.0.0.1", self.port) as stream:
            await stream.send_all(f"{text}connection: close\r\n\r\n".encode() + body)
            answer = await read_all(stream)
        first, _, content = answer.partition(b"\r\n\r\n")
        return int(first.split(b" ")[1]), content


@asynccontextmanager
async def open_door(
    dispatcher: Dispatcher,
    *,
    routes: Sequence[BoundRoute] = (),
    classes: Sequence[CallerClass] = ("read", "spend"),
    origins: Sequence[str] = (),
    limits: WsLimits | None = None,
) -> AsyncIterator[Door]:
    listeners = open_tcp_listeners("127.0.0.1", 0)
    access = HttpAccess(frozenset(classes), origins=frozenset(origins))
    door = Door(listeners[0].getsockname()[1], trio.Event(), {"network": None})
    sockets = WebSockets(
        dispatcher=dispatcher,
        access=access,
        stop=door.stop,
        limits=limits or WsLimits(),
    )
    handler = RpcHttp(
        dispatcher=dispatcher,
        access=access,
        clock=StillClock(),
        problems=lambda: door.problems,
        is_ready=lambda: door.problems.get("network") is None,
        metrics=lambda: [
            Metric("a", "gauge", "One.", 1.0),
            Metric("b", "counter", "Two.", samples={(("x", 'say "\n'),): 2}),
            Metric("none", "gauge", "Nothing yet."),
        ],
        routes=routes,
    )

    async def serve(task_status: trio.TaskStatus[None]) -> None:
        await serve_http(
            handler,
            listeners,
            stop=door.stop,
            grace_s=5,
            upgrade=sockets.takeover,
            task_status=task_status,
        )

    async with trio.open_nursery() as nursery:
        await nursery.start(serve)
        yield door
        nursery.cancel_scope.cancel()
