"""Bytes out, bytes in: bounds, deadlines, the error border, secrets."""

import gc
import gzip
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from functools import partial

import httpx
import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.errors import ConfigError, NodeError, NodeTimeout, NodeUnavailable
from lucidtrond.node.endpoint import Endpoint
from lucidtrond.node.transport.line import (
    CONNECTIONS,
    SLOWEST_BYTES_PER_S,
    AnswerTooLarge,
    NodeLine,
    open_transport,
)
from lucidtrond.transports.http import HttpRequest, HttpResponse, serve_http
from tests.node.nodes import RecordedNode, always, answer, answering

KEY = "0123456789abcdef-secret"
PATH = "/wallet/getnowblock"


class Body(httpx.AsyncByteStream):
    """A body in pieces with pauses; knows whether it was closed."""

    def __init__(self, pieces: list[bytes], *, pause_s: float = 0) -> None:
        self.pieces, self.pause_s, self.closed = pieces, pause_s, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            await trio.sleep(self.pause_s)
            yield piece

    async def aclose(self) -> None:
        self.closed = True


def line_to(node: RecordedNode, *, timeout_s: float = 10) -> "LineContext":
    return LineContext(node, timeout_s)


class LineContext:
    def __init__(self, node: RecordedNode, timeout_s: float) -> None:
        self.endpoint = Endpoint("http://node/base/", KEY)
        self.context = open_transport(
            [self.endpoint],
            timeout_s=timeout_s,
            http=httpx.MockTransport(node.handle),
        )

    async def __aenter__(self) -> NodeLine:
        return (await self.context.__aenter__()).line(self.endpoint)

    async def __aexit__(self, *exc: object) -> None:
        await self.context.__aexit__(None, None, None)


async def ask(node: RecordedNode, *, limit_bytes: int = 1 << 20) -> bytes:
    async with line_to(node) as line:
        return await line.ask(PATH, b"{}", limit_bytes=limit_bytes)


async def test_a_question_is_a_post_with_our_name_and_key() -> None:
    node = RecordedNode(fault=answering(answer("{}")))
    assert await ask(node) == b"{}"
    [request] = node.seen
    assert request.method == "POST"
    assert str(request.url) == "http://node/base" + PATH
    assert request.headers["TRON-PRO-API-KEY"] == KEY
    assert request.headers["User-Agent"].startswith("lucidtrond/")
    assert request.headers["Host"] == "node"
    assert request.content == b"{}"


async def test_the_solid_side_may_have_a_door_of_its_own() -> None:
    node = RecordedNode(fault=always(lambda: answer("{}")))
    endpoint = Endpoint("http://node:8090", solidity_url="http://node:8091/")
    http = httpx.MockTransport(node.handle)
    async with open_transport([endpoint], http=http) as transport:
        line = transport.line(endpoint)
        await line.ask("/wallet/x", b"{}", limit_bytes=9)
        await line.ask("/walletsolidity/x", b"{}", limit_bytes=9, solid=True)
    assert [str(request.url) for request in node.seen] == [
        "http://node:8090/wallet/x",
        "http://node:8091/walletsolidity/x",
    ]


async def test_no_key_and_no_path_are_ever_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    url = "https://rpc.example/v2/path-secret"
    endpoint = Endpoint(url, KEY)
    refused = httpx.ConnectError(f"can't reach {url} with {KEY}")
    node = RecordedNode(fault=answering(refused, answer("{}"), answer(KEY, 500)))
    http = httpx.MockTransport(node.handle)
    shown = [repr(endpoint), endpoint.name]
    async with open_transport([endpoint], http=http) as transport:
        line = transport.line(endpoint)
        for _ in range(3):
            try:
                await line.ask(PATH, b"{}", limit_bytes=9)
            except NodeError as error:
                shown += [str(error), repr(error)]
    shown.append(caplog.text)
    assert len(shown) == 7
    assert "rpc.example" in shown[2]
    assert not any("secret" in status for status in shown)


@pytest.mark.parametrize(
    "url",
    [
        "node:8090",
        "ftp://node",
        "http://",
        "http://u:p@node",
        "http://n/?k=1",
        "http://[",
        "http://n:x",
        "http://n/ä",
        "http://n/a b",
        "http://bücher.example",
    ],
)
def test_a_url_that_can_not_be_is_a_fault_of_the_configuration(url: str) -> None:
    with pytest.raises(ConfigError):
        Endpoint(url)


