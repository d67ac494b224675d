"""Amounts and times, each with one unit."""

import re
from typing import Final, NewType

Sun = NewType("Sun", int)
"""The unit of every TRX amount: 1 TRX is 1,000,000 sun."""

UnixMillis = NewType("UnixMillis", int)
"""Milliseconds since the Unix epoch, as the chain keeps time."""

SUN_PER_TRX: Final = 1_000_000
MAX_SUN: Final = Sun(2**63 - 1)
"""Amounts are int64 on the wire (Tron.proto, TransferContract.amount)."""
TRX_DECIMALS: Final = 6
MAX_RAW: Final = 2**256 - 1
"""Amounts of TRC-20 tokens are uint256."""

_DECIMAL: Final = re.compile(r"([0-9]{1,78})(?:\.([0-9]{1,78}))?\Z", re.ASCII)


def parse_trx(text: str) -> Sun:
    """Read TRX as a person writes it, with at most six decimals.

    Raises:
        ValueError: not an amount of TRX, or above what the chain can hold.
    """
    try:
        return Sun(parse_decimal(text, TRX_DECIMALS, limit=MAX_SUN))
    except ValueError as exc:
        raise ValueError(f"not an amount of TRX: {exc}") from None


def format_trx(amount: Sun) -> str:
    """Write TRX for people: no exponent, no trailing zeros."""
    return format_decimal(amount, TRX_DECIMALS)


def parse_decimal(text: str, decimals: int, *, limit: int = MAX_RAW) -> int:
    """Read what a person writes as a number of smallest units.

    Raises:
        ValueError: no plain number, more than *decimals* behind the point, above
            *limit*.
    """
    match = _DECIMAL.match(text)
    if match is None:
        raise ValueError(f"expected a plain number like 1.5, got {text[:40]!r}")
    whole, fraction = match[1], match[2] or ""
    if len(fraction) > decimals:
        raise ValueError(f"{text[:40]!r} has more than {decimals} decimals")
    amount = int(whole + fraction.ljust(decimals, "0"))
    if amount > limit:
        raise ValueError(f"{text[:40]!r} is more than there can be")
    return amount


def format_decimal(amount: int, decimals: int) -> str:
    """Write smallest units for people: no exponent, no trailing zeros."""
    sign = "-" if amount < 0 else ""
    whole, fraction = divmod(abs(amount), 10**decimals)
    if not fraction:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{fraction:0{decimals}d}".rstrip("0")


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
