"""What of the journal is authenticated, and by what. Pure.

Theory. An intent is accepted, and an attempt drafted, while the keystore is unlocked.
Then, in the same transaction, MACs are written over all that will be acted on and never
changes, by a key that exists only while it is unlocked (`keystore.authenticator`):

    row                   MAC          over
    --------------------  -----------  -----------------------------------------------
    `sending_payment`     mac          all columns but the number of the row
    `sending_attempt`     mac          payment id, txid, number, bytes, limits, owner
                          renewal_mac  how many attempts may follow; erased with them
    `sending_recipient`   mac          an address that was paid, and so may look alike

What changes (state, answers, block) is not covered, since blocks change it while the
keystore is locked. It decides nothing that costs money: signing the same bytes again
gives the same transaction, and death is derived anew from blocks (`renewal`).

Before a signature and before a renewal, the MACs have to fit. So what was written while
the keystore was locked, by whomever, is not signed at the next unlock:

    MACs            what becomes of it
    --------------  ------------------------------------------------------------------
    fit             signed, sent and renewed by itself. It was accepted while unlocked;
                    after a crash only its signature is missing: no approval is needed
    missing         waits for approval (`approval`): an older program wrote it, or
                    something that could not ask the keystore
    do not fit      set aside: the row was edited (`set_aside`)

Left out on purpose. Whoever can write the file can put back an older copy of it, MACs
and all, or delete rows; no key of ours can tell. An older copy holds only what was
accepted once, and txids and blocks keep that from being paid twice. Of a payment whose
row was deleted nothing is left that would: its key looks unused.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from lucidtrond.sending.journal.entry import Entry, Macs, Stored
from lucidtrond.sending.journal.fault import NotApproved, RowFault, RowRefused
from lucidtrond.sending.protocols import Authenticator
from lucidtrond.tron.address import Address

LABEL: Final = b"lucidtrond: journal of payments, 1"
PAYMENT_COLUMNS: Final = (
    *("payment_id", "idempotency_key", "content", "kind", "owner", "recipient"),
    *("asset", "amount", "memo", "details", "fee_limit_sun", "max_burn_sun"),
    *("lifetime_ms", "deadline_ms", "created_ms"),
)
ATTEMPT_COLUMNS: Final = (
    *("txid", "number", "raw", "reference_number", "expiration_ms"),
    *("fee_limit_sun", "burn_sun", "owner"),
)


def payment_message(stored: Stored) -> bytes:
    """What the payment's MAC is made of."""
    return message("payment", _columns(stored.payment, PAYMENT_COLUMNS))


def attempt_message(stored: Stored) -> bytes:
    """What the attempt's MAC is made of; it names the payment."""
    columns = _columns(stored.attempt, ATTEMPT_COLUMNS)
    return message("attempt", [stored.payment["payment_id"], *columns])


def renewal_message(stored: Stored) -> bytes:
    """That so many attempts may follow this one."""
    return message("renewals", _columns(stored.attempt, ("txid", "renewals")))


def recipient_message(recipient: Address) -> bytes:
    """That this address was paid."""
    return message("recipient", [recipient.raw])


def message(kind: str, values: Iterable[Any]) -> bytes:
    """Values of the database as bytes; others give other bytes.

    Each with its type and length in front, so that nothing reads as something else.
    """
    parts = []
    for value in (kind, *values):
        match value:
            case None:
                name, text = b"n", b""
            case int():
                name, text = b"i", str(value).encode()
            case str():
                name, text = b"t", value.encode()
            case bytes():
                name, text = b"b", value
            case _:
                raise AssertionError(f"no value of a database: {type(value)}")
        parts += [name, len(text).to_bytes(8, "big"), text]
    return b"".join(parts)


def _columns(row: Mapping[str, Any], names: Iterable[str]) -> list[Any]:
    return [row[name] for name in names]


def macs_of(entry: Entry, key: Authenticator) -> Macs:
    """Of what is stored now. Raises KeystoreLocked."""
    stored, renewals = entry.stored, None
    if entry.attempt.renewals:
        renewals = key.mac(renewal_message(stored))
    return Macs(
        key.mac(payment_message(stored)), key.mac(attempt_message(stored)), renewals
    )


def check_authentic(entry: Entry, key: Authenticator) -> None:
    """Refuse what was not accepted, or drafted, while the keystore was unlocked.

    Raises:
        RowRefused: it was edited since.
        NotApproved: it has no MAC.
        KeystoreLocked: it was locked meanwhile.
    """
    stored = entry.stored
    macs = [
        ("sending_payment", stored.payment["mac"], payment_message(stored)),
        ("sending_attempt", stored.attempt["mac"], attempt_message(stored)),
        ("renewals", stored.attempt["renewal_mac"], renewal_message(stored)),
    ]
    for field, mac, text in macs:
        if mac is not None and not key.verify(text, mac):
            raise _refused(entry, field, "what its MAC was made of", "something else")
    if not is_authenticated(entry):
        raise NotApproved(entry.payment.payment_id, entry.txid)
    renewals = entry.attempt.renewals
    if renewals and stored.attempt["renewal_mac"] is None:
        raise _refused(entry, "renewals", "0, since its MAC was erased", str(renewals))


def is_authenticated(entry: Entry) -> bool:
    """Whether it has its MACs; they need not fit."""
    stored = entry.stored
    return None not in (stored.payment["mac"], stored.attempt["mac"])


def _refused(entry: Entry, field: str, wanted: str, stored: str) -> RowRefused:
    fault = RowFault(entry.payment.payment_id, entry.txid, field, wanted, stored)
    return RowRefused(fault)
