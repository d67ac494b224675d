"""A served Unix socket for tests, with the fixture methods of jsonrpc-cases.json."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import trio
import trio.testing
from attrs import define

from lucidtrond.rpc.access import AccessRules
from lucidtrond.rpc.describe import describe
from lucidtrond.rpc.dispatch import Call, Dispatcher, Method
from lucidtrond.transports.unix import UnixLimits, open_unix_listener, serve_unix


class Subtract(msgspec.Struct):
    minuend: int | float
    subtrahend: int | float


class Wait(msgspec.Struct):
    seconds: float
    value: Any = None


@define(eq=False)
class Served:
    path: Path
    dispatcher: Dispatcher
    stop: trio.Event
    finished: trio.Event

    async def connect(self) -> trio.SocketStream:
        return await trio.open_unix_socket(str(self.path))

    async def exchange(self, data: bytes) -> bytes:
        """Send, end the input, read all."""
        async with await self.connect() as stream, trio.open_nursery() as nursery:
            nursery.start_soon(send_all_and_end, stream, data)
            return await read_all(stream)

    async def ask(self, data: bytes) -> list[Any]:
        """Like `exchange`; the answers decoded."""
        return decode_lines(await self.exchange(data))


async def send_all_and_end(stream: trio.SocketStream, data: bytes) -> None:
    try:
        await stream.send_all(data)
        await stream.send_eof()
    except trio.BrokenResourceError:
        pass  # refused in the middle: what it said is read all the same


async def read_all(stream: trio.abc.ReceiveStream) -> bytes:
    data = bytearray()
    try:
        async for part in stream:
            data += part
    except trio.BrokenResourceError:
        pass  # closed with input of ours unread
    return bytes(data)


def decode_lines(data: bytes) -> list[Any]:
    assert not data or data.endswith(b"\n")
    return [msgspec.json.decode(line) for line in data.splitlines()]


def fixture_dispatcher(seen: list[Any] | None = None) -> Dispatcher:
    """The methods that jsonrpc-cases.json asks for, and some that take time."""
    sink: list[Any] = [] if seen is None else seen

    async def subtract(_: Call, params: Subtract) -> int | float:
        return params.minuend - params.subtrahend

    async def add(_: Call, params: list[int | float]) -> int | float:
        return sum(params)

    async def get_data(_: Call) -> list[Any]:
        return ["hello", 5]

    async def echo(_: Call, params: list[Any]) -> list[Any]:
        return params

    async def note(_: Call, params: list[Any]) -> None:
        sink.append(params)

    async def fail(_: Call) -> None:
        raise ValueError("a secret of ours")

    async def wait(_: Call, params: Wait) -> Any:
        await trio.sleep(params.seconds)
        sink.append(params.value)
        return params.value

    async def discover(_: Call) -> Any:
        return describe(dispatcher.methods.values(), version="0")

    dispatcher = Dispatcher()
    for method in (
        Method("subtract", subtract, params=Subtract, inline=True),
        Method("sum", add, params=list[int | float]),
        Method("get_data", get_data, inline=True),
        Method("echo", echo, params=list[Any], inline=True),
        Method("update", note, params=list[Any]),
        Method("notify_hello", note, params=list[Any], inline=True),
        Method("notify_sum", note, params=list[Any]),
        Method("raise", fail),
        Method("wait", wait, params=Wait),
        Method("wait_inline", wait, params=Wait, inline=True),
        Method("rpc.discover", discover),
    ):
        dispatcher.add(method)
    return dispatcher


@asynccontextmanager
async def serving(
    folder: Path,
    dispatcher: Dispatcher | None = None,
    *,
    limits: UnixLimits | None = None,
    access: AccessRules | None = None,
    grace_s: float = 5,
) -> AsyncIterator[Served]:
    path = folder / "rpc.sock"
    listener = open_unix_listener(path)
    served = Served(
        path, dispatcher or fixture_dispatcher(), trio.Event(), trio.Event()
    )

    async def serve(task_status: trio.TaskStatus[None]) -> None:
        await serve_unix(
            listener,
            served.dispatcher,
            stop=served.stop,
            grace_s=grace_s,
            access=access,
            limits=limits or UnixLimits(),
            task_status=task_status,
        )
        served.finished.set()

    async with trio.open_nursery() as nursery:
        await nursery.start(serve)
        yield served
        nursery.cancel_scope.cancel()


def batch(count: int) -> bytes:
    """So many calls in one text."""
    calls = [
        {"jsonrpc": "2.0", "method": "get_data", "id": id_} for id_ in range(count)
    ]
    return json.dumps(calls).encode() + b"\n"


def request(method: str, params: object = None, **members: Any) -> bytes:
    message: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "id": 1}
    if params is not None:
        message["params"] = params
    return json.dumps({**message, **members}).encode() + b"\n"


def notification(method: str, params: object) -> bytes:
    message = {"jsonrpc": "2.0", "method": method, "params": params}
    return json.dumps(message).encode() + b"\n"


async def settle() -> None:
    for _ in range(5):
        await trio.testing.wait_all_tasks_blocked(0.005)


async def read_lines(stream: trio.SocketStream, count: int) -> list[Any]:
    data = b""
    while data.count(b"\n") < count:
        part = await stream.receive_some()
        if not part:
            break
        data += part
    return decode_lines(data)


async def served_still(served: Served) -> None:
    (answer,) = await served.ask(request("get_data"))
    assert answer["result"] == ["hello", 5]


async def pass_time(clock: trio.testing.MockClock, seconds: int) -> None:
    """Second by second, so that the janitor sees each."""
    for _ in range(seconds):
        await settle()
        clock.jump(1)
    await settle()
