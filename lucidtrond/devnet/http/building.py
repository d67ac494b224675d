"""Servlets that build transactions: validated against the pool's state, not stored."""

import math
from collections.abc import Mapping
from typing import Any, Final

from attrs import evolve
from google.protobuf.message import Message

from lucidtrond.devnet.http.errors import (
    JavaError,
    contract_invalid,
    not_a_number,
    null_pointer,
)
from lucidtrond.devnet.http.fastjson import parse_object
from lucidtrond.devnet.http.printing import Json
from lucidtrond.devnet.http.requests import ServletRequest, as_text, decode_hex, is_long
from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.execution import kind_of
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.view import ChainView
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.contracts import TYPE_URL_PREFIX
from lucidtrond.tron.jsonformat import (
    CONTRACT_TYPES,
    message_class,
    print_transaction,
)
from lucidtrond.tron.transaction import Reference, Transaction

_WITH_MEMO: Final = frozenset(
    {"TransferContract", "MarketSellAssetContract", "MarketCancelOrderContract"}
)
"""Contracts whose builders know ``extra_data``."""
_UNCHECKED: Final = frozenset({"CreateSmartContract", "TriggerSmartContract"})
"""Wallet.createTransactionCapsule does not ask the machine."""
LIFETIME_MS = 60_000  # Wallet.createTransactionCapsule: TRANSACTION_DEFAULT_EXPIRATION


def create_transaction(ask: ServletRequest) -> Json:
    return build(ask, "TransferContract")


def create_account(ask: ServletRequest) -> Json:
    return build(ask, "AccountCreateContract")


def update_account(ask: ServletRequest) -> Json:
    return build(ask, "AccountUpdateContract")


def set_account_id(ask: ServletRequest) -> Json:
    return build(ask, "SetAccountIdContract")


def update_permissions(ask: ServletRequest) -> Json:
    return build(ask, "AccountPermissionUpdateContract")


def create_asset_issue(ask: ServletRequest) -> Json:
    return build(ask, "AssetIssueContract")


def transfer_asset(ask: ServletRequest) -> Json:
    return build(ask, "TransferAssetContract")


def participate_asset_issue(ask: ServletRequest) -> Json:
    return build(ask, "ParticipateAssetIssueContract")


def unfreeze_asset(ask: ServletRequest) -> Json:
    return build(ask, "UnfreezeAssetContract")


def update_asset(ask: ServletRequest) -> Json:
    return build(ask, "UpdateAssetContract")


def update_setting(ask: ServletRequest) -> Json:
    return build(ask, "UpdateSettingContract")


def update_energy_limit(ask: ServletRequest) -> Json:
    return build(ask, "UpdateEnergyLimitContract")


def clear_abi(ask: ServletRequest) -> Json:
    return build(ask, "ClearABIContract")


def freeze_balance(ask: ServletRequest) -> Json:
    return build(ask, "FreezeBalanceContract")


def unfreeze_balance(ask: ServletRequest) -> Json:
    return build(ask, "UnfreezeBalanceContract")


def create_exchange(ask: ServletRequest) -> Json:
    return build(ask, "ExchangeCreateContract")


def inject_exchange(ask: ServletRequest) -> Json:
    return build(ask, "ExchangeInjectContract")


def withdraw_exchange(ask: ServletRequest) -> Json:
    return build(ask, "ExchangeWithdrawContract")


def trade_exchange(ask: ServletRequest) -> Json:
    return build(ask, "ExchangeTransactionContract")


def sell_on_market(ask: ServletRequest) -> Json:
    return build(ask, "MarketSellAssetContract")


def cancel_order(ask: ServletRequest) -> Json:
    return build(ask, "MarketCancelOrderContract")


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
    if message_class(name) is None:
        raise contract_invalid(f"don't have this type: {name}")
    return build(ask, name)


def build(ask: ServletRequest, name: str) -> Json:
    """A contract as the body spells it; raises JavaError when it is refused."""
    visible = ask.visible
    message = ask.merge(getattr(pb, name)())
    body = parse_object(ask.text)
    raw = raw_data_of(ask.chain, name, message, now_ms=ask.now_ms())
    try:
        if name not in _UNCHECKED:
            check_contract(ask.chain, raw)
    except Invalid as refusal:
        raise contract_invalid(refusal.reason) from None
    set_permission(raw, body)
    if name in _WITH_MEMO:
        _set_memo(raw, body, visible=visible)
    encoded = raw.SerializeToString(deterministic=True)
    return {"visible": visible, **print_transaction(encoded, (), visible=visible)}


def check_contract(chain: ChainView, raw: pb.Transaction.raw) -> None:
    """Ask the actuator, with the pool's state. Raises Invalid."""
    read = Candidate.read(Transaction(raw.SerializeToString(deterministic=True)))
    candidate = evolve(read, building=True)
    kind_of(candidate).validate(chain.pending, candidate, chain.genesis)


def raw_data_of(
    chain: ChainView, name: str, message: Message, *, now_ms: int
) -> pb.Transaction.raw:
    """Refers to the solidified block and lives a minute from the head's time."""
    known = chain.head.globals
    solid = chain.block(known.solid)
    reference = Reference.to_block((solid.id if solid else known.block_id).hex())
    raw = pb.Transaction.raw(
        ref_block_bytes=reference.block_bytes,
        ref_block_hash=reference.block_hash,
        expiration=known.timestamp + LIFETIME_MS,
        timestamp=now_ms,
    )
    raw.contract.add(
        type=CONTRACT_TYPES[name],
        parameter=pb.Any(
            type_url=TYPE_URL_PREFIX + name,
            value=message.SerializeToString(deterministic=True),
        ),
    )
    return raw


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
