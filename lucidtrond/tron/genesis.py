"""Block 0, rebuilt from what a node's configuration says (BlockUtil)."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from lucidtrond.tron import contracts
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import (
    Block,
    BlockHeader,
    BlockId,
    BlockTransaction,
    tx_trie_root,
)
from lucidtrond.tron.transaction import RawData, Reference, Transaction
from lucidtrond.tron.units import Sun, UnixMillis

OWNER: Final = b"0x000000000000000000000"
"""Who pays in block 0: a text of 23 letters, so nobody."""
WITNESS: Final = (
    b"A new system must allow existing systems to be linked together without requiring "
    b"any central control or coordination"
)
"""In the witness' place; it signs nothing."""


class GenesisAsset(Struct, frozen=True):
    """An account that exists from the start. A balance may be negative (blackhole)."""

    address: Address
    balance: Sun


def make_genesis(
    assets: Sequence[GenesisAsset], *, parent_id: BlockId, timestamp: UnixMillis
) -> Block:
    """Build block 0: one unsigned transfer per asset, in their order."""
    transactions = tuple(
        BlockTransaction(Transaction(_transfer(asset))) for asset in assets
    )
    header = BlockHeader(
        number=0,
        timestamp=timestamp,
        parent_id=parent_id,
        tx_trie_root=tx_trie_root(transactions),
        witness=WITNESS,
        version=0,
    )
    return Block(header, transactions)


def _transfer(asset: GenesisAsset) -> bytes:
    message = pb.TransferContract(
        owner_address=OWNER, to_address=asset.address.raw, amount=asset.balance
    )
    contract = contracts.RawContract(
        contracts.TRANSFER,
        contracts.TYPE_URL_PREFIX + "TransferContract",
        message.SerializeToString(),
    )
    return RawData(
        contract,
        Reference(b"", b""),
        expiration=UnixMillis(0),
        timestamp=UnixMillis(0),
    ).encode()
