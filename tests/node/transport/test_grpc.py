"""gRPC over real sockets: what is a response, and all that is none."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from h2.errors import ErrorCodes
from h2.exceptions import DenialOfServiceError
from h2.settings import SettingCodes
from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
)

from lucidtrond.errors import (
    NodeError,
    NodeRefused,
    NodeTimeout,
    NodeUnavailable,
)
from lucidtrond.node.health.errors import SlowDown
from lucidtrond.node.transport.grpc import (
    HEADER_LIST_BYTES,
    PLAIN_PORT,
    WINDOW_BYTES,
    GrpcTransport,
)
from lucidtrond.node.transport.http_plain import KEEP_ALIVE_S, OVERHEAD_BYTES
from lucidtrond.node.transport.protocol import Reply
from tests.node.transport.grpc_peer import (
    HEAD,
    OK,
    Answer,
    Exchange,
    Peer,
    Taken,
    answering,
    ask,
    prefixed,
    way_to,
)

TLS = Path(__file__).parents[2] / "data" / "tls"
WHOLE = answering(prefixed(b"hello"))


async def failure(*answers: Answer) -> NodeError:
    peer = Peer(list(answers))
    async with way_to(peer) as way:
        with pytest.raises(NodeError) as caught:
            await way.post("/s/m", b"q", Taken())
    return caught.value


async def test_a_request_is_what_grpc_wants_of_it() -> None:
    peer = Peer([WHOLE])
    async with way_to(peer, metadata=[("tron-pro-api-key", "k")]) as way:
        taken = Taken()
        assert await way.post("/protocol.Wallet/X", b"q", taken) == Reply(200)
    [request] = peer.requests
    authority = request.headers.pop(b":authority")
    assert authority.startswith(b"localhost:")
    assert request.headers == {
        b":method": b"POST",
        b":scheme": b"http",
        b":path": b"/protocol.Wallet/X",
        b"content-type": b"application/grpc",
        b"te": b"trailers",
        b"tron-pro-api-key": b"k",
    }
    assert request.body == prefixed(b"q")
    assert taken == Taken(b"hello", expected=5, begun=1)


async def test_a_message_may_be_empty() -> None:
    messages, _ = await ask(answering(prefixed(b"")))
    assert messages == [b""]


async def test_one_connection_serves_what_is_asked_one_after_the_other() -> None:
    messages, peer = await ask(*[WHOLE] * 3, times=3)
    assert messages == [b"hello"] * 3
    assert peer.connections == 1
    assert [request.stream_id for request in peer.requests] == [1, 3, 5]


async def test_what_is_asked_at_once_has_connections_of_its_own() -> None:
    both_there = trio.Event()

    async def wait(exchange: Exchange) -> None:
        if len(peer.requests) == 2:
            both_there.set()
        await both_there.wait()
        await exchange.respond(prefixed(b"x"))

    peer = Peer([wait, wait])
    async with way_to(peer) as way, trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(way.post, "/s/m", b"", Taken())
    assert peer.connections == 2


async def test_a_message_larger_than_all_windows_arrives_whole() -> None:
    message = bytes(range(256)) * 4096 * 5
    assert len(message) > 4 * WINDOW_BYTES
    messages, peer = await ask(answering(prefixed(message)), WHOLE, times=2)
    assert messages == [message, b"hello"]
    assert peer.connections == 1


@pytest.mark.parametrize("room", [0, 2, 3])
async def test_a_request_waits_for_the_room_that_the_peer_gives(room: int) -> None:
    peer = Peer([WHOLE, WHOLE], {SettingCodes.INITIAL_WINDOW_SIZE: 3}, room=room)
    async with way_to(peer) as way:
        # These settings arrive after the first request was sent.
        await way.post("/s/m", b"q", Taken())
        second = Taken()
        with trio.move_on_after(0.3) as scope:
            await way.post("/s/m", b"q", second)
    enough = 3 + room >= len(prefixed(b"q"))
    assert scope.cancelled_caught is not enough
    assert second.message == (b"hello" if enough else b"")
    assert peer.connections == 1


# Statuses


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (1, NodeUnavailable),
        (2, NodeUnavailable),
        (3, NodeRefused),
        (4, NodeTimeout),
        (5, NodeRefused),
        (7, NodeRefused),
        (8, SlowDown),
        (12, NodeRefused),
        (13, NodeUnavailable),
        (14, NodeUnavailable),
        (16, NodeRefused),
        (17, NodeRefused),
        (999, NodeRefused),
    ],
)
@pytest.mark.parametrize("has_message", [True, False])
async def test_a_status_that_is_not_0_is_an_error(
    status: int,
    kind: type[NodeError],
    has_message: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    body = prefixed(b"hello") if has_message else b""
    trailers = (("grpc-status", str(status)), ("grpc-message", "a%20b%0Ac%FF"))
    error = await failure(answering(body, trailers))
    assert type(error) is kind
    if status in (2, 3, 17):
        assert "a b c\N{REPLACEMENT CHARACTER}" in str(error)


async def test_an_error_may_come_as_headers_alone() -> None:
    async def refuse(exchange: Exchange) -> None:
        head = (*HEAD, ("grpc-status", "3"), ("grpc-message", "why"))
        exchange.connection.send_headers(exchange.stream_id, head, end_stream=True)
        await exchange.flush()

    assert "INVALID_ARGUMENT: why" in str(await failure(refuse))


async def test_after_a_status_the_connection_is_used_again() -> None:
    bad = answering(b"", (("grpc-status", "13"),))
    peer = Peer([bad, WHOLE])
    async with way_to(peer) as way:
        with pytest.raises(NodeUnavailable):
            await way.post("/s/m", b"q", Taken())
        await way.post("/s/m", b"q", Taken())
    assert peer.connections == 1


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (answering(prefixed(b"hello"), None), "without status"),
        (answering(prefixed(b"hello"), (("x", "y"),)), "without status"),
        (answering(prefixed(b"hello"), None, head=(*HEAD, *OK)), "without status"),
        (answering(b"", None, head=(*HEAD, *OK)), "without a whole message"),
        (
            answering(prefixed(b"hello"), (("x", "y"),), head=(*HEAD, *OK)),
            "without status",
        ),
        (
            answering(prefixed(b"hello"), (*OK, ("grpc-status", "0"))),
            "gRPC: status 0, 0",
        ),
        (answering(prefixed(b"hello"), (("grpc-status", "+0"),)), "gRPC: status +0"),
        (answering(prefixed(b"hello"), (("grpc-status", ""),)), "gRPC: status"),
        (answering(b""), "without a whole message"),
        (answering(prefixed(b"hello")[:3]), "without a whole message"),
        (answering(prefixed(b"hello", size=6)), "without a whole message"),
        (answering(prefixed(b"hello", flag=1)), "a compressed message"),
        (answering(prefixed(b"hello", flag=2)), "a compressed message"),
        (answering(prefixed(b"hello") * 2), "more than one message"),
        (answering(prefixed(b"hello", size=4)), "more than one message"),
        (
            answering(prefixed(b"x"), head=(HEAD[0], ("content-type", "text/html"))),
            "another content type",
        ),
        (answering(prefixed(b"x"), head=HEAD[:1]), "another content type"),
    ],
)
async def test_whatever_is_not_one_whole_message_with_status_0_is_an_error(
    answer: Answer, text: str
) -> None:
    assert text in str(await failure(answer))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("429", SlowDown),
        ("503", SlowDown),
        ("502", NodeUnavailable),
        ("401", NodeRefused),
        ("404", NodeRefused),
    ],
)
async def test_a_gateway_answers_in_http(status: str, kind: type[NodeError]) -> None:
    head = ((":status", status), ("content-type", "text/html"), ("retry-after", "7"))
    error = await failure(answering(b"<html>", head=head))
    assert type(error) is kind
    if isinstance(error, NodeUnavailable):
        assert error.retry_after_s == 7


async def test_informational_headers_are_no_response() -> None:
    async def hint(exchange: Exchange) -> None:
        exchange.connection.send_headers(exchange.stream_id, [(":status", "103")])
        await exchange.respond(prefixed(b"x"))

    messages, _ = await ask(hint)
    assert messages == [b"x"]


# Connections that end


async def goaway_at_rest(exchange: Exchange) -> None:
    await exchange.respond(prefixed(b"x"))
    exchange.connection.close_connection()
    await exchange.flush()


async def close_at_rest(exchange: Exchange) -> None:
    await exchange.respond(prefixed(b"x"))
    await exchange.stream.aclose()


@pytest.mark.parametrize("end", [goaway_at_rest, close_at_rest])
async def test_a_kept_connection_that_was_ended_is_replaced(end: Answer) -> None:
    messages, peer = await ask(end, WHOLE, times=2)
    assert messages == [b"x", b"hello"]
    assert peer.connections == 2


async def goaway_instead(exchange: Exchange) -> None:
    exchange.connection.close_connection(last_stream_id=1)
    await exchange.flush()


async def refuse_stream(exchange: Exchange) -> None:
    code = ErrorCodes.REFUSED_STREAM
    exchange.connection.reset_stream(exchange.stream_id, code)
    await exchange.flush()


@pytest.mark.parametrize("end", [goaway_instead, refuse_stream])
async def test_a_request_that_a_kept_connection_ends_under_is_sent_again(
    end: Answer,
) -> None:
    messages, peer = await ask(WHOLE, end, WHOLE, times=2)
    assert messages == [b"hello"] * 2
    assert peer.connections == 2


@pytest.mark.parametrize("end", [goaway_instead, refuse_stream])
async def test_over_a_new_connection_it_is_not_sent_again(end: Answer) -> None:
    peer = Peer([end, WHOLE])
    async with way_to(peer) as way:
        with pytest.raises(NodeUnavailable):
            await way.post("/s/m", b"q", Taken())
    assert len(peer.requests) == 1


def partly(end: Callable[[Exchange], None]) -> Answer:
    async def answer(exchange: Exchange) -> None:
        exchange.connection.send_headers(exchange.stream_id, HEAD)
        exchange.connection.send_data(exchange.stream_id, prefixed(b"hello")[:7])
        end(exchange)
        await exchange.flush()
        await exchange.stream.aclose()

    return answer


def reset(exchange: Exchange) -> None:
    exchange.connection.reset_stream(exchange.stream_id, ErrorCodes.INTERNAL_ERROR)


def go_away(exchange: Exchange) -> None:
    exchange.connection.close_connection(last_stream_id=exchange.stream_id)


@pytest.mark.parametrize("end", [reset, go_away, lambda _: None])
async def test_what_began_to_respond_is_not_asked_again(
    end: Callable[[Exchange], None],
) -> None:
    peer = Peer([WHOLE, partly(end), WHOLE])
    async with way_to(peer) as way:
        await way.post("/s/m", b"q", Taken())
        with pytest.raises(NodeUnavailable):
            await way.post("/s/m", b"q", Taken())
    assert len(peer.requests) == 2


async def test_a_peer_that_wants_calm_is_asked_less() -> None:
    async def calm(exchange: Exchange) -> None:
        code = ErrorCodes.ENHANCE_YOUR_CALM
        exchange.connection.reset_stream(exchange.stream_id, code)
        await exchange.flush()

    assert isinstance(await failure(calm), SlowDown)


async def test_nobody_there_is_an_unavailable_node() -> None:
    with trio.socket.socket() as free:
        await free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        way = GrpcTransport("n", f"http://127.0.0.1:{port}", [])
        with pytest.raises(NodeUnavailable, match="can't connect"):
            await way.post("/s/m", b"q", Taken())


def test_the_port_of_a_node_is_assumed() -> None:
    assert GrpcTransport("n", "http://node", [])._port == PLAIN_PORT
    assert GrpcTransport("n", "https://node", [])._port == 443


async def test_who_stops_waiting_leaves_no_connection_behind() -> None:
    closed = trio.Event()

    async def black_hole(exchange: Exchange) -> None:
        await exchange.flush()
        while await exchange.stream.receive_some():
            pass
        closed.set()

    peer = Peer([black_hole, WHOLE])
    async with way_to(peer) as way:
        with trio.move_on_after(0.05) as scope:
            await way.post("/s/m", b"q", Taken())
        assert scope.cancelled_caught
        with trio.fail_after(5):
            await closed.wait()
        assert not way._kept
        await way.post("/s/m", b"q", Taken())
    assert peer.connections == 2


async def test_a_connection_that_rested_for_long_is_not_used_again() -> None:
    peer = Peer([WHOLE, WHOLE])
    async with way_to(peer) as way:
        await way.post("/s/m", b"q", Taken())
        [kept] = way._kept
        kept.kept_at -= KEEP_ALIVE_S + 1
        await way.post("/s/m", b"q", Taken())
    assert peer.connections == 2


# Bounds


def frame(kind: Frame, *flags: str) -> bytes:
    for flag in flags:
        kind.flags.add(flag)
    written: bytes = kind.serialize()
    return written


def flooding(make: Callable[[int], bytes], times: int, *, after_head: bool) -> Answer:
    """Sends the same frame over and over; stops when nobody takes it any more."""

    async def answer(exchange: Exchange) -> None:
        if after_head:
            exchange.connection.send_headers(exchange.stream_id, HEAD)
        await exchange.flush()
        piece = make(exchange.stream_id)
        for _ in range(times):
            await exchange.stream.send_all(piece)
        sent.append(times)
        await exchange.stream.aclose()

    sent: list[int] = []
    return answer


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda _: frame(PingFrame(0)), id="pings"),
        pytest.param(lambda at: frame(DataFrame(at)), id="empty data"),
        pytest.param(
            lambda at: frame(HeadersFrame(at, b"\x00\x01a\x01b")), id="headers"
        ),
        pytest.param(
            lambda _: b"\x00\x40\x00\xfa\x00\x00\x00\x00\x01" + bytes(16384),
            id="unknown frames",
        ),
    ],
)
@pytest.mark.parametrize("after_head", [True, False])
async def test_frames_without_content_are_read_up_to_a_bound(
    make: Callable[[int], bytes],
    after_head: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    times = 40 * OVERHEAD_BYTES // len(make(1))
    peer = Peer([flooding(make, times, after_head=after_head)])
    async with way_to(peer) as way:
        with trio.fail_after(20), pytest.raises(NodeUnavailable):
            await way.post("/s/m", b"q", Taken())


async def test_continuations_are_read_up_to_a_bound() -> None:
    read = 0

    async def flood(exchange: Exchange) -> None:
        nonlocal read
        await exchange.raw(frame(HeadersFrame(exchange.stream_id)))
        for _ in range(100_000):
            piece = frame(ContinuationFrame(exchange.stream_id, bytes(1000)))
            await exchange.stream.send_all(piece)
            read += 1

    peer = Peer([flood])
    async with way_to(peer) as way:
        with pytest.raises(NodeUnavailable):
            await way.post("/s/m", b"q", Taken())
    assert read < 20_000, "the connection was closed under it"


async def test_headers_that_unpack_to_more_than_the_bound_are_refused() -> None:
    # HPACK: one large field into the table, then one byte for each repetition.
    large = [("a", "v" * 4000)] * (2 * HEADER_LIST_BYTES // 4000)
    packed = Encoder().encode([*HEAD, *large])
    assert len(packed) < HEADER_LIST_BYTES / 4

    async def bomb(exchange: Exchange) -> None:
        await exchange.raw(
            frame(HeadersFrame(exchange.stream_id, packed), "END_HEADERS")
        )
        await trio.sleep_forever()

    with trio.fail_after(10):
        error = await failure(bomb)
    assert isinstance(error, NodeUnavailable)
    causes: list[BaseException | None] = [error]
    while causes[-1] is not None:
        causes.append(causes[-1].__cause__)
    assert any(isinstance(cause, DenialOfServiceError) for cause in causes)


async def test_what_is_too_long_for_its_taker_is_refused_before_it_is_read() -> None:
    class Refusing(Taken):
        def expect(self, size: int) -> None:
            raise NodeRefused("n", f"{size} bytes")

    peer = Peer([answering(prefixed(b"abc", size=2**32 - 1))])
    async with way_to(peer) as way:
        taken = Refusing()
        with pytest.raises(NodeRefused, match="4294967295 bytes"):
            await way.post("/s/m", b"q", taken)
    assert not taken.message


async def test_a_goaway_that_comes_while_at_rest_does_not_lose_the_next_one() -> None:
    async def end(exchange: Exchange) -> None:
        await exchange.respond(prefixed(b"x"))
        await exchange.raw(GoAwayFrame(0, last_stream_id=2**31 - 1).serialize())

    # The node may still have read the request that it does not answer.
    messages, peer = await ask(end, WHOLE, WHOLE, times=2)
    assert messages == [b"x", b"hello"]
    assert peer.connections == 2


# TLS


def server_context(*protocols: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


async def ask_by_tls(context: ssl.SSLContext, times: int = 1) -> Peer:
    peer = Peer([WHOLE] * times)
    async with way_to(peer, server_tls=context) as way:
        for _ in range(times):
            taken = Taken()
            await way.post("/s/m", b"q", taken)
            assert taken.message == b"hello"
    return peer


async def test_tls_is_spoken_with_a_node_that_is_vouched_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "certificate.pem"))
    peer = await ask_by_tls(server_context("h2", "http/1.1"), times=2)
    assert peer.connections == 1
    assert peer.requests[0].headers[b":scheme"] == b"https"


async def test_a_certificate_that_nobody_vouches_for_is_named_as_the_reason() -> None:
    with pytest.RaisesGroup(NodeUnavailable) as caught:
        await ask_by_tls(server_context("h2"))
    assert "its TLS certificate is not accepted" in str(caught.value.exceptions[0])


async def test_tls_without_http_2_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "certificate.pem"))
    with pytest.RaisesGroup(NodeUnavailable) as caught:
        await ask_by_tls(server_context("http/1.1"))
    assert "not HTTP/2" in str(caught.value.exceptions[0])
