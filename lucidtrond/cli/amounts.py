"""Amounts as people type them: ``1.5 TRX``, ``1500000 sun``."""

from lucidtrond.tron.units import Sun, format_trx, parse_amount, parse_trx


def parse_typed_amount(words: list[str]) -> Sun:
    """Read ``1.5 TRX``, ``1.5TRX`` or ``1500000 sun``; the unit must be said.

    Raises:
        ValueError: says what was expected.
    """
    text = "".join(words).replace("_", "").lower()
    if text.endswith("trx"):
        return parse_trx(text.removesuffix("trx"))
    if text.endswith("sun"):
        return Sun(parse_amount(text.removesuffix("sun")))
    raise ValueError(
        f"expected an amount with its unit, like 1.5 TRX or 1500000 sun, got "
        f"{' '.join(words)!r}"
    )


def show_sun(amount: str | int | None) -> str:
    """Sun as TRX for people."""
    return "?" if amount is None else f"{format_trx(Sun(int(amount)))} TRX"
