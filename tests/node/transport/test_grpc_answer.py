"""A gRPC response in whatever pieces it arrives, and bytes that are no HTTP/2."""

import contextlib
from itertools import pairwise

import pytest
import trio.testing
from h2.config import H2Configuration
from h2.connection import H2Connection
from hyperframe.frame import Frame
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.errors import NodeError, NodeUnavailable
from lucidtrond.node.transport.grpc import GrpcConnection, GrpcTransport
from lucidtrond.node.transport.grpc_answer import GrpcAnswer, prefixed
from tests.node.transport.grpc_peer import HEAD, OK, Taken

HEAD_BYTES = [(name.encode(), value.encode()) for name, value in HEAD]
OK_BYTES = [(name.encode(), value.encode()) for name, value in OK]

REQUEST = [
    (":method", "POST"),
    (":path", "/"),
    (":scheme", "http"),
    (":authority", "n"),
]


def response(message: bytes) -> bytes:
    """What a right server sends to the first request of a connection."""
    client = H2Connection(H2Configuration(client_side=True))
    client.initiate_connection()
    client.send_headers(1, REQUEST)
    server = H2Connection(H2Configuration(client_side=False))
    server.initiate_connection()
    server.receive_data(client.data_to_send())
    server.send_headers(1, HEAD)
    server.send_data(1, prefixed(message))
    server.send_headers(1, OK, end_stream=True)
    written: bytes = server.data_to_send()
    return written


class OverOne(GrpcTransport):
    """A transport whose every connection is *stream*."""

    stream: trio.abc.Stream

    async def _connect(self) -> GrpcConnection:
        await trio.lowlevel.checkpoint()
        return GrpcConnection(self.stream, lambda: None)


def read(*pieces: bytes) -> bytes:
    """The message of what arrives in such pieces, after which the peer closes.

    Raises NodeError and nothing else.
    """

    async def run() -> bytes:
        way = OverOne("n", "http://n", [])
        way.stream, theirs = trio.testing.memory_stream_pair()
        taken = Taken()
        for piece in pieces:
            await theirs.send_all(piece)
        await theirs.send_eof()
        await way.post("/s/m", b"q", taken)
        return taken.message

    return trio.run(run)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    at = sorted({0, *(min(place, len(data)) for place in places), len(data)})
    return [data[a:b] for a, b in pairwise(at)]


@given(st.binary(max_size=40), st.lists(st.integers(0, 200), max_size=8))
@settings(max_examples=100, deadline=None)
def test_a_message_is_the_same_in_whatever_pieces_it_arrives(
    message: bytes, places: list[int]
) -> None:
    answer, taken = GrpcAnswer("n", sink := Taken()), sink
    answer.take_head(HEAD_BYTES)
    for piece in cut(prefixed(message), places):
        answer.take_data(piece)
    answer.take_trailers(OK_BYTES)
    answer.finish()
    assert taken.message == message
    assert read(*cut(response(message), places)) == message


@given(st.binary(max_size=40), st.data())
@settings(max_examples=100, deadline=None)
def test_what_ends_early_is_an_unavailable_node(
    message: bytes, data: st.DataObject
) -> None:
    whole = response(message)
    size = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(NodeUnavailable):
        read(whole[:size])


def try_to_read(data: bytes) -> None:
    with contextlib.suppress(NodeError):
        read(data)


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    try_to_read(data)


FRAMES = st.builds(
    lambda kind, flags, stream, body: (
        len(body).to_bytes(3, "big")
        + bytes([kind, flags])
        + stream.to_bytes(4, "big")
        + body
    ),
    kind=st.integers(0, 12),
    flags=st.integers(0, 255),
    stream=st.sampled_from([0, 1, 2, 3, 2**31 - 1]),
    body=st.binary(max_size=40),
)


@given(st.lists(FRAMES, max_size=12))
@settings(max_examples=400, deadline=None)
def test_no_frames_raise_anything_else(frames: list[bytes]) -> None:
    try_to_read(b"".join(frames))


@given(st.binary(max_size=40), st.data())
@settings(max_examples=400, deadline=None)
def test_no_change_of_a_right_response_raises_anything_else(
    message: bytes, data: st.DataObject
) -> None:
    whole = bytearray(response(message))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place] = data.draw(st.integers(0, 255))
    try_to_read(bytes(whole))


@given(st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=30)), max_size=6))
@settings(max_examples=200, deadline=None)
def test_no_headers_raise_anything_else(pairs: list[tuple[bytes, bytes]]) -> None:
    for names in ([], [b":status"], [b"grpc-status"], [b"grpc-message"]):
        answer = GrpcAnswer("n", Taken())
        named = [(name, value) for name, (_, value) in zip(names, pairs, strict=False)]
        try:
            answer.take_head([*HEAD_BYTES, *named])
            answer.take_trailers([*pairs, *named])
            answer.finish()
        except NodeError:
            continue


def test_frames_are_written_as_hyperframe_reads_them() -> None:
    """So that the property above is about frames at all."""
    frame, size = Frame.parse_frame_header(memoryview(response(b"x"))[:9])
    assert frame.type in range(13)
    assert size
