"""Blocks: id, transaction root, witness signature, all computed here."""

from collections.abc import Sequence
from typing import Final, Literal, NewType, cast

from attrs import field, frozen
from google.protobuf.message import DecodeError

from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.address import Address
from lucidtrond.tron.hashing import sha256
from lucidtrond.tron.keys import BadSignature
from lucidtrond.tron.recovery import recover_signer
from lucidtrond.tron.transaction import (
    MalformedTransaction,
    Transaction,
    read_canonical,
    read_stored,
)
from lucidtrond.tron.units import UnixMillis
from lucidtrond.tron.unproven import UnprovenSummary
from lucidtrond.tron.wirebytes import (
    MalformedMessage,
    fields,
    length_field,
    unknown_fields,
    varint,
)

BlockId = NewType("BlockId", str)
"""64 lower-case hex digits; the first 16 are the number."""

EMPTY_ROOT: Final = bytes(32)
"""txTrieRoot of a block without transactions."""
NODE_BYTES: Final = 64
"""Of a node of the transactions' tree that is no leaf: two hashes."""
BLOCK_INTERVAL_MS: Final = 3000
"""One slot (ChainConstant.BLOCK_PRODUCED_INTERVAL)."""

# Field numbers of protocol.BlockHeader.
_RAW_DATA: Final = 1
_WITNESS_SIGNATURE: Final = 2
_Raw: Final = pb.Transaction.raw
_CONTRACT_RET_TAG: Final = b"\x18"
"""Field 3 of Transaction.Result, an enum."""


class BadBlock(ValueError):
    """A block that contradicts itself; the message says how."""


class RootMismatch(BadBlock):
    """Nothing is wrong with a block but that its transactions, as we have them, do not
    give its root. Where they came as JSON, one may have fields that JSON does not show.
    """


@frozen
class BlockHeader:
    """The signed part of a block. Times are chain time."""

    number: int
    timestamp: UnixMillis
    parent_id: BlockId
    tx_trie_root: bytes
    witness: bytes
    version: int
    witness_signature: bytes = b""
    witness_id: int = 0
    """Unused since the first releases."""
    account_state_root: bytes = b""
    """Empty unless the chain voted for state roots; no known one did."""
    raw_unknown: bytes = b""
    """Fields of BlockHeader.raw that we do not know, as they came. Id and signature
    cover them. JSON that shows one can't be told from a lie: here they are only where
    bytes were read, as *unknown*."""
    unknown: bytes = b""
    """Fields beside raw_data and witness_signature (what a coming version signs with,
    say): neither id nor signature covers them."""

    @classmethod
    def from_bytes(cls, data: bytes) -> "BlockHeader":
        """Read protocol.BlockHeader; what we do not know of it stays in it.

        Raises:
            BadBlock: not protobuf.
        """
        try:
            header = pb.BlockHeader.FromString(data)
            header.DiscardUnknownFields()
            raw, raw_unknown, unknown = header.raw_data, b"", b""
            if header.SerializeToString() != data:  # there may have been some
                raw_unknown = b"".join(
                    unknown_fields(field.content or b"", pb.BlockHeader.raw)
                    for field in fields(data)
                    if field.number == _RAW_DATA
                )
                unknown = unknown_fields(data, pb.BlockHeader)
        except (DecodeError, MalformedMessage):
            raise BadBlock("a header that is no message") from None
        return cls(
            number=raw.number,
            timestamp=UnixMillis(raw.timestamp),
            parent_id=BlockId(raw.parentHash.hex()),
            tx_trie_root=raw.txTrieRoot,
            witness=raw.witness_address,
            version=raw.version,
            witness_signature=header.witness_signature,
            witness_id=raw.witness_id,
            account_state_root=raw.accountStateRoot,
            raw_unknown=raw_unknown,
            unknown=unknown,
        )

    def encode(self) -> bytes:
        """protocol.BlockHeader."""
        parts = [length_field(_RAW_DATA, self.encode_raw())]
        if self.witness_signature:
            parts.append(length_field(_WITNESS_SIGNATURE, self.witness_signature))
        return b"".join((*parts, self.unknown))

    def encode_raw(self) -> bytes:
        """BlockHeader.raw, what id and signature are made from: unknown fields stand
        behind all others, where java-tron writes them."""
        message = pb.BlockHeader.raw(
            number=self.number,
            timestamp=self.timestamp,
            parentHash=bytes.fromhex(self.parent_id),
            txTrieRoot=self.tx_trie_root,
            witness_address=self.witness,
            version=self.version,
            witness_id=self.witness_id,
            accountStateRoot=self.account_state_root,
        ).SerializeToString()
        return message + self.raw_unknown

    @property
    def digest(self) -> bytes:
        """What the witness signs."""
        return sha256(self.encode_raw())

    @property
    def id(self) -> BlockId:
        """8 bytes of number, then bytes 8..32 of the digest (BlockCapsule.BlockId)."""
        return BlockId((self.number.to_bytes(8, "big") + self.digest[8:]).hex())

    def signer(self) -> Address:
        """Who signed the header.

        That is the key of the producer's witness permission, or the producer itself
        if it has none (BlockCapsule.validateSignature). Every spelling that the
        network takes is taken: a block that others follow must not stop us. Nothing
        covers this signature, so several may come with one id.

        Raises:
            BadSignature: nobody's signature.
        """
        return recover_signer(self.digest, self.witness_signature)


