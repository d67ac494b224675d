"""Servlets that read: blocks, transactions, accounts, parameters."""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any, Final

from lucidtrond.devnet.http.printing import (
    Json,
    print_account,
    print_block,
    print_info,
    print_net,
    print_receipt,
    print_resources,
    print_row,
)
from lucidtrond.devnet.http.requests import ServletRequest
from lucidtrond.devnet.java.block_lookup import (
    BadBlockName,
    find_block,
    find_block_by_id,
    head_number,
)
from lucidtrond.devnet.java.errors import JavaError, PlainError
from lucidtrond.devnet.java.fastjson import parse_object
from lucidtrond.devnet.java.values import as_text, decode_base58, decode_hex
from lucidtrond.devnet.state.accounts import is_address
from lucidtrond.devnet.state.chain import Found
from lucidtrond.devnet.state.world import World

MAX_RANGE: Final = 100
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]", re.ASCII)


def view(ask: ServletRequest) -> World:
    """State that the asked side shows for accounts."""
    return ask.chain.solid if ask.solid else ask.chain.pending


# Blocks


def get_now_block(ask: ServletRequest) -> Json:
    """Does not read a body."""
    return _printed(
        ask, head_number(ask.chain, solid=ask.solid), visible=ask.queried_visible
    )


def get_block(ask: ServletRequest) -> Json:
    if ask.posted and not ask.text:
        which, detail = "", False
    elif ask.posted:
        request = ask.message("BlockReq")
        which, detail = request.id_or_num, request.detail
    else:
        which = ask.parameters.get("id_or_num", "")
        detail = ask.parameters.get("detail", "").lower() == "true"
    try:
        row = find_block(ask.chain, which, solid=ask.solid)
    except BadBlockName as error:
        raise PlainError(str(error)) from None
    return print_block(row, visible=ask.visible, detail=detail) if row else {}


def get_block_by_num(ask: ServletRequest) -> Json:
    return _printed(ask, _number(ask, default=0), visible=ask.visible)


def get_block_by_id(ask: ServletRequest) -> Json:
    row = find_block_by_id(ask.chain, _value(ask), solid=ask.solid)
    return print_block(row, visible=ask.visible) if row else {}


def get_block_by_limit_next(ask: ServletRequest) -> Json:
    if ask.posted:
        request = ask.message("BlockLimit")
        start, end = request.startNum, request.endNum
    else:
        start, end = ask.whole_number("startNum"), ask.whole_number("endNum")
    if end <= 0 or end <= start or end - start > MAX_RANGE:
        return {}
    if start < 0:
        return {"block": []}
    return _blocks(ask, range(start, end))


def get_block_by_latest_num(ask: ServletRequest) -> Json:
    count = _number(ask)
    if not 0 < count < MAX_RANGE:
        return {}
    head = head_number(ask.chain, solid=ask.solid)
    return _blocks(ask, range(max(0, head - count + 1), head + 1))


def _blocks(ask: ServletRequest, numbers: range) -> Json:
    visible = ask.visible
    rows = (ask.chain.block(number, solid=ask.solid) for number in numbers)
    return {"block": [print_block(row, visible=visible) for row in rows if row]}


def _printed(ask: ServletRequest, number: int, *, visible: bool) -> Json:
    row = ask.chain.block(number, solid=ask.solid)
    return print_block(row, visible=visible) if row else {}


def get_transaction_count(ask: ServletRequest) -> Json:
    row = ask.chain.block(_number(ask), solid=ask.solid)
    return {"count": len(row.transactions) if row else 0}


# Transactions


def get_transaction_by_id(ask: ServletRequest) -> Json:
    located = _find(ask)
    return print_row(located.transaction, visible=ask.visible) if located else {}


def get_transaction_info_by_id(ask: ServletRequest) -> Json:
    located = _find(ask)
    if located is None or located.block is None:
        return {}
    return print_info(
        located.transaction,
        located.block,
        visible=ask.visible,
        bare_logs=ask.solid,
    )


def get_transaction_info_by_block_num(ask: ServletRequest) -> Json | list[Json]:
    number = _number(ask)
    if number <= 0:
        return {}
    row = ask.chain.block(number, solid=ask.solid)
    if row is None:
        return []
    visible = ask.visible
    return [print_info(included, row, visible=visible) for included in row.transactions]


def get_transaction_receipt_by_id(ask: ServletRequest) -> Json:
    located = _find(ask)
    if located is None or located.block is None:
        return {}
    return {"Receipt": print_receipt(located.transaction)}


