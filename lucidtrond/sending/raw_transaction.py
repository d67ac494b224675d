"""The bytes that carry out an intent. Pure."""

from lucidtrond.sending import tag
from lucidtrond.sending.intent import Intent
from lucidtrond.tron.block import BlockHeader
from lucidtrond.tron.contracts import Contract
from lucidtrond.tron.transaction import RawData, Reference, bandwidth_bytes
from lucidtrond.tron.units import Sun, UnixMillis


def build(
    intent: Intent,
    contract: Contract,
    *,
    solid: BlockHeader,
    expiration: UnixMillis,
    timestamp: UnixMillis,
    fee_limit: Sun | None,
) -> RawData:
    """The transaction of *contract*, bound to chains that contain *solid*."""
    return RawData(
        contract,
        Reference.to_block(solid.id),
        expiration=expiration,
        timestamp=timestamp,
        memo=intent.memo,
        fee_limit=Sun(0) if fee_limit is None else fee_limit,
    )


def size_of(
    intent: Intent, contract: Contract, head: BlockHeader, *, fee_limit: Sun | None
) -> int:
    """The bandwidth its signed transaction is charged, in bytes.

    *fee_limit* is the one that will be written; a larger number takes more bytes.
    """
    likeness = build(
        intent,
        contract,
        solid=head,
        expiration=head.timestamp,
        timestamp=tag.longest_timestamp(head.timestamp),
        fee_limit=fee_limit,
    )
    return bandwidth_bytes(likeness.encode())
