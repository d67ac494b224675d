"""HTTP to the nodes: bytes out, bytes in, and httpx's exceptions stop here.

One connection pool and one TLS context for all endpoints (none while every endpoint
is plain http: making one costs 30 ms). At most eight connections per endpoint, held
back by a limiter: httpcore's own queue takes time in the square of who waits in it.

httpx is used at its transport interface. What its client adds (cookies, redirects,
proxies and keys from the environment, a log line with the URL per request) a node's
client must not have, and it costs a third of the CPU time.
"""

import contextlib
import ssl
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from importlib.metadata import version
from typing import Final

import httpx
import trio
from attrs import define

from lucidtrond.errors import ConfigError, NodeRefused, NodeTimeout, NodeUnavailable
from lucidtrond.node.endpoint import Endpoint
from lucidtrond.node.refusals import refusal_of

CONNECTIONS: Final = 8
"""Per endpoint. A node stops accepting at 50 in all (node.maxHttpConnectNumber)."""
KEEP_ALIVE_S: Final = 15.0
"""Shorter than Jetty's 30 s, so that connections are seldom closed under a request."""
SLOWEST_BYTES_PER_S: Final = 64 * 1024
"""An answer that comes at least this fast is waited for to its end."""
API_KEY_HEADER: Final = "TRON-PRO-API-KEY"

_REASONS: Final[Mapping[type[httpx.TransportError], str]] = {
    httpx.ConnectError: "can't connect",
    httpx.ProtocolError: "the connection was cut, or it speaks no HTTP",
}


class AnswerTooLarge(NodeRefused):
    """The answer is longer than we are ready to hold."""


@define(eq=False)
class NodeLine:
    """The way to one endpoint."""

    endpoint: Endpoint
    _http: httpx.AsyncBaseTransport
    _timeout_s: float
    _urls: tuple[httpx.URL, httpx.URL]
    _headers: Sequence[tuple[str, str]]
    _limiter: trio.CapacityLimiter
    requests: int = 0
    """Sent so far, answered or not."""

    async def ask(
        self, path: str, question: bytes, *, limit_bytes: int, solid: bool = False
    ) -> bytes:
        """Post *question* and give the answer's JSON, not yet decoded.

        Waiting for a free connection is not counted as the node's time.

        Raises:
            NodeUnavailable, NodeTimeout: no answer, or "not now".
            NodeRefused, QuotaSpent: the node or who stands before it says no.
            AnswerTooLarge: more than *limit_bytes*.
        """
        url = self._urls[solid]
        request = httpx.Request(
            "POST",
            url.copy_with(raw_path=url.raw_path.rstrip(b"/") + path.encode()),
            headers=self._headers,
            content=question,
        )
        async with self._limiter:
            started = trio.current_time()
            with trio.move_on_after(self._timeout_s) as scope:
                self.requests += 1
                return await self._exchange(request, scope, limit_bytes)
        after_s = trio.current_time() - started
        raise NodeTimeout(self.endpoint.name, 1, f"no answer after {after_s:.0f} s")

    async def _exchange(
        self, request: httpx.Request, scope: trio.CancelScope, limit_bytes: int
    ) -> bytes:
        name = self.endpoint.name
        try:
            response = await self._http.handle_async_request(request)
            try:
                body = await self._read(response, scope, limit_bytes)
            finally:
                await response.aclose()
        except httpx.TransportError as error:
            raise NodeUnavailable(name, 1, _reason(error)) from error
        refusal = refusal_of(
            name,
            status=response.status_code,
            body=body,
            retry_after=response.headers.get("Retry-After"),
        )
        if refusal is not None:
            raise refusal
        return body

    async def _read(
        self, response: httpx.Response, scope: trio.CancelScope, limit_bytes: int
    ) -> bytes:
        """Collect the body, unzipped; a body that drips does not move the deadline."""
        unzip = None
        if response.headers.get("Content-Encoding", "").lower() == "gzip":
            unzip = zlib.decompressobj(zlib.MAX_WBITS | 16)
        parts: list[bytes] = []
        left = limit_bytes
        async for chunk in response.stream:  # type: ignore[union-attr] # always async here
            scope.deadline += len(chunk) / SLOWEST_BYTES_PER_S
            part = chunk
            if unzip is not None:
                try:
                    # Never more than one byte too many, whatever it unpacks to.
                    part = unzip.decompress(chunk, left + 1)
                except zlib.error:
                    raise NodeUnavailable(
                        self.endpoint.name, 1, "a damaged answer"
                    ) from None
            left -= len(part)
            if left < 0:
                raise AnswerTooLarge(
                    self.endpoint.name, f"an answer of more than {limit_bytes} bytes"
                )
            parts.append(part)
        if unzip is not None and not unzip.eof:
            raise NodeUnavailable(self.endpoint.name, 1, "an answer cut short")
        return b"".join(parts)


@define(eq=False)
class Transport:
    """Makes the lines to endpoints over one connection pool."""

    _http: httpx.AsyncBaseTransport
    _timeout_s: float

    def line(self, endpoint: Endpoint) -> NodeLine:
        """A line of its own, with its own limiter."""
        plain, solid = (_url(each, endpoint.name) for each in endpoint.urls)
        return NodeLine(
            endpoint,
            self._http,
            self._timeout_s,
            (plain, solid),
            _headers(endpoint),
            trio.CapacityLimiter(CONNECTIONS),
        )


@contextlib.asynccontextmanager
async def open_transport(
    endpoints: Sequence[Endpoint],
    *,
    timeout_s: float = 10.0,
    http: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[Transport]:
    """Ready connections to *endpoints*; *timeout_s* bounds one request.

    *http* replaces the network; it is closed here.
    """
    async with http or _network(endpoints) as opened:
        yield Transport(opened, timeout_s)


def _network(endpoints: Sequence[Endpoint]) -> httpx.AsyncHTTPTransport:
    secure = any(url.startswith("https:") for each in endpoints for url in each.urls)
    # The other context trusts nobody: should it meet TLS after all, it refuses.
    context = (
        httpx.create_ssl_context()
        if secure
        else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    )
    connections = CONNECTIONS * max(1, len(endpoints))
    return httpx.AsyncHTTPTransport(
        verify=context,
        limits=httpx.Limits(
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=KEEP_ALIVE_S,
        ),
    )


def _url(url: str, name: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except httpx.InvalidURL:
        raise ConfigError(f"endpoint {name}: not a URL") from None


def _headers(endpoint: Endpoint) -> list[tuple[str, str]]:
    headers = [
        ("Accept", "application/json"),
        ("Accept-Encoding", "gzip"),
        ("Content-Type", "application/json"),
        ("User-Agent", f"lucidtrond/{version('lucidtrond')}"),
    ]
    if endpoint.api_key is not None:
        headers.append((API_KEY_HEADER, endpoint.api_key))
    return headers


def _reason(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.ConnectError) and "CERTIFICATE" in str(error):
        return "its TLS certificate is not accepted"
    for kind, reason in _REASONS.items():
        if isinstance(error, kind):
            return reason
    return "the connection broke"
