"""An intent: what is to be paid, whether it can be, and the bytes that pay it. Pure."""

import hashlib
from typing import Final

from attrs import frozen

from lucidtrond.errors import InvalidInput, RecipientRefused
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BLOCK_INTERVAL_MS, BlockHeader
from lucidtrond.tron.contracts import Transfer
from lucidtrond.tron.transaction import MAX_LIFETIME_MS, RawData, Reference
from lucidtrond.tron.units import MAX_SUN, Sun, UnixMillis

LIFETIME_MS: Final = 120_000
"""Room for rebroadcasts, and how long an interactive caller may be left in doubt."""
_SHORTEST_MS: Final = 4 * BLOCK_INTERVAL_MS
_LONGEST_MS: Final = MAX_LIFETIME_MS - 60_000
"""A node whose head is a little behind ours must still take it."""
_KEY_SIZE: Final = 200


@frozen
class Intent:
    """What is to be paid, and under which key; limits belong to the content."""

    key: str
    owner: Address
    to: Address
    asset: str
    amount: int
    memo: bytes = b""
    max_burn: Sun | None = None

    @property
    def payment_id(self) -> str:
        """The same for the same key."""
        return hashlib.sha256(b"payment\0" + self.key.encode()).hexdigest()[:32]

    @property
    def content(self) -> bytes:
        """Equal exactly for equal contents."""
        parts = (
            self.owner.raw,
            self.to.raw,
            self.asset.encode(),
            str(self.amount).encode(),
            self.memo,
            b"" if self.max_burn is None else str(self.max_burn).encode(),
        )
        digest = hashlib.sha256()
        for part in parts:
            digest.update(len(part).to_bytes(4, "big") + part)
        return digest.digest()


def check_intent(
    intent: Intent, *, fee_limit: Sun | None, lifetime_ms: int | None
) -> int:
    """Refuse what can't be a payment; give its lifetime."""
    if not 0 < len(intent.key) <= _KEY_SIZE:
        raise InvalidInput(f"idempotency key: expected 1 to {_KEY_SIZE} characters")
    if intent.asset != "TRX":
        raise InvalidInput("asset: only TRX can be sent so far")
    if not 0 < intent.amount <= MAX_SUN:
        raise InvalidInput(f"amount: expected 1 to {MAX_SUN} sun")
    if fee_limit is not None:
        raise InvalidInput(
            "fee limit: TRX payments use no energy; max_burn limits them"
        )
    if intent.owner == intent.to:
        raise RecipientRefused("an address can't pay itself")
    lifetime_ms = LIFETIME_MS if lifetime_ms is None else lifetime_ms
    if not _SHORTEST_MS <= lifetime_ms <= MAX_LIFETIME_MS:
        raise InvalidInput(
            f"lifetime: expected {_SHORTEST_MS} to {MAX_LIFETIME_MS} ms,"
            f" got {lifetime_ms}"
        )
    return min(lifetime_ms, _LONGEST_MS)


def build(
    intent: Intent,
    solid: BlockHeader,
    expiration: UnixMillis,
    timestamp: UnixMillis,
) -> RawData:
    return RawData(
        Transfer(intent.owner, intent.to, Sun(intent.amount)),
        Reference.to_block(solid.id),
        expiration=expiration,
        timestamp=timestamp,
        memo=intent.memo,
    )