@frozen
class BlockTransaction:
    """A transaction in a block with the results that the block's root covers.

    *results* are encoded Transaction.Result messages, as they stand in the block: with
    what the sender put there beside the code, and with unknown fields where bytes were
    read (mainnet 79072107 has one; JSON shows none). There may be several, and block 0
    has none.
    """

    transaction: Transaction
    results: tuple[bytes, ...] = ()
    received: bytes = field(default=b"", repr=False)
    """The bytes that it was read from, where `encode` would write others from the rest:
    unknown fields may stand anywhere. The block's root is that of these bytes."""

    @classmethod
    def with_code(
        cls, transaction: Transaction, contract_ret: int | None
    ) -> "BlockTransaction":
        """With a result that is nothing but a code, or with none."""
        if contract_ret is None:
            return cls(transaction)
        return cls(transaction, (encode_code(contract_ret),))

    @classmethod
    def from_bytes(cls, data: bytes) -> "BlockTransaction":
        """Read protocol.Transaction as a block holds it.

        Raises:
            MalformedTransaction: not protobuf, no raw data or more than one.
        """
        canonical = read_canonical(data)
        transaction, results = canonical or read_stored(data)
        try:
            for result in results:
                if not _is_code_alone(result):
                    pb.Transaction.Result.FromString(result)
        except DecodeError:
            raise MalformedTransaction("a result that is no message") from None
        is_odd = canonical is None and transaction.encode(results) != data
        return cls(transaction, results, data if is_odd else b"")

    @property
    def contract_ret(self) -> int | None:
        """What became of it: contractRet of the first result (the one that java-tron
        reads), 1 SUCCESS, 2 REVERT, ...; None without a result."""
        return _code(self.results[0]) if self.results else None

    def encode(self) -> bytes:
        """protocol.Transaction with signatures and results, as it was received."""
        return self.received or self.transaction.encode(self.results)


def encode_code(contract_ret: int) -> bytes:
    """Write Transaction.Result with nothing but its contractRet; 0 is not written."""
    return _CONTRACT_RET_TAG + varint(contract_ret) if contract_ret else b""


def code_alone(result: bytes) -> bytes:
    """*result* without all but its contractRet."""
    return encode_code(_code(result))


def put_code(results: Sequence[bytes], contract_ret: int) -> tuple[bytes, ...]:
    """Put the code into the first of a sender's results, where a node puts it and keeps
    all else (TransactionCapsule.setResultCode); () where the code is all there is."""
    if not results:
        return ()
    first = pb.Transaction.Result.FromString(results[0])
    # Stubs know only named numbers; the wire takes any.
    first.contractRet = cast("pb.Transaction.Result.contractResult", contract_ret)
    made = (first.SerializeToString(deterministic=True), *results[1:])
    return () if made == (encode_code(contract_ret),) else made


def _is_code_alone(result: bytes) -> bool:
    """Whether it is a code below 128 and nothing else, as nearly all are."""
    return len(result) == 2 and result[:1] == _CONTRACT_RET_TAG and result[1] < 0x80


def _code(result: bytes) -> int:
    if _is_code_alone(result):
        return result[1]
    return pb.Transaction.Result.FromString(result).contractRet


@frozen
class Block:
    """A header and its transactions in order."""

    header: BlockHeader
    transactions: tuple[BlockTransaction, ...]
    root_proven: bool = True
    """Whether the header's transaction root was recomputed from these transactions.

    False where they came as JSON and the root does not fit: HTTP shows no unknown
    fields, and mainnet has some. Then header, txids and signatures are what they
    claim, but which transactions the block holds, and their results, is the word of
    one node.
    """


