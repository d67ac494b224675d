"""HTTP without TLS over real sockets: framing, connections that are kept, damage."""

import contextlib
import socket
from collections.abc import AsyncIterator
from functools import partial
from itertools import pairwise

import pytest
import trio
import trio.testing
from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.errors import NodeUnavailable
from lucidtrond.node.transport.http_plain import (
    KEEP_ALIVE_S,
    OVERHEAD_BYTES,
    PlainTransport,
)
from lucidtrond.node.transport.protocol import Reply

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"1\r\n{\r\n1;x=y\r\n}\r\n0\r\n\r\n"
)
UNTIL_THE_END = b"HTTP/1.0 200 OK\r\n\r\n{}"


@define
class Taken:
    encoding: str | None = None
    body: bytes = b""

    def begin(self, encoding: str) -> None:
        self.encoding = encoding

    def take(self, chunk: bytes) -> None:
        self.body += chunk


@define(eq=False)
class Peer:
    """Answers each request with the next of *answers*, in pieces; None: closes."""

    answers: list[list[bytes] | None]
    requests: list[bytes] = field(factory=list)
    connections: int = 0

    async def serve(self, stream: trio.SocketStream) -> None:
        self.connections += 1
        with contextlib.suppress(trio.BrokenResourceError):
            while await self._request(stream):
                pieces = self.answers.pop(0)
                if pieces is None:
                    break
                for piece in pieces:
                    await stream.send_all(piece)
                    await trio.testing.wait_all_tasks_blocked(0.001)
                if not pieces or not pieces[-1]:
                    break
        await stream.aclose()

    async def _request(self, stream: trio.SocketStream) -> bool:
        data = b""
        while b"\r\n\r\n" not in data or not data.endswith(b"}"):
            piece = await stream.receive_some()
            if not piece:
                return False
            data += piece
        self.requests.append(data)
        return True


@contextlib.asynccontextmanager
async def way_to(peer: Peer, base: str = "") -> AsyncIterator[PlainTransport]:
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(
            partial(trio.serve_tcp, peer.serve, 0, host="127.0.0.1")
        )
        port = listeners[0].socket.getsockname()[1]
        way = PlainTransport("n", f"http://127.0.0.1:{port}{base}", [("Accept", "a/b")])
        yield way
        way.close()
        nursery.cancel_scope.cancel()


async def ask(*answers: list[bytes] | None, times: int = 1) -> tuple[list[bytes], Peer]:
    peer = Peer(list(answers))
    bodies = []
    async with way_to(peer) as way:
        for _ in range(times):
            taken = Taken()
            await way.post("/wallet/x", b"{}", taken)
            bodies.append(taken.body)
    return bodies, peer


async def test_a_request_is_written_at_once_and_as_http_wants_it() -> None:
    peer = Peer([[WHOLE]])
    async with way_to(peer, base="/base/") as way:
        taken = Taken()
        assert await way.post("/wallet/x", b'{"a":1}', taken) == Reply(200)
    [request] = peer.requests
    head, _, body = request.partition(b"\r\n\r\n")
    first, *fields = head.decode().split("\r\n")
    assert first == "POST /base/wallet/x HTTP/1.1"
    assert fields[0].startswith("Host: 127.0.0.1:")
    assert fields[1:] == ["Accept: a/b", "Content-Length: 7"]
    assert body == b'{"a":1}'
    assert taken == Taken("", b"{}")


async def test_what_the_head_tells_is_told() -> None:
    head = b"HTTP/1.1 429 \r\nRETRY-AFTER: 7\r\nContent-encoding: gzip\r\ndate: x\r\n"
    peer = Peer([[head + b"Content-Length: 0\r\n\r\n"]])
    async with way_to(peer) as way:
        taken = Taken()
        assert await way.post("/", b"{}", taken) == Reply(429, "7", "x")
    assert taken == Taken("gzip", b"")


