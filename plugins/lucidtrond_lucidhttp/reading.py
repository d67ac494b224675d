"""Queries and bodies as FastAPI reads them, with its 422 for what does not fit.

The value that came is not repeated in the answer: it might be a secret.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

SECRETS: Final = ("private_key", "privateKey", "mnemonic", "seed")
NO_KEYS: Final = (
    "Private keys are not accepted here: this service keeps them itself."
    " Create a wallet and name it (wallet_id) instead."
)
# As pydantic's lax mode reads them, which is FastAPI's: clients rely on it.
_TRUE: Final = ("1", "true", "t", "yes", "y", "on")
_FALSE: Final = ("0", "false", "f", "no", "n", "off")
_INTEGER: Final = re.compile(r"\s*[+-]?[0-9]{1,30}\s*\Z")


class Refused(Exception):
    """Ends a request: *status* and *detail* are the answer."""

    def __init__(self, status: int, detail: str | list[dict[str, Any]]) -> None:
        super().__init__(status)
        self.status, self.detail = status, detail


class Field(Struct, frozen=True):
    """One parameter; without *default* it is required (None is a default)."""

    name: str
    kind: Literal["integer", "string", "boolean"]
    default: Any = ...
    least: int | None = None
    most: int | None = None
    longest: int | None = None


def read_query(query: Mapping[str, str], fields: Sequence[Field]) -> dict[str, Any]:
    """Raises Refused with every fault."""
    return _read(dict(query), fields, "query")


def read_body(body: bytes, fields: Sequence[Field]) -> dict[str, Any]:
    """Raises Refused with every fault."""
    if not body.strip():
        raise Refused(422, [_fault(["body"], "Field required", "missing")])
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        fault = _fault(["body", 0], "JSON decode error", "json_invalid")
        raise Refused(422, [fault]) from None
    if not isinstance(content, dict):
        text = "Input should be a valid dictionary or object to extract fields from"
        raise Refused(422, [_fault(["body"], text, "model_attributes_type")])
    refuse_keys(content)
    return _read(content, fields, "body")


def refuse_keys(content: Mapping[str, Any]) -> None:
    """Raises Refused when a body carries a secret, whatever else it says."""
    if any(content.get(name) is not None for name in SECRETS):
        raise Refused(400, NO_KEYS)


def _read(
    content: Mapping[str, Any], fields: Sequence[Field], where: str
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    faults = []
    for field in fields:
        given = content.get(field.name)
        if field.name not in content or (given is None and field.default is None):
            if field.default is ...:
                faults.append(_fault([where, field.name], "Field required", "missing"))
            values[field.name] = field.default
            continue
        value, fault = _convert(field, given)
        values[field.name] = value
        if fault is not None:
            faults.append(_fault([where, field.name], *fault))
    if faults:
        raise Refused(422, faults)
    return values


def _convert(field: Field, given: Any) -> tuple[Any, tuple[str, str] | None]:
    match field.kind:
        case "string":
            if not isinstance(given, str):
                return None, ("Input should be a valid string", "string_type")
            if field.longest is not None and len(given) > field.longest:
                text = f"String should have at most {field.longest} characters"
                return None, (text, "string_too_long")
            return given, None
        case "boolean":
            return _boolean(given)
        case "integer":
            return _integer(field, given)


def _boolean(given: Any) -> tuple[Any, tuple[str, str] | None]:
    if isinstance(given, bool | int | float | str):
        word = given.lower() if isinstance(given, str) else str(int(given))
        if word in _TRUE + _FALSE and (isinstance(given, str) or given in (0, 1)):
            return word in _TRUE, None
        text = "Input should be a valid boolean, unable to interpret input"
        return None, (text, "bool_parsing")
    return None, ("Input should be a valid boolean", "bool_type")


def _integer(field: Field, given: Any) -> tuple[Any, tuple[str, str] | None]:
    if isinstance(given, float) and not given.is_integer():
        text = "Input should be a valid integer, got a number with a fractional part"
        return None, (text, "int_from_float")
    if isinstance(given, str) and not _INTEGER.match(given):
        text = "Input should be a valid integer, unable to parse string as an integer"
        return None, (text, "int_parsing")
    # Stricter than it was in one thing: true is no count of anything.
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None, ("Input should be a valid integer", "int_type")
    value = int(given)
    return value, _range_fault(field, value)


def _range_fault(field: Field, value: int) -> tuple[str, str] | None:
    if field.least is not None and value < field.least:
        text = f"Input should be greater than or equal to {field.least}"
        return text, "greater_than_equal"
    if field.most is not None and value > field.most:
        text = f"Input should be less than or equal to {field.most}"
        return text, "less_than_equal"
    return None


def _fault(place: list[str | int], text: str, kind: str) -> dict[str, Any]:
    return {"type": kind, "loc": place, "msg": text}
