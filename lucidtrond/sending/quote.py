"""What a payment would cost now, and what its owner has: the result of asking. Pure."""

from attrs import frozen

from lucidtrond.sending.cost import Cost
from lucidtrond.sending.reserved import View
from lucidtrond.tron.units import Sun


@frozen
class Quote:
    """What a payment would cost now, and what its owner has.

    *fee_limit* is None for TRX. *views* holds one, or two when the solid one was asked
    for, too.
    """

    size: int
    cost: Cost
    views: tuple[View, ...]
    energy: int = 0
    """Of the whole call; *origin_energy* of it is paid by the contract's maker."""
    origin_energy: int = 0
    arrives: int | None = None
    """Of a token, what the simulation's Transfer logs say the recipient gets."""
    needed_fee_limit: Sun = Sun(0)
    fee_limit: Sun | None = None
    fee_limit_cap: Sun = Sun(0)
    creates: bool = False
    joined: Sun | None = None
    """The worst when *creates*, but another payment makes the account first."""
