"""Messages: strict where the standard is silent, and ids to the byte."""

import json
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from lucidtrond.rpc import messages
from lucidtrond.rpc.messages import (
    MAX_BATCH,
    Batch,
    Fault,
    Request,
    encode_error,
    encode_result,
    parse,
)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
params = st.lists(json_values, max_size=3) | st.dictionaries(
    st.text(max_size=4), json_values, max_size=3
)
IDS = [
    "1",
    "1.0",
    "1.50",
    "1e3",
    "-0",
    "0",
    "9007199254740993",
    "123456789012345678901234567890",
    "null",
    '""',
    '"a"',
    '"\\u0061"',
    '"\\ud83d\\ude00"',
    '"id\\":2,\\"x"',
    '"é:{["',
]


def envelope(**members: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "method": "m", **members}).encode()


def fault_of(text: bytes) -> tuple[int, Any]:
    fault = parse(text)
    assert isinstance(fault, Fault)
    assert fault.answer is not None
    answer = json.loads(fault.answer)
    assert answer["jsonrpc"] == "2.0"
    assert answer["error"]["message"]
    return answer["error"]["code"], answer["id"]


@given(params, st.sampled_from(IDS), st.sampled_from(["", " ", "\r", "\t "]))
def test_a_request_comes_through_whole(
    sent: object, request_id: str, blank: str
) -> None:
    text = (
        f'{blank}{{"id":{blank}{request_id}{blank},"params":{json.dumps(sent)},'
        f'"method"{blank}:"m:\\"{{","jsonrpc":"2.0"}}{blank}'
    ).encode()
    request = parse(text)
    assert isinstance(request, Request)
    assert request.method == 'm:"{'
    assert json.loads(bytes(request.params)) == sent
    assert request.id is not UNSET
    assert bytes(request.id) == request_id.encode()


@pytest.mark.parametrize("request_id", IDS)
def test_an_id_comes_back_as_the_bytes_that_came(request_id: str) -> None:
    raw = request_id.encode()
    assert encode_result(raw, 1).endswith(b'"id":' + raw + b"}")
    assert encode_error(raw, 1, "no").endswith(b'"id":' + raw + b"}")
    refused = parse(b'{"jsonrpc":"2.0","method":"m","params":1,"id":%b}' % raw)
    assert isinstance(refused, Fault)
    assert refused.answer is not None
    assert refused.answer.endswith(b'"id":' + raw + b"}")


@given(st.binary(max_size=60))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    message = parse(data)
    assert isinstance(message, Request | Batch | Fault)


@given(json_values.filter(lambda value: not isinstance(value, dict | list)))
def test_a_bare_value_is_no_request(value: object) -> None:
    assert fault_of(json.dumps(value).encode()) == (-32600, None)


@given(json_values, st.integers(0, 200), st.binary(min_size=1, max_size=3))
def test_a_damaged_request_never_runs_as_another(
    sent: object, place: int, damage: bytes
) -> None:
    """Whatever is accepted is what a strict parser of JSON reads, too."""
    text = envelope(params=[sent], id=7)
    place %= len(text)
    text = text[:place] + damage + text[place + len(damage) :]
    message = parse(text)
    if isinstance(message, Request):
        read = json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
        assert read["method"] == message.method
        assert read["jsonrpc"] == "2.0"
        assert set(read) <= {"jsonrpc", "method", "params", "id"}


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def refuse(constant: str) -> None:
    raise AssertionError(constant)


@given(
    st.dictionaries(st.text(max_size=3), json_values, min_size=1, max_size=3),
    st.booleans(),
    st.data(),
)
def test_a_repeated_name_is_refused_wherever_it_is(
    members: dict[str, Any], nested: object, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(members)))
    again = json.dumps(name, ensure_ascii=data.draw(st.booleans()))
    inner = json.dumps(members)[:-1] + f",{again}:1}}"
    sent = f'{{"a:":[{inner}]}}' if nested else inner
    text = f'{{"jsonrpc":"2.0","method":"m","params":{sent},"id":"x"}}'.encode()
    assert fault_of(text) == (-32602, "x")
    silent = text.replace(b',"id":"x"', b"")
    assert parse(silent) == Fault(None)
    assert isinstance(parse(envelope(params=[members], id=1)), Request)


MEMBERS = [
    b'"jsonrpc":"2.0"',
    b'"method":"m"',
    b'"method":"a:b"',
    b'"params":[]',
    b'"params":{}',
    b'"params":{"a":1}',
    b'"params":{"a":1,"a":2}',
    b'"params":{"a":{"b":1,"b":1}}',
    b'"params":{"a":"b:c"}',
    b'"params":{"a":1e999}',
    b'"params":{"\xff":1}',
    b'"params":null',
    b'"id":1',
    b'"id":":"',
    b'"id":null',
    b'"id":[1]',
    b'"id":{}',
    b'"id":true',
    b'"id":1e999',
    b'"id":"\xff"',
    b'"more":1',
]


