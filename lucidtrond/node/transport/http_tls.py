"""HTTP over TLS to a node, by httpx; and how tests put a node of their own in place.

httpx is used at its transport interface. What its client adds (cookies, redirects,
proxies and keys from the environment, a log line with the URL per request) a node's
client must not have, and it costs a third of the CPU time. It is imported only when an
endpoint wants it: that takes 60 ms and 6 MB.
"""

import ssl
from collections.abc import AsyncIterable, Mapping, Sequence
from typing import Final, cast

import httpx
from attrs import define, field

from lucidtrond.errors import ConfigError, NodeUnavailable
from lucidtrond.node.transport.http_plain import KEEP_ALIVE_S
from lucidtrond.node.transport.protocol import Reply, Sink

_REASONS: Final[Mapping[type[httpx.TransportError], str]] = {
    httpx.ConnectError: "can't connect",
    httpx.ProtocolError: "the connection was cut, or it speaks no HTTP",
}


@define(eq=False)
class HttpxTransport:
    """Posts to *url* for endpoint *name*; *headers* go with every request."""

    _name: str
    _url: str = field(repr=False)
    _headers: Sequence[tuple[str, str]] = field(repr=False)
    _http: httpx.AsyncBaseTransport
    _base: httpx.URL = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        try:
            self._base = httpx.URL(self._url)
        except httpx.InvalidURL:
            raise ConfigError(f"endpoint {self._name}: not a URL") from None

    async def post(self, path: str, content: bytes, sink: Sink) -> Reply:
        """See `HttpTransport`."""
        base = self._base
        request = httpx.Request(
            "POST",
            base.copy_with(raw_path=base.raw_path.rstrip(b"/") + path.encode()),
            headers=self._headers,
            content=content,
        )
        try:
            response = await self._http.handle_async_request(request)
            try:
                sink.begin(response.headers.get("Content-Encoding", ""))
                # To stop early is to cancel the next read: leaving the loop would
                # leave httpcore's generators behind, unfinished. The type allows for
                # sync streams too, which an async transport never gives.
                async for chunk in cast("AsyncIterable[bytes]", response.stream):
                    sink.take(chunk)
            finally:
                await response.aclose()
        except httpx.TransportError as error:
            raise NodeUnavailable(self._name, 1, _reason(error)) from error
        headers = response.headers
        return Reply(
            response.status_code, headers.get("Retry-After"), headers.get("Date")
        )


def open_network(connections: int) -> httpx.AsyncHTTPTransport:
    """Connections with TLS, at most so many; a context manager."""
    return httpx.AsyncHTTPTransport(
        verify=httpx.create_ssl_context(),
        limits=httpx.Limits(
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=KEEP_ALIVE_S,
        ),
    )


def _reason(error: httpx.TransportError) -> str:
    cause: BaseException | None = error
    while cause is not None:  # trio's own exception stands between
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "its TLS certificate is not accepted"
        cause = cause.__cause__ or cause.__context__
    for kind, reason in _REASONS.items():
        if isinstance(error, kind):
            return reason
    return "the connection broke"
