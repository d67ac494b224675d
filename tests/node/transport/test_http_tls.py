"""TLS to a node over a real socket: who is trusted, and who is not."""

import contextlib
import ssl
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import trio

from lucidtrond.errors import NodeUnavailable
from lucidtrond.node.endpoint import Endpoint
from lucidtrond.node.transport.line import open_transport

TLS = Path(__file__).parents[2] / "data" / "tls"
"""Of nobody but these tests; for ``localhost``, until 2126."""
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"a": 1}'


async def answer(stream: trio.SSLStream[trio.SocketStream]) -> None:
    with contextlib.suppress(trio.BrokenResourceError):
        while await stream.receive_some(65_536):
            await stream.send_all(ANSWER)


@contextlib.asynccontextmanager
async def endpoint() -> AsyncIterator[Endpoint]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")
    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_ssl_over_tcp, answer, 0, context, host="127.0.0.1")
        [listener] = await nursery.start(serve)
        port = listener.transport_listener.socket.getsockname()[1]
        yield Endpoint(f"https://localhost:{port}/base")
        nursery.cancel_scope.cancel()


async def ask() -> bytes:
    async with endpoint() as node, open_transport([node]) as transport:
        line = transport.line(node)
        for _ in range(2):
            answer = await line.ask("/wallet/x", b"{}", limit_bytes=100)
        return answer


async def test_a_certificate_that_nobody_vouches_for_is_named_as_the_reason() -> None:
    with pytest.RaisesGroup(NodeUnavailable) as caught:
        await ask()
    [error] = caught.value.exceptions
    assert "its TLS certificate is not accepted" in str(error)


async def test_who_is_vouched_for_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "certificate.pem"))
    assert await ask() == b'{"a": 1}'
