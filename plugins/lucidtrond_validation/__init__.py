"""Addresses: what a text is, and what is known of it."""

from typing import Annotated, Literal

import msgspec
import trio

from lucidtrond.api import (
    AddressText,
    Context,
    InvalidInput,
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
AT_ONCE = 100
"""Checked between two looks at what else is to do: about 2 ms."""
Text = Annotated[str, msgspec.Meta(max_length=1000)]
EVM_CHARACTERS = 42
_EXAMPLE = "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH"


class Validate(Params, frozen=True):
    address: Text


class Verdict(Result, frozen=True):
    """*form* is how it was written, *address* its base58; *reason* says why not."""

    valid: bool
    form: Literal["base58", "hex", "evm"] | None
    address: str | None
    reason: str | None


class Validation(Verdict, frozen=True):
    """What only the chain knows is null unless *online*, that is: a node answered."""

    online: bool = False
    ours: bool | None = None
    activated: bool | None = None
    is_contract: bool | None = None
    balance_sun: str | None = None
    as_of_block: int | None = None


@plugin.method("address.validate", example={"address": _EXAMPLE})
async def validate(ctx: Context[NoConfig], params: Validate) -> Validation:
    """Check an address and say what the chain and we know of it."""
    verdict = _verdict(params.address)
    offline = Validation(
        valid=verdict.valid,
        form=verdict.form,
        address=verdict.address,
        reason=verdict.reason,
    )
    if verdict.address is None:
        return offline
    address = Address.from_base58(verdict.address)
    ours = await ctx.store.read(lambda tx: ctx.keys.owns(tx, address))
    offline = msgspec.structs.replace(offline, ours=ours)
    try:
        reading = await ctx.node.fetch_account(address)
    except NodeError:
        return offline
    return msgspec.structs.replace(
        offline,
        online=True,
        activated=reading.value.activated,
        is_contract=reading.value.is_contract,
        balance_sun=str(reading.value.balance),
        as_of_block=reading.as_of_block,
    )


class ValidateMany(Params, frozen=True):
    addresses: Annotated[list[Text], msgspec.Meta(max_length=MOST)]


class Verdicts(Result, frozen=True):
    """In the order of the question."""

    results: list[Verdict]
    valid: int


@plugin.method("address.validate_many", example={"addresses": [_EXAMPLE, "T1"]})
async def validate_many(_ctx: Context[NoConfig], params: ValidateMany) -> Verdicts:
    """Check up to 10,000 addresses offline."""
    verdicts: list[Verdict] = []
    for text in params.addresses:
        if len(verdicts) % AT_ONCE == 0:
            await trio.lowlevel.checkpoint()
        verdicts.append(_verdict(text))
    return Verdicts(results=verdicts, valid=sum(verdict.valid for verdict in verdicts))


class Convert(Params, frozen=True):
    address: AddressText


class Forms(Result, frozen=True):
    base58: str
    hex: str
    evm: str


@plugin.method(
    "address.convert",
    inline=True,
    example={"address": _EXAMPLE},
    errors=(InvalidInput,),
)
async def convert(_ctx: Context[NoConfig], params: Convert) -> Forms:
    """Write an address in all its forms."""
    address = read_address(params.address)
    return Forms(base58=address.base58, hex=address.hex, evm=address.evm)


def _verdict(text: str) -> Verdict:
    stripped = text.strip()
    try:
        address = parse_address(stripped)
    except InvalidAddress as exc:
        return Verdict(valid=False, form=None, address=None, reason=str(exc))
    return Verdict(
        valid=True, form=_form(stripped), address=address.base58, reason=None
    )


def _form(text: str) -> Literal["base58", "hex", "evm"]:
    """How a valid address is written."""
    if text.startswith("T"):
        return "base58"
    return "evm" if len(text) == EVM_CHARACTERS and text.startswith("0x") else "hex"
