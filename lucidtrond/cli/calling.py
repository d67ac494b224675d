"""``lucidtron call``: any method, with parameters typed as the method declares them."""

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any, Final

from lucidtrond.cli.connection import Connection
from lucidtrond.cli.consent import REAL_MONEY, consents, network_of
from lucidtrond.cli.outcome import DONE, FAILED, complain

Schema = Mapping[str, Any]


def call(connection: Connection, args: argparse.Namespace) -> int:
    """Call one method and print its result."""
    document = connection.call("rpc.discover")
    methods = [
        method for method in document["methods"] if method["name"] == args.method
    ]
    method: dict[str, Any] = methods[0] if methods else {}
    schemas = {param["name"]: param["schema"] for param in method.get("params", ())}
    components = document["components"]["schemas"]
    params: dict[str, Any] = {}
    for pair in args.params:
        key, equals, text = pair.partition("=")
        if not equals:
            raise ValueError(f"expected key=value, got {pair!r}")
        params[key] = typed(text, kinds_of(schemas.get(key, {}), components))
    if method.get("x-caller") == "spend" and params.get("check") is not True:
        network = network_of(connection)
        if network == REAL_MONEY and not args.yes:
            if not consents(f"call {args.method}, which may spend?", network=network):
                return complain("nothing was called", FAILED)
        else:
            print(f"network: {network}", file=sys.stderr)
    result = connection.call(args.method, params)
    print(json.dumps(result, indent=None if args.json else 2))
    return DONE


def kinds_of(schema: Schema, components: Mapping[str, Schema]) -> frozenset[str]:
    """The JSON types that a parameter takes; none where its schema does not say."""
    kinds: set[str] = set()
    if reference := schema.get("$ref"):
        target = components.get(reference.rpartition("/")[2], {})
        kinds |= kinds_of(target, components)
    given = schema.get("type", ())
    kinds |= {given} if isinstance(given, str) else set(given)
    kinds |= {_kind(value) for value in schema.get("enum", ())}
    for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        kinds |= kinds_of(part, components)
    return frozenset(kinds)


def typed(text: str, kinds: frozenset[str]) -> Any:
    """Read a value: JSON of a type that the parameter takes, else a text as it stands.

    So the digits of an amount, a label or a key stay a string: ``amount_sun=1500000``
    is "1500000" and ``count=3`` is 3. Quoted texts (``label='"3"'``) are strings too.
    Where *kinds* is empty everything that is JSON is read as such.
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text
    if isinstance(value, str) or "string" not in kinds:
        return value
    kind = _kind(value)
    if kind in kinds or (kind == "integer" and "number" in kinds):
        return value
    return text


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_KINDS: Final = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def _kind(value: Any) -> str:
    """The JSON type of what `json.loads` gave."""
    return _KINDS[type(value)]
