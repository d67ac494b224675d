"""The HTTP engine over loopback sockets; time only where the test moves it."""

import os
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
import trio
import trio.testing
from attrs import define
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.transports.accept import open_tcp_listeners
from lucidtrond.transports.http import (
    Handler,
    HttpLimits,
    HttpRequest,
    HttpResponse,
    Upgrade,
    serve_http,
)
from lucidtrond.transports.http_messages import RequestParser

GET = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"


@define
class Running:
    port: int
    stop: trio.Event
    finished: trio.Event

    async def connect(self) -> trio.SocketStream:
        return await trio.open_tcp_stream("127.0.0.1", self.port)

    async def exchange(self, data: bytes) -> bytes:
        """Send, end the input, read all."""
        async with await self.connect() as stream:
            await stream.send_all(data)
            await stream.send_eof()
            return await read_all(stream)


async def read_all(stream: trio.abc.ReceiveStream) -> bytes:
    return b"".join([bytes(part) async for part in stream])


async def echo(request: HttpRequest) -> HttpResponse:
    if request.path == "/fail":
        raise ValueError("a secret of ours")
    text = f"{request.method} {request.path} {request.query} {len(request.body)}"
    return HttpResponse(200, text.encode(), "text/plain")


@asynccontextmanager
async def running(
    handler: Handler = echo,
    *,
    limits: HttpLimits | None = None,
    upgrade: Upgrade | None = None,
    grace_s: float = 5,
) -> AsyncIterator[Running]:
    listeners = open_tcp_listeners("127.0.0.1", 0)
    server = Running(listeners[0].getsockname()[1], trio.Event(), trio.Event())

    async def serve(task_status: trio.TaskStatus[None]) -> None:
        await serve_http(
            handler,
            listeners,
            stop=server.stop,
            grace_s=grace_s,
            limits=limits or HttpLimits(),
            upgrade=upgrade,
            task_status=task_status,
        )
        server.finished.set()

    async with trio.open_nursery() as nursery:
        await nursery.start(serve)
        yield server
        nursery.cancel_scope.cancel()


def statuses(answer: bytes) -> list[int]:
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d+) ", answer)]


@pytest.mark.parametrize(
    "method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
)
async def test_any_method_reaches_the_handler(method: str) -> None:
    async with running() as server:
        answer = await server.exchange(
            f"{method} /a/b?x=1 HTTP/1.1\r\nHost: a\r\n\r\n".encode()
        )
    assert answer.endswith(f"\r\n\r\n{method} /a/b x=1 0".encode())


async def test_head_has_the_length_and_not_the_body() -> None:
    async with running() as server:
        answer = await server.exchange(b"HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b"content-length: 10\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


async def test_pipelined_requests_are_answered_in_order() -> None:
    async with running() as server:
        answer = await server.exchange(b"".join(GET % i for i in range(3000)))
    assert statuses(answer) == [200] * 3000
    places = [answer.index(b"GET /%d  0" % i) for i in range(3000)]
    assert places == sorted(places)


def send(stream: trio.SocketStream, data: bytes) -> int:
    """Without giving anybody a turn."""
    return os.write(stream.socket.fileno(), data)


async def test_many_pipelined_requests_leave_room_for_another_peer() -> None:
    order: list[str] = []

    async def note(request: HttpRequest) -> HttpResponse:
        order.append(request.path)
        return HttpResponse(200, b"")

    async with (
        running(note) as server,
        await server.connect() as flood,
        await server.connect() as other,
    ):
        await settle()
        assert send(flood, GET % 1 * 500) == 500 * len(GET % 1)
        assert send(other, GET % 2) == len(GET % 2)
        await settle()
    assert len(order) == 501
    assert order.index("/2") <= 3 * 32  # trio shuffles who goes first in a round


async def test_a_connection_serves_many_requests_until_the_peer_closes_it() -> None:
    async with running() as server, await server.connect() as stream:
        for i in range(20):
            await stream.send_all(GET % i)
            assert (await stream.receive_some()).endswith(b"GET /%d  0" % i)


@pytest.mark.parametrize(
    ("head", "answers"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 1),
        (b"GET / HTTP/1.0\r\n\r\n", 1),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 2),
    ],
)
async def test_the_peer_chooses_whether_the_connection_stays(
    head: bytes, answers: int
) -> None:
    async with running() as server:
        answer = await server.exchange(head + head)
    assert len(statuses(answer)) == answers


