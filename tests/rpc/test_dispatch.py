"""Dispatch: one answer for each call, whatever the method does."""

import json
import logging
from typing import Annotated, Any

import msgspec
import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonrpcserver import async_dispatcher as library

from lucidtrond import errors
from lucidtrond.api.caller import Caller, CallerClass
from lucidtrond.rpc import dispatch
from lucidtrond.rpc.dispatch import Call, Dispatcher, Method
from lucidtrond.rpc.messages import parse

READER = Caller("unix", "uid=1", frozenset({"read"}))
CALL = Call(READER)


class Pair(msgspec.Struct):
    a: Annotated[int, msgspec.Meta(ge=0)]
    b: int = 2


class Renamed(msgspec.Struct, kw_only=True, frozen=True, rename="camel"):
    first_name: str
    last_name: str = "Doe"


class Checked(msgspec.Struct):
    even: int

    def __post_init__(self) -> None:
        if self.even % 2:
            raise ValueError("must be even")


def of(*methods: Method, **options: Any) -> Dispatcher:
    dispatcher = Dispatcher(**options)
    for method in methods:
        dispatcher.add(method)
    return dispatcher


async def ask(dispatcher: Dispatcher, message: object, call: Call = CALL) -> Any:
    answer = await dispatcher.answer(parse(json.dumps(message).encode()), call)
    return None if answer is None else json.loads(answer)


def request(method: str, params: object = None, **members: Any) -> dict[str, Any]:
    given = {} if params is None else {"params": params}
    return {"jsonrpc": "2.0", "method": method, "id": 1, **given, **members}


def notification(method: str, params: object = None) -> dict[str, Any]:
    message = request(method, params)
    del message["id"]
    return message


async def pair(_: Call, params: Pair) -> list[int]:
    return [params.a, params.b]


async def numbers(_: Call, params: list[int]) -> list[int]:
    return params


async def nothing(_: Call) -> None:
    return None


@pytest.mark.parametrize(
    ("params", "result"),
    [
        ({"a": 1}, [1, 2]),
        ({"b": 5, "a": 1}, [1, 5]),
        ([1], [1, 2]),
        ([1, 5], [1, 5]),
        ([], None),
        (None, None),
        ({}, None),
        ([1, 2, 3], None),
        ({"a": 1, "c": 2}, None),
        ({"A": 1}, None),
        ({"a": "1"}, None),
        ({"a": -1}, None),
        ([-1], None),
        (["1"], None),
    ],
)
async def test_parameters_come_by_name_or_by_position(
    params: object, result: list[int] | None
) -> None:
    answer = await ask(of(Method("m", pair, params=Pair)), request("m", params))
    if result is None:
        assert answer["error"]["code"] == -32602
    else:
        assert answer["result"] == result


@pytest.mark.parametrize("inline", [True, False])
async def test_other_shapes_of_parameters(inline: object) -> None:
    async def name(_: Call, params: Renamed) -> str:
        return f"{params.first_name} {params.last_name}"

    async def even(_: Call, params: Checked) -> int:
        return params.even

    dispatcher = of(
        Method("numbers", numbers, params=list[int], inline=bool(inline)),
        Method("nothing", nothing, inline=bool(inline)),
        Method("name", name, params=Renamed, inline=bool(inline)),
        Method("even", even, params=Checked, inline=bool(inline)),
    )
    good: list[tuple[str, object, object]] = [
        ("numbers", [1, 2], [1, 2]),
        ("numbers", None, []),
        ("nothing", None, None),
        ("nothing", [], None),
        ("nothing", {}, None),
        ("name", ["Ann"], "Ann Doe"),
        ("name", {"firstName": "Ann", "lastName": "Roe"}, "Ann Roe"),
        ("even", [2], 2),
        ("even", {"even": 4}, 4),
    ]
    for method, params, result in good:
        assert (await ask(dispatcher, request(method, params)))["result"] == result
    bad: list[tuple[str, object]] = [
        ("numbers", {"a": 1}),
        ("nothing", [1]),
        ("nothing", {"a": 1}),
        ("name", {"first_name": "Ann"}),
        ("even", [1]),
        ("even", {"even": 1}),
    ]
    for method, params in bad:
        answer = await ask(dispatcher, request(method, params))
        assert answer["error"]["code"] == -32602, (method, params)


async def test_an_unknown_method_is_not_echoed_at_length() -> None:
    answer = await of().answer(parse(json.dumps(request("m" * 100_000)).encode()), CALL)
    assert answer is not None
    assert len(answer) < 200
    assert json.loads(answer)["error"]["code"] == -32601


