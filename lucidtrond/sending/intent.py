"""An intent: what an order asks for, without its terms. Pure."""

import hashlib
from typing import Final

from msgspec import Struct

from lucidtrond.errors import InvalidInput, RecipientRefused
from lucidtrond.tron.address import Address
from lucidtrond.tron.units import Sun

TRX: Final = "TRX"
TRX_TRANSFER: Final = "trx_transfer"
TRC20_TRANSFER: Final = "trc20_transfer"
_IMPLIED_BY_ASSET: Final = (TRX_TRANSFER, TRC20_TRANSFER)
_KEY_SIZE: Final = 200


class Intent(Struct, frozen=True):
    """What is to be done, and under which key; limits belong to the content.

    *kind* names an `OrderKind`. *asset* is ``TRX`` or the base58 address of a TRC-20
    contract; *amount* is sun or the token's smallest units. *fee_limit* and *max_burn*
    are what the caller said; *details* is what only its kind reads.
    """

    kind: str
    key: str
    owner: Address
    to: Address
    asset: str
    amount: int
    memo: bytes = b""
    fee_limit: Sun | None = None
    max_burn: Sun | None = None
    details: bytes = b""

    @property
    def payment_id(self) -> str:
        """The same for the same key."""
        return hashlib.sha256(b"payment\0" + self.key.encode()).hexdigest()[:32]

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
        if self.kind not in _IMPLIED_BY_ASSET:
            parts.append(b"kind " + self.kind.encode())
        if self.details:
            parts.append(b"details " + self.details)
        digest = hashlib.sha256()
        for part in parts:
            digest.update(len(part).to_bytes(4, "big") + part)
        return digest.digest()


def check_key(key: str) -> None:
    """Refuse what is no idempotency key. Raises InvalidInput."""
    if not 0 < len(key) <= _KEY_SIZE:
        raise InvalidInput(f"idempotency key: expected 1 to {_KEY_SIZE} characters")


def check_transfer(intent: Intent) -> None:
    """Refuse what no transfer can be, whatever it moves.

    Raises:
        InvalidInput, RecipientRefused
    """
    if intent.details:
        raise InvalidInput("details: a transfer has none")
    if intent.owner == intent.to:
        raise RecipientRefused("an address can't pay itself")
