"""eth_call and eth_estimateGas."""

from typing import Any, Final

from lucidtrond.devnet.ethereum.errors import (
    RpcError,
    internal,
    invalid_request,
)
from lucidtrond.devnet.ethereum.values import (
    check_latest,
    hex_bytes,
    hex_number,
    members,
    read_address,
    read_bytes,
    read_hash,
    read_number,
    read_quantity,
    text,
)
from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.energy import estimated
from lucidtrond.devnet.state.kinds.table import kind_of
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.token_run import TokenResult
from lucidtrond.devnet.state.triggering import Call, call_constant
from lucidtrond.devnet.state.view import ChainView
from lucidtrond.tron.address import Address
from lucidtrond.tron.contracts import Transfer
from lucidtrond.tron.revert import ErrorReason, read_revert
from lucidtrond.tron.transaction import RawData, Reference, Transaction
from lucidtrond.tron.units import Sun, UnixMillis

NOBODY: Final = "0x" + "00" * 20
FIELDS: Final = frozenset({"from", "to", "gas", "gasPrice", "value", "data", "nonce"})
"""Of CallArguments."""


def call(chain: ChainView, arguments: Any, tag: Any) -> str:
    """What a view gives, or a revert as an error."""
    given = members(arguments, FIELDS)
    _check_block(chain, tag)
    caller = read_address(given.get("from", NOBODY))
    contract = read_address(given.get("to"))
    result = _run(chain, Call(caller, contract, read_bytes(given.get("data") or "")))
    return hex_bytes(result.data)


def estimate(chain: ChainView, arguments: Any) -> str:
    """Energy of a call; plain transfers need none."""
    given = members(arguments, FIELDS)
    caller = read_address(given.get("from", NOBODY))
    if given.get("to") in (None, "", "0x"):
        if given.get("data") in (None, "", "0x"):
            raise invalid_request("invalid json request")
        raise invalid_request("this devnet runs no byte code")
    to = read_address(given["to"])
    if chain.pending.contracts.get(to) is None:
        if not given.get("value"):
            raise invalid_request("invalid json request")
        _check_transfer(chain, caller, to, read_quantity(given["value"]))
        return "0x0"
    try:
        value = read_quantity(given.get("value"))
        data = read_bytes(given.get("data"))
    except RpcError as error:
        raise internal(error.message) from None
    result = _run(chain, Call(caller, to, data, value))
    return hex_number(estimated(result.energy, chain.genesis))


def _check_block(chain: ChainView, tag: Any) -> None:
    """Latest as a tag; any block that exists as an object, which means latest too."""
    if not isinstance(tag, dict):
        check_latest(tag)
    elif "blockNumber" in tag:
        if chain.block(read_number(text(tag["blockNumber"]))) is None:
            raise internal("header not found")
    elif "blockHash" in tag:
        wanted = read_hash(tag["blockHash"])
        row = chain.block(int.from_bytes(wanted[:8], "big"))
        if row is None or row.id != wanted:
            raise internal("header for hash not found")
    else:
        raise invalid_request("invalid json request")


def _run(chain: ChainView, wanted: Call) -> TokenResult:
    try:
        result = call_constant(chain.pending, wanted)
    except Invalid as refusal:
        raise invalid_request(refusal.reason) from None
    if result.result != "SUCCESS":
        reason = read_revert(result.data)
        said = f": {reason.text}" if isinstance(reason, ErrorReason) else ""
        raise internal(result.message + said)
    return result


def _check_transfer(chain: ChainView, owner: bytes, to: bytes, amount: int) -> None:
    properties = chain.head.globals
    raw = RawData(
        Transfer(Address(owner), Address(to), Sun(amount)),
        Reference.to_block(properties.block_id.hex()),
        expiration=UnixMillis(properties.timestamp),
        timestamp=UnixMillis(properties.timestamp),
    )
    candidate = Candidate.read(Transaction(raw.encode()))
    try:
        kind_of(candidate).validate(chain.pending, candidate, chain.genesis)
    except Invalid as refusal:
        raise invalid_request(refusal.reason) from None
