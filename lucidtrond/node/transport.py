"""HTTP to the nodes: bytes out, bytes in, and httpx's exceptions stop here.

One connection pool and one TLS context for all endpoints (none while every endpoint
is plain http: making one costs 30 ms). At most eight connections per endpoint for
questions, held back by a limiter: httpcore's own queue takes time in the square of who
waits in it. Two more are for what is urgent (`Lane.URGENT`: payments, and the question
which network it is): they never wait behind questions, however many these are.

httpx is used at its transport interface. What its client adds (cookies, redirects,
proxies and keys from the environment, a log line with the URL per request) a node's
client must not have, and it costs a third of the CPU time.
"""

import contextlib
import enum
import ssl
import zlib
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Callable,
    Mapping,
    Sequence,
)
from importlib.metadata import version
from typing import Any, Final, cast

import httpx
import trio
from attrs import define, field

from lucidtrond.errors import (
    ConfigError,
    NodeError,
    NodeRefused,
    NodeTimeout,
    NodeUnavailable,
)
from lucidtrond.node.endpoint import Endpoint
from lucidtrond.node.gate import Gate, system_ms
from lucidtrond.node.refusals import refusal_of

CONNECTIONS: Final = 8
"""Per endpoint. A node stops accepting at 50 in all (node.maxHttpConnectNumber)."""
URGENT_CONNECTIONS: Final = 2
"""Per endpoint, beside those."""
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


class Lane(enum.Enum):
    """Which of an endpoint's connections a request may use."""

    QUESTIONS = enum.auto()
    URGENT = enum.auto()


@define(eq=False)
class NodeLine:
    """The way to one endpoint."""

    endpoint: Endpoint
    _http: httpx.AsyncBaseTransport
    _timeout_s: float
    _urls: tuple[httpx.URL, httpx.URL]
    _headers: Sequence[tuple[str, str]]
    gate: Gate
    _limiters: Mapping[Lane, trio.CapacityLimiter] = field(
        factory=lambda: {
            Lane.QUESTIONS: trio.CapacityLimiter(CONNECTIONS),
            Lane.URGENT: trio.CapacityLimiter(URGENT_CONNECTIONS),
        }
    )
    requests: int = 0
    """Sent so far, answered or not."""

    @property
    def waiting(self) -> int:
        """Questions that wait for a connection."""
        return self._limiters[Lane.QUESTIONS].statistics().tasks_waiting

    async def ask(
        self,
        path: str,
        question: bytes,
        *,
        limit_bytes: int,
        solid: bool = False,
        lane: Lane = Lane.QUESTIONS,
    ) -> bytes:
        """Post *question* and give the answer's JSON, not yet decoded.

        Waiting for a free connection is not counted as the node's time.

        Raises:
            NodeUnavailable, NodeTimeout: no answer, or "not now".
            NotAsked, BudgetSpent: we did not ask.
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
        async with self._limiters[lane]:
            wait_s, probe = self.gate.enter(urgent=lane is Lane.URGENT)
            try:
                if wait_s:
                    await trio.sleep(wait_s)
                return await self._timed(request, limit_bytes)
            finally:
                self.gate.leave(probe=probe)

    async def _timed(self, request: httpx.Request, limit_bytes: int) -> bytes:
        body = _Body(self.endpoint.name, limit_bytes)
        started = trio.current_time()
        with trio.move_on_after(self._timeout_s) as scope:
            self.requests += 1
            whole = await self._exchange(request, scope, body)
            self.gate.note_latency(trio.current_time() - started)
            return whole
        if body.refusal is not None:
            raise body.refusal
        after_s = trio.current_time() - started
        raise NodeTimeout(self.endpoint.name, 1, f"no answer after {after_s:.0f} s")

    async def _exchange(
        self, request: httpx.Request, scope: trio.CancelScope, body: "_Body"
    ) -> bytes:
        name = self.endpoint.name
        try:
            response = await self._http.handle_async_request(request)
            try:
                if response.headers.get("Content-Encoding", "").lower() == "gzip":
                    body.unzip()
                await _collect(response, scope, body)
            finally:
                await response.aclose()
        except httpx.TransportError as error:
            raise NodeUnavailable(name, 1, _reason(error)) from error
        whole = body.whole()
        refusal = refusal_of(
            name,
            status=response.status_code,
            body=whole,
            retry_after=response.headers.get("Retry-After"),
        )
        if refusal is not None:
            raise refusal
        return whole


@define(eq=False)
class _Body:
    """An answer's bytes as they come in, unzipped, up to a bound."""

    _name: str
    _limit_bytes: int
    refusal: NodeError | None = None
    """Why no more of it is wanted."""
    _parts: list[bytes] = field(init=False, factory=list)
    _size: int = field(init=False, default=0)
    _zipped: Any = field(init=False, default=None)
    """zlib's object; its type has no public name."""

    def unzip(self) -> None:
        """What comes is gzip."""
        self._zipped = zlib.decompressobj(zlib.MAX_WBITS | 16)

    def take(self, chunk: bytes) -> None:
        """Add what came; says in `refusal` that it is too much, or damaged."""
        if self._zipped is not None:
            try:
                # At most one byte too many, whatever it unpacks to.
                left = self._limit_bytes - self._size
                chunk = self._zipped.decompress(chunk, left + 1)
            except zlib.error:
                self.refusal = NodeUnavailable(self._name, 1, "a damaged answer")
                return
        self._parts.append(chunk)
        self._size += len(chunk)
        if self._size > self._limit_bytes:
            text = f"an answer of more than {self._limit_bytes} bytes"
            self.refusal = AnswerTooLarge(self._name, text)

    def whole(self) -> bytes:
        """All of it. Raises `refusal`; NodeUnavailable when zipped and cut short."""
        if self.refusal is not None:
            raise self.refusal
        if self._zipped is not None and not self._zipped.eof:
            raise NodeUnavailable(self._name, 1, "an answer cut short")
        return b"".join(self._parts)


