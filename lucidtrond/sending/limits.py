"""What a payment may cost, and the refusal of one that costs more. Pure."""

from msgspec import Struct

from lucidtrond.errors import InsufficientFunds, LimitTooLow
from lucidtrond.sending.quote import Quote
from lucidtrond.tron.units import Sun


class Limits(Struct, frozen=True):
    """The most that one payment may cost beside its amount, unless its caller says.

    *fee_limit*: 30 TRX are 300,000 energy at 100 sun, twice what the dearest ordinary
    token payment takes (USDT to somebody who has none: 130,285, and a margin).
    *max_burn*: the same with bandwidth, memo and room for a rise of prices.
    """

    fee_limit: Sun = Sun(30_000_000)
    max_burn: Sun = Sun(35_000_000)


def check_quote(
    quote: Quote, limits: Limits, *, amount: Sun, max_burn: Sun | None
) -> None:
    """Refuse what costs more than it may, or than there is.

    *amount* is what it spends of TRX, *max_burn* what its caller said.

    Raises:
        LimitTooLow, InsufficientFunds
    """
    if quote.needed_fee_limit > quote.fee_limit_cap:
        raise LimitTooLow(
            f"the call needs a fee limit of {quote.needed_fee_limit} sun, and it may"
            f" have {quote.fee_limit_cap}",
            needed_sun=str(quote.needed_fee_limit),
            fee_limit_sun=str(quote.fee_limit_cap),
        )
    most = quote.cost.most
    max_burn = limits.max_burn if max_burn is None else max_burn
    if most > max_burn:
        raise LimitTooLow(
            f"the payment could burn {most} sun, and it may burn {max_burn}",
            needed_sun=str(most),
            max_burn_sun=str(max_burn),
        )
    # Not the most: who can't pay the margin can still pay what it takes now.
    needed = amount + quote.cost.expected
    balance = quote.views[0].trx
    if balance < needed:
        raise InsufficientFunds(
            "the balance does not cover the payment and what it burns",
            needed_sun=str(needed),
            available_sun=str(balance),
            burned_sun=str(quote.cost.expected),
        )
