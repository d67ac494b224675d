"""Whether an owner can afford a payment beside those that are still under way. Pure.

Theory. A balance at the head may or may not contain what is in some node's pool, so
everything of ours that is in no block up to that reading is taken off it: never too
much is left, but a payment in flight may be taken off twice. The solidified balance
contains no pool, so nothing is taken off it twice, but it lacks what came in during the
last minute. Both are lower bounds of what there is, and the greater one decides.
"""

from collections.abc import Sequence

from attrs import frozen

from lucidtrond.errors import InsufficientFunds
from lucidtrond.sending.intent import TRX, Intent
from lucidtrond.tron.address import Address
from lucidtrond.tron.units import Sun


@frozen
class View:
    """An owner's balances, at least as new as a block; *token* of the asset asked."""

    trx: Sun
    as_of_block: int
    token: int | None = None


@frozen
class Reserved:
    """What an unsettled payment of the same owner may take; *block_number* if any."""

    asset: str
    trx: Sun
    amount: int
    block_number: int | None
    recipient: Address | None = None

    @property
    def burn(self) -> Sun:
        """Of *trx*, what is not the amount itself."""
        return Sun(self.trx - (self.amount if self.asset == TRX else 0))


def worst_beside(
    intent: Intent, worst: Sun, joined: Sun | None, reserved: Sequence[Reserved]
) -> Sun:
    """What a payment may burn at most, beside those under way.

    *worst* brings the recipient's account to life when *joined* is not None, and
    *joined* is the worst when another does that first. An account comes to life once:
    of payments to one recipient the first sets that aside, whichever will pay it.
    """
    if joined is None:
        return worst
    is_paid_for = any(
        each.recipient == intent.to and each.burn >= worst for each in reserved
    )
    return joined if is_paid_for else worst


def check_reserved(
    intent: Intent, burn: Sun, views: Sequence[View], reserved: Sequence[Reserved]
) -> None:
    """Refuse what no view covers once other payments are taken off it.

    *burn* is expected of the payment itself.

    Raises:
        InsufficientFunds
    """
    needed = Sun(intent.trx + burn)
    left = max(_left(view, reserved) for view in views)
    if left < needed:
        raise InsufficientFunds(
            "the balance does not cover the payment and what it burns beside the"
            " payments under way",
            needed_sun=str(needed),
            available_sun=str(max(left, 0)),
            burned_sun=str(burn),
        )
    if intent.token is None:
        return
    held = max(_token_left(intent.asset, view, reserved) for view in views)
    if held < intent.amount:
        raise InsufficientFunds(
            "the token balance does not cover the payment beside those under way",
            asset=intent.asset,
            needed_raw=str(intent.amount),
            available_raw=str(max(held, 0)),
        )


def _left(view: View, reserved: Sequence[Reserved]) -> int:
    return view.trx - sum(each.trx for each in reserved if _is_after(each, view))


def _token_left(asset: str, view: View, reserved: Sequence[Reserved]) -> int:
    return (view.token or 0) - sum(
        each.amount
        for each in reserved
        if each.asset == asset and _is_after(each, view)
    )


def _is_after(each: Reserved, view: View) -> bool:
    return each.block_number is None or each.block_number > view.as_of_block
