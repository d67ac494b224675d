"""The HTTP door over loopback sockets."""

import json
from typing import Any

import pytest

from lucidtrond.api import RouteRequest, RouteResponse
from lucidtrond.pluginhost import BoundRoute
from lucidtrond.rpc.dispatch import Call, Dispatcher, Method
from lucidtrond.transports.rpc_access import is_loopback
from tests.transports.http_door import Door, open_door
from tests.transports.test_jsonrpc_cases import (
    CASES,
    expected_frames,
    request_of,
    same_members,
)
from tests.transports.unix_daemon import batch, fixture_dispatcher, request

# One text per message: what is about lines or ends of streams does not come up.
WHOLE = [
    case
    for case in CASES
    if len(expected_frames(case)) < 2 and b"\n" not in request_of(case).strip()
]


@pytest.mark.parametrize("case", WHOLE, ids=[case["name"] for case in WHOLE])
async def test_a_posted_text_is_answered_as_the_case_says(case: dict[str, Any]) -> None:
    async with open_door(fixture_dispatcher()) as door:
        body = request_of(case)
        status, raw = await door.ask("POST", "/rpc", body)
        if len(body) > 1 << 20:
            assert status == 413
            return
        if not body.strip():
            return  # no text at all is nothing on a stream, and a fault in a POST
        wanted = expected_frames(case)
        assert status == (200 if wanted else 204)
        assert same_members([json.loads(raw)] if raw else [], wanted), raw[:500]


async def test_a_batch_over_the_configured_length_is_refused() -> None:
    dispatcher = fixture_dispatcher()
    dispatcher.max_batch = 2
    async with open_door(dispatcher) as door:
        _, raw = await door.ask("POST", "/rpc", batch(2))
        assert [answer["id"] for answer in json.loads(raw)] == [0, 1]
        _, raw = await door.ask("POST", "/rpc", batch(3))
        message = json.loads(raw)["error"]["message"]
        assert message == "Invalid request: batch over 2 calls"


async def test_who_may_not_spend_hears_so_in_the_envelope() -> None:
    async def pay(_: Call) -> list[Any]:
        return []

    dispatcher = Dispatcher()
    dispatcher.add(Method("pay", pay, caller="spend"))
    async with open_door(dispatcher, classes=["read"]) as door:
        status, raw = await door.ask("POST", "/rpc", request("pay"))
        assert (status, json.loads(raw)["error"]["code"]) == (200, 402)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "localhost"}, 200),
        ({"host": "[::1]:80"}, 200),
        ({"host": "evil.example"}, 403),
        ({"host": "127.0.0.1.evil.example"}, 403),
        ({"host": "127.0.0.1:x"}, 403),
        ({"host": "evil@127.0.0.1"}, 403),
        ({"host": ""}, 403),
        ({"host": "localhost:7", "origin": "http://localhost:7"}, 200),
        ({"host": "localhost:7", "origin": "http://localhost:8"}, 403),
        ({"origin": "https://shop.example"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
    ],
)
@pytest.mark.parametrize("path", ["/rpc", "/ws", "/api/x"])
async def test_foreign_hosts_and_origins_are_refused(
    headers: dict[str, str], status: int, path: str
) -> None:
    async with open_door(
        fixture_dispatcher(), origins=["https://shop.example"]
    ) as door:
        came, _ = await door.ask("POST", path, request("get_data"), **headers)
        usual = {"/rpc": 200, "/ws": 405, "/api/x": 404}[path]
        assert came == (usual if status == 200 else 403)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("127.3.2.1", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.2", False),
        ("example.org", False),
    ],
)
def test_only_loopback_is_loopback(host: str, *, local: bool) -> None:
    assert is_loopback(host) is local


async def test_health_is_503_when_something_is_wrong() -> None:
    async with open_door(fixture_dispatcher()) as door:
        assert await _statuses(door) == [200, 200, 200]
        door.problems["network"] = "no node answers"
        assert await _statuses(door) == [503, 200, 503]
        _, raw = await door.ask("GET", "/health")
        assert json.loads(raw) == {
            "status": "unhealthy",
            "timestamp": 1.5,
            "dependencies": {
                "network": {"status": "unhealthy", "message": "no node answers"}
            },
        }


async def _statuses(door: Door) -> list[int]:
    paths = ("/health", "/health/live", "/health/ready")
    return [(await door.ask("GET", path))[0] for path in paths]


async def test_metrics_are_written_as_prometheus_reads_them() -> None:
    async with open_door(fixture_dispatcher()) as door:
        status, raw = await door.ask("GET", "/metrics")
    assert status == 200
    assert raw.decode() == (
        "# HELP a One.\n# TYPE a gauge\na 1.0\n"
        '# HELP b Two.\n# TYPE b counter\nb{x="say \\"\\n"} 2\n'
    )


async def test_a_wrong_verb_and_a_plain_get_of_ws_are_told_apart() -> None:
    async with open_door(fixture_dispatcher()) as door:
        assert (await door.ask("GET", "/rpc"))[0] == 405
        assert (await door.ask("GET", "/ws"))[0] == 426
        assert (await door.ask("GET", "/nothing"))[0] == 404


async def _echo(asked: RouteRequest) -> RouteResponse:
    told = [dict(asked.path), dict(asked.query), asked.body.decode()]
    return RouteResponse(status=201, body=json.dumps(told).encode())


def _route(verb: str, path: str, *calls: str) -> BoundRoute:
    return BoundRoute(verb=verb, path=path, plugin="p", call=_echo, calls=calls)


async def test_a_route_gets_decoded_names_and_fixed_segments_go_first() -> None:
    routes = [_route("POST", "/api/{one}/b"), _route("POST", "/api/a/b", "get_data")]
    async with open_door(fixture_dispatcher(), routes=routes) as door:
        status, raw = await door.ask("POST", "/api/x%2Fy/b?q=1%20&e=", b"hi")
        assert status == 201
        assert json.loads(raw) == [{"one": "x/y"}, {"q": "1 ", "e": ""}, "hi"]
        _, raw = await door.ask("POST", "/api/a/b", b"")
        assert json.loads(raw) == [{}, {}, ""]
        assert (await door.ask("GET", "/api/a/b"))[0] == 405
        assert (await door.ask("POST", "/api//b"))[0] == 404


async def test_a_route_needs_the_rights_of_the_methods_it_calls() -> None:
    async def pay(_: Call) -> list[Any]:
        return []

    dispatcher = Dispatcher()
    dispatcher.add(Method("pay", pay, caller="spend"))
    routes = [_route("GET", "/api/pay", "pay"), _route("GET", "/api/gone", "gone")]
    async with open_door(dispatcher, routes=routes, classes=["read"]) as door:
        assert (await door.ask("GET", "/api/pay"))[0] == 403
        assert (await door.ask("GET", "/api/gone"))[0] == 501
    async with open_door(dispatcher, routes=routes) as door:
        assert (await door.ask("GET", "/api/pay"))[0] == 201
