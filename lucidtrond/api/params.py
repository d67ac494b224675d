"""Types of parameters that most methods share, and how their texts are read.

The types bound what comes in and describe it; whether a text *is* an address, an amount
or a txid is said by the reading functions, which name the parameter, what was wanted
and what came.
"""

import re
from typing import Annotated, Final

import msgspec

from lucidtrond.errors import InvalidInput, RecipientRefused
from lucidtrond.tron.address import (
    Address,
    InvalidAddress,
    has_checksum,
    parse_address,
)
from lucidtrond.tron.tokens import KnownTokens
from lucidtrond.tron.transaction import TxId
from lucidtrond.tron.units import MAX_SUN, parse_amount


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of a method's parameters: unknown names are refused."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Base of a method's result: an object, since fields are added later."""


AddressText = Annotated[
    str,
    msgspec.Meta(description="An address: base58, 41-hex or 0x-hex.", max_length=64),
]
RecipientText = Annotated[
    str,
    msgspec.Meta(
        description="Who is paid: base58, or 0x-hex in mixed case (EIP-55). Hex without"
        " a checksum needs allow_unchecked_recipient.",
        max_length=64,
    ),
]
AmountText = Annotated[
    str,
    msgspec.Meta(
        description="A string of decimal digits, above 0; numbers are refused: they"
        " lose precision.",
        max_length=78,
        extra_json_schema={"pattern": "^[0-9]{1,78}$"},
    ),
]
TokenText = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=64,
        description="A TRC-20 contract's address, or the symbol of a known token.",
    ),
]
TxIdText = Annotated[
    str,
    msgspec.Meta(description="A txid: 64 hex digits.", max_length=66),
]
Limit = Annotated[int, msgspec.Meta(ge=1, le=1000, description="At most so many.")]
Cursor = Annotated[
    str,
    msgspec.Meta(max_length=64, description="The next_cursor of the page before."),
]
IdempotencyKey = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=200,
        description="Names the request: repeated with the same content it finds what"
        " it did before.",
    ),
]

_TXID: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{64})\Z", re.ASCII)


def read_address(text: str, *, name: str = "address") -> Address:
    """Read an address parameter.

    Raises:
        InvalidInput: it is none; the text names the parameter and the reason.
    """
    try:
        return parse_address(text.strip())
    except InvalidAddress as exc:
        raise InvalidInput(f"{name}: {exc}") from None


def read_recipient(text: str, *, allow_unchecked: bool, name: str = "to") -> Address:
    """Read the address of somebody who is paid or approved.

    Raises:
        InvalidInput: it is no address.
        RecipientRefused: no checksum would tell of a wrong digit, and the caller did
            not allow that.
    """
    address = read_address(text, name=name)
    if not (allow_unchecked or has_checksum(text.strip())):
        raise RecipientRefused(
            f"{name}: expected an address with a checksum (base58, or 0x-hex in mixed"
            f" case), got {text.strip()!r}, in which a wrong digit would go unnoticed;"
            " allow_unchecked_recipient says that it is meant",
            recipient=address.base58,
            flag="allow_unchecked_recipient",
        )
    return address


def read_txid(text: str, *, name: str = "txid") -> TxId:
    """Read a txid parameter; gives lower-case digits. Raises InvalidInput."""
    match = _TXID.match(text.strip())
    if match is None:
        raise InvalidInput(f"{name}: expected 64 hex digits, got {text!r}")
    return TxId(match[1].lower())


def read_amount(text: str, *, name: str, limit: int = MAX_SUN) -> int:
    """Read an amount parameter above zero. Raises InvalidInput."""
    try:
        amount = parse_amount(text, limit=limit)
    except ValueError as exc:
        raise InvalidInput(f"{name}: {exc}") from None
    if amount == 0:
        raise InvalidInput(f"{name}: expected more than 0, got {text!r}")
    return amount


def read_token(text: str, tokens: KnownTokens, *, name: str = "token") -> Address:
    """Read a token parameter: a known token's symbol, or any contract's address.

    Raises:
        InvalidInput: it is neither; the text names the symbols that there are.
    """
    text = text.strip()
    token = tokens.called(text)
    if token is not None:
        return token.address
    try:
        return parse_address(text)
    except InvalidAddress as exc:
        symbols = ", ".join(token.symbol for token in tokens) or "none is known here"
        raise InvalidInput(
            f"{name}: expected a contract's address or a known symbol ({symbols}),"
            f" got {text!r}: {exc}"
        ) from None