@pytest.mark.parametrize("answer", [WHOLE, CHUNKED, UNTIL_THE_END])
@given(st.lists(st.integers(0, 90), max_size=6))
@settings(max_examples=20, deadline=None)
def test_an_answer_is_the_same_in_whatever_pieces_it_comes(
    answer: bytes, cuts: list[int]
) -> None:
    at = sorted({0, *(min(cut, len(answer)) for cut in cuts), len(answer)})
    pieces = [answer[a:b] for a, b in pairwise(at)]
    if answer is UNTIL_THE_END:
        pieces.append(b"")
    bodies, _ = trio.run(ask, pieces)
    assert bodies == [b"{}"]


async def test_a_connection_is_kept_and_used_again() -> None:
    bodies, peer = await ask([WHOLE], [CHUNKED], [WHOLE], times=3)
    assert bodies == [b"{}"] * 3
    assert peer.connections == 1


@pytest.mark.parametrize(
    "first",
    [
        [UNTIL_THE_END, b""],
        [WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")],
        [WHOLE + b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnot"],
        [WHOLE, b"unasked"],
        [WHOLE, b""],
    ],
    ids=["ends", "says close", "answers twice", "says more", "closes"],
)
async def test_a_connection_that_is_not_fit_for_another_request_is_left(
    first: list[bytes],
) -> None:
    peer = Peer([first, [WHOLE]])
    async with way_to(peer) as way:
        for _ in range(2):
            taken = Taken()
            await way.post("/", b"{}", taken)
            assert taken.body == b"{}"
            await trio.testing.wait_all_tasks_blocked(0.01)
    assert peer.connections == 2


async def test_a_connection_that_was_idle_for_long_is_left(
    autojump_clock: trio.testing.MockClock,
) -> None:
    peer = Peer([[WHOLE], [WHOLE]])
    autojump_clock.autojump_threshold = 0.05
    async with way_to(peer) as way:
        await way.post("/", b"{}", Taken())
        await trio.sleep(KEEP_ALIVE_S + 1)
        await way.post("/", b"{}", Taken())
    assert peer.connections == 2


async def test_requests_at_once_have_a_connection_each() -> None:
    peer = Peer([[WHOLE]] * 5)
    async with way_to(peer) as way:
        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(way.post, "/", b"{}", Taken())
        assert peer.connections == 5


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [WHOLE[:-1], b""],
        [CHUNKED[:-3], b""],
        [WHOLE[:20], b""],
        [b"SSH-2.0-OpenSSH_9\r\n"],
        [b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\n{}"],
        [b"HTTP/1.1 200 OK\r\nX: " + b"x" * OVERHEAD_BYTES + b"\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * OVERHEAD_BYTES],
    ],
)
async def test_what_is_no_answer_is_no_answer(answer: list[bytes] | None) -> None:
    peer = Peer([answer, [WHOLE]])
    async with way_to(peer) as way:
        with pytest.raises(NodeUnavailable, match=r"n: the connection (was cut|broke)"):
            await way.post("/", b"{}", Taken())
        await way.post("/", b"{}", Taken())  # over a new one
    assert peer.connections == 2


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_whatever_comes_is_an_answer_or_none(garbage: bytes) -> None:
    async def asked() -> None:
        async with way_to(Peer([[garbage, b""]])) as way:
            with contextlib.suppress(NodeUnavailable):
                await way.post("/", b"{}", Taken())

    trio.run(asked)


async def test_an_early_hint_is_not_the_answer() -> None:
    hint = (
        b"HTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\nContent-Encoding: gzip\r\n\r\n"
    )
    peer = Peer([[hint, WHOLE], [hint + WHOLE]])
    async with way_to(peer) as way:
        for _ in range(2):
            taken = Taken()
            assert (await way.post("/", b"{}", taken)).status == 200
            assert taken.body == b"{}"
    assert peer.connections == 1


async def test_nobody_there_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    way = PlainTransport("n", f"http://127.0.0.1:{port}", [])
    with pytest.raises(NodeUnavailable, match="can't connect"):
        await way.post("/", b"{}", Taken())


async def test_who_is_cancelled_leaves_no_connection_in_use() -> None:
    peer = Peer([[WHOLE[:-1]], [WHOLE]])
    async with way_to(peer) as way:
        with trio.move_on_after(0.05) as scope:
            await way.post("/", b"{}", Taken())
        assert scope.cancelled_caught
        taken = Taken()
        await way.post("/", b"{}", taken)
        assert taken.body == b"{}"
    assert peer.connections == 2
