"""The daemon over HTTP: ``POST /rpc``, health, metrics and the routes of plugins.

A request that holds one call is answered like on the socket; an error of the call is
still HTTP's 200, because the envelope carries it. Only notifications: 204. There is no
connection to push to, hence no subscriptions here: `events.poll`, or `/ws`.
"""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, unquote

import msgspec
from attrs import define, field

from lucidtrond.api.http import RouteRequest, RouteResponse, match
from lucidtrond.errors import CallError, PluginDisabled
from lucidtrond.pluginhost import BoundRoute
from lucidtrond.ports import Clock
from lucidtrond.rpc.audit import LONGEST
from lucidtrond.rpc.dispatch import Call, Dispatcher
from lucidtrond.rpc.messages import parse
from lucidtrond.transports.http_messages import HttpRequest, HttpResponse
from lucidtrond.transports.rpc_access import HttpAccess
from lucidtrond.transports.rpc_metrics import CONTENT_TYPE, Metric, encode_metrics

RPC: Final = "/rpc"
WEBSOCKET: Final = "/ws"
_encode: Final = msgspec.json.Encoder().encode

Problems = Callable[[], Mapping[str, str | None]]
"""Each check and what is wrong, or None."""
Answer = Callable[[HttpRequest], Coroutine[Any, Any, HttpResponse]]


class _HealthText(NamedTuple):
    """The answer of ``/health`` around its time, and the problems it tells."""

    problems: Mapping[str, str | None]
    status: int
    before: bytes
    after: bytes


@define(eq=False, kw_only=True)
class RpcHttp:
    """Called with each request; gives its answer."""

    dispatcher: Dispatcher
    access: HttpAccess
    clock: Clock
    problems: Problems
    is_ready: Callable[[], bool]
    """Whether it can work; a failed plugin is a problem and no reason to stop."""
    metrics: Callable[[], Iterable[Metric]]
    routes: Sequence[BoundRoute] = ()
    _health_text: _HealthText = field(init=False)
    _own: Mapping[str, tuple[str, Answer]] = field(init=False)
    _by_length: dict[int, list[BoundRoute]] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        self._health_text = _write_health({})
        self._own = {
            RPC: ("POST", self._rpc),
            WEBSOCKET: ("GET", _wants_websocket),
            "/health": ("GET", self._health),
            "/health/live": ("GET", self._live),
            "/health/ready": ("GET", self._ready),
            "/metrics": ("GET", self._metrics),
        }
        # Fixed segments go before named ones: /wallets/batch is no wallet's id.
        for route in sorted(self.routes, key=lambda route: route.path.count("{")):
            self._by_length.setdefault(route.path.count("/"), []).append(route)

    def __call__(self, request: HttpRequest) -> Coroutine[Any, Any, HttpResponse]:
        if (refusal := self.access.refusal(request)) is not None:
            return _give(_detail(403, refusal))
        own = self._own.get(request.path)
        if own is None:
            return self._plugin_route(request)
        verb, answer = own
        if request.method != verb and not _fits(request.method, verb):
            return _give(_wrong_verb([verb]))
        return answer(request)

    async def _rpc(self, request: HttpRequest) -> HttpResponse:
        call = Call(self.access.caller("http"))
        message = parse(request.body, max_batch=self.dispatcher.max_batch)
        answer = await self.dispatcher.answer(message, call)
        if answer is None:
            return HttpResponse(204, content_type="")
        return HttpResponse(200, answer)

    async def _plugin_route(self, request: HttpRequest) -> HttpResponse:
        path = tuple(unquote(part) for part in request.path.split("/"))
        verbs = []
        for route in self._by_length.get(len(path) - 1, ()):
            segments = match(route.path, path)
            if segments is None:
                continue
            if _fits(request.method, route.verb):
                return await self._run(route, request, segments)
            verbs.append(route.verb)
        return _wrong_verb(verbs) if verbs else _detail(404, "Not Found")

    async def _run(
        self, route: BoundRoute, request: HttpRequest, segments: Mapping[str, str]
    ) -> HttpResponse:
        caller = self.access.caller("http")
        try:
            for name in route.calls:
                self.dispatcher.permit(caller, name)
        except PluginDisabled as error:
            return _detail(501, str(error))
        except CallError as error:
            return _detail(403, str(error))
        if not route.calls and not caller.may("read"):
            return _detail(403, "this caller may not read")
        asked = f"{route.verb} {request.path}"[:LONGEST]
        outcome: dict[str, Any] = {"ended": "unanswered"}
        try:
            answer: RouteResponse = await route.call(
                RouteRequest(
                    caller=caller,
                    path=segments,
                    query=dict(parse_qsl(request.query, keep_blank_values=True)),
                    body=request.body,
                )
            )
            outcome = {"ended": "answered", "status": answer.status}
        finally:
            for name in route.calls:
                await self.dispatcher.record(caller, name, asked, outcome)
        return HttpResponse(answer.status, answer.body)

    async def _health(self, _request: HttpRequest) -> HttpResponse:
        problems = self.problems()
        if problems != self._health_text.problems:
            self._health_text = _write_health(problems)
        _, status, before, after = self._health_text
        return HttpResponse(status, before + _encode(self._now()) + after)

    async def _live(self, _request: HttpRequest) -> HttpResponse:
        return _json(200, {"status": "alive", "timestamp": self._now()})

    async def _ready(self, _request: HttpRequest) -> HttpResponse:
        ready = self.is_ready()
        body = {"status": "ready" if ready else "not_ready", "timestamp": self._now()}
        return _json(200 if ready else 503, body)

    async def _metrics(self, _request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, encode_metrics(self.metrics()), CONTENT_TYPE)

    def _now(self) -> float:
        return self.clock.now_ms() / 1000


def _write_health(problems: Mapping[str, str | None]) -> _HealthText:
    dependencies = {
        name: {
            "status": "unhealthy" if problem else "healthy",
            "message": problem or "",
        }
        for name, problem in problems.items()
    }
    healthy = not any(problems.values())
    return _HealthText(
        dict(problems),  # the owner may change its own
        200 if healthy else 503,
        b'{"status":"healthy","timestamp":'
        if healthy
        else b'{"status":"unhealthy","timestamp":',
        b',"dependencies":%b}' % _encode(dependencies),
    )


async def _give(response: HttpResponse) -> HttpResponse:
    return response


async def _wants_websocket(_request: HttpRequest) -> HttpResponse:
    fields = (("upgrade", "websocket"),)
    text = _encode({"detail": "this address speaks websocket"})
    return HttpResponse(426, text, headers=fields)


def _fits(verb: str, wanted: str) -> bool:
    return verb == wanted or (verb == "HEAD" and wanted == "GET")


def _wrong_verb(verbs: Sequence[str]) -> HttpResponse:
    body = _encode({"detail": "Method Not Allowed"})
    return HttpResponse(405, body, headers=(("allow", ", ".join(verbs)),))


def _detail(status: int, text: str) -> HttpResponse:
    return _json(status, {"detail": text})


def _json(status: int, body: Mapping[str, Any]) -> HttpResponse:
    return HttpResponse(status, _encode(body))