@pytest.mark.parametrize("group", [False, True])
async def test_errors_meant_for_the_caller_reach_it(group: object) -> None:
    async def fail(_: Call) -> None:
        error = errors.InsufficientFunds("not enough", needed_sun="5")
        if group:
            raise ExceptionGroup("from a nursery", [error])
        raise error

    error = (await ask(of(Method("m", fail)), request("m")))["error"]
    assert error == {"code": 300, "message": "not enough", "data": {"needed_sun": "5"}}


@pytest.mark.parametrize(
    "raised",
    [
        ValueError("seed phrase"),
        errors.StoreError("seed phrase"),
        KeyError("seed phrase"),
        ExceptionGroup("seed", [ValueError("seed phrase"), errors.NotFound("seed")]),
        trio.TooSlowError("seed phrase"),
        RecursionError("seed phrase"),
    ],
)
async def test_what_is_not_meant_for_the_caller_stays_in_the_log(
    raised: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_: Call) -> None:
        raise raised

    answer = await ask(of(Method("m", fail)), request("m"))
    assert "seed" not in json.dumps(answer)
    assert answer["error"]["code"] == -32603
    (record,) = caplog.records
    assert record.__dict__["ref"] == answer["error"]["data"]["ref"]
    assert record.__dict__["method"] == "m"
    assert "seed phrase" in caplog.text


@pytest.mark.parametrize(
    "result", [object(), {1, object()}, "\ud800", {"a": [object()]}, 1j]
)
async def test_a_result_without_json_form_is_an_internal_error(
    result: object, caplog: pytest.LogCaptureFixture
) -> None:
    async def give(_: Call) -> object:
        return result

    dispatcher = of(Method("m", give), Method("ok", nothing))
    single, other = await ask(dispatcher, [request("m"), request("ok", id=2)])
    assert single["error"]["code"] == -32603
    assert single["error"]["data"]["ref"] in {r.__dict__["ref"] for r in caplog.records}
    assert other == {"jsonrpc": "2.0", "result": None, "id": 2}


