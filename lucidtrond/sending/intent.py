"""An intent: what is to be paid, whether it can be, and the bytes that pay it. Pure."""

import hashlib
from typing import Final

from attrs import frozen

from lucidtrond.errors import InvalidInput, RecipientRefused
from lucidtrond.orders import PaymentOrder
from lucidtrond.tron import trc20
from lucidtrond.tron.address import ZERO, Address, InvalidAddress
from lucidtrond.tron.block import BLOCK_INTERVAL_MS, BlockHeader
from lucidtrond.tron.contracts import Transfer
from lucidtrond.tron.contracts_smart import Trigger
from lucidtrond.tron.transaction import (
    MAX_LIFETIME_MS,
    RawData,
    Reference,
    bandwidth_bytes,
)
from lucidtrond.tron.units import MAX_SUN, Sun, UnixMillis

TRX: Final = "TRX"
LIFETIME_MS: Final = 120_000
"""Room for rebroadcasts, and how long an interactive caller may be left in doubt."""
SHORTEST_MS: Final = 4 * BLOCK_INTERVAL_MS
LONGEST_MS: Final = MAX_LIFETIME_MS - 60_000
"""A node whose head is a little behind ours must still take it."""
_KEY_SIZE: Final = 200


@frozen
class Limits:
    """The most that one payment may cost beside its amount, unless its caller says.

    *fee_limit*: 30 TRX are 300,000 energy at 100 sun, twice what the dearest ordinary
    token payment takes (USDT to somebody who has none: 130,285, and a margin).
    *max_burn*: the same with bandwidth, memo and room for a rise of prices.
    """

    fee_limit: Sun = Sun(30_000_000)
    max_burn: Sun = Sun(35_000_000)


@frozen
class Terms:
    """How long one transaction may be in flight, and how often it may be drawn up.

    A dead one is followed by another until there were *attempts* of them, or chain time
    *give_up_ms* after the first was accepted. *allow_look_alike*: the recipient is
    meant, whomever it looks like; *allow_zero_address*: also the zero address is.
    """

    lifetime_ms: int = LIFETIME_MS
    attempts: int = 1
    give_up_ms: int | None = None
    allow_look_alike: bool = False
    allow_zero_address: bool = False


MOST_ATTEMPTS: Final = 100


def read_terms(order: PaymentOrder) -> Terms:
    """Refuse what makes no sense.

    Raises:
        InvalidInput
    """
    attempts = 1 if order.attempts is None else order.attempts
    if not 1 <= attempts <= MOST_ATTEMPTS:
        raise InvalidInput(f"attempts: expected 1 to {MOST_ATTEMPTS}, got {attempts}")
    lifetime_ms = lifetime(order.lifetime_ms)
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


@frozen
class Intent:
    """What is to be paid, and under which key; limits belong to the content.

    *asset* is ``TRX`` or the base58 address of a TRC-20 contract; *amount* is sun or
    the token's smallest units. *fee_limit* and *max_burn* are what the caller said.
    """

    key: str
    owner: Address
    to: Address
    asset: str
    amount: int
    memo: bytes = b""
    fee_limit: Sun | None = None
    max_burn: Sun | None = None

    @property
    def payment_id(self) -> str:
        """The same for the same key."""
        return hashlib.sha256(b"payment\0" + self.key.encode()).hexdigest()[:32]

    @property
    def token(self) -> Address | None:
        """The contract that keeps the asset; None for TRX."""
        return None if self.asset == TRX else Address.from_base58(self.asset)

    @property
    def trx(self) -> Sun:
        """What of the amount leaves in TRX."""
        return Sun(self.amount if self.asset == TRX else 0)

    @property
    def content(self) -> bytes:
        """Equal exactly for equal contents."""
        parts = [
            self.owner.raw,
            self.to.raw,
            self.asset.encode(),
            str(self.amount).encode(),
            self.memo,
            b"" if self.max_burn is None else str(self.max_burn).encode(),
        ]
        # Younger than the others: what was journaled without it must stay equal.
        if self.fee_limit is not None:
            parts.append(b"fee limit %d" % self.fee_limit)
        digest = hashlib.sha256()
        for part in parts:
            digest.update(len(part).to_bytes(4, "big") + part)
        return digest.digest()


