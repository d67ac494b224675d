"""What `rpc.discover` answers: an OpenRPC 1.3 document made from the methods.

Nothing is written twice: names, types and defaults are those that decode the
parameters. ``x-caller`` is the class a caller needs, ``x-timeout-s`` the deadline.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from lucidtrond.rpc.codes import CODES
from lucidtrond.rpc.dispatch import Method

OPENRPC: Final = "1.3.2"
_REFERENCE: Final = "#/components/schemas/{name}"


def describe(methods: Iterable[Method], *, version: str) -> Mapping[str, Any]:
    """Make the document; takes milliseconds, so keep what it gives."""
    ordered = sorted(methods, key=lambda method: method.name)
    types = [
        kind
        for method in ordered
        for kind in (method.params, method.result)
        if kind is not None
    ]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    schema_of = iter(schemas)
    described = []
    for method in ordered:
        params = next(schema_of) if method.params is not None else None
        result = next(schema_of) if method.result is not None else {}
        described.append(_describe(method, params, result, components))
    return {
        "openrpc": OPENRPC,
        "info": {
            "title": "lucidtrond",
            "description": "TRON gateway daemon",
            "version": version,
        },
        "methods": described,
        "components": {"schemas": components, "errors": _describe_errors()},
    }


def _describe(
    method: Method,
    params: Mapping[str, Any] | None,
    result: Mapping[str, Any],
    components: Mapping[str, Any],
) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": method.name,
        "summary": method.summary,
        "paramStructure": "either",
        "params": [],
        "result": {"name": "result", "schema": result},
        "x-caller": method.caller,
        "x-timeout-s": method.timeout_s,
    }
    if method.errors:
        entry["errors"] = [
            {"$ref": f"#/components/errors/{kind.__name__}"} for kind in method.errors
        ]
    if params is not None:
        schema = _resolve(params, components)
        if "properties" in schema:
            required = set(schema.get("required", ()))
            entry["params"] = [
                {"name": name, "required": name in required, "schema": part}
                for name, part in schema["properties"].items()
            ]
        else:
            entry["paramStructure"] = "by-position"
            entry["params"] = [{"name": "values", "schema": schema}]
    if method.example is not None:
        entry["examples"] = [
            {
                "name": "example",
                "params": [
                    {"name": name, "value": value}
                    for name, value in method.example.items()
                ],
            }
        ]
    return entry


def _resolve(
    schema: Mapping[str, Any], components: Mapping[str, Any]
) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    component: Mapping[str, Any] = components[reference.rpartition("/")[2]]
    return component


def _describe_errors() -> dict[str, Any]:
    return {
        kind.__name__: {
            "code": code,
            "message": (kind.__doc__ or "").partition("\n")[0],
        }
        for kind, code in CODES.items()
    }