async def test_results_can_be_held_against_their_type(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def give(_: Call, params: list[int]) -> object:
        return params if len(params) > 1 else "no list"

    method = Method("m", give, params=list[int], result=list[int])
    dispatcher = of(method, verify_results=True)
    assert (await ask(dispatcher, request("m", [1, 2])))["result"] == [1, 2]
    assert (await ask(dispatcher, request("m", [1])))["error"]["code"] == -32603
    assert len(caplog.records) == 1


CLASSES: list[frozenset[CallerClass]] = [
    frozenset(),
    frozenset({"read"}),
    frozenset({"read", "spend"}),
    frozenset({"read", "spend", "admin"}),
]


@pytest.mark.parametrize("has", CLASSES)
async def test_a_caller_needs_the_class_of_the_method(
    has: frozenset[CallerClass],
) -> None:
    wanted: tuple[CallerClass, ...] = ("read", "spend", "admin")
    dispatcher = of(*(Method(name, nothing, caller=name) for name in wanted))
    call = Call(Caller("unix", "x", has))
    for name in wanted:
        answer = await ask(dispatcher, request(name, [1]), call)
        # Who may not call hears nothing about the parameters.
        assert answer["error"]["code"] == (-32602 if name in has else 402)


async def test_a_plugged_in_rule_can_refuse_what_the_class_allows() -> None:
    def authorize(caller: Caller, method: str) -> None:
        if (caller, method) == (READER, "b"):
            raise errors.SpendCap("enough for today")

    dispatcher = of(Method("a", nothing), Method("b", nothing), authorize=authorize)
    assert (await ask(dispatcher, request("a")))["result"] is None
    assert (await ask(dispatcher, request("b")))["error"]["code"] == 403


@pytest.mark.parametrize("inline", [True, False])
async def test_a_method_has_a_deadline_of_its_own(
    inline: object, autojump_clock: trio.testing.MockClock
) -> None:
    async def slow(_: Call) -> None:
        await trio.sleep(6)

    dispatcher = of(Method("m", slow, timeout_s=5, inline=bool(inline)))
    start = trio.current_time()
    error = (await ask(dispatcher, request("m")))["error"]
    assert error["code"] == 102
    assert error["data"] == {"retryable": True}
    assert trio.current_time() - start == 5


async def test_an_inner_deadline_is_not_taken_for_ours(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def slow(_: Call) -> None:
        with trio.fail_after(1):
            await trio.sleep(6)

    error = (await ask(of(Method("m", slow, timeout_s=5)), request("m")))["error"]
    assert error["code"] == -32603


async def test_a_notification_is_run_and_never_answered() -> None:
    seen: list[int] = []

    async def note(_: Call, params: list[int]) -> None:
        seen.extend(params)
        if params == [2]:
            raise ValueError

    dispatcher = of(Method("note", note, params=list[int]))
    for message in (
        notification("note", [1]),
        notification("note", [2]),
        notification("note", ["x"]),
        notification("no such method"),
        [notification("note", [3]), notification("note", [4])],
    ):
        assert await ask(dispatcher, message) is None
    assert seen == [1, 2, 3, 4]


@pytest.mark.parametrize("watched", [True, False])
async def test_one_bad_member_of_a_batch_fails_alone(watched: object) -> None:
    async def fail(_: Call) -> None:
        raise ValueError

    dispatcher = of(Method("m", pair, params=Pair), Method("fail", fail))
    answers = await ask(
        dispatcher,
        [
            request("m", [1], id="a"),
            7,
            request("fail", id="b"),
            notification("m", [1]),
            request("m", ["x"], id="c"),
            {"jsonrpc": "2.0"},
            request("m", [2], id="d"),
        ],
        Call(READER, watched=bool(watched)),
    )
    assert [answer["id"] for answer in answers] == ["a", None, "b", "c", None, "d"]
    codes = [answer.get("error", {}).get("code") for answer in answers]
    assert codes == [None, -32600, -32603, -32602, -32600, None]


async def test_a_batch_runs_eight_at_a_time(
    autojump_clock: trio.testing.MockClock,
) -> None:
    running: list[int] = []
    most = 0

    async def slow(_: Call, params: list[int]) -> int:
        nonlocal most
        running.append(params[0])
        most = max(most, len(running))
        await trio.sleep(1)
        running.remove(params[0])
        return params[0]

    dispatcher = of(Method("m", slow, params=list[int]))
    start = trio.current_time()
    answers = await ask(dispatcher, [request("m", [i], id=i) for i in range(100)])
    assert [answer["result"] for answer in answers] == list(range(100))
    assert most == 8
    assert trio.current_time() - start == 13


async def test_a_cancelled_call_leaves_nothing_running(
    autojump_clock: trio.testing.MockClock,
) -> None:
    ended: list[int] = []

    async def slow(_: Call, params: list[int]) -> None:
        try:
            await trio.sleep(10)
        finally:
            ended.extend(params)

    dispatcher = of(Method("m", slow, params=list[int]))
    with trio.move_on_after(1) as scope:
        await ask(dispatcher, [request("m", [i]) for i in range(20)])
    assert scope.cancelled_caught
    assert sorted(ended) == list(range(8))


def test_two_methods_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match=r"a\.b"):
        of(Method("a.b", nothing), Method("a.b", nothing))


def test_a_method_whose_parameters_cannot_be_decoded_is_refused() -> None:
    with pytest.raises(TypeError):
        of(Method("m", nothing, params=Pair | Renamed))


def test_inline_is_what_needs_no_task() -> None:
    dispatcher = of(Method("fast", nothing, inline=True), Method("slow", nothing))

    def inline(*messages: object) -> bool:
        text = json.dumps(messages if len(messages) > 1 else messages[0])
        return dispatcher.is_inline(parse(text.encode()))

    assert inline(request("fast"))
    assert inline(request("no such method"))
    assert inline({"nonsense": 1})
    assert inline(request("fast"), 5)
    assert not inline(request("slow"))
    assert not inline(request("fast"), request("slow"))


@settings(max_examples=50)
@given(st.lists(st.sampled_from(["ok", "fail", "none", "bad"]), min_size=1))
def test_every_call_of_a_batch_is_answered_once(kinds: list[str]) -> None:
    async def fail(_: Call) -> None:
        raise ValueError

    async def run() -> Any:
        dispatcher = of(Method("ok", nothing), Method("fail", fail))
        return await ask(dispatcher, [request(k, id=i) for i, k in enumerate(kinds)])

    logging.getLogger("lucidtrond.rpc.dispatch").disabled = True
    try:
        answers = trio.run(run)
    finally:
        logging.getLogger("lucidtrond.rpc.dispatch").disabled = False
    assert [answer["id"] for answer in answers] == list(range(len(kinds)))


async def test_requests_go_through_jsonrpcserver(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str] = []

    async def dispatch_request(methods: Any, context: Any, request: Any) -> Any:
        seen.append(request.method)
        return await library.dispatch_request(methods, context, request)

    monkeypatch.setattr(dispatch, "dispatch_request", dispatch_request)
    dispatcher = Dispatcher()
    text = b'{"jsonrpc":"2.0","id":1,"method":"nobody.home"}'
    answer = await dispatcher.answer(parse(text), Call(READER))
    assert answer is not None
    assert b"-32601" in answer
    assert seen == ["nobody.home"]
