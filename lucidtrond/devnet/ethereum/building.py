"""buildTransaction: an unsigned TRON transaction from Ethereum's arguments."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from google.protobuf.message import Message

from lucidtrond.devnet.ethereum.errors import (
    RpcError,
    internal,
    invalid_request,
    wrong_parameters,
)
from lucidtrond.devnet.ethereum.methods import Method
from lucidtrond.devnet.ethereum.values import (
    members,
    read_address,
    read_bytes,
    read_quantity,
    text,
)
from lucidtrond.devnet.java.errors import JavaError
from lucidtrond.devnet.java.values import decode_hex, is_long, merge
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.triggering import Call, call_constant
from lucidtrond.devnet.state.unsigned import check_contract, raw_data_of
from lucidtrond.devnet.state.view import ChainView
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.contract_terms import WHOLE
from lucidtrond.tron.jsonformat import print_transaction

Json = dict[str, Any]
FIELDS: Final = frozenset(
    {
        *("from", "to", "gas", "gasPrice", "value", "data", "nonce"),
        *("tokenId", "tokenValue", "abi", "consumeUserResourcePercent"),
        *("originEnergyLimit", "name", "permissionId", "extraData", "visible"),
    }
)
"""Of BuildArguments."""


def building_methods(now_ms: Callable[[], int]) -> Mapping[str, Method]:
    """Beside `methods.METHODS`: this one asks the clock."""

    def build(chain: ChainView, arguments: Any) -> Json:
        return _build(chain, members(arguments, FIELDS), now_ms())

    return {"buildTransaction": Method(1, build)}


def _build(chain: ChainView, given: Json, now_ms: int) -> Json:
    try:
        owner = read_address(given.get("from"))
    except RpcError:
        raise _senseless() from None
    if _missing(given.get("to")):
        if _missing(given.get("data")):
            raise _senseless()
        return _deployment(chain, given, owner, now_ms)
    to = read_address(given["to"])
    if chain.pending.contracts.get(to) is not None:
        return _trigger(chain, given, owner, to, now_ms)
    token, amount = _whole(given, "tokenId"), _whole(given, "tokenValue")
    message: Message
    if token > 0 and amount > 0 and given.get("value") in (None, "", "0x0"):
        message = pb.TransferAssetContract(
            asset_name=str(token).encode(),
            owner_address=owner,
            to_address=to,
            amount=amount,
        )
    elif given.get("value"):
        value = read_quantity(given["value"])
        message = pb.TransferContract(owner_address=owner, to_address=to, amount=value)
    else:
        raise _senseless()
    return _payment(chain, given, message, now_ms)


def _payment(chain: ChainView, given: Json, message: Message, now_ms: int) -> Json:
    raw = raw_data_of(chain, message, now_ms=now_ms)
    try:
        check_contract(chain, raw)
    except Invalid as refusal:
        raise invalid_request(refusal.reason) from None
    _set_permission(raw, given)
    visible = _flag(given, "visible")
    memo = text(given.get("extraData", ""))
    try:
        raw.data = memo.encode("utf-8", "replace") if visible else decode_hex(memo)
    except JavaError as error:
        raise internal(error.message) from None
    return {"transaction": {"visible": visible, **_printed(raw, visible=visible)}}


def _trigger(
    chain: ChainView, given: Json, owner: bytes, to: bytes, now_ms: int
) -> Json:
    try:
        data = read_bytes(given.get("data"))
    except RpcError as error:
        raise internal(error.message) from None
    message = pb.TriggerSmartContract(
        owner_address=owner,
        contract_address=to,
        data=data,
        call_token_value=_whole(given, "tokenValue"),
        token_id=_whole(given, "tokenId"),
        call_value=read_quantity(given.get("value")),
    )
    raw = raw_data_of(chain, message, now_ms=now_ms)
    _set_fee_limit(chain, raw, given)
    _set_permission(raw, given)
    printed = _printed(raw, visible=_flag(given, "visible"))
    contract = chain.pending.contracts.get(to)
    if contract is not None and contract.reads_only(data):
        printed["ret"] = [_tried(chain, message)]
    return {"transaction": printed}


def _tried(chain: ChainView, message: pb.TriggerSmartContract) -> Json:
    """A view is run instead of being left to whoever signs."""
    try:
        result = call_constant(chain.pending, Call.of(message))
    except Invalid as refusal:
        raise invalid_request(refusal.reason) from None
    return {} if result.result == "SUCCESS" else {"ret": "FAILED"}


def _deployment(chain: ChainView, given: Json, owner: bytes, now_ms: int) -> Json:
    message = pb.CreateSmartContract(
        owner_address=owner,
        call_token_value=_whole(given, "tokenValue"),
        token_id=_whole(given, "tokenId"),
    )
    made = message.new_contract
    made.abi.SetInParent()
    abi = text(given.get("abi", ""))
    try:
        if abi:
            merge(f'{{"entrys":{abi}}}', made.abi, visible=_flag(given, "visible"))
        made.bytecode = decode_hex(text(given["data"]))
    except JavaError as error:
        raise internal(error.message) from None
    made.call_value = read_quantity(given.get("value"))
    percent = _whole(given, "consumeUserResourcePercent")
    made.consume_user_resource_percent = percent
    made.origin_energy_limit = _whole(given, "originEnergyLimit")
    made.origin_address = owner
    made.name = text(given.get("name", ""))
    if not 0 <= percent <= WHOLE:
        raise invalid_request("percent must be >= 0 and <= 100")
    raw = raw_data_of(chain, message, now_ms=now_ms)
    _set_fee_limit(chain, raw, given)
    _set_permission(raw, given)
    return {"transaction": {"visible": False, **_printed(raw, visible=False)}}


def _set_fee_limit(chain: ChainView, raw: pb.Transaction.raw, given: Json) -> None:
    limit = read_quantity(given.get("gas")) * chain.genesis.parameters.energy_fee
    raw.fee_limit = (limit + 2**63) % 2**64 - 2**63


def _set_permission(raw: pb.Transaction.raw, given: Json) -> None:
    number = _whole(given, "permissionId", bits=32)
    if number > 0:
        raw.contract[0].Permission_id = number


def _printed(raw: pb.Transaction.raw, *, visible: bool) -> Json:
    encoded = raw.SerializeToString(deterministic=True)
    return print_transaction(encoded, (), visible=visible)


def _missing(value: Any) -> bool:
    return value in (None, "", "0x")


def _senseless() -> RpcError:
    return invalid_request("invalid json request")


def _whole(given: Json, name: str, *, bits: int = 64) -> int:
    """A Long or an Integer as Jackson reads it: numbers and texts of digits."""
    value = given.get(name, 0)
    if isinstance(value, str) and is_long(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong_parameters()
    if value.bit_length() >= bits:
        raise wrong_parameters()
    return value


def _flag(given: Json, name: str) -> bool:
    value = given.get(name, False)
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise wrong_parameters()
