"""The results of a stored transaction: from JSON back to the block's bytes. Pure.

A node keeps, beside the code that it sets itself, whatever else the sender wrote into
the first result (TransactionCapsule.setResultCode), and the block's root covers it all.
HTTP prints every field that java-tron knows, so those bytes can be made again; unknown
fields it does not print.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, cast

from lucidtrond.node.questions import wire
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.block import encode_code

_Result = pb.Transaction.Result
CONTRACT_RET: Final[Mapping[str, int]] = MappingProxyType(
    dict(_Result.contractResult.items())
)
_RET: Final[Mapping[str, int]] = MappingProxyType(dict(_Result.code.items()))
_UNNAMED: Final = re.compile(r"UNKNOWN_ENUM_VALUE_[A-Za-z]+_(-?[0-9]{1,10})")
"""How java spells a number that its enum has no name for."""
_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


class UnreadableResult(ValueError):
    """Not what a node prints for a result; the message says what."""


def encode_result(result: wire.Result) -> bytes:
    """The Transaction.Result that a node printed so.

    A contractRet whose name a coming version made has a number that we can't know. It
    is written as UNKNOWN, which is no success; the block's root can't fit then.

    Raises:
        UnreadableResult: a name or a text that no node prints.
    """
    newer = CONTRACT_RET["UNKNOWN"]
    code = _number(result.contract_ret, CONTRACT_RET, "contractRet", newer=newer)
    if result == wire.Result(contract_ret=result.contract_ret):
        return encode_code(code)  # nearly all there are
    message = _Result(
        fee=result.fee,
        # Stubs know only named numbers; the wire takes any.
        ret=cast("pb.Transaction.Result.code", _number(result.ret, _RET, "ret")),
        contractRet=cast("pb.Transaction.Result.contractResult", code),
        withdraw_amount=result.withdraw_amount,
        unfreeze_amount=result.unfreeze_amount,
        exchange_received_amount=result.exchange_received_amount,
        exchange_inject_another_amount=result.exchange_inject_another_amount,
        exchange_withdraw_another_amount=result.exchange_withdraw_another_amount,
        exchange_id=result.exchange_id,
        shielded_transaction_fee=result.shielded_transaction_fee,
        orderId=_bytes(result.order_id, "orderId"),
        orderDetails=[_detail(detail) for detail in result.order_details],
        withdraw_expire_amount=result.withdraw_expire_amount,
    )
    try:
        message.assetIssueID = result.asset_issue_id
    except ValueError:  # half a surrogate pair
        raise UnreadableResult("assetIssueID: not a text") from None
    for entry in result.cancel_unfreeze_v2_amount:
        # java writes both halves of a map's entry, zeros too.
        message.cancel_unfreezeV2_amount.add(key=entry.key, value=entry.value)
    return message.SerializeToString(deterministic=True)


def _detail(detail: wire.OrderDetail) -> pb.MarketOrderDetail:
    return pb.MarketOrderDetail(
        makerOrderId=_bytes(detail.maker_order_id, "makerOrderId"),
        takerOrderId=_bytes(detail.taker_order_id, "takerOrderId"),
        fillSellQuantity=detail.fill_sell_quantity,
        fillBuyQuantity=detail.fill_buy_quantity,
    )


def _number(
    name: wire.Name, names: Mapping[str, int], what: str, *, newer: int | None = None
) -> int:
    number: int | None
    if not isinstance(name, str):
        number = name
    elif unnamed := _UNNAMED.fullmatch(name):
        number = int(unnamed[1])
    else:
        number = names.get(name, newer if _NAME.fullmatch(name) else None)
    if number is None or not -(2**31) <= number < 2**31:
        raise UnreadableResult(f"an unknown {what}")
    return number


def _bytes(text: str, what: str) -> bytes:
    try:
        data = bytes.fromhex(text)
    except ValueError:
        raise UnreadableResult(f"{what}: not hex") from None
    if len(data) * 2 != len(text):  # bytes.fromhex skips blanks
        raise UnreadableResult(f"{what}: not hex")
    return data
