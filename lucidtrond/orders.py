"""What a caller orders: the content of a payment, and how far it may go. Pure."""

from attrs import frozen

from lucidtrond.tron.address import Address
from lucidtrond.tron.units import Sun


@frozen(kw_only=True)
class PaymentOrder:
    """One payment, under an idempotency key.

    *asset* is ``TRX`` or the base58 address of a TRC-20 contract; *amount* is sun or
    the token's smallest units. *fee_limit* bounds the energy of a call, *max_burn* all
    that is burned; None takes the configured limits. One transaction stays in flight
    for *lifetime_ms* at most (None: 120,000); proven dead, it is followed by another
    until there were *attempts* of them (None: 1) or *give_up_ms* of chain time are
    over. A recipient that looks like another one that was paid is refused without
    *allow_look_alike*, the zero address without *allow_zero_address*.
    """

    key: str
    """Idempotency key: the same key never pays twice."""
    owner: Address
    to: Address
    asset: str
    amount: int
    kind: str | None = None
    """Of the order; None: a transfer of *asset*."""
    details: bytes = b""
    """What only its kind reads; a transfer has none."""
    memo: bytes = b""
    fee_limit: Sun | None = None
    max_burn: Sun | None = None
    lifetime_ms: int | None = None
    attempts: int | None = None
    give_up_ms: int | None = None
    allow_look_alike: bool = False
    allow_zero_address: bool = False