@given(st.lists(st.sampled_from(MEMBERS), max_size=5), st.sampled_from([b"", b"}"]))
def test_the_short_way_accepts_only_what_the_long_way_does(
    members: list[bytes], end: bytes
) -> None:
    text = (
        b'{"jsonrpc":"2.0","method":"m"'
        + b"".join(b"," + member for member in members)
        + end
    )
    short = messages._parse_plain(text)
    if short is not None:
        assert short == messages._parse_any(text, too_deep=False, max_batch=1)


def test_the_short_way_is_the_usual_one() -> None:
    text = b'{"jsonrpc":"2.0","method":"m","params":{"a":1,"b":[2]},"id":1}'
    assert messages._parse_plain(text) == parse(text)


@pytest.mark.parametrize(
    "text",
    [
        b'{"jsonrpc":"2.0","method":"a","method":"b","id":1}',
        b'{"jsonrpc":"2.0","method":"a","id":1,"id":1}',
        b'{"jsonrpc":"2.0","method":"a","id":1,"\\u0069d":2}',
        b'{"jsonrpc":"2.0","method":"a","params":{"a":1},"params":{},"id":1}',
        b'{"jsonrpc":"2.0","method":"a","params":{},"params":{"a":1},"id":1}',
    ],
)
def test_a_repeated_member_leaves_no_id_to_answer_to(text: bytes) -> None:
    assert fault_of(text) == (-32600, None)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (b"", (-32700, None)),
        (b"{", (-32700, None)),
        (b'{"a":NaN}', (-32700, None)),
        (b"[Infinity]", (-32700, None)),
        (b'["\\ud800"]', (-32700, None)),
        (b'["\\udc00\\ud800"]', (-32700, None)),
        (b'["\xed\xa0\x80"]', (-32700, None)),
        (b"[1e999]", (-32700, None)),
        (b"[" + b"9" * 5000 + b"]", (-32700, None)),
        (b"\xef\xbb\xbf[]", (-32700, None)),
        (b"[]", (-32600, None)),
        (b"{}", (-32600, None)),
        (envelope(id=True), (-32600, None)),
        (envelope(id=[1]), (-32600, None)),
        (envelope(id=1, params=None), (-32600, 1)),
        (envelope(id=1, params="x"), (-32600, 1)),
        (envelope(id=1, extra=1), (-32600, 1)),
        (envelope(id=1, method=["m"]), (-32600, 1)),
        (envelope(id=1, jsonrpc="1.0"), (-32600, 1)),
        (envelope(id=1, params=["x" * 300_000], extra="y" * 3000), (-32600, 1)),
    ],
)
def test_what_is_no_request_is_refused_with_the_right_code(
    text: bytes, wanted: tuple[int, Any]
) -> None:
    assert fault_of(text) == wanted
    fault = parse(text)
    assert isinstance(fault, Fault)
    assert len(fault.answer or b"") < 1000


def test_only_what_is_not_json_at_all_ends_a_connection() -> None:
    fatal = [b"GET / HTTP/1.1", b"\x16\x03", b" *1", b"\xef\xbb\xbf{}"]
    mild = [b"{", b"[1,", b"nul", b'"', b"-", b"", b"  "]
    assert [parse(text) for text in fatal if not is_fatal(text)] == []
    assert [parse(text) for text in mild if is_fatal(text)] == []


def is_fatal(text: bytes) -> bool:
    fault = parse(text)
    assert isinstance(fault, Fault)
    return fault.fatal


@given(st.lists(st.sampled_from([b"1", b"[]", b"{}", envelope(id=1), envelope()])))
def test_each_member_of_a_batch_stands_for_itself(members: list[bytes]) -> None:
    batch = parse(b"[" + b" , ".join(members) + b"]")
    if not members:
        assert isinstance(batch, Fault)
        return
    assert isinstance(batch, Batch)
    sound = [isinstance(member, Request) for member in batch.members]
    assert sound == [len(member) > 2 for member in members]


def test_a_batch_has_a_limit() -> None:
    assert isinstance(parse(b"[" + b",".join([b"1"] * MAX_BATCH) + b"]"), Batch)
    too_many = b"[" + b",".join([b"1"] * (MAX_BATCH + 1)) + b"]"
    assert fault_of(too_many) == (-32600, None)


@given(json_values, st.none() | json_values)
def test_answers_are_json_of_the_right_shape(value: Any, data: Any) -> None:
    answer = msgspec.json.decode(encode_result(b"1", value))
    assert answer == {"jsonrpc": "2.0", "result": value, "id": 1}
    error = msgspec.json.decode(encode_error(b"1", 5, "no", data))["error"]
    assert error.get("data") == data
    assert ("data" in error) == (data is not None)


@pytest.mark.process
def test_200_kilobytes_of_brackets_cost_less_than_5_milliseconds() -> None:
    def timed(text: bytes) -> float:
        start = time.perf_counter()
        assert isinstance(parse(text), Fault)
        return time.perf_counter() - start

    texts = [b"[" * 200_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 40_000]
    assert max(min(timed(text) for _ in range(5)) for text in texts) < 0.005
