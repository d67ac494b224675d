"""Addresses: what a text is, and what is known of it."""

from typing import Annotated

import msgspec

from lucidtrond.api import (
    AddressText,
    Context,
    NoConfig,
    NodeError,
    Params,
    Plugin,
    Result,
    read_address,
)
from lucidtrond.tron.address import Address, InvalidAddress, parse_address

plugin = Plugin("validation")

MOST = 10_000
_EXAMPLE = "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH"


class Validate(Params, frozen=True):
    address: str


class Validation(Result, frozen=True):
    """What only the chain knows is null for an invalid address or without a node."""

    valid: bool
    form: str | None
    """base58, hex or evm."""
    address: str | None
    reason: str | None
    ours: bool | None = None
    activated: bool | None = None
    is_contract: bool | None = None
    balance_sun: str | None = None
    as_of_block: int | None = None


@plugin.method("address.validate", example={"address": _EXAMPLE})
async def validate(ctx: Context[NoConfig], params: Validate) -> Validation:
    """Check an address and say what the chain and we know of it."""
    offline = _offline(params.address)
    if offline.address is None:
        return offline
    address = Address.from_base58(offline.address)
    ours = await ctx.store.read(lambda tx: ctx.keys.owns(tx, address))
    offline = msgspec.structs.replace(offline, ours=ours)
    try:
        reading = await ctx.node.fetch_account(address)
    except NodeError:
        return msgspec.structs.replace(
            offline, reason="no node answered: checked offline only"
        )
    return msgspec.structs.replace(
        offline,
        activated=reading.value.activated,
        is_contract=reading.value.is_contract,
        balance_sun=str(reading.value.balance),
        as_of_block=reading.as_of_block,
    )


class ValidateMany(Params, frozen=True):
    addresses: Annotated[list[str], msgspec.Meta(max_length=MOST)]


class Verdict(Result, frozen=True):
    valid: bool
    form: str | None
    address: str | None
    reason: str | None


class Verdicts(Result, frozen=True):
    """In the order of the question."""

    results: list[Verdict]
    valid: int


@plugin.method("address.validate_many", example={"addresses": [_EXAMPLE, "T1"]})
async def validate_many(_ctx: Context[NoConfig], params: ValidateMany) -> Verdicts:
    """Check up to 10,000 addresses offline."""
    found = [_offline(text) for text in params.addresses]
    return Verdicts(
        results=[
            Verdict(
                valid=each.valid,
                form=each.form,
                address=each.address,
                reason=each.reason,
            )
            for each in found
        ],
        valid=sum(each.valid for each in found),
    )


class Convert(Params, frozen=True):
    address: AddressText


class Forms(Result, frozen=True):
    base58: str
    hex: str
    evm: str


@plugin.method("address.convert", inline=True, example={"address": _EXAMPLE})
async def convert(_ctx: Context[NoConfig], params: Convert) -> Forms:
    """Write an address in all its forms."""
    address = read_address(params.address)
    return Forms(base58=address.base58, hex=address.hex, evm=address.evm)


def _offline(text: str) -> Validation:
    stripped = text.strip()
    try:
        address = parse_address(stripped)
    except InvalidAddress as exc:
        return Validation(valid=False, form=None, address=None, reason=str(exc))
    if stripped.startswith("T"):
        form = "base58"
    else:
        form = "hex" if stripped.removeprefix("0x").startswith("41") else "evm"
        if stripped.startswith("0x") and len(stripped) == 42:
            form = "evm"
    return Validation(valid=True, form=form, address=address.base58, reason=None)
