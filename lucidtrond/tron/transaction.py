"""Transactions: built here, hashed here, signed here; never taken from a node's word.

A transaction is its *raw data* bytes. The txid is their sha256, the signature is over
that, and we never re-encode foreign bytes (unknown fields would be lost and the txid
with them).
"""

from collections.abc import Sequence
from typing import Final, NewType, cast

from attrs import evolve, frozen
from google.protobuf.message import DecodeError
from msgspec import Struct

from lucidtrond.tron import contracts
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.contracts import Contract
from lucidtrond.tron.hashing import sha256
from lucidtrond.tron.units import Sun, UnixMillis
from lucidtrond.tron.wirebytes import MalformedMessage, fields, varint

TxId = NewType("TxId", str)
"""64 lower-case hex digits: sha256 of the raw data."""

RESULT_ALLOWANCE_BYTES: Final = 64
"""Added per contract to the size that bandwidth is charged for
(Constant.MAX_RESULT_SIZE_IN_TX)."""
SIGNATURE_FIELD_BYTES: Final = 67
"""tag, length and 65 bytes."""
# Field numbers of protocol.Transaction.
_RAW_DATA: Final = 1
_SIGNATURE: Final = 2
_RESULT: Final = 5
_EMPTY_RAW_DATA: Final = b"\x0a\x00"
"""Written even when there is nothing in it."""
MAX_LIFETIME_MS: Final = 86_400_000
"""A node refuses an expiration later than its head plus this
(Constant.MAXIMUM_TIME_UNTIL_EXPIRATION)."""


class MalformedTransaction(ValueError):
    """Bytes that are no transaction, or one without exactly one contract."""


class Reference(Struct, frozen=True):
    """TAPOS: the block that a transaction builds on."""

    block_bytes: bytes
    block_hash: bytes

    @classmethod
    def to_block(cls, block_id: str) -> "Reference":
        """Refer to a block by its id of 64 hex digits."""
        raw = bytes.fromhex(block_id)
        # Bytes 6..8 of the number, 8..16 of the id: TransactionCapsule.setReference.
        return cls(raw[6:8], raw[8:16])


@frozen
class RawData:
    """The fields that a signature covers. *memo* is arbitrary bytes."""

    contract: Contract
    reference: Reference
    expiration: UnixMillis
    timestamp: UnixMillis
    fee_limit: Sun = Sun(0)
    memo: bytes = b""
    permission_id: int = 0

    def encode(self) -> bytes:
        """The canonical bytes, as java-tron would write them."""
        number, type_url, value = contracts.encode(self.contract)
        raw = pb.Transaction.raw(
            ref_block_bytes=self.reference.block_bytes,
            ref_block_hash=self.reference.block_hash,
            expiration=self.expiration,
            timestamp=self.timestamp,
            fee_limit=self.fee_limit,
            data=self.memo,
        )
        # `parameter` is set even when empty, as java's builder does.
        raw.contract.add(
            # Stubs know only named numbers; the wire (and java) takes any.
            type=cast("pb.Transaction.Contract.ContractType", number),
            parameter=pb.Any(type_url=type_url, value=value),
            Permission_id=self.permission_id,
        )
        return raw.SerializeToString(deterministic=True)


def decode_raw(raw: bytes) -> RawData:
    """Read raw data.

    Raises:
        MalformedTransaction: not protobuf, or not exactly one contract.
    """
    try:
        message = pb.Transaction.raw.FromString(raw)
    except DecodeError:
        raise MalformedTransaction("raw data is not a protobuf message") from None
    if len(message.contract) != 1:
        raise MalformedTransaction(
            f"expected one contract, got {len(message.contract)}"
        )
    [contract] = message.contract
    return RawData(
        contracts.decode(
            contract.type, contract.parameter.type_url, contract.parameter.value
        ),
        Reference(message.ref_block_bytes, message.ref_block_hash),
        expiration=UnixMillis(message.expiration),
        timestamp=UnixMillis(message.timestamp),
        fee_limit=Sun(message.fee_limit),
        memo=message.data,
        permission_id=contract.Permission_id,
    )


