"""Blocks: id, transaction root, witness signature, all computed here."""

from collections.abc import Sequence
from typing import Final, NewType

from attrs import frozen

from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.address import Address
from lucidtrond.tron.hashing import sha256
from lucidtrond.tron.keys import BadSignature, recover
from lucidtrond.tron.transaction import Transaction, encode_transaction
from lucidtrond.tron.units import UnixMillis

BlockId = NewType("BlockId", str)
"""64 lower-case hex digits; the first 16 are the number."""

EMPTY_ROOT: Final = bytes(32)
"""txTrieRoot of a block without transactions."""
BLOCK_INTERVAL_MS: Final = 3000
"""One slot (ChainConstant.BLOCK_PRODUCED_INTERVAL)."""


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

    def encode_raw(self) -> bytes:
        """BlockHeader.raw, what id and signature are made from."""
        return pb.BlockHeader.raw(
            number=self.number,
            timestamp=self.timestamp,
            parentHash=bytes.fromhex(self.parent_id),
            txTrieRoot=self.tx_trie_root,
            witness_address=self.witness,
            version=self.version,
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

        Raises:
            BadSignature: nobody's signature.
        """
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
        else:
            result = pb.Transaction.Result(contractRet=self.contract_ret)
            results = [result.SerializeToString()]
        return encode_transaction(
            self.transaction.raw, self.transaction.signatures, results
        )


@frozen
class Block:
    """A header and its transactions in order."""

    header: BlockHeader
    transactions: tuple[BlockTransaction, ...]


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
    signed it. That the witness is one of the chain's is the caller's check.

    Raises:
        BadBlock: something does not fit.
    """
    header = block.header
    block_id = header.id
    if expected_id is not None and block_id != expected_id:
        raise BadBlock(f"id: computed {block_id}, stated {expected_id}")
    if tx_trie_root(block.transactions) != header.tx_trie_root:
        raise BadBlock(f"block {header.number}: transaction root does not fit")
    if header.number > 0:
        try:
            signer = header.signer()
        except BadSignature:
            raise BadBlock(f"block {header.number}: nobody's signature") from None
        if signer.raw != header.witness:
            raise BadBlock(f"block {header.number}: not signed by its witness")
    return block_id
