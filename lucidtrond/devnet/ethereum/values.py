"""Values of /jsonrpc: hex texts to what they mean, and back."""

import re
from typing import Any, Final

from lucidtrond.devnet.ethereum.errors import (
    RpcError,
    invalid_params,
    wrong_parameters,
)
from lucidtrond.devnet.java.errors import JavaError
from lucidtrond.devnet.java.values import as_text, decode_hex
from lucidtrond.devnet.state.view import ChainView
from lucidtrond.tron.address import PREFIX, SIZE

HASH_SIZE: Final = 32
_HASH: Final = re.compile(r"(0x)?[a-zA-Z0-9]{64}")
_NUMBER: Final = re.compile(r"0x[+-]?[0-9a-fA-F]+|[+-]?[0-9]+", re.ASCII)
_LONG: Final = re.compile(r"[+-]?[0-9a-fA-F]+", re.ASCII)


def hex_number(value: int) -> str:
    """ByteArray.toJsonHex(long)."""
    return hex(value)


def hex_bytes(data: bytes) -> str:
    """ByteArray.toJsonHex(byte[])."""
    return "0x" + data.hex()


def hex_address(raw: bytes) -> str | None:
    """21 bytes without the first; None for none (toJsonHexAddress)."""
    return hex_bytes(raw[1:] if len(raw) == SIZE else raw) if raw else None


def text(value: Any) -> str:
    """A parameter that must be a text; Jackson takes numbers and flags for one."""
    given = as_text(value)
    if given is None or isinstance(value, dict | list):
        raise wrong_parameters()
    return given


def members(value: Any, allowed: frozenset[str]) -> dict[str, Any]:
    """An object with *known* members alone, which is all that Jackson takes."""
    if not isinstance(value, dict) or not value.keys() <= allowed:
        raise wrong_parameters()
    return value


def read_bytes(value: Any) -> bytes:
    """Hex with or without 0x, in the node's words for bad ones; null is nothing."""
    if value is None:
        return b""
    try:
        return decode_hex(text(value))
    except JavaError as error:
        raise invalid_params(str(error).partition(" : ")[2]) from None


def read_address(value: Any) -> bytes:
    """20 bytes, or 21 that begin with 41 (addressCompatibleToByteArray)."""
    raw = read_bytes(value)
    if len(raw) == SIZE - 1:
        return bytes([PREFIX]) + raw
    if len(raw) != SIZE or raw[0] != PREFIX:
        raise invalid_params("invalid address hash value")
    return raw


def read_hash(value: Any) -> bytes:
    """A block's or a transaction's id."""
    if not _HASH.fullmatch(text(value)):
        raise invalid_params("invalid hash value")
    return read_bytes(value)


def read_number(value: str) -> int:
    """ByteArray.hexToBigInteger(…).longValue(): hex with 0x, else decimal."""
    if not _NUMBER.fullmatch(value):
        raise invalid_params("invalid block number")
    number = int(value.replace("0x", "", 1), 16) if "0x" in value else int(value)
    return (number + 2**63) % 2**64 - 2**63


def read_long(value: Any) -> int:
    """ByteArray.jsonHexToLong."""
    given = text(value)
    if not given.startswith("0x"):
        raise invalid_params("Incorrect hex syntax")
    digits = given.removeprefix("0x")
    if not _LONG.fullmatch(digits) or not -(2**63) <= int(digits, 16) < 2**63:
        raise invalid_params(f'For input string: "{digits}"')
    return int(digits, 16)


def read_quantity(value: Any) -> int:
    """JsonRpcApiUtil.parseQuantityValue: nothing is 0."""
    if value is None or value == "":
        return 0
    try:
        return read_long(value)
    except RpcError:
        raise invalid_params("invalid param value: invalid hex number") from None


def block_number(chain: ChainView, value: Any) -> int:
    """A height or one of the tags earliest, latest and finalized."""
    given = text(value)
    match given.lower():
        case "earliest":
            return 0
        case "latest":
            return chain.head.globals.number
        case "finalized":
            return chain.head.globals.solid
        case "pending":
            raise invalid_params("TAG pending not supported")
    return read_number(given)


def check_latest(value: Any) -> None:
    """For methods that know the newest state only."""
    if value is None:
        raise invalid_params("invalid block number")
    given = text(value)
    match given.lower():
        case "latest":
            return
        case "earliest" | "pending" | "finalized":
            raise invalid_params("TAG [earliest | pending | finalized] not supported")
    read_number(given)
    raise invalid_params("QUANTITY not supported, just support TAG as latest")
