"""JSON-RPC and events over real websockets on loopback."""

import json
from typing import Any

import pytest
import trio
from trio_websocket import (
    ConnectionClosed,
    WebSocketConnection,
    open_websocket_url,
)

from lucidtrond.rpc.dispatch import Dispatcher
from lucidtrond.rpc.events import events_methods
from lucidtrond.rpc.session import SessionLimits
from lucidtrond.transports.websocket import WsLimits
from lucidtrond.transports.wsoutbox import encode_text
from tests.events.subscribers import block, emit, open_bus
from tests.transports.http_door import open_door
from tests.transports.test_jsonrpc_cases import (
    expected_frames,
    matches,
    request_of,
)
from tests.transports.test_rpc_http import WHOLE
from tests.transports.unix_daemon import (
    batch,
    fixture_dispatcher,
    notification,
    request,
)

ALIVE = '{"jsonrpc":"2.0","method":"get_data","id":"alive"}'


def _is_text(case: dict[str, Any]) -> bool:
    try:
        return 0 < len(request_of(case).decode().strip()) < 1 << 20
    except UnicodeDecodeError:
        return False  # no websocket text


TEXTS = [case for case in WHOLE if _is_text(case)]


async def _receive(ws: WebSocketConnection) -> Any:
    with trio.fail_after(5):
        return json.loads(await ws.get_message())


async def _leave(ws: WebSocketConnection) -> None:
    """The client's library forgets its socket when the server closed first."""
    await trio.aclose_forcefully(ws._stream)


@pytest.mark.parametrize("case", TEXTS, ids=[case["name"] for case in TEXTS])
async def test_a_message_is_answered_as_the_case_says(case: dict[str, Any]) -> None:
    async with (
        open_door(fixture_dispatcher()) as door,
        open_websocket_url(door.ws_url) as ws,
    ):
        await ws.send_message(request_of(case).decode())
        for wanted in expected_frames(case):
            assert matches(await _receive(ws), wanted)
        await ws.send_message(ALIVE)
        assert (await _receive(ws))["id"] == "alive"


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536, 150_000])
async def test_answers_of_every_length_arrive_whole(size: int) -> None:
    async with (
        open_door(fixture_dispatcher()) as door,
        open_websocket_url(door.ws_url) as ws,
    ):
        await ws.send_message(request("echo", ["é" * size]).decode())
        assert (await _receive(ws))["result"] == ["é" * size]
    assert len(encode_text(b"x" * size)) == size + (
        2 if size < 126 else 4 if size < 65536 else 10
    )


async def test_a_slow_call_does_not_hold_up_a_quick_one() -> None:
    async with (
        open_door(fixture_dispatcher()) as door,
        open_websocket_url(door.ws_url) as ws,
    ):
        slow = request("wait", {"seconds": 0.05}, id="slow")
        await ws.send_message(slow.decode())
        await ws.send_message(ALIVE)
        assert [(await _receive(ws))["id"] for _ in "12"] == ["alive", "slow"]


async def test_a_batch_over_the_configured_length_is_refused() -> None:
    dispatcher = fixture_dispatcher()
    dispatcher.max_batch = 2
    async with (
        open_door(dispatcher) as door,
        open_websocket_url(door.ws_url) as ws,
    ):
        await ws.send_message(batch(2).decode())
        assert [answer["id"] for answer in await _receive(ws)] == [0, 1]
        await ws.send_message(batch(3).decode())
        message = (await _receive(ws))["error"]["message"]
        assert message == "Invalid request: batch over 2 calls"


async def test_a_notification_outlives_its_peer() -> None:
    seen: list[Any] = []
    async with open_door(fixture_dispatcher(seen)) as door:
        async with open_websocket_url(door.ws_url) as ws:
            await ws.send_message(
                notification("wait", {"seconds": 0.05, "value": "done"}).decode()
            )
            await ws.send_message(ALIVE)
            await _receive(ws)
        with trio.fail_after(5):
            while not seen:  # noqa: ASYNC110 - the method under test sets no event
                await trio.sleep(0.01)
    assert seen == ["done"]


