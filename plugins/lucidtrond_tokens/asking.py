"""Questions to a contract that may or may not be a TRC-20."""

from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from lucidtrond.api import CallNotRun, Node, NotFound
from lucidtrond.tron import trc20
from lucidtrond.tron.abi import encode_call
from lucidtrond.tron.abi_types import AbiError
from lucidtrond.tron.address import Address

T = TypeVar("T")
MAX_DECIMALS = 255
"""TRC-20 (EIP-20) has them as uint8."""


class Claims(Struct, frozen=True):
    """What a contract says of itself; None where it says nothing readable."""

    name: str | None
    symbol: str | None
    decimals: int | None
    total_supply: int


async def ask_claims(node: Node, token: Address) -> Claims:
    """Ask for the supply, which tells whether there is a token at all, then the rest.

    Raises:
        NotFound: there is no contract, or not one with a supply.
        NodeError: also when no endpoint simulates calls.
    """
    supply = await ask_amount(
        node, token, trc20.TOTAL_SUPPLY, encode_call(trc20.TOTAL_SUPPLY, ())
    )
    name = await _optional(node, token, trc20.NAME, trc20.parse_text_result)
    symbol = await _optional(node, token, trc20.SYMBOL, trc20.parse_text_result)
    decimals = await _optional(node, token, trc20.DECIMALS, trc20.parse_amount_result)
    if decimals is not None and decimals > MAX_DECIMALS:
        decimals = None
    return Claims(name, symbol, decimals, total_supply=supply)


async def ask_amount(node: Node, token: Address, function: str, data: bytes) -> int:
    """Ask a getter that every TRC-20 has.

    Raises:
        NotFound: no contract there, or none that knows *function*.
    """
    try:
        answer = await node.call_constant(owner=token, contract=token, data=data)
    except CallNotRun as refusal:
        raise NotFound(f"no contract answers at {token}: {refusal.reason}") from None
    if answer.reverted:
        raise NotFound(f"{token} is no TRC-20 token: {function} failed")
    try:
        return trc20.parse_amount_result(answer.result)
    except AbiError:
        raise NotFound(
            f"{token} is no TRC-20 token: {function} gave {len(answer.result)} bytes,"
            " not 32"
        ) from None


async def _optional(
    node: Node, token: Address, function: str, parse: Callable[[bytes], T]
) -> T | None:
    try:
        answer = await node.call_constant(
            owner=token, contract=token, data=encode_call(function, ())
        )
    except CallNotRun:  # old compilers have no revert
        return None
    if answer.reverted:
        return None
    try:
        return parse(answer.result)
    except AbiError:
        return None
