"""What a payment would cost, and whether its owner can afford it: before any signature.

Balances change and other payments are under way, so a payment that passes may still be
refused by the chain. What is asked depends on the kind of the order (see `kinds`).
"""

from attrs import evolve

from lucidtrond.sending.intent import Intent
from lucidtrond.sending.kinds.table import kind_of
from lucidtrond.sending.limits import Limits
from lucidtrond.sending.protocols import PaymentNode
from lucidtrond.sending.quote import Quote
from lucidtrond.tron.block import BlockHeader


async def fetch_quote(
    node: PaymentNode, intent: Intent, limits: Limits, *, head: BlockHeader, solid: bool
) -> Quote:
    """Ask what it takes. *head* stands for the block that it will refer to.

    *solid* asks for the solidified balances as well.

    Raises:
        RecipientRefused: TRX for a contract, which the chain refuses.
        InvalidInput: the asset is no token.
        InsufficientFunds: less of the token than is to be paid.
        WouldFail: the token refuses this payment, or would not move anything.
        TooLarge: no account may be made by so big a transaction.
        NodeError
    """
    kind = kind_of(intent)
    quote = await kind.fetch_quote(node, intent, limits, head=head)
    if not solid:
        return quote
    view = await kind.fetch_solid_view(node, intent)
    return evolve(quote, views=(*quote.views, view))