@pytest.mark.parametrize(
    ("message", "code"), [(b"\x00", 1003), ("x" * 1001, 1009), ("é" * 501, 1009)]
)
async def test_what_is_no_text_or_too_big_closes(
    message: bytes | str, code: int
) -> None:
    async with (
        open_door(fixture_dispatcher(), limits=WsLimits(text_bytes=1000)) as door,
        open_websocket_url(door.ws_url) as ws,
    ):
        await ws.send_message(message)
        with pytest.raises(ConnectionClosed) as closed, trio.fail_after(5):
            await ws.get_message()
        await _leave(ws)
        assert closed.value.reason is not None
        assert closed.value.reason.code == code


async def test_stopping_lets_calls_end_and_says_going_away() -> None:
    async with (
        open_door(fixture_dispatcher()) as door,
        open_websocket_url(door.ws_url) as ws,
    ):
        await ws.send_message(request("wait", {"seconds": 0.1, "value": 7}).decode())
        await ws.send_message(ALIVE)
        assert (await _receive(ws))["id"] == "alive"
        door.stop.set()
        assert (await _receive(ws))["result"] == 7
        with pytest.raises(ConnectionClosed) as closed, trio.fail_after(5):
            await ws.get_message()
        await _leave(ws)
        assert closed.value.reason is not None
        assert closed.value.reason.code == 1001


async def test_a_foreign_page_gets_no_websocket() -> None:
    fields = {
        "upgrade": "websocket",
        "connection": "upgrade",
        "sec-websocket-version": "13",
        "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "origin": "https://evil.example",
    }
    async with open_door(fixture_dispatcher()) as door:
        assert (await door.ask("GET", "/ws", b"", **fields))[0] == 403


async def test_a_silent_peer_is_dropped() -> None:
    limits = WsLimits(ping_s=0.05, write_s=0.05)
    async with open_door(fixture_dispatcher(), limits=limits) as door:
        stream = await trio.open_tcp_stream("127.0.0.1", door.port)
        async with stream:
            await stream.send_all(
                b"GET /ws HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\n"
                b"connection: upgrade\r\nsec-websocket-version: 13\r\n"
                b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            )
            with trio.fail_after(5):
                while await stream.receive_some():
                    pass  # the handshake and a ping that is never answered


async def test_events_come_behind_the_answer_and_resume_by_since() -> None:
    async with open_bus() as (bus, store):
        dispatcher = Dispatcher()
        for method in events_methods(bus, store):
            dispatcher.add(method)
        await emit(bus, store, block(1), block(2))
        async with open_door(dispatcher) as door:
            ask = request("events.subscribe", {"since": 0}).decode()
            async with open_websocket_url(door.ws_url) as ws:
                await ws.send_message(ask)
                assert "result" in await _receive(ws)
                seqs = [(await _receive(ws))["params"]["seq"] for _ in "12"]
            await emit(bus, store, block(3), block(4))
            async with open_websocket_url(door.ws_url) as ws:
                params = {"since": seqs[-1]}
                again = request("events.subscribe", params).decode()
                await ws.send_message(again)
                assert "result" in await _receive(ws)
                seqs += [(await _receive(ws))["params"]["seq"] for _ in "12"]
                await emit(bus, store, block(5))
                seqs.append((await _receive(ws))["params"]["seq"])
            assert seqs == [1, 2, 3, 4, 5]
            assert bus.statistics().subscriptions == 0


@pytest.mark.process  # the lagged notice is retried on a clock
async def test_a_slow_peer_hears_lagged_and_can_go_on_from_there() -> None:
    limits = WsLimits(session=SessionLimits(event_bytes=4096))
    async with open_bus() as (bus, store):
        dispatcher = Dispatcher()
        for method in events_methods(bus, store):
            dispatcher.add(method)
        async with (
            open_door(dispatcher, limits=limits) as door,
            open_websocket_url(door.ws_url, message_queue_size=0) as ws,
        ):
            await ws.send_message(request("events.subscribe", {}).decode())
            assert "result" in await _receive(ws)
            count = 0
            while not bus.statistics().lagged:
                await emit(bus, store, *(block(count + n) for n in range(500)))
                count += 500
                assert count < 100_000
            seqs = []
            while True:
                told = await _receive(ws)
                if told["method"] == "events.lagged":
                    break
                seqs.append(told["params"]["seq"])
            assert seqs == list(range(1, len(seqs) + 1))
            assert told["params"]["resume_from"] == seqs[-1]
