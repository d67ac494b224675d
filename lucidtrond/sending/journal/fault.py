"""What is wrong with a row of the journal, and the refusal to act on it. Pure."""

from typing import Final

from msgspec import Struct

from lucidtrond.errors import InDoubt

_SHOWN: Final = 200
"""Characters of a value that a log or an event shows."""


class RowFault(Struct, frozen=True):
    """A row that can't be read, or does not say what its payment was accepted for.

    *field* is ``row`` where nothing can be read, else what differs; *wanted* and
    *stored* are text for people. *payment_id* and *txid* are what the row says.
    """

    payment_id: str | None
    txid: str | None
    field: str
    wanted: str
    stored: str

    @property
    def name(self) -> str:
        """What the payment is known by."""
        return self.payment_id or self.txid or "a row without a name"

    @property
    def text(self) -> str:
        return (
            f"payment {self.name}, transaction {self.txid}: {self.field}: expected"
            f" {self.wanted}, stored {self.stored}"
        )


class RowRefused(InDoubt):
    """Nothing is signed, sent or renewed by this row."""

    def __init__(self, fault: RowFault) -> None:
        super().__init__(
            f"its row in the journal was edited or is damaged: {fault.text}; nothing of"
            " it is signed, sent or renewed",
            payment_id=fault.payment_id,
            txid=fault.txid,
            field=fault.field,
            safe_to_retry=False,
        )
        self.fault = fault


class NotApproved(InDoubt):
    """It waits for an operator's approval, and nothing of it is signed before."""

    def __init__(self, payment_id: str, txid: str) -> None:
        super().__init__(
            "it was not accepted while the keystore was unlocked, so it waits for"
            " approval: sending.queued shows it, sending.approve lets it be paid",
            payment_id=payment_id,
            txid=txid,
            safe_to_retry=False,
        )


def shown(value: object) -> str:
    """A stored value for people: bytes as hex, cut where it is long."""
    text = value.hex() if isinstance(value, bytes) else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