@frozen
class FinalityStatus:
    """What our solid head stands on."""

    basis: Literal["signatures", "nodes"] = "nodes"
    """Whether producers' signatures prove it, or endpoints say so."""
    unproven_blocks: int = 0
    """Above it, those that an endpoint calls final and signatures do not prove yet."""
    stalled_reason: str | None = None
    """Why these are so many, in words; None while they are few."""

    @property
    def is_proven(self) -> bool:
        return self.basis == "signatures"


@frozen
class ChainPosition:
    """Where the follower stands. Heads are None before the first block."""

    head: BlockHeader | None
    solid: BlockHeader | None
    complete_from: int | None
    """The first block number since which nothing was missed."""
    synced: bool
    unproven: UnprovenSummary = UnprovenSummary()
    """Of our blocks, those whose transaction root could not be recomputed."""
    not_synced_reason: str | None = None
    """Why not, in words with the endpoint's name; None when synced."""
    finality: FinalityStatus = FinalityStatus()
    since_ms: int | None = None
    """Wall clock when *synced* became what it is; None when nobody told the time."""


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Root over 32-byte hashes; an odd node moves up unchanged (MerkleTree)."""
    if not leaves:
        return EMPTY_ROOT
    level = list(leaves)
    while len(level) > 1:
        paired = [
            sha256(level[at] + level[at + 1]) for at in range(0, len(level) - 1, 2)
        ]
        level = paired + level[len(paired) * 2 :]
    return level[0]


def tx_trie_root(transactions: Sequence[BlockTransaction]) -> bytes:
    """txTrieRoot: leaves are sha256 of whole transactions, results included."""
    return _root_of([transaction.encode() for transaction in transactions])


def _root_of(leaves: Sequence[bytes]) -> bytes:
    return merkle_root([sha256(leaf) for leaf in leaves])


def check_block(block: Block, *, expected_id: BlockId | None = None) -> BlockId:
    """Recompute id, root and signature; give the id.

    Proves that header and transactions belong together and that some key signed the
    header (block 0 is unsigned; only *expected_id* proves it). Whether it is the key
    of the producer is decided where the producers' keys are known, in
    `chain.producers`; the parent is the caller's check too.

    Raises:
        RootMismatch: everything fits but the transaction root.
        BadBlock: something else does not fit.
    """
    header = block.header
    try:
        block_id = header.id
    except (ValueError, OverflowError):
        raise BadBlock("a header that can't be written") from None
    if expected_id is not None and block_id != expected_id:
        raise BadBlock(f"id: computed {block_id}, stated {expected_id}")
    leaves = [transaction.encode() for transaction in block.transactions]
    for transaction, leaf in zip(block.transactions, leaves, strict=True):
        _check_is_leaf(header.number, transaction, leaf)
    _check_signature(header)
    if _root_of(leaves) != header.tx_trie_root:
        raise _other_root(block)
    return block_id


def _other_root(block: Block) -> BadBlock:
    """Say what another root means: no unknown field turns something into nothing, and
    no block holds a transaction twice (Manager.validateDup)."""
    header = block.header
    txids = {included.transaction.txid for included in block.transactions}
    what = f"block {header.number}: transaction root does not fit"
    if header.tx_trie_root == EMPTY_ROOT or not txids:
        return BadBlock(f"{what}, {len(txids)} transactions")
    if len(txids) != len(block.transactions):
        return BadBlock(f"{what}, a transaction stands there twice")
    return RootMismatch(what)


def _check_signature(header: BlockHeader) -> None:
    if header.number == 0:
        if header.witness_signature:
            raise BadBlock("block 0: signed, and nobody could have")
        return
    try:
        header.signer()
    except BadSignature:
        raise BadBlock(f"block {header.number}: nobody's signature") from None


def _check_is_leaf(number: int, stored: BlockTransaction, leaf: bytes) -> None:
    # The tree marks neither leaves nor nodes: two hashes in a row, taken for a
    # transaction of 64 bytes, would give the same root.
    try:
        contracts = len(_Raw.FromString(stored.transaction.raw).contract)
    except DecodeError:
        contracts = 0
    if contracts != 1:
        raise BadBlock(f"block {number}: something that is no transaction")
    # One with a signature is longer. Those of block 0 have none, and its id is known.
    if number and len(leaf) <= NODE_BYTES:
        raise BadBlock(f"block {number}: a transaction of {len(leaf)} bytes")
