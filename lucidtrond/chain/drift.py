"""The verdict on a node's balance and what the ledger's rows add up to. Pure.

Theory. Of each (account, asset) there is a *base*: an amount that holds after a block.
It is 0 before the first block in which a new account can have been touched, else what
was first read. What was read on the solid state is the balance of some block from
*before* to *after*, the solid heads around the question. When no row of the ledger
falls between those, the balance of all of them is the base plus all rows since. Where
it is another, something moved that the ledger does not know, or the ledger knows
something that did not move; it can have happened in any block since the base. An
agreement makes the reading the new base; a drift leaves the base where it is.

One reading proves no drift: behind one address there may be several nodes, and heads
and balance may come from different ones. Two in a row that state the same drift do.
"""

from typing import Final

from msgspec import Struct

CONFIRMATIONS: Final = 2
"""Readings in a row that must state the same drift."""


class Base(Struct, frozen=True):
    """*amount* is what the account holds after block *number*."""

    number: int
    amount: int


class Reading(Struct, frozen=True):
    """*amount* as of some block from *before* to *after*."""

    before: int
    after: int
    amount: int


class Agrees(Struct, frozen=True):
    """The reading is what the ledger says; *base* is where to go on from."""

    base: Base


class Differs(Struct, frozen=True):
    """The account holds *drift* more than the ledger says, since *first* or later."""

    drift: int
    first: int


class Inconclusive(Struct, frozen=True):
    """This reading can't be compared; another one may."""

    reason: str


Verdict = Agrees | Differs | Inconclusive


def judge(
    base: Base | None, reading: Reading, *, moved: int, touched_between: bool
) -> Verdict:
    """Compare a reading with the ledger.

    *moved* is what the rows above the base's block and up to *before* add up to;
    *touched_between* whether there are rows above *before* and up to *after*, which
    the ledger must hold.
    """
    if reading.after < reading.before:
        return Inconclusive("the solid head went back")
    if touched_between:
        return Inconclusive("touched meanwhile")
    if base is None:
        return Agrees(Base(reading.after, reading.amount))
    if reading.before < base.number:
        return Inconclusive("older than what was read before")
    drift = reading.amount - (base.amount + moved)
    if drift == 0:
        return Agrees(Base(reading.after, reading.amount))
    return Differs(drift, base.number + 1)


def starts_at_zero(
    *, activated: bool, created_ms: int | None, known_since_ms: int | None
) -> bool:
    """Whether an account was watched before it was first activated.

    *known_since_ms* is the time of a block that is not before the one after which it is
    watched; java-tron dates an account by the block before the one that made it.
    """
    if not activated:
        return True
    if created_ms is None or known_since_ms is None:
        return False
    return created_ms >= known_since_ms
