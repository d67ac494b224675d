"""How exchanges and market orders name what is traded, and its limits."""

from typing import Final

TRX: Final = b"_"
"""Stands for TRX where a token's id is asked for."""
MAX_AMOUNT: Final = 1_000_000_000_000_000
"""DynamicPropertiesStore: EXCHANGE_BALANCE_LIMIT and MARKET_QUANTITY_LIMIT."""


def is_number(token: bytes) -> bool:
    """TransactionUtil.isNumber: digits that do not begin with 0 unless it is 0."""
    return token.isdigit() and (len(token) == 1 or token[:1] != b"0")


def is_token(token: bytes) -> bool:
    """MarketUtils.checkTokenValid: TRX, or the digits of an id."""
    return token == TRX or is_number(token)