async def test_chunked_bodies_arrive_whole_and_trailers_are_no_headers() -> None:
    seen: list[HttpRequest] = []

    async def handler(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse(204)

    async with running(handler) as server:
        answer = await server.exchange(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nAuthorization: me\r\n\r\n"
        )
    assert statuses(answer) == [204]
    assert b"content-length" not in answer
    assert seen[0].body == b"abcdefg"
    assert b"authorization" not in seen[0].headers


async def test_a_peer_that_expects_100_gets_it_before_it_sends_the_body() -> None:
    async with running() as server, await server.connect() as stream:
        await stream.send_all(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        assert await stream.receive_some() == b"HTTP/1.1 100 Continue\r\n\r\n"
        await stream.send_all(b"abc")
        assert (await stream.receive_some()).endswith(b"POST /  3")


CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
BAD_REQUESTS = {
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    "garbage": (b"\x16\x03\x01\x02\x00\x01", 400),
    "json-rpc": (b'{"jsonrpc":"2.0","method":"x"}\n', 400),
    "two lengths": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        400,
    ),
    "length and chunked": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n" + CHUNKED + b"0\r\n\r\n",
        400,
    ),
    "negative length": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        400,
    ),
    "long target": (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 431),
    "long header": (
        b"GET / HTTP/1.1\r\nHost: a\r\nx: " + b"a" * 20000 + b"\r\n\r\n",
        431,
    ),
    "endless header": (b"GET / HTTP/1.1\r\nHost: a\r\nx: " + b"a" * 200000, 431),
    "long body": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n",
        413,
    ),
    "long chunked body": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"186a1\r\n" + b"a" * 100001,
        413,
    ),
    "endless chunk extension": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"1;" + b"a" * 1000000,
        413,
    ),
    "other expectation": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: tea\r\n\r\n",
        417,
    ),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
async def test_a_bad_request_is_refused_after_the_good_ones(name: str) -> None:
    data, status = BAD_REQUESTS[name]
    async with running(limits=HttpLimits(body_bytes=100_000)) as server:
        answer = await server.exchange(GET % 1 + data + GET % 2)
        assert statuses(answer) == [200, status]
        assert statuses(await server.exchange(GET % 3)) == [200]


async def test_a_refusal_reaches_a_peer_that_is_still_sending() -> None:
    async with running(limits=HttpLimits(body_bytes=1000)) as server:
        answer = await server.exchange(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n"
            + b"a" * 500_000
        )
    assert statuses(answer) == [413]


