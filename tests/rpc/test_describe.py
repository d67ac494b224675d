"""The OpenRPC document says what the dispatcher does."""

import json
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from lucidtrond.errors import NodeError, NotFound
from lucidtrond.rpc.codes import CODES
from lucidtrond.rpc.describe import describe
from lucidtrond.rpc.dispatch import Call, Method


class Params(msgspec.Struct):
    """What it takes."""

    address: str
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100


class Result(msgspec.Struct):
    balance_sun: str


def another_params() -> type[msgspec.Struct]:
    return msgspec.defstruct("Params", [("x", int)], module="elsewhere")


async def handler(_: Call, *params: object) -> None: ...


METHODS = [
    Method("b.list", handler, params=list[int], summary="By position."),
    Method("a.none", handler, caller="admin", timeout_s=5),
    Method(
        "a.get",
        handler,
        params=Params,
        result=Result,
        summary="Get it.",
        example={"address": "T…"},
        errors=(NotFound, NodeError),
    ),
    Method("c.same", handler, params=another_params()),
]


@pytest.fixture
def document() -> dict[str, Any]:
    text = msgspec.json.encode(describe(METHODS, version="1.2.3"))
    decoded: dict[str, Any] = json.loads(text)
    return decoded


def test_methods_are_listed_by_name_with_class_and_deadline(
    document: dict[str, Any],
) -> None:
    assert document["openrpc"].startswith("1.")
    assert document["info"]["version"] == "1.2.3"
    rows = {m["name"]: (m["x-caller"], m["x-timeout-s"]) for m in document["methods"]}
    assert list(rows) == ["a.get", "a.none", "b.list", "c.same"]
    assert rows["a.none"] == ("admin", 5)


def test_parameters_are_the_fields_of_the_struct(document: dict[str, Any]) -> None:
    method = document["methods"][0]
    assert [(p["name"], p["required"]) for p in method["params"]] == [
        ("address", True),
        ("limit", False),
    ]
    assert method["params"][1]["schema"]["maximum"] == 1000
    assert method["params"][1]["schema"]["default"] == 100
    assert method["paramStructure"] == "either"
    assert document["methods"][2]["paramStructure"] == "by-position"


def test_two_structs_of_one_name_stay_apart(document: dict[str, Any]) -> None:
    (param,) = document["methods"][3]["params"]
    assert param["name"] == "x"


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    there = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "errors")
        for name in document["components"][kind]
    }
    references = {part.split('"')[0] for part in text.split('"$ref": "')[1:]}
    assert references
    assert references <= there


def test_a_method_names_the_errors_to_expect(document: dict[str, Any]) -> None:
    assert document["methods"][0]["errors"] == [
        {"$ref": "#/components/errors/NotFound"},
        {"$ref": "#/components/errors/NodeError"},
    ]
    assert "errors" not in document["methods"][1]


def test_every_code_is_in_the_document(document: dict[str, Any]) -> None:
    errors = document["components"]["errors"]
    assert {e["code"] for e in errors.values()} == set(CODES.values())
    assert all(error["message"] for error in errors.values())


def test_the_document_has_the_parts_that_openrpc_demands(
    document: dict[str, Any], tmp_path: Path
) -> None:
    # OpenRPC 1.3 meta-schema: required members of its objects.
    assert {"openrpc", "info", "methods"} <= set(document)
    assert {"title", "version"} <= set(document["info"])
    for method in document["methods"]:
        assert {"name", "params", "result"} <= set(method)
        assert {"name", "schema"} <= set(method["result"])
        for param in method["params"]:
            assert {"name", "schema"} <= set(param)