@frozen
class Transaction:
    """Raw data bytes with their signatures.

    Those that we make have 65 bytes. The network takes longer ones (their first 65
    bytes count), and a block's root covers every byte of them.
    """

    raw: bytes
    signatures: tuple[bytes, ...] = ()
    unknown: bytes = b""
    """Fields of protocol.Transaction that we do not know (what a coming version signs
    with, say), as they came. No txid covers them, but a block's root does. JSON shows
    none: here they are only where bytes were read."""

    @property
    def txid(self) -> TxId:
        """sha256 of the raw data."""
        return TxId(self.digest.hex())

    @property
    def digest(self) -> bytes:
        """What is signed: the 32 bytes of the txid, without further hashing."""
        return sha256(self.raw)

    def with_signature(self, signature: bytes) -> "Transaction":
        """The same transaction with one more signature."""
        return evolve(self, signatures=(*self.signatures, signature))

    def encode(self, results: Sequence[bytes] = ()) -> bytes:
        """Bytes of protocol.Transaction around raw data that stay as they are.

        *results* are encoded Transaction.Result messages; broadcasthex takes none.
        """
        parts = pb.StoredTransaction(
            raw_data=self.raw, signature=self.signatures, ret=results
        ).SerializeToString()
        return (b"" if self.raw else _EMPTY_RAW_DATA) + parts + self.unknown

    @classmethod
    def from_bytes(cls, data: bytes) -> "Transaction":
        """Read protocol.Transaction; results in it are dropped.

        Raises:
            MalformedTransaction: as `read_stored`.
        """
        transaction, _ = read_stored(data)
        return transaction


def read_stored(data: bytes) -> tuple[Transaction, tuple[bytes, ...]]:
    """Read protocol.Transaction with its results, as it stands in a block.

    The raw data stay byte for byte what they were, canonical or not; unknown fields are
    kept, behind all others, where java-tron writes them.

    Raises:
        MalformedTransaction: not protobuf, no raw data or more than one.
    """
    return read_canonical(data) or _read_by_field(data)


def read_canonical(data: bytes) -> tuple[Transaction, tuple[bytes, ...]] | None:
    """The same of bytes that `Transaction.encode` would write, as nearly all are, in
    half of the time; None of others, those with unknown fields among them."""
    try:
        stored = pb.StoredTransaction.FromString(data)
    except DecodeError:
        return None
    stored.DiscardUnknownFields()
    if not stored.raw_data or stored.SerializeToString() != data:
        return None
    return Transaction(stored.raw_data, tuple(stored.signature)), tuple(stored.ret)


def _read_by_field(data: bytes) -> tuple[Transaction, tuple[bytes, ...]]:
    raw: bytes | None = None
    signatures: list[bytes] = []
    results: list[bytes] = []
    unknown: list[bytes] = []
    try:
        for field in fields(data):
            content = field.content
            if content is None or field.number not in (_RAW_DATA, _SIGNATURE, _RESULT):
                unknown.append(field.written)
            elif field.number == _SIGNATURE:
                signatures.append(content)
            elif field.number == _RESULT:
                results.append(content)
            elif raw is None:
                raw = content
            else:
                raise MalformedTransaction("raw data twice")
    except MalformedMessage as why:
        raise MalformedTransaction(f"not a protobuf message: {why}") from None
    if raw is None:
        raise MalformedTransaction("no raw data")
    transaction = Transaction(raw, tuple(signatures), b"".join(unknown))
    return transaction, tuple(results)


def bandwidth_bytes(raw: bytes, signatures: int = 1) -> int:
    """Bandwidth that a transaction with one contract is charged, in bytes."""
    return (
        1
        + len(varint(len(raw)))
        + len(raw)
        + signatures * SIGNATURE_FIELD_BYTES
        + RESULT_ALLOWANCE_BYTES
    )