async def test_what_a_handler_raises_stays_inside(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running() as server:
        answer = await server.exchange(
            b"GET /fail HTTP/1.1\r\nHost: a\r\n\r\n" + GET % 1
        )
    assert statuses(answer) == [500, 200]
    assert b"secret" not in answer
    assert "a secret of ours" in caplog.text


async def test_a_response_field_cannot_start_another_line() -> None:
    async def handler(_: HttpRequest) -> HttpResponse:
        return HttpResponse(200, headers=(("x", "a\r\nset-cookie: b"),))

    async with running(handler) as server:
        answer = await server.exchange(GET % 1)
    assert statuses(answer) == [500]
    assert b"set-cookie" not in answer


async def test_an_offer_to_upgrade_that_nobody_takes_is_ignored() -> None:
    async with running() as server:
        answer = await server.exchange(
            b"GET /a HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n"
            b"Connection: upgrade\r\n\r\n" + GET % 2
        )
    assert statuses(answer) == [200, 200]


async def test_a_websocket_takes_the_connection_over_with_every_byte() -> None:
    head = (
        b"GET /ws?a=b HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\n"
        b"connection: Upgrade\r\n\r\n"
    )
    seen: list[bytes] = []

    def upgrade(
        request: HttpRequest,
    ) -> Callable[[trio.abc.HalfCloseableStream], Awaitable[None]] | None:
        if request.path != "/ws":
            return None

        async def take_over(stream: trio.abc.HalfCloseableStream) -> None:
            while b"last" not in b"".join(seen):
                seen.append(bytes(await stream.receive_some(10)))
            await stream.send_all(b"bye")

        return take_over

    async with running(upgrade=upgrade) as server:
        async with await server.connect() as stream:
            await stream.send_all(GET % 1 + head + b"frame")
            await stream.send_all(b"last")
            answer = await read_all(stream)
        assert statuses(answer) == [200]
        assert answer.endswith(b"GET /1  0bye")
        assert b"".join(seen) == head + b"framelast"
        other = await server.exchange(head.replace(b"/ws", b"/no"))
        assert statuses(other) == [200]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", None),
        (b"GET / HT", 408),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab", 408),
    ],
)
async def test_a_slow_peer_is_cut_off(
    mock_clock: trio.testing.MockClock, sent: bytes, status: int | None
) -> None:
    limits = HttpLimits(head_s=10, body_s=10, idle_s=10)
    async with running(limits=limits) as server, await server.connect() as stream:
        if sent:
            await stream.send_all(sent)
        await settle()
        mock_clock.jump(9)
        await settle()
        if sent:
            await stream.send_all(sent[-1:])  # one more byte buys no time
        await settle()
        mock_clock.jump(3)
        answer = await read_all(stream)
    assert statuses(answer) == ([status] if status else [])


async def test_a_peer_that_stops_reading_is_cut_off_and_told_nothing_more(
    mock_clock: trio.testing.MockClock,
) -> None:
    async def handler(_: HttpRequest) -> HttpResponse:
        return HttpResponse(200, b"x" * 20_000_000)

    async with running(handler) as server, await server.connect() as stream:
        await stream.send_all(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n"
        )
        await settle()
        await stream.send_all(b"ab")
        await settle()
        mock_clock.jump(32)
        await settle()
        answer = await read_all(stream)
    assert statuses(answer) == [200]
    assert len(answer) < 20_000_000


async def settle() -> None:
    """Let the loopback deliver and every task come to rest."""
    for _ in range(5):
        await trio.testing.wait_all_tasks_blocked(0.005)


async def test_a_handler_may_take_longer_than_a_peer(
    mock_clock: trio.testing.MockClock,
) -> None:
    async def handler(_: HttpRequest) -> HttpResponse:
        await trio.sleep(1000)
        return HttpResponse(200)

    async with running(handler) as server, await server.connect() as stream:
        await stream.send_all(GET % 1)
        await settle()
        for _ in range(11):
            mock_clock.jump(100)
            await settle()
        assert statuses(bytes(await stream.receive_some())) == [200]


async def test_behind_a_slow_answer_a_connection_has_its_whole_idle_time(
    mock_clock: trio.testing.MockClock,
) -> None:
    async def handler(request: HttpRequest) -> HttpResponse:
        if request.path == "/1":
            await trio.sleep(1000)
        return HttpResponse(200)

    limits = HttpLimits(idle_s=50)
    async with (
        running(handler, limits=limits) as server,
        await server.connect() as stream,
    ):
        await stream.send_all(GET % 1 + GET % 2)  # the second needs no waiting
        await settle()
        mock_clock.jump(1001)
        await settle()
        assert statuses(bytes(await stream.receive_some())) == [200, 200]
        mock_clock.jump(40)
        await settle()
        await stream.send_all(GET % 3)
        assert statuses(bytes(await stream.receive_some())) == [200]
        mock_clock.jump(40)
        await settle()
        await stream.send_all(GET % 3)
        assert statuses(bytes(await stream.receive_some())) == [200]
        mock_clock.jump(52)
        assert await read_all(stream) == b""


