"""What the journal holds of one attempt. Pure."""

from attrs import frozen
from msgspec import Struct

from lucidtrond.events.types import Payment
from lucidtrond.sending.intent import Intent
from lucidtrond.sending.plan import Attempt
from lucidtrond.tron.transaction import Transaction, TxId
from lucidtrond.tron.units import Sun, UnixMillis


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

    @property
    def txid(self) -> TxId:
        return self.transaction.txid


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
