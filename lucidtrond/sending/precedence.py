"""Which payment has to be sent before which. Pure.

Payments of one owner do not depend on each other: each is accepted only if there is
enough beside all others (see `reserved`), whatever their order. But what one of ours
pays to another of ours may be what the other one pays with: then it is sent first, so
that a node that is asked about both sees them in this order. (Nodes may still disagree;
a refusal for lack of funds is not the end of a payment, it is sent again.)
"""

from lucidtrond.sending.journal.entry import Entry


def pays_for(earlier: Entry, later: Entry) -> bool:
    """*earlier* was never sent, and *later* may spend what it brings."""
    return (
        earlier.payment_seq < later.payment_seq
        and earlier.attempt.sent == 0
        and earlier.payment.to_address == later.payment.from_address
    )
