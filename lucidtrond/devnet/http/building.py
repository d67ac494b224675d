"""Servlets that build transactions: validated against the pool's state, not stored."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.message import Message

from lucidtrond.devnet.http.printing import Json
from lucidtrond.devnet.http.requests import ServletRequest
from lucidtrond.devnet.java.errors import (
    JavaError,
    contract_invalid,
    not_a_number,
    null_pointer,
)
from lucidtrond.devnet.java.fastjson import parse_object
from lucidtrond.devnet.java.values import as_text, decode_hex, is_long
from lucidtrond.devnet.state.kinds.base import ContractKind
from lucidtrond.devnet.state.kinds.table import BY_NAME
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.unsigned import check_contract, raw_data_of
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.jsonformat import (
    CONTRACT_TYPES,
    message_class,
    print_transaction,
)


def builder(kind: ContractKind[Any]) -> Callable[[ServletRequest], Json]:
    """The servlet that builds one kind."""

    def servlet(ask: ServletRequest) -> Json:
        return _build(ask, kind.message)

    return servlet


def create_common(ask: ServletRequest) -> Json:
    """CreateCommonTransactionServlet: any contract, named by ``contractType``."""
    body = ask.body()
    name = as_text(body.get("contractType"))
    if name is None:
        raise JavaError("java.lang.NullPointerException", "Name is null")
    if name not in CONTRACT_TYPES:
        enum = "org.tron.protos.Protocol.Transaction.Contract.ContractType"
        raise JavaError(
            "java.lang.IllegalArgumentException", f"No enum constant {enum}.{name}"
        )
    made = message_class(name)
    if made is None:
        raise contract_invalid(f"don't have this type: {name}")
    return _build(ask, made)


def _build(ask: ServletRequest, made: type[Message]) -> Json:
    """A contract as the body spells it; raises JavaError when it is refused."""
    visible = ask.visible
    message = ask.merge(made())
    body = parse_object(ask.text)
    raw = raw_data_of(ask.chain, message, now_ms=ask.now_ms())
    kind = BY_NAME.get(made.DESCRIPTOR.name)
    try:
        if kind is None or kind.checked_by_builder:
            check_contract(ask.chain, raw)
    except Invalid as refusal:
        raise contract_invalid(refusal.reason) from None
    set_permission(raw, body)
    if kind is not None and kind.takes_memo:
        _set_memo(raw, body, visible=visible)
    encoded = raw.SerializeToString(deterministic=True)
    return {"visible": visible, **print_transaction(encoded, (), visible=visible)}


def set_permission(raw: pb.Transaction.raw, body: Mapping[str, Any]) -> None:
    """Name the permission that a body asks for."""
    # Util.setTransactionPermissionId: the key has a capital letter.
    if "Permission_id" in body:
        number = _to_int(body["Permission_id"])
        if number > 0:
            raw.contract[0].Permission_id = number


def _to_int(value: Any) -> int:
    """JSONObject.getInteger into an int: texts are read, what is too big wraps."""
    match value:
        case None | "" | "null" | "NULL":
            raise null_pointer()
        case bool() | int():
            number = int(value)
        case float() if math.isfinite(value):
            number = int(value)
        case str() if is_long(value):
            number = int(value)
        case str():
            raise not_a_number(value)
        case _:
            raise JavaError(
                "com.alibaba.fastjson.JSONException",
                f"can not cast to int, value : {value}",
            )
    return (number + 2**31) % 2**32 - 2**31


def _set_memo(
    raw: pb.Transaction.raw, body: Mapping[str, Any], *, visible: bool
) -> None:
    # Util.setTransactionExtraData
    if "extra_data" not in body:
        return
    text = as_text(body["extra_data"])
    if text is None:
        raise null_pointer()
    raw.data = text.encode("utf-8", "replace") if visible else decode_hex(text)
