"""Amounts as people type and read them: ``1.5 TRX``, ``1500000 sun``, ``2 USDT``."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from lucidtrond.tron.units import (
    Sun,
    format_decimal,
    format_trx,
    parse_amount,
    parse_decimal,
    parse_trx,
)

TRX = "TRX"
_NUMBER: Final = re.compile(r"[0-9_.+-]*\Z", re.ASCII)


def show_sun(amount: str | int | None) -> str:
    """Sun as TRX for people."""
    return "?" if amount is None else f"{format_trx(Sun(int(amount)))} TRX"


class Assets:
    """TRX and the known tokens, as ``token.list`` gave them."""

    def __init__(self, tokens: Iterable[Mapping[str, Any]] = ()) -> None:
        self._tokens = {token["token"]: token for token in tokens}

    def parse(self, words: list[str]) -> tuple[str, int]:
        """Read an amount with its unit: (TRX or a token's address, smallest units).

        The unit is the last word, or ends the only one: ``1.5TRX``. Digits may be
        grouped by ``_`` or blanks.

        Raises:
            ValueError: says what was expected.
        """
        *numbers, last = " ".join(words).split() or [""]
        if numbers:
            readings = [("".join(numbers), last.lower())]
        else:
            # A symbol may begin with a digit or "_": 51INCH must not be guessed at.
            readings = [
                (last[: -len(unit)], unit)
                for unit in self._units()
                if last.lower().endswith(unit) and _NUMBER.match(last[: -len(unit)])
            ]
        fitting = [
            (number.replace("_", ""), unit)
            for number, unit in readings
            if unit in self._units()
        ]
        if len(fitting) == 1:
            return self._read(*fitting[0])
        units = "".join(f", 2 {token['symbol']}" for token in self._tokens.values())
        if fitting:
            units += ", with a blank between"
        raise ValueError(
            f"expected an amount with its unit, like 1.5 TRX, 1500000 sun{units}, got "
            f"{' '.join(words)!r}"
        )

    def _units(self) -> list[str]:
        symbols = [token["symbol"].lower() for token in self._tokens.values()]
        return ["trx", "sun", *symbols]

    def _read(self, number: str, unit: str) -> tuple[str, int]:
        if unit == "trx":
            return TRX, parse_trx(number)
        if unit == "sun":
            return TRX, parse_amount(number)
        address, token = next(
            (address, token)
            for address, token in self._tokens.items()
            if token["symbol"].lower() == unit
        )
        return address, parse_decimal(number, token["decimals"])

    def show(self, amount: str | int, asset: str) -> str:
        """Write an amount of an asset as the ledger names it."""
        if asset == TRX:
            return show_sun(amount)
        token = self._tokens.get(asset)
        if token is None:
            return f"{amount} of {asset}"
        return f"{format_decimal(int(amount), token['decimals'])} {token['symbol']}"
