"""Transactions as the node prints and reads them in JSON (Util and JsonFormat).

Printing drops what equals its default; bytes are hex, and when *visible* is true
addresses are base58 and some fields text (`jsonfields`). Reading believes ``raw_data``
alone: txID and raw_data_hex are ignored, contracts that can't be mapped vanish.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.base58 import encode_check
from lucidtrond.tron.contract_address import created_by_transaction
from lucidtrond.tron.hashing import sha256
from lucidtrond.tron.jsonfields import bytes_form, is_repeated
from lucidtrond.tron.jsontext import NullPointer, ParseError, merge
from lucidtrond.tron.transaction import MalformedTransaction, Transaction
from lucidtrond.tron.wirebytes import MalformedMessage, parse

CONTRACT_TYPES: Final = dict(pb.Transaction.Contract.ContractType.items())
"""Number of each contract by the name that ``type`` has in JSON."""
_TYPE_NAMES: Final = {number: name for name, number in CONTRACT_TYPES.items()}
_CREATE_SMART_CONTRACT: Final = CONTRACT_TYPES["CreateSmartContract"]
_WITHOUT_ACTUATOR: Final = frozenset({"VoteAssetContract"})
"""Has a message, but TransactionFactory knows no class for it."""
_SHORT_ESCAPES: Final = {
    "b": "\b",
    "f": "\f",
    "F": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    '"': '"',
    "'": "'",
    "/": "/",
}


def print_transaction(
    raw: bytes,
    signatures: Sequence[bytes],
    *,
    visible: bool,
    contract_ret: str | None = None,
) -> dict[str, Any]:
    """Print a transaction; a stored one has *contract_ret*, say ``SUCCESS``.

    Builders add ``visible`` themselves.

    Raises:
        MalformedTransaction: *raw* is not protobuf.
    """
    txid = sha256(raw)
    printed: dict[str, Any] = {
        "txID": txid.hex(),
        "raw_data": print_raw_data(raw, visible=visible),
        "raw_data_hex": raw.hex(),
    }
    if signatures:
        printed["signature"] = [signature.hex() for signature in signatures]
    if contract_ret is not None:
        is_named = contract_ret != "DEFAULT"
        printed["ret"] = [{"contractRet": contract_ret} if is_named else {}]
    for contract in _parse_raw(raw).contract:
        if contract.type == _CREATE_SMART_CONTRACT:
            created = _unpack(contract)
            if isinstance(created, pb.CreateSmartContract):
                address = created_by_transaction(txid, created.owner_address)
                printed["contract_address"] = address.hex
    return printed


def print_raw_data(raw: bytes, *, visible: bool) -> dict[str, Any]:
    """Print what is inside ``raw_data``.

    A contract whose value can't be read is left out, as the node does.

    Raises:
        MalformedTransaction: *raw* is not protobuf.
    """
    message = _parse_raw(raw)
    contracts = [
        printed
        for contract in message.contract
        if (printed := _print_contract(contract, visible=visible)) is not None
    ]
    del message.contract[:]
    return {**print_message(message, visible=visible), "contract": contracts}


def print_message(message: Message, *, visible: bool) -> dict[str, Any]:
    """Print any message of tron.proto by JsonFormat's rules; it shows no unknown field
    (since 4.4.5)."""
    printed: dict[str, Any] = {}
    for field, value in message.ListFields():
        show = _printer(field, visible=visible)
        if is_repeated(field):
            printed[field.name] = [show(element) for element in value]
        else:
            printed[field.name] = show(value)
    return printed


def parse_transaction(obj: Mapping[str, Any], *, visible: bool) -> Transaction:
    """As `parse_stored`, without its results."""
    return parse_stored(obj, visible=visible)[0]


def parse_stored(
    obj: Mapping[str, Any], *, visible: bool
) -> tuple[Transaction, tuple[bytes, ...]]:
    """Read a transaction that was sent to be broadcast, as the node reads it, and the
    encoded results that stand there (``ret``).

    The raw bytes are made from ``raw_data``. They may hold no contract: contracts of
    an unknown type or with a value that can't be read are dropped.

    Raises:
        NullPointer: no raw_data, no contract list, or a field that can't be read.
        MalformedTransaction: raw_data or the contract list is of another JSON type.
    """
    raw_data = _as_object(obj.get("raw_data"))
    contracts = []
    for contract in _as_list(raw_data.get("contract")):
        try:
            contracts.append(_pack_contract(contract, visible=visible))
        except (ParseError, NullPointer, MalformedTransaction):
            continue
    whole = {**obj, "raw_data": {**raw_data, "contract": contracts}}
    message = pb.Transaction()
    try:
        merge(_to_json(whole), message, visible=visible)
    except ParseError:
        raise NullPointer from None
    raw = message.raw_data.SerializeToString(deterministic=True)
    results = tuple(
        result.SerializeToString(deterministic=True) for result in message.ret
    )
    return Transaction(raw, tuple(message.signature)), results


def parse_raw_data(obj: Mapping[str, Any], *, visible: bool) -> bytes:
    """Read what is inside ``raw_data`` into its canonical bytes, dropping nothing.

    The inverse of `print_raw_data`, for JSON of which nothing may get lost.

    Raises:
        ParseError: a value that can't be read.
        NullPointer: an address that can't be read, or a missing part.
        MalformedTransaction: an unknown contract type, or another JSON type.
    """
    packed = [
        _pack_contract(contract, visible=visible, all_types=True)
        for contract in _as_list(obj.get("contract"))
    ]
    message = pb.Transaction.raw()
    merge(_to_json({**obj, "contract": packed}), message, visible=visible)
    return message.SerializeToString(deterministic=True)


def message_class(name: str) -> type[Message] | None:
    """The message of a contract type (``TransferContract``), if it has one."""
    message_type = getattr(pb, name, None) if name in CONTRACT_TYPES else None
    return (
        message_type
        if isinstance(message_type, type) and issubclass(message_type, Message)
        else None
    )


def _parse_raw(raw: bytes) -> pb.Transaction.raw:
    try:
        return pb.Transaction.raw.FromString(raw)
    except DecodeError:
        raise MalformedTransaction("raw data is not a protobuf message") from None


def _unpack(contract: pb.Transaction.Contract) -> Message | None:
    """The contract's value; None where java's Any.unpack gives up."""
    name = _TYPE_NAMES.get(contract.type, "")
    made = message_class(name)
    _, slash, stated = contract.parameter.type_url.rpartition("/")
    if made is None or not slash or stated != f"protocol.{name}":
        return None
    try:
        return parse(made, contract.parameter.value)
    except MalformedMessage:
        return None


def _print_contract(
    contract: pb.Transaction.Contract, *, visible: bool
) -> dict[str, Any] | None:
    name = _TYPE_NAMES.get(contract.type, "UNRECOGNIZED")
    parameter: dict[str, Any] = {"type_url": contract.parameter.type_url}
    if message_class(name) is not None:
        value = _unpack(contract)
        if value is None:
            return None
        parameter["value"] = print_message(value, visible=visible)
    printed: dict[str, Any] = {"parameter": parameter, "type": name}
    if contract.Permission_id > 0:
        printed["Permission_id"] = contract.Permission_id
    return printed


def _printer(field: FieldDescriptor, *, visible: bool) -> Callable[[Any], Any]:
    match field.type:
        case FieldDescriptor.TYPE_BYTES:
            form = bytes_form(field) if visible else None
            if form == "address":
                return encode_check
            return _print_text if form == "text" else bytes.hex
        case FieldDescriptor.TYPE_MESSAGE:
            return lambda value: print_message(value, visible=visible)
        case FieldDescriptor.TYPE_ENUM:
            return lambda value: _print_enum(field, value)
        case _:
            return lambda value: value


def _print_enum(field: FieldDescriptor, value: int) -> str:
    enum = field.enum_type
    assert enum is not None  # noqa: S101 - invariant: only called for enum fields
    named = enum.values_by_number.get(value)
    # Descriptors.EnumDescriptor.findValueByNumberCreatingIfUnknown
    return named.name if named else f"UNKNOWN_ENUM_VALUE_{enum.name}_{value}"


def _print_text(data: bytes) -> str:
    r"""JsonFormat.escapeBytesSelfType: text as it is, hex when that would break JSON.

    Quotes are escaped, backslashes are not: fastjson then undoes what looks like an
    escape, so that ``a\n`` (two letters) comes out as a line break.
    """
    text = data.decode("utf-8", "replace")
    if "\\" not in text:
        return text
    parts: list[str] = []
    letters = iter(text.replace('"', '\\"'))
    for letter in letters:
        if letter == '"':
            return data.hex()  # a backslash before a quote ends the string early
        if letter != "\\":
            parts.append(letter)
            continue
        escape = next(letters, "")
        if escape in ("u", "x"):
            digits = "".join(
                next(letters, "") for _ in range(4 if escape == "u" else 2)
            )
            try:
                parts.append(chr(int(digits, 16)))
            except ValueError:
                return data.hex()
        elif escape and escape in "01234567":
            parts.append(chr(int(escape)))
        elif escape in _SHORT_ESCAPES:
            parts.append(_SHORT_ESCAPES[escape])
        else:
            return data.hex()
    return "".join(parts)


def _pack_contract(
    contract: Any, *, visible: bool, all_types: bool = False
) -> dict[str, Any]:
    contract = _as_object(contract)
    name = str(contract.get("type") or "")
    made = message_class(name)
    if made is None or (name in _WITHOUT_ACTUATOR and not all_types):
        raise MalformedTransaction(f"contract type: {name[:40]!r} is not known")
    parameter = _as_object(contract.get("parameter"))
    value = made()
    merge(_to_json(_as_object(parameter.get("value"))), value, visible=visible)
    encoded = value.SerializeToString(deterministic=True).hex()
    # type_url stays as it was sent, wrong or missing; seen on a node: the txid changes.
    return {**contract, "parameter": {**parameter, "value": encoded}}


def _as_object(value: Any) -> Mapping[str, Any]:
    """JSONObject.getJSONObject: a text is read as JSON once more."""
    if isinstance(value, str):
        value = _reread(value)
    if value is None:
        raise NullPointer
    if not isinstance(value, Mapping):
        raise MalformedTransaction("expected a JSON object")
    return value


def _as_list(value: Any) -> Sequence[Any]:
    if isinstance(value, str):
        value = _reread(value)
    if value is None:
        raise NullPointer
    if not isinstance(value, Sequence):
        raise MalformedTransaction("expected a JSON list")
    return value


def _reread(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        raise MalformedTransaction("a text that is no JSON") from None


def _to_json(value: Any) -> str:
    """As fastjson writes it: keys whose value is null are left out."""
    return json.dumps(_without_nulls(value), ensure_ascii=False, separators=(",", ":"))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _without_nulls(element)
            for key, element in value.items()
            if element is not None
        }
    if isinstance(value, list | tuple):
        return [_without_nulls(element) for element in value]
    return value