@pytest.mark.parametrize("key", ["", "a\nb", "ключ"])
def test_a_key_that_fits_no_header_is_a_fault_of_the_configuration(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Endpoint("http://node", key)
    assert not key or key not in str(caught.value)


TRANSPORT_ERRORS = [
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.ReadError,
    httpx.ReadTimeout,
    httpx.WriteError,
    httpx.CloseError,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.RemoteProtocolError,
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
]


@pytest.mark.parametrize("kind", TRANSPORT_ERRORS)
async def test_no_exception_of_httpx_gets_through(
    kind: type[httpx.TransportError],
) -> None:
    node = RecordedNode(fault=answering(kind("inner text")))
    with pytest.raises(NodeUnavailable) as caught:
        await ask(node)
    assert "inner text" not in str(caught.value)
    assert isinstance(caught.value.__cause__, kind)


async def test_a_body_that_breaks_is_no_answer() -> None:
    class Breaking(Body):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b'{"block'
            raise httpx.RemoteProtocolError("peer closed")

    body = Breaking([])
    node = RecordedNode(fault=answering(httpx.Response(200, stream=body)))
    with pytest.raises(NodeUnavailable):
        await ask(node)
    assert body.closed


@pytest.mark.parametrize("size", [1000, 1001])
async def test_an_answer_is_read_up_to_its_bound(size: int) -> None:
    pieces = [b"{" + b" " * (size - 2) + b"}"]
    body = Body([pieces[0][:500], pieces[0][500:]])
    node = RecordedNode(fault=answering(httpx.Response(200, stream=body)))
    if size <= 1000:
        assert await ask(node, limit_bytes=1000) == pieces[0]
    else:
        with pytest.raises(AnswerTooLarge, match="1000"):
            await ask(node, limit_bytes=1000)
    assert body.closed


def gzipped(data: bytes, *, cut: int | None = None) -> httpx.Response:
    return httpx.Response(
        200,
        headers={"Content-Encoding": "gzip"},
        stream=Body([gzip.compress(data)[:cut]]),
    )


async def test_a_zipped_answer_is_unzipped_within_the_bound() -> None:
    data = b'{"a":"' + b"x" * 50_000 + b'"}'
    assert await ask(RecordedNode(fault=answering(gzipped(data)))) == data
    bomb = RecordedNode(fault=answering(gzipped(b"{" + b" " * (100 << 20))))
    with pytest.raises(AnswerTooLarge):
        await ask(bomb, limit_bytes=10_000)


@given(st.integers(0, 10_000))
def test_a_zipped_answer_cut_anywhere_is_no_answer(at: int) -> None:
    data = b'{"a":' + bytes(str(list(range(500))), "ascii") + b"}"
    at %= len(gzip.compress(data))
    node = RecordedNode(fault=answering(gzipped(data, cut=at)))
    with pytest.raises(NodeUnavailable):
        trio.run(ask, node)


async def test_damaged_zip_is_no_answer() -> None:
    damaged = httpx.Response(
        200, headers={"Content-Encoding": "gzip"}, stream=Body([b"{}"])
    )
    with pytest.raises(NodeUnavailable, match="damaged"):
        await ask(RecordedNode(fault=answering(damaged)))


async def test_silence_ends_after_the_timeout(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with line_to(RecordedNode(delay_s=11), timeout_s=10) as line:
        await trio.sleep(5)
        started = trio.current_time()
        with pytest.raises(NodeTimeout, match="after 10 s"):
            await line.ask(PATH, b"{}", limit_bytes=99)
        assert trio.current_time() - started == 10


async def test_a_drip_does_not_hold_us_up(
    autojump_clock: trio.testing.MockClock,
) -> None:
    body = Body([b" "] * 1000, pause_s=1)
    node = RecordedNode(fault=answering(httpx.Response(200, stream=body)))
    async with line_to(node, timeout_s=10) as line:
        with pytest.raises(NodeTimeout):
            await line.ask(PATH, b"{}", limit_bytes=9999)
    assert body.closed
    assert trio.current_time() < 11


async def test_a_long_answer_that_comes_steadily_is_waited_for(
    autojump_clock: trio.testing.MockClock,
) -> None:
    pieces = [b"{", *[b" " * SLOWEST_BYTES_PER_S] * 30, b"}"]
    node = RecordedNode(
        fault=answering(httpx.Response(200, stream=Body(pieces, pause_s=1)))
    )
    async with line_to(node, timeout_s=10) as line:
        answer = await line.ask(PATH, b"{}", limit_bytes=32 << 20)
    assert len(answer) == 30 * SLOWEST_BYTES_PER_S + 2
    assert trio.current_time() > 30


async def test_the_callers_deadline_is_not_ours(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with line_to(RecordedNode(delay_s=99), timeout_s=10) as line:
        with pytest.raises(trio.TooSlowError), trio.fail_after(3):
            await line.ask(PATH, b"{}", limit_bytes=99)
        assert trio.current_time() < 4


async def test_no_more_than_eight_requests_are_with_a_node_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    node = RecordedNode(delay_s=2, fault=always(lambda: answer("{}")))
    async with line_to(node, timeout_s=3) as line, trio.open_nursery() as nursery:
        for _ in range(40):
            nursery.start_soon(_ask_small, line)
    # 5 rounds of 2 s: waiting for a turn does not count as the node's time.
    assert trio.current_time() == pytest.approx(10)
    assert node.most_at_once == CONNECTIONS
    assert line.requests == 40


async def _ask_small(line: NodeLine) -> None:
    assert await line.ask(PATH, b"{}", limit_bytes=99) == b"{}"


@pytest.mark.parametrize("after_s", [0, 0.25, 1, 2, 3])
async def test_a_question_can_be_cancelled_anywhere(
    after_s: float, autojump_clock: trio.testing.MockClock
) -> None:
    body = Body([b"{", b"}"], pause_s=1)
    fault = answering(httpx.Response(200, stream=body), answer("{}"))
    node = RecordedNode(delay_s=0.5, fault=fault)
    async with line_to(node) as line:
        with trio.move_on_after(after_s) as scope:
            await line.ask(PATH, b"{}", limit_bytes=99)
        assert scope.cancelled_caught == (after_s < 2.5)
        assert body.closed == (after_s > 0.5)
        assert node.at_once == 0
        # The connection's place is free again.
        async with trio.open_nursery() as nursery:
            for _ in range(CONNECTIONS):
                nursery.start_soon(_ask_anything, line)
    assert node.most_at_once <= CONNECTIONS


async def _ask_anything(line: NodeLine) -> None:
    await line.ask("/wallet/getnodeinfo", b"{}", limit_bytes=1 << 20)


async def test_no_trust_store_is_read_while_all_endpoints_are_plain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[object] = []
    create = httpx.create_ssl_context

    def note() -> ssl.SSLContext:
        made.append(None)
        return create()

    monkeypatch.setattr(httpx, "create_ssl_context", note)
    async with open_transport([Endpoint("http://node")]):
        assert made == []
    solid = Endpoint("http://node", solidity_url="https://node:8091")
    for endpoint in (Endpoint("https://node"), solid):
        made.clear()
        async with open_transport([Endpoint("http://node"), endpoint]):
            assert made == [None]


async def test_over_a_real_socket_an_answer_too_long_leaves_nothing_behind() -> None:
    async def big(_: HttpRequest) -> HttpResponse:
        await trio.lowlevel.checkpoint()
        return HttpResponse(200, b"{" + b" " * (4 << 20) + b"}")

    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(0)
        endpoint = Endpoint(f"http://127.0.0.1:{listener.getsockname()[1]}")
        nursery.start_soon(partial(serve_http, big, [listener], stop=stop, grace_s=1))
        async with open_transport([endpoint]) as transport:
            line = transport.line(endpoint)
            for _ in range(3):
                with pytest.raises(AnswerTooLarge):
                    await line.ask(PATH, b"{}", limit_bytes=100_000)
            assert len(await line.ask(PATH, b"{}", limit_bytes=5 << 20)) > 4 << 20
        stop.set()
    gc.collect()  # an abandoned generator would warn now
