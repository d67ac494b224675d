"""HTTP and gRPC to the nodes: bytes out, bytes in, bounded in size, time and number.

At most eight connections per endpoint for questions, held back by a limiter. Two more
are for what is urgent (`Lane.URGENT`: payments, and the question which network it is):
they never wait behind questions, however many these are. Probes of an endpoint that
does not respond have their own as well. The bytes are carried by `http_plain`, for
TLS `http_tls`, and `grpc` where an endpoint has a `grpc_url`: its requests count in the
same budget and wait in the same queue.
"""

import contextlib
import enum
import zlib
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Mapping,
    Sequence,
)
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import trio
from attrs import define, field

from lucidtrond.errors import NodeError, NodeRefused, NodeTimeout, NodeUnavailable
from lucidtrond.node.endpoint import Endpoint
from lucidtrond.node.health.admission import Admission, system_ms
from lucidtrond.node.transport.http_plain import PlainTransport
from lucidtrond.node.transport.protocol import HttpTransport, MessageTransport
from lucidtrond.node.transport.refusals import refusal_of

if TYPE_CHECKING:
    import httpx

CONNECTIONS: Final = 8
"""Per endpoint. A node stops accepting at 50 in all (node.maxHttpConnectNumber)."""
URGENT_CONNECTIONS: Final = 2
"""Per endpoint, beside those."""
PROBE_CONNECTIONS: Final = 3
"""Per endpoint, beside those."""
BRIEF: Final = 0.5
"""Part of a request's time that one with a small answer has until its first byte."""
SLOWEST_BYTES_PER_S: Final = 64 * 1024
"""An answer that comes at least this fast is waited for to its end."""
SOLID: Final = "/walletsolidity/"
GRPC: Final = "/protocol.Wallet/"
GRPC_SOLID: Final = "/protocol.WalletSolidity/"
_NO_SOLIDITY: Final = (
    f"HTTP 404 for {SOLID}: the node serves it on a port of its own (8091 by default)"
    " or not at all; name that URL as solidity_url in [[network.endpoints]]"
)
API_KEY_HEADER: Final = "TRON-PRO-API-KEY"
_USER_AGENT: Final = f"lucidtrond/{version('lucidtrond')}"


class AnswerTooLarge(NodeRefused):
    """The answer is longer than we are ready to hold."""


class Lane(enum.Enum):
    """Which of an endpoint's connections a request may use."""

    QUESTIONS = enum.auto()
    URGENT = enum.auto()
    PROBES = enum.auto()


