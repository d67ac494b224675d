"""Amounts as people type and read them: ``1.5 TRX``, ``1500000 sun``, ``2 USDT``."""

from collections.abc import Iterable, Mapping
from typing import Any

from lucidtrond.tron.units import (
    Sun,
    format_decimal,
    format_trx,
    parse_amount,
    parse_decimal,
    parse_trx,
)

TRX = "TRX"


def show_sun(amount: str | int | None) -> str:
    """Sun as TRX for people."""
    return "?" if amount is None else f"{format_trx(Sun(int(amount)))} TRX"


class Assets:
    """TRX and the known tokens, as ``token.list`` gave them."""

    def __init__(self, tokens: Iterable[Mapping[str, Any]] = ()) -> None:
        self._tokens = {each["token"]: each for each in tokens}

    def parse(self, words: list[str]) -> tuple[str, int]:
        """Read an amount with its unit: (TRX or a token's address, smallest units).

        Raises:
            ValueError: says what was expected.
        """
        text = "".join(words).replace("_", "")
        number = text[: len(text) - len(text.lstrip("0123456789.-+"))]
        unit = text[len(number) :].lower()
        if unit == "trx":
            return TRX, parse_trx(number)
        if unit == "sun":
            return TRX, parse_amount(number)
        for address, token in self._tokens.items():
            if unit == token["symbol"].lower():
                return address, parse_decimal(number, token["decimals"])
        units = "".join(f", 2 {each['symbol']}" for each in self._tokens.values())
        raise ValueError(
            f"expected an amount with its unit, like 1.5 TRX, 1500000 sun{units}, got "
            f"{' '.join(words)!r}"
        )

    def show(self, amount: str | int, asset: str) -> str:
        """Write an amount of an asset as the ledger names it."""
        if asset == TRX:
            return show_sun(amount)
        token = self._tokens.get(asset)
        if token is None:
            return f"{amount} of {asset}"
        return f"{format_decimal(int(amount), token['decimals'])} {token['symbol']}"
