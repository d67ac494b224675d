"""eth_call and eth_estimateGas."""

from typing import Any, Final

from lucidtrond.devnet.ethereum.errors import (
    internal,
    invalid_request,
    wrong_parameters,
)
from lucidtrond.devnet.ethereum.values import (
    check_latest,
    hex_bytes,
    hex_number,
    read_address,
    read_bytes,
    read_long,
)
from lucidtrond.devnet.state.candidate import TRANSFER, Candidate
from lucidtrond.devnet.state.contracts import KINDS
from lucidtrond.devnet.state.energy import estimated
from lucidtrond.devnet.state.native_token import TokenResult
from lucidtrond.devnet.state.refused import Invalid
from lucidtrond.devnet.state.triggering import Call, call_constant
from lucidtrond.devnet.state.view import ChainView
from lucidtrond.tron.address import Address
from lucidtrond.tron.contracts import Transfer
from lucidtrond.tron.revert import ErrorReason, read_revert
from lucidtrond.tron.transaction import RawData, Reference, Transaction
from lucidtrond.tron.units import Sun, UnixMillis

NOBODY: Final = "0x" + "00" * 20


def call(chain: ChainView, arguments: Any, tag: Any) -> str:
    """What a view gives, or a revert as an error."""
    given = _object(arguments)
    check_latest(tag)
    caller = read_address(given.get("from") or NOBODY)
    contract = read_address(given.get("to"))
    result = _run(chain, Call(caller, contract, read_bytes(given.get("data") or "")))
    return hex_bytes(result.data)


def estimate(chain: ChainView, arguments: Any) -> str:
    """Energy of a call; plain transfers need none."""
    given = _object(arguments)
    caller = read_address(given.get("from") or NOBODY)
    if not given.get("to"):
        raise invalid_request("this devnet runs no byte code")
    to = read_address(given["to"])
    value = read_long(given["value"]) if given.get("value") else None
    if chain.pending.contracts.get(to) is None:
        if value is None:
            raise invalid_request("invalid json request")
        _check_transfer(chain, caller, to, value)
        return "0x0"
    data = read_bytes(given.get("data") or "")
    result = _run(chain, Call(caller, to, data, value or 0))
    return hex_number(estimated(result.energy, chain.genesis))


def _object(arguments: Any) -> dict[str, Any]:
    if not isinstance(arguments, dict):
        raise wrong_parameters()
    return arguments


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
    known = chain.head.globals
    raw = RawData(
        Transfer(Address(owner), Address(to), Sun(amount)),
        Reference.to_block(known.block_id.hex()),
        expiration=UnixMillis(known.timestamp),
        timestamp=UnixMillis(known.timestamp),
    )
    candidate = Candidate.read(Transaction(raw.encode()))
    try:
        KINDS[TRANSFER].validate(chain.pending, candidate, chain.genesis)
    except Invalid as refusal:
        raise invalid_request(refusal.reason) from None
