"""What the journal holds of one attempt. Pure."""

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen
from msgspec import Struct

from lucidtrond.events.types import Payment
from lucidtrond.sending.intent import Intent
from lucidtrond.sending.plan import Attempt
from lucidtrond.tron.transaction import Transaction, TxId
from lucidtrond.tron.units import Sun, UnixMillis


@frozen
class Stored:
    """The columns of both rows as they are, by name: what MACs are made of."""

    payment: Mapping[str, Any]
    attempt: Mapping[str, Any]


@frozen
class Entry:
    """An attempt with its bytes, its intent, and the payment in wire form as it is now.

    *transaction* has no signature while the attempt is queued.
    """

    payment_seq: int
    intent: Intent
    attempt: Attempt
    transaction: Transaction
    payment: Payment
    stored: Stored = field(eq=False, repr=False)

    @property
    def txid(self) -> TxId:
        return self.transaction.txid


class Macs(Struct, frozen=True):
    """What authenticates a payment and one attempt: see `sending.authenticity`."""

    payment: bytes
    attempt: bytes
    renewals: bytes | None
    """None where no attempt may follow."""


class Draft(Struct, frozen=True):
    """The bytes of a new attempt and what they may cost.

    *reference_number* is the block that they refer to; *burn* is set aside until the
    attempt is settled.
    """

    raw: bytes
    expiration: UnixMillis
    reference_number: int
    fee_limit: Sun | None
    burn: Sun
