"""Whether an owner can afford a payment beside those that are still under way. Pure.

Theory. A balance at the head may or may not contain what is in some node's pool, so
everything of ours that is in no block up to that reading is taken off it: never too
much is left, but a payment in flight may be taken off twice. The solidified balance
contains no pool, so nothing is taken off it twice, but it lacks what came in during the
last minute. Both are lower bounds of what there is, and the greater one decides.
"""

from collections.abc import Sequence

from msgspec import Struct

from lucidtrond.errors import InsufficientFunds
from lucidtrond.tron.address import Address
from lucidtrond.tron.units import Sun


class View(Struct, frozen=True):
    """An owner's balances, at least as new as a block; *token* in smallest units."""

    trx: Sun
    as_of_block: int
    token: int | None = None


class Spending(Struct, frozen=True):
    """What leaves an owner by an order itself, beside what it burns."""

    trx: Sun = Sun(0)
    token: str | None = None
    """A token's asset: rows are compared by it, not decoded."""
    token_amount: int = 0
    """Of *token*, in its smallest units."""


class Reserved(Struct, frozen=True):
    """What an unsettled payment of the same owner may take; *block_number* if any."""

    spending: Spending
    burn: Sun
    block_number: int | None
    recipient: Address | None = None


def worst_beside(
    recipient: Address, worst: Sun, joined: Sun | None, reserved: Sequence[Reserved]
) -> Sun:
    """What a payment to *recipient* may burn at most, beside those under way.

    *worst* creates the recipient's account when *joined* is not None, and *joined* is
    the worst when another does that first. An account is created once: of payments to
    one recipient the first sets that aside, whichever will pay it.
    """
    if joined is None:
        return worst
    is_paid_for = any(
        other.recipient == recipient and other.burn >= worst for other in reserved
    )
    return joined if is_paid_for else worst


def check_reserved(
    spending: Spending, burn: Sun, views: Sequence[View], reserved: Sequence[Reserved]
) -> None:
    """Refuse what no view covers once other payments are taken off it.

    *burn* is expected of the payment itself.

    Raises:
        InsufficientFunds
    """
    needed = Sun(spending.trx + burn)
    left = max(_left(view, reserved) for view in views)
    if left < needed:
        raise InsufficientFunds(
            "the balance does not cover the payment and what it burns beside the"
            " payments under way",
            needed_sun=str(needed),
            available_sun=str(max(left, 0)),
            burned_sun=str(burn),
        )
    token = spending.token
    if token is None:
        return
    balance = max(_token_left(token, view, reserved) for view in views)
    if balance < spending.token_amount:
        raise InsufficientFunds(
            "the token balance does not cover the payment beside those under way",
            asset=token,
            needed_raw=str(spending.token_amount),
            available_raw=str(max(balance, 0)),
        )


def _left(view: View, reserved: Sequence[Reserved]) -> int:
    return view.trx - sum(
        other.spending.trx + other.burn for other in reserved if _is_after(other, view)
    )


def _token_left(token: str, view: View, reserved: Sequence[Reserved]) -> int:
    return (view.token or 0) - sum(
        other.spending.token_amount
        for other in reserved
        if other.spending.token == token and _is_after(other, view)
    )


def _is_after(other: Reserved, view: View) -> bool:
    return other.block_number is None or other.block_number > view.as_of_block
