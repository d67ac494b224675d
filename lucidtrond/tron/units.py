"""Amounts and times, each with one unit."""

import re
from typing import Final, NamedTuple, NewType

Sun = NewType("Sun", int)
"""The unit of every TRX amount: 1 TRX is 1,000,000 sun."""

UnixMillis = NewType("UnixMillis", int)
"""Milliseconds since the Unix epoch, as the chain keeps time."""

SUN_PER_TRX: Final = 1_000_000
MAX_SUN: Final = Sun(2**63 - 1)
"""Amounts are int64 on the wire (Tron.proto, TransferContract.amount)."""

_TRX: Final = re.compile(r"([0-9]{1,13})(?:\.([0-9]{1,6}))?\Z", re.ASCII)


def parse_trx(text: str) -> Sun:
    """Read TRX as a person writes it, with at most six decimals.

    Raises:
        ValueError: not an amount of TRX, or above what the chain can hold.
    """
    match = _TRX.match(text)
    if match is None:
        raise ValueError(f"not an amount of TRX: {text[:40]!r}")
    whole, fraction = match.groups()
    amount = int(whole) * SUN_PER_TRX + int((fraction or "").ljust(6, "0"))
    if amount > MAX_SUN:
        raise ValueError(f"not an amount of TRX: {text[:40]!r} is above int64")
    return Sun(amount)


def format_trx(amount: Sun) -> str:
    """Write TRX for people: no exponent, no trailing zeros."""
    sign = "-" if amount < 0 else ""
    whole, fraction = divmod(abs(amount), SUN_PER_TRX)
    if not fraction:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{fraction:06d}".rstrip("0")


def parse_amount(text: str, *, limit: int = MAX_SUN) -> int:
    """Read a decimal digit string, the form of every amount on our wire.

    Raises:
        ValueError: not plain digits, or above *limit*.
    """
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(limit)):
        raise ValueError(
            f"expected a string of digits up to {limit}, got {text[:40]!r}"
        )
    amount = int(text)
    if amount > limit:
        raise ValueError(f"expected at most {limit}, got {amount}")
    return amount


class TokenAmount(NamedTuple):
    """An amount of a token: *raw* smallest units, *decimals* of the token."""

    raw: int
    decimals: int
