"""What answers which path and verb, as java-tron's Jetty does it."""

from collections.abc import Callable
from enum import Enum
from functools import cache, partial
from typing import TYPE_CHECKING, Final

import msgspec

from lucidtrond.devnet.http.requests import read_request
from lucidtrond.devnet.http.routes import ROUTES, Servlet
from lucidtrond.devnet.java.errors import JavaError, PlainError
from lucidtrond.devnet.state.kinds.base import Get
from lucidtrond.devnet.state.view import ChainView
from lucidtrond.transports.http import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from lucidtrond.devnet.ethereum.face import EthereumFace
    from lucidtrond.devnet.ethereum.filters import Filters

JSON_TYPE: Final = "application/json;charset=utf-8"
JSONRPC_TYPE: Final = "application/json-rpc"
HTML_TYPE: Final = "text/html;charset=iso-8859-1"
# Clients have been seen to tell node kinds apart by it.
SERVER: Final = (("Server", "Jetty(9.4.53.v20231009)"),)


class Side(Enum):
    """What a node has on ports of their own, by how its paths begin."""

    WALLET = "/wallet/"
    SOLIDITY = "/walletsolidity/"
    JSONRPC = "/jsonrpc"


EVERYTHING: Final = frozenset(Side)


class Router:
    """Answers requests to one chain; *sides* it does not have are unknown paths."""

    def __init__(
        self,
        chain: ChainView,
        now_ms: Callable[[], int],
        *,
        sides: frozenset[Side] = EVERYTHING,
        filters: "Callable[[], Filters] | None" = None,
    ) -> None:
        self._chain = chain
        self._now_ms = now_ms
        self._sides = sides
        # Made when they are asked for, and then the same for all views of the chain.
        self._filters = filters or cache(partial(_make_filters, now_ms))
        self._ethereum: EthereumFace | None = None
        self._prefixes = tuple(side.value for side in sides)
        if Side.WALLET in sides:
            self._prefixes += ("/net/", "/monitor/")

    def seen(self, wrap: Callable[[ChainView], ChainView]) -> "Router":
        """The same for a node with another view of the chain."""
        return Router(
            wrap(self._chain), self._now_ms, sides=self._sides, filters=self._filters
        )

    async def handle(self, request: HttpRequest) -> HttpResponse:
        """The handler for `transports.http`."""
        return self.answer(request)

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer from memory and the log; never waits."""
        method = request.method
        here = request.path.startswith(self._prefixes)
        if here and request.path == Side.JSONRPC.value:
            return self._answer_jsonrpc(request)
        route = ROUTES.get(request.path)
        if route is None or not here:
            return _unknown_path(method)
        if method not in ("POST", "GET", "HEAD"):
            return _other_verb(method, reads=route.get is not Get.REFUSED)
        if method != "POST" and route.get is not Get.ANSWERS:
            return _page(405) if route.get is Get.REFUSED else _response(200, b"")
        return self._serve(route.servlet, request, bare_errors=route.bare_errors)

    def _answer_jsonrpc(self, request: HttpRequest) -> HttpResponse:
        if request.method in ("GET", "HEAD"):
            return _page(405)
        if request.method != "POST":
            return _other_verb(request.method, reads=False)
        if self._ethereum is None:
            from lucidtrond.devnet.ethereum.face import (  # noqa: PLC0415 - few ask so
                EthereumFace,
            )

            self._ethereum = EthereumFace(self._chain, self._now_ms, self._filters())
        return HttpResponse(
            200, self._ethereum.answer(request.body), JSONRPC_TYPE, SERVER
        )

    def _serve(
        self, servlet: Servlet, request: HttpRequest, *, bare_errors: bool
    ) -> HttpResponse:
        solid = request.path.startswith(Side.SOLIDITY.value)
        try:
            ask = read_request(request, self._chain, solid=solid, now_ms=self._now_ms)
            answer = servlet(ask)
        except (JavaError, PlainError) as error:
            if bare_errors and isinstance(error, JavaError):
                return _response(200, f"{error.message}\n".encode())
            answer = {"Error": str(error)}
        except RecursionError:
            answer = {"Error": "class java.lang.StackOverflowError : null"}
        if answer is None:
            return _response(200, b"")
        return _response(200, msgspec.json.encode(answer) + b"\n")


def _make_filters(now_ms: Callable[[], int]) -> "Filters":
    from lucidtrond.devnet.ethereum.filters import Filters  # noqa: PLC0415 - ditto

    return Filters(now_ms)


def _response(status: int, body: bytes) -> HttpResponse:
    return HttpResponse(status, body, JSON_TYPE, SERVER)


def _page(status: int) -> HttpResponse:
    body = f"<html><head><title>Error {status}</title></head></html>\n".encode()
    return HttpResponse(status, body, HTML_TYPE, SERVER)


def _unknown_path(method: str) -> HttpResponse:
    # ServletHandler.Default404Servlet, which has a doGet and nothing else.
    match method:
        case "GET" | "HEAD":
            return _page(404)
        case "POST":
            return _page(405)
        case "OPTIONS":
            return _options("GET, HEAD, TRACE, OPTIONS", "")
        case _:
            return _other_verb(method, reads=True)


def _other_verb(method: str, *, reads: bool) -> HttpResponse:
    """Without a page: Jetty's ErrorHandler makes one for GET, HEAD and POST only."""
    if method == "OPTIONS":
        return _options(f"{'GET, HEAD, ' * reads}POST, TRACE, OPTIONS", JSON_TYPE)
    answers_405 = method in ("PUT", "DELETE", "TRACE")
    return HttpResponse(405 if answers_405 else 501, b"", "", SERVER)


def _options(allowed: str, content_type: str) -> HttpResponse:
    return HttpResponse(200, b"", content_type, (*SERVER, ("Allow", allowed)))