@define(eq=False)
class NodeLine:
    """The way to one endpoint."""

    endpoint: Endpoint
    _http: tuple[HttpTransport, HttpTransport]
    """To its newest state, and to its solidified one."""
    _timeout_s: float
    admission: Admission
    _grpc: tuple[MessageTransport | None, MessageTransport | None] = (None, None)
    """The same by gRPC, where it is configured."""
    _limiters: Mapping[Lane, trio.CapacityLimiter] = field(
        factory=lambda: {
            Lane.QUESTIONS: trio.CapacityLimiter(CONNECTIONS),
            Lane.URGENT: trio.CapacityLimiter(URGENT_CONNECTIONS),
            Lane.PROBES: trio.CapacityLimiter(PROBE_CONNECTIONS),
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
        brief: bool = False,
    ) -> bytes:
        """Post *question* and give the answer's JSON, not yet decoded.

        *brief*: a small answer is expected, in half the time that others may take.
        Waiting for a free connection is not counted as the node's time.

        Raises:
            NodeUnavailable, NodeTimeout: no answer, or "not now".
            NotAsked, BudgetSpent: we did not ask.
            NodeRefused, QuotaSpent: the node or a gateway before it says no.
            AnswerTooLarge: more than *limit_bytes*.
        """
        post = partial(self._post, self._http[solid], path, question)
        return await self._admitted(
            post, limit_bytes=limit_bytes, lane=lane, brief=brief
        )

    async def call(
        self,
        method: str,
        message: bytes,
        *,
        limit_bytes: int,
        solid: bool = False,
        lane: Lane = Lane.QUESTIONS,
        brief: bool = False,
    ) -> bytes:
        """The same by gRPC: give the message of the response, not yet decoded.

        Only where `has_grpc` says so. Budget, connections and time are those of `ask`.
        Raises the same.
        """
        transport = self._grpc[solid]
        if transport is None:
            raise AssertionError(f"{method}: no gRPC service is configured for it")
        service = GRPC_SOLID if solid else GRPC
        call = partial(_call, transport, f"{service}{method}", message)
        return await self._admitted(
            call, limit_bytes=limit_bytes, lane=lane, brief=brief
        )

    def has_grpc(self, *, solid: bool = False) -> bool:
        """Whether `call` may be used, for the *solid* state or the newest."""
        return self._grpc[solid] is not None

    async def _admitted(
        self,
        send: Callable[["_Body"], Awaitable[bytes]],
        *,
        limit_bytes: int,
        lane: Lane,
        brief: bool,
    ) -> bytes:
        async with self._limiters[lane]:
            wait_s, probe = self.admission.enter(
                urgent=lane is Lane.URGENT, probing=lane is Lane.PROBES
            )
            try:
                if wait_s:
                    await trio.sleep(wait_s)
                timeout_s = self._timeout_s * (BRIEF if brief else 1.0)
                with self._noting_contact() as note_response:
                    return await self._timed(
                        send,
                        note_response,
                        limit_bytes=limit_bytes,
                        timeout_s=timeout_s,
                    )
            finally:
                self.admission.leave(probe=probe)

    @contextlib.contextmanager
    def _noting_contact(self) -> Iterator[Callable[[], None]]:
        """Around one request; gives what to call when a part of a response arrives."""
        contact, failed = self.admission.contact, False
        number = contact.begin(trio.current_time())
        try:
            yield lambda: contact.note_response(number, trio.current_time())
        except NodeError:
            failed = True
            raise
        finally:
            contact.end(number, trio.current_time(), failed=failed)

    async def _timed(
        self,
        send: Callable[["_Body"], Awaitable[bytes]],
        note_response: Callable[[], None],
        *,
        limit_bytes: int,
        timeout_s: float,
    ) -> bytes:
        name, started = self.endpoint.name, trio.current_time()
        with trio.move_on_after(timeout_s) as scope:
            self.requests += 1
            body = _Body(name, limit_bytes, scope, note_response)
            whole = await send(body)
            self.admission.note_latency(trio.current_time() - started)
            return whole
        if body.refusal is not None:
            raise body.refusal
        after_s = trio.current_time() - started
        raise NodeTimeout(name, 1, f"no answer after {after_s:.0f} s")

    async def _post(
        self, transport: HttpTransport, path: str, question: bytes, body: "_Body"
    ) -> bytes:
        name = self.endpoint.name
        reply = await transport.post(path, question, body)
        body.note_response()
        whole = body.whole()
        refusal = refusal_of(
            name,
            status=reply.status,
            body=whole,
            retry_after=reply.retry_after,
            date=reply.date,
        )
        if refusal is not None and reply.status == 404 and path.startswith(SOLID):
            raise NodeRefused(name, _NO_SOLIDITY)
        if refusal is not None:
            raise refusal
        return whole


async def _call(
    transport: MessageTransport, path: str, message: bytes, body: "_Body"
) -> bytes:
    await transport.post(path, message, body)
    return body.whole()


@define(eq=False)
class _Body:
    """An answer's bytes as they come in, unzipped, up to a bound.

    A body that drips does not move the deadline of *scope*, one that flows does.
    """

    _name: str
    _limit_bytes: int
    _scope: trio.CancelScope
    note_response: Callable[[], None]
    refusal: NodeError | None = None
    """Why no more of it is wanted."""
    _parts: list[bytes] = field(init=False, factory=list)
    _size: int = field(init=False, default=0)
    _zipped: Any = field(init=False, default=None)
    """zlib's object; its type has no public name."""

    def begin(self, encoding: str) -> None:
        """The body follows."""
        self.note_response()
        if encoding.lower() == "gzip":
            self._zipped = zlib.decompressobj(zlib.MAX_WBITS | 16)

    def expect(self, size: int) -> None:
        """The body will have *size* bytes. Raises AnswerTooLarge."""
        if size > self._limit_bytes:
            raise self._too_large()

    def take(self, chunk: bytes) -> None:
        """Add a chunk; if that is too much, or damaged, no more is read."""
        self.note_response()
        self._scope.deadline += len(chunk) / SLOWEST_BYTES_PER_S
        if self.refusal is None:
            self._add(chunk)
        if self.refusal is not None:
            self._scope.cancel()

    def _add(self, chunk: bytes) -> None:
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
            self.refusal = self._too_large()

    def _too_large(self) -> AnswerTooLarge:
        text = f"an answer of more than {self._limit_bytes} bytes"
        return AnswerTooLarge(self._name, text)

    def whole(self) -> bytes:
        """All of it. Raises `refusal`; NodeUnavailable when zipped and cut short."""
        if self.refusal is not None:
            raise self.refusal
        if self._zipped is not None and not self._zipped.eof:
            raise NodeUnavailable(self._name, 1, "an answer cut short")
        return b"".join(self._parts)


@define(eq=False)
class Transport:
    """Makes the lines to endpoints."""

    _timeout_s: float
    _now_ms: Callable[[], int]
    _http: "httpx.AsyncBaseTransport | None"
    """For TLS, or in place of the network."""
    _replaced: bool
    _kept: list[PlainTransport | MessageTransport] = field(init=False, factory=list)
    """Those that keep connections of their own."""

    def line(self, endpoint: Endpoint) -> NodeLine:
        """A line of its own, with its own limiters and connections.

        Raises:
            ConfigError: an endpoint that can't be.
        """
        headers = _headers(endpoint)
        full_url, solid_url = endpoint.urls
        full = solid = self._transport_for(endpoint.name, full_url, headers)
        if solid_url != full_url:
            solid = self._transport_for(endpoint.name, solid_url, headers)
        admission = Admission(endpoint.name, endpoint.budget, self._now_ms)
        return NodeLine(
            endpoint,
            (full, solid),
            self._timeout_s,
            admission,
            (
                self._grpc_transport_for(endpoint, endpoint.grpc_url),
                self._grpc_transport_for(endpoint, endpoint.grpc_solidity_url),
            ),
        )

    def _transport_for(
        self, name: str, url: str, headers: list[tuple[str, str]]
    ) -> HttpTransport:
        if self._http is not None and (self._replaced or is_secure(url)):
            from lucidtrond.node.transport.http_tls import HttpxTransport  # noqa: PLC0415 - 60 ms

            return HttpxTransport(name, url, headers, self._http)
        transport = PlainTransport(name, url, headers)
        self._kept.append(transport)
        return transport

    def _grpc_transport_for(
        self, endpoint: Endpoint, url: str | None
    ) -> MessageTransport | None:
        if url is None:
            return None
        from lucidtrond.node.transport.grpc import GrpcTransport  # noqa: PLC0415 - 8 ms

        metadata = [("user-agent", _USER_AGENT)]
        if endpoint.api_key is not None:
            metadata.append((API_KEY_HEADER.lower(), endpoint.api_key))
        transport = GrpcTransport(endpoint.name, url, metadata)
        self._kept.append(transport)
        return transport

    def close(self) -> None:
        """Close the connections that are kept."""
        for transport in self._kept:
            transport.close()


def is_secure(url: str) -> bool:
    """Whether it is by TLS."""
    return url.lower().startswith("https:")


@contextlib.asynccontextmanager
async def open_transport(
    endpoints: Sequence[Endpoint],
    *,
    timeout_s: float = 10.0,
    http: "httpx.AsyncBaseTransport | None" = None,
    now_ms: Callable[[], int] = system_ms,
) -> AsyncIterator[Transport]:
    """Ready connections to *endpoints*; *timeout_s* bounds one request.

    *http* replaces the network; it is closed here.
    """
    replaced = http is not None
    if http is None and any(
        is_secure(url) for endpoint in endpoints for url in endpoint.urls
    ):
        from lucidtrond.node.transport.http_tls import open_network  # noqa: PLC0415 - 60 ms

        per_endpoint = CONNECTIONS + URGENT_CONNECTIONS + PROBE_CONNECTIONS
        http = open_network(per_endpoint * len(endpoints))
    async with http or contextlib.nullcontext():
        transport = Transport(timeout_s, now_ms, http, replaced)
        try:
            yield transport
        finally:
            transport.close()


def _headers(endpoint: Endpoint) -> list[tuple[str, str]]:
    headers = [
        ("Accept", "application/json"),
        ("Accept-Encoding", "gzip"),
        ("Content-Type", "application/json"),
        ("User-Agent", _USER_AGENT),
    ]
    if endpoint.api_key is not None:
        headers.append((API_KEY_HEADER, endpoint.api_key))
    return headers
