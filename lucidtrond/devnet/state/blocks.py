"""Blocks as they are kept: rows for the log, and the way to `tron.block`'s types.

New fields go to the end, with a default: the log of an older version stays readable.
"""

from typing import Protocol

import msgspec

from lucidtrond.devnet.state.invariants import certain
from lucidtrond.tron.block import (
    Block,
    BlockHeader,
    BlockId,
    BlockTransaction,
    put_code,
)
from lucidtrond.tron.transaction import Transaction
from lucidtrond.tron.units import Sun, UnixMillis

SUCCESS = 1
"""contractRet of everything but smart contract calls."""


class LogRow(msgspec.Struct, frozen=True, array_like=True):
    """An event of a contract; *address* has 21 bytes, topics 32 each."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


Moves = tuple[tuple[bytes, int], ...]
"""Accounts whose balances changed, and by how much, one change after the other."""


class CallRow(msgspec.Struct, frozen=True, array_like=True):
    """How a contract call ended. *result* is a contractResult of Tron.proto."""

    contract: bytes
    result: int
    returned: bytes
    energy_total: int
    energy_fee: Sun
    energy_usage: int = 0
    """Paid by the caller's stake."""
    message: str = ""
    logs: tuple[LogRow, ...] = ()
    origin_usage: int = 0
    """Paid by the stake of the contract's maker."""


class ReceiptRow(msgspec.Struct, frozen=True, array_like=True):
    """What TransactionInfo says beside id and place. *net_usage* is in bytes."""

    fee: Sun = Sun(0)
    net_usage: int = 0
    net_fee: Sun = Sun(0)
    call: CallRow | None = None
    """Of contract calls only."""
    asset_issue_id: str = ""
    expired_unfreezing: Sun = Sun(0)
    """Paid out: withdraw_expire_amount."""
    cancelled: tuple[Sun, Sun] | None = None
    """Unfreezing that is stake again: of bandwidth, of energy."""
    withdrawn: Sun = Sun(0)
    """Rewards paid out: withdraw_amount."""


class TransactionRow(msgspec.Struct, frozen=True, array_like=True):
    """A transaction of a block with what came of it."""

    raw: bytes
    signatures: tuple[bytes, ...]
    receipt: ReceiptRow = ReceiptRow()
    contract_ret: int | None = SUCCESS
    moves: Moves = ()
    unknown: bytes = b""
    """Fields of protocol.Transaction that a node keeps and does not know."""
    results: tuple[bytes, ...] = ()
    """Encoded results, where the sender put in more than the code that came of it."""

    @property
    def transaction(self) -> Transaction:
        return Transaction(self.raw, self.signatures, self.unknown)

    @property
    def stored(self) -> BlockTransaction:
        """As the block holds it."""
        if self.results:
            return BlockTransaction(self.transaction, self.results)
        return BlockTransaction.with_code(self.transaction, self.contract_ret)


class BlockRow(msgspec.Struct, frozen=True, array_like=True):
    """A whole block."""

    number: int
    timestamp: UnixMillis
    parent: bytes
    root: bytes
    witness: bytes
    version: int
    signature: bytes = b""
    transactions: tuple[TransactionRow, ...] = ()

    @property
    def header(self) -> BlockHeader:
        return BlockHeader(
            number=self.number,
            timestamp=self.timestamp,
            parent_id=BlockId(self.parent.hex()),
            tx_trie_root=self.root,
            witness=self.witness,
            version=self.version,
            witness_signature=self.signature,
        )

    @property
    def id(self) -> bytes:
        """The 32 bytes of the block's id, computed."""
        return bytes.fromhex(self.header.id)

    @property
    def block(self) -> Block:
        return Block(
            self.header,
            tuple(row.stored for row in self.transactions),
        )


def row_of(block: Block) -> BlockRow:
    """A block without receipts as a row."""
    header = block.header
    return BlockRow(
        number=header.number,
        timestamp=header.timestamp,
        parent=bytes.fromhex(header.parent_id),
        root=header.tx_trie_root,
        witness=header.witness,
        version=header.version,
        signature=header.witness_signature,
        transactions=tuple(
            TransactionRow(
                transaction.transaction.raw,
                transaction.transaction.signatures,
                contract_ret=transaction.contract_ret,
                results=put_code(transaction.results, transaction.contract_ret or 0),
            )
            for transaction in block.transactions
        ),
    )


class Archive(Protocol):
    """Where blocks above genesis are kept; it may know more than the chain shows."""

    def append(self, row: BlockRow) -> None:
        """Keep the next block."""

    def read(self, number: int) -> BlockRow | None:
        """A block by number, from 1 on."""

    def find(self, txid: bytes) -> tuple[int, int] | None:
        """Number of the block that holds a transaction, and the place in it."""

    def truncate(self, number: int) -> None:
        """Forget the blocks above *number*."""


class MemoryArchive:
    """Blocks in memory, for chains that end with the process."""

    def __init__(self) -> None:
        self._blocks: list[BlockRow] = []
        self._places: dict[bytes, tuple[int, int]] = {}

    def append(self, row: BlockRow) -> None:
        certain(row.number == len(self._blocks) + 1, "blocks come in order")
        self._blocks.append(row)
        for place, included in enumerate(row.transactions):
            self._places[included.transaction.digest] = (row.number, place)

    def read(self, number: int) -> BlockRow | None:
        if not 1 <= number <= len(self._blocks):
            return None
        return self._blocks[number - 1]

    def find(self, txid: bytes) -> tuple[int, int] | None:
        return self._places.get(txid)

    def truncate(self, number: int) -> None:
        for row in self._blocks[number:]:
            for included in row.transactions:
                self._places.pop(included.transaction.digest, None)
        del self._blocks[number:]
