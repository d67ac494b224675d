"""The tag of an idempotency key, in a transaction's own bytes. Pure.

Theory. The journal may be lost or restored from an older copy; the chain is not. So
each transaction says which key it was made for, in bytes that are ours to choose:

    field         bits           value
    ------------  -------------  ---------------------------------------------------
    `timestamp`   low 30 of 64   bits 39..10 of the tag; above them, head time's
    `expiration`  low 10 of 64   bits 9..0 of the tag: the greatest such value that is
                                 not after the expiration that was asked for

    tag = first 40 bits of HMAC-SHA256(tag key, idempotency key in UTF-8)
    tag key = HMAC-SHA256(private key of the paying address, `PURPOSE`)

The tag key follows from the private key alone, so a database that was lost takes
nothing with it, and nobody else can tell which transactions belong to a key. All
attempts of one key have the same tag.

Limits. java-tron reads no `timestamp` (it is up to 12.4 days off head time, either way,
and some explorers show it). An expiration is up to 1,023 ms earlier than asked for. Two
keys of one address have the same tag with probability 2**-40; their transactions
differ all the same, since an expiration is moved down, by 1,024 ms, until the txid is
new in the journal. A tag alone is no identity: contract, memo and owner are compared
too. Of other contents under the same key it says nothing but that the key was used.
"""

from typing import Final

from msgspec import Struct

from lucidtrond.tron.transaction import RawData
from lucidtrond.tron.units import UnixMillis

PURPOSE: Final = b"lucidtrond: tag of an idempotency key, 1"
TIMESTAMP_BITS: Final = 30
EXPIRATION_BITS: Final = 10
EXPIRATION_STEP_MS: Final = 1 << EXPIRATION_BITS
"""Expirations of one tag are so far apart."""
SIZE: Final = (TIMESTAMP_BITS + EXPIRATION_BITS) // 8
_TIMESTAMP_MASK: Final = (1 << TIMESTAMP_BITS) - 1
_EXPIRATION_MASK: Final = EXPIRATION_STEP_MS - 1


class Tag(Struct, frozen=True):
    """40 bits, as 5 bytes."""

    raw: bytes

    @property
    def _number(self) -> int:
        return int.from_bytes(self.raw, "big")

    def timestamp(self, head_time: UnixMillis) -> UnixMillis:
        """*head_time* with the tag's upper bits in its low ones."""
        return UnixMillis(_above(head_time) | self._number >> EXPIRATION_BITS)

    def expiration(self, latest: UnixMillis) -> UnixMillis:
        """The greatest value with the tag's lower bits that is not above *latest*."""
        lower = self._number & _EXPIRATION_MASK
        return UnixMillis(latest - (latest - lower) % EXPIRATION_STEP_MS)


def tag_of(mac: bytes) -> Tag:
    """The tag of a key, from the 32 bytes of its HMAC."""
    return Tag(mac[:SIZE])


def read_tag(raw: RawData) -> Tag:
    """What the tag would be if the transaction was made here."""
    upper = raw.timestamp & _TIMESTAMP_MASK
    number = upper << EXPIRATION_BITS | raw.expiration & _EXPIRATION_MASK
    return Tag(number.to_bytes(SIZE, "big"))


def longest_timestamp(head_time: UnixMillis) -> UnixMillis:
    """One that takes as many bytes as any tag's."""
    return UnixMillis(_above(head_time) | _TIMESTAMP_MASK)


def _above(head_time: UnixMillis) -> int:
    """The bits above the tag's: at least one of them is set, so that a timestamp takes
    as many bytes whatever the tag is (chains of tests begin at 0)."""
    return max(head_time >> TIMESTAMP_BITS, 1) << TIMESTAMP_BITS
