"""Blocks: id, transaction root, witness signature, all computed here."""

from collections.abc import Sequence
from typing import Final, NewType

from attrs import frozen
from google.protobuf.message import DecodeError

from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.address import Address
from lucidtrond.tron.hashing import sha256
from lucidtrond.tron.keys import BadSignature, recover
from lucidtrond.tron.transaction import Transaction, encode_transaction
from lucidtrond.tron.units import UnixMillis
from lucidtrond.tron.wirebytes import varint

BlockId = NewType("BlockId", str)
"""64 lower-case hex digits; the first 16 are the number."""

EMPTY_ROOT: Final = bytes(32)
"""txTrieRoot of a block without transactions."""
BLOCK_INTERVAL_MS: Final = 3000
"""One slot (ChainConstant.BLOCK_PRODUCED_INTERVAL)."""

_CONTRACT_RET_TAG: Final = b"\x18"
"""Field 3 of Transaction.Result, an enum."""

_HEADER_BYTES: Final = frozenset(bytes([v]) for v in (0, 1, 2, 3, 27, 28, 29, 30))


class BadBlock(ValueError):
    """A block that contradicts itself; the message says how."""


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

    def encode_raw(self) -> bytes:
        """BlockHeader.raw, what id and signature are made from."""
        return pb.BlockHeader.raw(
            number=self.number,
            timestamp=self.timestamp,
            parentHash=bytes.fromhex(self.parent_id),
            txTrieRoot=self.tx_trie_root,
            witness_address=self.witness,
            version=self.version,
            witness_id=self.witness_id,
            accountStateRoot=self.account_state_root,
        ).SerializeToString()

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

        Unlike a transaction's signatures, this one is covered by nothing else, so of
        the spellings of one signature only the two common ones of v are taken.

        Raises:
            BadSignature: nobody's signature.
        """
        if self.witness_signature[64:] not in _HEADER_BYTES:
            raise BadSignature("an unusual header byte")
        return recover(self.digest, self.witness_signature)


@frozen
class BlockTransaction:
    """A transaction in a block with the result that the block's root covers.

    *contract_ret* is the enum number (1 SUCCESS, 2 REVERT, ...; None when the block
    carries no result, as the genesis block does).
    """

    transaction: Transaction
    contract_ret: int | None

    def encode(self) -> bytes:
        """protocol.Transaction with signatures and result."""
        if self.contract_ret is None:
            results = []
        elif self.contract_ret == 0:
            results = [b""]
        else:
            results = [_CONTRACT_RET_TAG + varint(self.contract_ret)]
        return encode_transaction(
            self.transaction.raw, self.transaction.signatures, results
        )


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
class ChainPosition:
    """Where the follower stands. Heads are None before the first block."""

    head: BlockHeader | None
    solid: BlockHeader | None
    complete_from: int | None
    """The first block number since which nothing was missed."""
    synced: bool


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
    return merkle_root([sha256(each.encode()) for each in transactions])


def check_block(block: Block, *, expected_id: BlockId | None = None) -> BlockId:
    """Recompute id, root and signature; give the id.

    Proves that header and transactions belong together and that the header's witness
    signed it; nobody signs block 0, which only *expected_id* proves. That the witness
    is one of the chain's is the caller's check, and so is the parent.

    Raises:
        BadBlock: something does not fit.
    """
    header = block.header
    try:
        block_id = header.id
    except (ValueError, OverflowError):
        raise BadBlock("a header that can't be written") from None
    if expected_id is not None and block_id != expected_id:
        raise BadBlock(f"id: computed {block_id}, stated {expected_id}")
    if tx_trie_root(block.transactions) != header.tx_trie_root:
        raise BadBlock(f"block {header.number}: transaction root does not fit")
    for each in block.transactions:
        _check_is_leaf(header.number, each)
    _check_signature(header)
    return block_id


def _check_signature(header: BlockHeader) -> None:
    if header.number == 0:
        if header.witness_signature:
            raise BadBlock("block 0: signed, and nobody could have")
        return
    try:
        signer = header.signer()
    except BadSignature:
        raise BadBlock(f"block {header.number}: nobody's signature") from None
    if signer.raw != header.witness:
        raise BadBlock(f"block {header.number}: not signed by its witness")


def _check_is_leaf(number: int, each: BlockTransaction) -> None:
    # The tree marks neither leaves nor nodes: two hashes in a row, taken for a
    # transaction of 64 bytes, would give the same root.
    try:
        contracts = len(pb.Transaction.raw.FromString(each.transaction.raw).contract)
    except DecodeError:
        contracts = 0
    if contracts != 1:
        raise BadBlock(f"block {number}: something that is no transaction")