async def test_when_full_a_newcomer_hears_503_and_the_others_stay() -> None:
    async with running(limits=HttpLimits(max_connections=2)) as server:
        first = await server.connect()
        second = await server.connect()
        for stream in (first, second):
            await stream.send_all(GET % 1)
            assert statuses(bytes(await stream.receive_some())) == [200]
        assert statuses(await server.exchange(GET % 1)) == [503]
        await first.aclose()
        await settle()
        assert statuses(await server.exchange(GET % 2)) == [200]
        await second.aclose()


async def test_stopping_lets_requests_in_flight_end_and_closes_the_idle() -> None:
    go = trio.Event()

    async def handler(_: HttpRequest) -> HttpResponse:
        await go.wait()
        return HttpResponse(200)

    async with running(handler) as server:
        idle, busy = await server.connect(), await server.connect()
        await settle()
        await busy.send_all(GET % 1 + GET % 2)
        await settle()
        server.stop.set()
        assert await read_all(idle) == b""
        with pytest.raises(OSError, match="all attempts to connect"):
            await server.connect()
        go.set()
        answer = await read_all(busy)
        assert statuses(answer) == [200]
        assert b"connection: close" in answer
        await server.finished.wait()
        await idle.aclose()
        await busy.aclose()


async def test_stopping_waits_no_longer_than_its_grace(
    mock_clock: trio.testing.MockClock,
) -> None:
    async def handler(_: HttpRequest) -> HttpResponse:
        await trio.sleep_forever()
        raise AssertionError("unreachable")

    async with (
        running(handler, grace_s=5) as server,
        await server.connect() as stream,
    ):
        await stream.send_all(GET % 1)
        await settle()
        server.stop.set()
        await settle()
        mock_clock.jump(4)
        await settle()
        assert not server.finished.is_set()
        mock_clock.jump(2)
        await server.finished.wait()


requests = st.lists(
    st.builds(
        lambda path, body: (
            f"POST /{path} HTTP/1.1\r\nHost: a\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        ),
        st.text("abc/?=", max_size=5),
        st.binary(max_size=20),
    ),
    max_size=4,
)


def cut(data: bytes, places: list[int]) -> Iterator[bytes]:
    edges = sorted({0, len(data), *(p % (len(data) + 1) for p in places)})
    for start, end in pairwise(edges):
        yield data[start:end]


@given(requests, st.lists(st.integers(0, 1000)), st.binary(max_size=10))
def test_requests_do_not_depend_on_how_the_bytes_were_cut(
    sent: list[bytes], places: list[int], tail: bytes
) -> None:
    data = b"".join(sent) + tail
    whole = RequestParser(HttpLimits())
    at_once = whole.feed(data) if data else []
    pieces = RequestParser(HttpLimits())
    in_pieces = []
    for part in cut(data, places):
        in_pieces += pieces.feed(part)
        if pieces.refusal is not None:
            break
    assert in_pieces == at_once
    assert pieces.refusal == whole.refusal
    assert len(at_once) >= len(sent)


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_garbage_is_refused_and_never_raises(data: bytes) -> None:
    parser = RequestParser(HttpLimits())
    parser.feed(b"GET / HTTP/1.1\r\n" + data)
    assert len(parser.unread) <= len(data)


async def test_the_listeners_are_closed_when_the_server_is_cancelled() -> None:
    listeners = open_tcp_listeners("127.0.0.1", 0)
    async with trio.open_nursery() as nursery:
        await nursery.start(start_server, listeners)
        nursery.cancel_scope.cancel()
    assert [listener.fileno() for listener in listeners] == [-1]


async def start_server(
    listeners: list[socket.socket], task_status: trio.TaskStatus[None]
) -> None:
    await serve_http(
        echo, listeners, stop=trio.Event(), grace_s=1, task_status=task_status
    )
