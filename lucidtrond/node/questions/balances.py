"""Balances of several accounts as one endpoint's solid state has them: types. Pure."""

from attrs import frozen

from lucidtrond.tron.account import Account
from lucidtrond.tron.address import Address


@frozen
class BalanceQuestion:
    """Of TRX, or of *token*."""

    address: Address
    token: Address | None = None


@frozen
class SolidBalance:
    """*amount* is None where it can't be read: no such contract, or no number.

    *account* comes with TRX only.
    """

    amount: int | None
    account: Account | None = None


@frozen
class SolidBalances:
    """One answer for each question, as of a block from *before* to *after*."""

    before: int
    after: int
    answers: tuple[SolidBalance, ...]
