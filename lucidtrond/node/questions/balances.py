"""Balances of several accounts as one endpoint's solid state has them: types. Pure."""

from msgspec import Struct

from lucidtrond.tron.account import Account
from lucidtrond.tron.address import Address


class BalanceQuestion(Struct, frozen=True):
    """Of TRX, or of *token*."""

    address: Address
    token: Address | None = None


class SolidBalance(Struct, frozen=True):
    """*amount* is None where it can't be read: no such contract, or no number.

    *account* comes with TRX only.
    """

    amount: int | None
    account: Account | None = None


class SolidBalances(Struct, frozen=True):
    """One answer for each question, as of a block from *before* to *after*."""

    before: int
    after: int
    answers: tuple[SolidBalance, ...]
