"""Questions to a contract that may or may not be a TRC-20."""

from collections.abc import Callable
from typing import TypeVar

import trio
from attrs import frozen

from lucidtrond.api import Node, NodeRefused, NotFound
from lucidtrond.tron import trc20
from lucidtrond.tron.abi import encode_call
from lucidtrond.tron.abi_types import AbiError
from lucidtrond.tron.address import Address

T = TypeVar("T")
MAX_DECIMALS = 255
"""TRC-20 (EIP-20) has them as uint8."""


@frozen
class Claims:
    """What a contract says of itself; None where it says nothing readable."""

    name: str | None
    symbol: str | None
    decimals: int | None
    total_supply: int


async def ask_claims(node: Node, token: Address) -> Claims:
    """Ask all four at once.

    Raises:
        NotFound: there is no contract, or not one with a supply.
    """
    found: dict[str, str | int | None] = {}

    async def text(function: str) -> None:
        found[function] = await _optional(
            node, token, function, trc20.parse_text_result
        )

    async def decimals() -> None:
        told = await _optional(node, token, trc20.DECIMALS, trc20.parse_amount_result)
        found[trc20.DECIMALS] = None if told is None or told > MAX_DECIMALS else told

    # First the one that tells whether there is a token at all.
    supply = await ask_amount(
        node, token, trc20.TOTAL_SUPPLY, encode_call(trc20.TOTAL_SUPPLY, ())
    )
    async with trio.open_nursery(strict_exception_groups=False) as nursery:
        nursery.start_soon(text, trc20.NAME)
        nursery.start_soon(text, trc20.SYMBOL)
        nursery.start_soon(decimals)
    return Claims(
        name=_text(found[trc20.NAME]),
        symbol=_text(found[trc20.SYMBOL]),
        decimals=_number(found[trc20.DECIMALS]),
        total_supply=supply,
    )


async def ask_amount(node: Node, token: Address, function: str, data: bytes) -> int:
    """Ask a getter that every TRC-20 has.

    Raises:
        NotFound: no contract there, or none that knows *function*.
    """
    try:
        answer = await node.call_constant(owner=token, contract=token, data=data)
    except NodeRefused as refusal:
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
    answer = await node.call_constant(
        owner=token, contract=token, data=encode_call(function, ())
    )
    if answer.reverted:
        return None
    try:
        return parse(answer.result)
    except AbiError:
        return None


def _text(told: str | int | None) -> str | None:
    return told if isinstance(told, str) else None


def _number(told: str | int | None) -> int | None:
    return told if isinstance(told, int) else None
