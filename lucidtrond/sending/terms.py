"""How far an order may go: lifetimes, attempts, what its caller insists on. Pure."""

from typing import Final

from msgspec import Struct

from lucidtrond.errors import InvalidInput, RecipientRefused
from lucidtrond.orders import PaymentOrder
from lucidtrond.sending.intent import Intent
from lucidtrond.tron.address import ZERO
from lucidtrond.tron.block import BLOCK_INTERVAL_MS
from lucidtrond.tron.transaction import MAX_LIFETIME_MS

LIFETIME_MS: Final = 120_000
"""Room for rebroadcasts, and how long an interactive caller may be left in doubt."""
SHORTEST_MS: Final = 4 * BLOCK_INTERVAL_MS
LONGEST_MS: Final = MAX_LIFETIME_MS - 60_000
"""A node whose head is a little behind ours must still take it."""
MOST_ATTEMPTS: Final = 100


class Terms(Struct, frozen=True):
    """How long one transaction may be in flight, and how many of them there may be.

    A dead one is followed by another until there were *attempts* of them, or chain time
    *give_up_ms* after the first was accepted. *allow_look_alike*: the recipient may
    look like another one; *allow_zero_address*: it may be the zero address.
    """

    lifetime_ms: int = LIFETIME_MS
    attempts: int = 1
    give_up_ms: int | None = None
    allow_look_alike: bool = False
    allow_zero_address: bool = False


def read_terms(order: PaymentOrder, *, longest_ms: int) -> Terms:
    """Refuse what makes no sense.

    A lifetime that is not said is at most *longest_ms*; one that is said may be longer
    here, since a key that is known is answered all the same (`check_lifetime`).

    Raises:
        InvalidInput
    """
    attempts = 1 if order.attempts is None else order.attempts
    if not 1 <= attempts <= MOST_ATTEMPTS:
        raise InvalidInput(f"attempts: expected 1 to {MOST_ATTEMPTS}, got {attempts}")
    lifetime_ms = _lifetime(order.lifetime_ms, min(LIFETIME_MS, longest_ms))
    give_up_ms = order.give_up_ms
    if give_up_ms is not None and give_up_ms < lifetime_ms:
        raise InvalidInput(
            "give_up_s: expected at least one transaction's lifetime"
            f" ({lifetime_ms / 1000:g} s), got {give_up_ms / 1000:g}"
        )
    return Terms(
        lifetime_ms,
        attempts,
        give_up_ms,
        order.allow_look_alike,
        order.allow_zero_address,
    )


def _lifetime(asked_ms: int | None, default_ms: int) -> int:
    """How long a transaction may stay in flight.

    Raises:
        InvalidInput
    """
    lifetime_ms = default_ms if asked_ms is None else asked_ms
    if not SHORTEST_MS <= lifetime_ms <= LONGEST_MS:
        raise InvalidInput(
            f"expires_s: expected {SHORTEST_MS / 1000:g} to {LONGEST_MS / 1000:g},"
            f" got {lifetime_ms / 1000:g}"
        )
    return lifetime_ms


def check_lifetime(terms: Terms, longest_ms: int) -> None:
    """Refuse what could land after a restored copy pays again (`restore`).

    Raises:
        InvalidInput
    """
    if terms.lifetime_ms > longest_ms:
        raise InvalidInput(
            "expires_s: expected at most [sending] restore_wait_s,"
            f" {longest_ms / 1000:g}, got {terms.lifetime_ms / 1000:g}: a copy of the"
            " database that is restored later pays again after that time, and by then"
            " this transaction must not be able to land any more"
        )


def check_recipient(intent: Intent, terms: Terms) -> None:
    """Refuse the zero address, unless it is meant. Raises RecipientRefused."""
    if intent.to == ZERO and not terms.allow_zero_address:
        raise RecipientRefused(
            f"the recipient is the zero address {ZERO}: nobody has its key, what it"
            " gets is lost; allow_zero_address says that it is meant",
            recipient=ZERO.base58,
            flag="allow_zero_address",
        )