def read_intent(order: PaymentOrder) -> Intent:
    """What is ordered, without the terms."""
    return Intent(
        order.key,
        order.owner,
        order.to,
        order.asset,
        order.amount,
        memo=order.memo,
        fee_limit=order.fee_limit,
        max_burn=order.max_burn,
    )


def check_intent(intent: Intent) -> None:
    """Refuse what can't be a payment, whatever the chain says.

    Raises:
        InvalidInput, RecipientRefused
    """
    if not 0 < len(intent.key) <= _KEY_SIZE:
        raise InvalidInput(f"idempotency key: expected 1 to {_KEY_SIZE} characters")
    if intent.asset == TRX:
        _check_trx(intent)
    else:
        _check_token(intent)
    if intent.owner == intent.to:
        raise RecipientRefused("an address can't pay itself")


def check_recipient(intent: Intent, terms: Terms) -> None:
    """Refuse the zero address, unless it is meant. Raises RecipientRefused."""
    if intent.to == ZERO and not terms.allow_zero_address:
        raise RecipientRefused(
            f"the recipient is the zero address {ZERO}: nobody has its key, what it"
            " gets is lost; allow_zero_address says that it is meant",
            recipient=ZERO.base58,
            flag="allow_zero_address",
        )


def _check_trx(intent: Intent) -> None:
    if not 0 < intent.amount <= MAX_SUN:
        raise InvalidInput(f"amount: expected 1 to {MAX_SUN} sun")
    if intent.fee_limit is not None:
        raise InvalidInput(
            "fee limit: TRX payments use no energy; max_burn limits them"
        )


def _check_token(intent: Intent) -> None:
    try:
        token = intent.token
    except InvalidAddress as error:
        raise InvalidInput(
            f"asset: expected TRX or the address of a TRC-20 contract: {error}"
        ) from None
    if not 0 < intent.amount <= trc20.MAX_AMOUNT:
        raise InvalidInput("amount: expected 1 to 2**256 - 1 of the smallest units")
    if intent.to == token:
        raise RecipientRefused(
            "the recipient is the token's own contract: what it gets is lost"
        )


def lifetime(asked_ms: int | None) -> int:
    """How long a transaction may stay in flight.

    Raises:
        InvalidInput
    """
    lifetime_ms = LIFETIME_MS if asked_ms is None else asked_ms
    if not SHORTEST_MS <= lifetime_ms <= LONGEST_MS:
        raise InvalidInput(
            f"expires_s: expected {SHORTEST_MS / 1000:g} to {LONGEST_MS / 1000:g},"
            f" got {lifetime_ms / 1000:g}"
        )
    return lifetime_ms


def build(
    intent: Intent,
    solid: BlockHeader,
    *,
    expiration: UnixMillis,
    timestamp: UnixMillis,
    fee_limit: Sun | None,
) -> RawData:
    """The transaction that pays it; only a token's has a *fee_limit*."""
    token = intent.token
    return RawData(
        Transfer(intent.owner, intent.to, Sun(intent.amount))
        if token is None
        else Trigger(intent.owner, token, trc20.transfer(intent.to, intent.amount)),
        Reference.to_block(solid.id),
        expiration=expiration,
        timestamp=timestamp,
        memo=intent.memo,
        fee_limit=Sun(0) if fee_limit is None else fee_limit,
    )


def size_of(intent: Intent, head: BlockHeader, *, fee_limit: Sun | None) -> int:
    """The bandwidth its signed transaction is charged, in bytes.

    *fee_limit* is the one that will be written; a larger number takes more bytes.
    """
    likeness = build(
        intent,
        head,
        expiration=head.timestamp,
        timestamp=head.timestamp,
        fee_limit=fee_limit,
    )
    return bandwidth_bytes(likeness.encode())