def get_transaction_from_pending(ask: ServletRequest) -> Json:
    located = _find(ask)
    if located is None or located.block is not None:
        return {}
    return print_row(located.transaction, visible=ask.visible)


def get_transaction_list_from_pending(ask: ServletRequest) -> Json:
    _ = ask.visible  # bad JSON is refused, though nothing else is read
    ids = [pooled.candidate.txid.hex() for pooled in ask.chain.pool]
    return {"txId": ids} if ids else {}


def get_pending_size(ask: ServletRequest) -> Json:
    return {"pendingSize": len(ask.chain.pool)}


def _find(ask: ServletRequest) -> Found | None:
    return ask.chain.find(_value(ask), solid=ask.solid)


def _value(ask: ServletRequest) -> bytes:
    if ask.posted:
        value: bytes = ask.message("BytesMessage").value
        return value
    return decode_hex(ask.parameters.get("value", ""))


def _number(ask: ServletRequest, *, default: int | None = None) -> int:
    """*default* goes for a query without it: getblockbynum alone has one."""
    if ask.posted:
        number: int = ask.message("NumberMessage").num
        return number
    return ask.whole_number("num", default)


# Accounts


def get_account(ask: ServletRequest) -> Json:
    return _account(ask, _merged_address(ask), by_id=False)


def get_account_by_id(ask: ServletRequest) -> Json:
    account_id = _merged(ask, "account_id").account_id
    address = view(ask).account_ids.get(account_id.lower()) if account_id else None
    return _account(ask, address or b"", by_id=True)


def _account(ask: ServletRequest, address: bytes, *, by_id: bool) -> Json:
    world = view(ask)
    account = world.accounts.get(address)
    if account is None:
        return {}
    return print_account(
        account, world, ask.chain.genesis, visible=ask.visible, by_id=by_id
    )


def get_account_net(ask: ServletRequest) -> Json:
    address = _merged_address(ask) if ask.posted else plain_address(ask)
    account = view(ask).accounts.get(address)
    return print_net(account, view(ask), ask.chain.genesis) if account else {}


def get_account_resource(ask: ServletRequest) -> Json:
    account = view(ask).accounts.get(plain_address(ask))
    return print_resources(account, view(ask), ask.chain.genesis) if account else {}


def _merged(ask: ServletRequest, name: str) -> Any:
    """A parameter through JsonFormat, by both verbs (Account of Tron.proto)."""
    if ask.posted:
        return ask.message("Account")
    text = ask.parameters.get(name)
    return ask.from_parameter("Account", name, text)


def _merged_address(ask: ServletRequest) -> bytes:
    address: bytes = _merged(ask, "address").address
    return address


def plain_address(ask: ServletRequest) -> bytes:
    """A parameter that the servlet decodes by itself."""
    if ask.posted:
        return ask.decode_address(as_text(ask.body().get("address")) or "")
    return ask.decode_address(ask.parameters.get("address", ""))


# Addresses


def validate_address(ask: ServletRequest) -> Json | None:
    """None is an empty answer, for a body that is no JSON."""
    given: Any = ask.parameters.get("address")
    if ask.posted:
        try:
            given = parse_object(ask.text).get("address")
        except JavaError:
            return None
    if given is None:
        return {"result": False}
    result, message = _judge_address(str(given))
    return {"result": result, "message": message}


def _judge_address(text: str) -> tuple[bool, str]:
    # ValidateAddressServlet.validAddress
    decoders: dict[int, tuple[Callable[[str], bytes | None], str]] = {
        42: (decode_hex, "Hex string format"),
        34: (decode_base58, "Base58check format"),
        28: (_decode_base64, "Base64 format"),
    }
    if len(text) not in decoders:
        return False, "Length error"
    decode, form = decoders[len(text)]
    try:
        raw = decode(text)
    except JavaError as error:
        return False, str(error).partition(" : ")[2]
    valid = raw is not None and is_address(raw)
    return valid, form if valid else "Invalid address"


def _bad_argument(text: str) -> JavaError:
    return JavaError("java.lang.IllegalArgumentException", text)


def _decode_base64(text: str) -> bytes:
    body = text.rstrip("=")
    for letter in body:
        if not _BASE64.fullmatch(letter):
            raise _bad_argument(f"Illegal base64 character {ord(letter):x}")
    try:
        return base64.b64decode(text)
    except binascii.Error:
        ending = "Input byte array has wrong 4-byte ending unit"
        raise _bad_argument(ending) from None
