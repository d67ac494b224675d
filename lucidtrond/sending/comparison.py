"""Whether an attempt's bytes are what its payment was accepted for. Pure.

Theory. A signature covers the raw data and nothing else, and what was accepted is the
intent. So before a signature, and before signed bytes are sent, the bytes are decoded
and built anew from the intent. Only what the intent leaves open is taken from the
bytes: reference block, expiration, timestamp and fee limit. Of these, expiration and
fee limit have to be those that were drafted; expiration and reference block decide when
a transaction is dead. The two byte strings must be equal: that excludes a second
contract, another permission, a field that is not ours, and another encoding of the
same. Fields are compared one by one first, so that what differs can be named.
"""

from collections.abc import Iterator
from itertools import takewhile

from lucidtrond.errors import CallError
from lucidtrond.sending.intent import Intent
from lucidtrond.sending.journal.entry import Entry
from lucidtrond.sending.journal.fault import RowFault, RowRefused, shown
from lucidtrond.sending.kinds.table import kind_of
from lucidtrond.tron.keys import BadSignature, recover
from lucidtrond.tron.transaction import (
    MAX_LIFETIME_MS,
    MalformedTransaction,
    RawData,
    decode_raw,
)
from lucidtrond.tron.units import UnixMillis

_Difference = tuple[str, str, str]
"""Field, wanted, stored."""


def check_bytes(entry: Entry, *, head: UnixMillis | None = None) -> None:
    """Refuse bytes that are not those of the intent.

    *head*, where it is given, is the chain's time: no node takes bytes that expire
    later than a day after it.

    Raises:
        RowRefused: names the first field that differs.
    """
    for field, wanted, stored in _differences(entry, head):
        raise RowRefused(
            RowFault(entry.payment.payment_id, entry.txid, field, wanted, stored)
        )


def check_signature(entry: Entry) -> None:
    """Refuse what its owner did not sign.

    Raises:
        RowRefused
    """
    owner = entry.intent.owner.base58
    signer = "none"
    for signature in entry.transaction.signatures:
        try:
            signer = recover(entry.transaction.digest, signature).base58
        except BadSignature as error:
            signer = str(error)
    if signer != owner:
        raise RowRefused(
            RowFault(entry.payment.payment_id, entry.txid, "signature", owner, signer)
        )


def _differences(entry: Entry, head: UnixMillis | None) -> Iterator[_Difference]:
    intent = entry.intent
    try:
        stored = decode_raw(entry.transaction.raw)
    except MalformedTransaction as error:
        yield "raw", "a transaction", str(error)
        return
    differences = list(_contract_differences(intent, stored))
    yield from differences
    if differences:
        return
    yield from _header_differences(entry, stored)
    if head is not None and stored.expiration > head + MAX_LIFETIME_MS:
        latest = f"at most {head + MAX_LIFETIME_MS}"
        yield "expiration", latest, str(stored.expiration)
    wanted = RawData(
        kind_of(intent).contract(intent),
        stored.reference,
        expiration=stored.expiration,
        timestamp=stored.timestamp,
        fee_limit=stored.fee_limit,
        memo=intent.memo,
    ).encode()
    if wanted != entry.transaction.raw:
        pairs = zip(wanted, entry.transaction.raw, strict=False)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        yield (
            "raw",
            f"{shown(wanted[same:])} from byte {same} on",
            shown(entry.transaction.raw[same:]),
        )


def _contract_differences(intent: Intent, stored: RawData) -> Iterator[_Difference]:
    kind = kind_of(intent)
    try:
        kind.check(intent)
    except CallError as error:
        yield "intent", f"an order of the kind {kind.name}", error.message
        return
    wanted = kind.contract(intent)
    if wanted == stored.contract:
        return
    if type(wanted) is not type(stored.contract):
        yield "contract", type(wanted).__name__, type(stored.contract).__name__
        return
    described = kind.describe(stored.contract)
    for field, value in kind.describe(wanted).items():
        if described.get(field) != value:
            yield field, value, described.get(field, "none")
    yield "contract", shown(wanted), shown(stored.contract)


def _header_differences(entry: Entry, stored: RawData) -> Iterator[_Difference]:
    intent, attempt = entry.intent, entry.attempt
    drafted = entry.payment.fee_limit_sun or "0"
    block_bytes = (attempt.reference_number & 0xFFFF).to_bytes(2, "big")
    pairs: tuple[tuple[str, object, object], ...] = (
        ("memo", intent.memo, stored.memo),
        ("fee_limit", drafted, str(stored.fee_limit)),
        ("permission", 0, stored.permission_id),
        ("expiration", attempt.expiration, stored.expiration),
        ("reference", block_bytes, stored.reference.block_bytes),
    )
    for field, wanted, value in pairs:
        if wanted != value:
            yield field, shown(wanted), shown(value)
    most = intent.fee_limit
    if most is not None and stored.fee_limit > most:
        yield "fee_limit", f"at most {most}", str(stored.fee_limit)
