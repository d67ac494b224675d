"""Every case of tests/data/jsonrpc-cases.json over a real Unix socket.

Where the specification leaves a choice the first alternative listed is ours.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.transports.unix_daemon import Served, serving

FILE = Path(__file__).parents[1] / "data" / "jsonrpc-cases.json"
CASES = json.loads(FILE.read_text("utf-8"))["cases"]
ALIVE = b'{"jsonrpc":"2.0","method":"get_data","id":"alive"}'


def request_of(case: dict[str, Any]) -> bytes:
    if "request_b64" in case:
        return base64.b64decode(case["request_b64"])
    if "request_gen" in case:
        generated = eval(case["request_gen"], {"__builtins__": {}})
        assert isinstance(generated, bytes)
        return generated
    text = case["request"]
    assert isinstance(text, str)
    return text.encode()


def expected_frames(case: dict[str, Any]) -> list[Any]:
    if "frames" in case:
        return list(case["frames"])
    expected = case["expect"] if "expect" in case else case["expect_one_of"][0]
    return [] if expected is None else [expected]


def matches(came: Any, wanted: Any) -> bool:
    if wanted == "*":
        return True
    if isinstance(wanted, list):
        return isinstance(came, list) and same_members(came, wanted)
    if not isinstance(wanted, dict):
        return type(came) is type(wanted) and came == wanted
    if "error" in wanted:
        error = came.get("error", {})
        return (
            set(came) == {"jsonrpc", "error", "id"}
            and came["jsonrpc"] == "2.0"
            and matches(came["id"], wanted["id"])
            and error.get("code") == wanted["error"]["code"]
            and isinstance(error.get("message"), str)
            and bool(error["message"])
            and set(error) <= {"code", "message", "data"}
        )
    return all(name in came and matches(came[name], wanted[name]) for name in wanted)


def same_members(came: list[Any], wanted: list[Any]) -> bool:
    left = list(came)
    for one in wanted:
        found = next((item for item in left if matches(item, one)), None)
        if found is None:
            return False
        left.remove(found)
    return not left


async def still_answers(served: Served) -> None:
    with trio.fail_after(2):
        (answer,) = await served.ask(ALIVE)
    assert answer == {"jsonrpc": "2.0", "result": ["hello", 5], "id": "alive"}


@pytest.mark.parametrize("ending", ["newline", "end of stream"])
@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
async def test_the_answer_is_as_the_case_says(
    case: dict[str, Any], ending: str, tmp_path: Path
) -> None:
    request = request_of(case) + (b"\n" if ending == "newline" else b"")
    async with serving(tmp_path) as served:
        with trio.fail_after(5):
            raw = await served.exchange(request)
        frames = [json.loads(line) for line in raw.splitlines()]
        assert same_members(frames, expected_frames(case)), raw[:500]
        for frame in frames:
            for answer in frame if isinstance(frame, list) else [frame]:
                assert ("result" in answer) != ("error" in answer)
        if "id_exact" in case:
            assert f'"id":{case["id_exact"]}}}'.encode() in raw
        assert len(raw) <= case.get("max_response", 1 << 20)
        for text in case.get("must_not_contain", ()):
            assert text.encode() not in raw
        await still_answers(served)


def test_every_kind_of_expectation_in_the_file_is_understood() -> None:
    known = {
        "name",
        "group",
        "level",
        "spec",
        "note",
        "request",
        "request_b64",
        "request_gen",
        "expect",
        "expect_one_of",
        "frames",
        "id_exact",
        "max_response",
        "must_not_contain",
        "strict_members",
    }
    assert {key for case in CASES for key in case} <= known
    assert len({case["name"] for case in CASES}) == len(CASES)
