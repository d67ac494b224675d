"""JSON-RPC 2.0 messages: texts in, requests out; results in, texts out. Pure.

Where the standard is silent we are strict: members that it does not name, repeated
members, ``params: null`` and numbers beyond a double are refused. An id comes back as
the very bytes that came (``1.0`` is not ``1``, 2**53+1 is not 2**53).
"""

from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from lucidtrond.rpc.framing import (
    BLANKS,
    JSON_STARTS,
    MAX_DEPTH,
    is_too_deep,
    outside_strings,
)

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603

MAX_BATCH: Final = 100
NULL: Final = b"null"
_MAX_MESSAGE: Final = 300


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One call; without `id` a notification, which is never answered."""

    jsonrpc: Literal["2.0"]
    method: str
    params: Raw = Raw(b"")
    id: Raw | UnsetType = UNSET


class Fault(Struct, frozen=True):
    """A text (or a member of a batch) that is no request, and its answer."""

    answer: bytes | None
    """None for a notification."""
    fatal: bool = False
    """Not JSON at all: the peer speaks something else; close."""


class Batch(Struct, frozen=True):
    """Several messages in one text, each answered for itself."""

    members: tuple[Request | Fault, ...]


Message = Request | Batch | Fault


class _Identified(msgspec.Struct):
    id: Raw = Raw(NULL)


_decode: Final = msgspec.json.Decoder().decode
_decode_request: Final = msgspec.json.Decoder(Request).decode
_decode_members: Final = msgspec.json.Decoder(list[Raw]).decode
_decode_raw_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_id: Final = msgspec.json.Decoder(_Identified).decode
_encode: Final = msgspec.json.Encoder().encode
_ID_TYPES: Final = frozenset({int, float, str, type(None)})
_PARAMS_TYPES: Final = frozenset({dict, list})


def encode_result(request_id: bytes | Raw, result: object) -> bytes:
    """Encode a success.

    Raises:
        Exception: *result* has no JSON form; what exactly depends on what it holds.
    """
    return b'{"jsonrpc":"2.0","result":%b,"id":%b}' % (_encode(result), request_id)


def encode_error(
    request_id: bytes | Raw, code: int, message: str, data: object = None
) -> bytes:
    """Encode a failure; a *message* that echoes much of the request is cut short."""
    error: dict[str, Any] = {"code": code, "message": message[:_MAX_MESSAGE]}
    if data is not None:
        error["data"] = data
    return b'{"jsonrpc":"2.0","error":%b,"id":%b}' % (_encode(error), request_id)


def encode_batch(answers: list[bytes]) -> bytes:
    """Join the answers to the members of one batch."""
    return b"[%b]" % b",".join(answers)


def parse(text: bytes, *, max_batch: int = MAX_BATCH) -> Message:
    """Read one text; never raises."""
    too_deep = text.count(b"[") + text.count(b"{") > MAX_DEPTH and is_too_deep(text)
    if not too_deep:
        request = _parse_plain(text)
        if request is not None:
            return request
    return _parse_any(text, too_deep=too_deep, max_batch=max_batch)


def _parse_plain(text: bytes) -> Request | None:
    """Read a sound request whose parameters hold no further names, else None.

    The usual case, quicker than `_parse_any`, which accepts the same and says what is
    wrong with the rest.
    """
    try:
        request = _decode_request(text)
        members = 2 if request.id is UNSET else 3
        if request.id is not UNSET and type(_decode(request.id)) not in _ID_TYPES:
            return None
        if request.params:
            params = _decode(request.params)
            if type(params) is dict:
                members += len(params)
            elif type(params) is not list:
                return None
            members += 1
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    # As many colons as names: no name is repeated, see `_parse_request`.
    return request if text.count(b":") == members else None


def _parse_any(text: bytes, *, too_deep: bool, max_batch: int) -> Message:
    if too_deep:
        return _fault(PARSE_ERROR, f"Parse error: nested deeper than {MAX_DEPTH}")
    try:
        value = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        start = text.lstrip(BLANKS)[:1]
        fatal = bool(start) and start[0] not in JSON_STARTS
        return _fault(PARSE_ERROR, f"Parse error: {error}", fatal=fatal)
    if type(value) is not list:
        return _parse_request(text, value)
    if not value:
        return _fault(INVALID_REQUEST, "Invalid request: empty batch")
    if len(value) > max_batch:
        return _fault(INVALID_REQUEST, f"Invalid request: batch over {max_batch} calls")
    raws = _decode_members(text)
    return Batch(
        tuple(
            _parse_request(bytes(raw), member)
            for raw, member in zip(raws, value, strict=True)
        )
    )


def _parse_request(  # noqa: PLR0911 - one return for each way to be wrong
    text: bytes, value: Any
) -> Request | Fault:
    """Read one object; *value* is *text* decoded, hence known to be sound JSON."""
    if type(value) is not dict:
        return _fault(INVALID_REQUEST, "Invalid request: not an object")
    params = value.get("params")
    members = len(value)
    if type(params) is dict:
        members += len(params)
    repeated_inside = False
    if text.count(b":") != members:
        # A decoder keeps one of several equal names, so fewer members come out than
        # colons outside strings went in. A proxy that reads the first and a server
        # that runs the last would be a way around the proxy.
        if _count_own_names(text) != len(value):
            return _fault(INVALID_REQUEST, "Invalid request: a member is repeated")
        repeated_inside = _count_colons(text) != _count_members(value)
    if type(value.get("id")) not in _ID_TYPES:
        return _fault(INVALID_REQUEST, "Invalid request: id is no string or number")
    if type(params) not in _PARAMS_TYPES and "params" in value:
        reason = "params is no object or array"
        return _fault(INVALID_REQUEST, f"Invalid request: {reason}", _id_of(text))
    try:
        request = _decode_request(text)
    except msgspec.ValidationError as error:
        return _fault(INVALID_REQUEST, f"Invalid request: {error}", _id_of(text))
    if repeated_inside:
        if request.id is UNSET:
            return Fault(None)
        reason = "a name is repeated"
        return _fault(INVALID_PARAMS, f"Invalid params: {reason}", bytes(request.id))
    return request


def _count_own_names(text: bytes) -> int:
    inside = _decode_raw_members(text).values()
    return _count_colons(text) - sum(_count_colons(bytes(member)) for member in inside)


def _count_colons(text: bytes) -> int:
    return outside_strings(text).count(b":")


def _count_members(value: object) -> int:
    total, stack = 0, [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            total += len(item)
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
    return total


def _id_of(text: bytes) -> bytes:
    """The id as it came; only for an object whose id has a proper type."""
    return bytes(_decode_id(text).id)


def _fault(
    code: int, message: str, request_id: bytes = NULL, *, fatal: bool = False
) -> Fault:
    return Fault(encode_error(request_id, code, message), fatal)