async def _collect(
    response: httpx.Response, scope: trio.CancelScope, body: _Body
) -> None:
    """Read to the end; a body that drips does not move the deadline.

    To stop early is to cancel the next read: leaving the loop would leave httpcore's
    generators behind, unfinished.
    """
    # httpx's type allows for sync streams too, which an async transport never gives.
    async for chunk in cast("AsyncIterable[bytes]", response.stream):
        scope.deadline += len(chunk) / SLOWEST_BYTES_PER_S
        if body.refusal is None:
            body.take(chunk)
        if body.refusal is not None:
            scope.cancel()


@define(eq=False)
class Transport:
    """Makes the lines to endpoints over one connection pool."""

    _http: httpx.AsyncBaseTransport
    _timeout_s: float
    _now_ms: Callable[[], int]

    def line(self, endpoint: Endpoint) -> NodeLine:
        """A line of its own, with its own limiter."""
        plain, solid = (_url(each, endpoint.name) for each in endpoint.urls)
        return NodeLine(
            endpoint,
            self._http,
            self._timeout_s,
            (plain, solid),
            _headers(endpoint),
            Gate(endpoint.name, endpoint.budget, self._now_ms),
        )


@contextlib.asynccontextmanager
async def open_transport(
    endpoints: Sequence[Endpoint],
    *,
    timeout_s: float = 10.0,
    http: httpx.AsyncBaseTransport | None = None,
    now_ms: Callable[[], int] = system_ms,
) -> AsyncIterator[Transport]:
    """Ready connections to *endpoints*; *timeout_s* bounds one request.

    *http* replaces the network; it is closed here.
    """
    async with http or _network(endpoints) as opened:
        yield Transport(opened, timeout_s, now_ms)


def _network(endpoints: Sequence[Endpoint]) -> httpx.AsyncHTTPTransport:
    secure = any(url.startswith("https:") for each in endpoints for url in each.urls)
    # The other context trusts nobody: should it meet TLS after all, it refuses.
    context = (
        httpx.create_ssl_context()
        if secure
        else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    )
    connections = (CONNECTIONS + URGENT_CONNECTIONS) * max(1, len(endpoints))
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
