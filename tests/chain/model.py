"""A little chain without a network: real blocks and receipts, forks on request.

Ids, parents, roots and the producers' signatures are real; transactions carry no
signatures: checking those is the node layer's work.
"""

from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
import trio
from attrs import define, evolve, field

from lucidtrond.errors import NodeError, NodeLied
from lucidtrond.events.types import Event
from lucidtrond.node.health.agreement import Agreement, KeyReport, ProducerReport
from lucidtrond.ports import Migration, Store, Tx
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import (
    BLOCK_INTERVAL_MS,
    Block,
    BlockHeader,
    BlockId,
    BlockTransaction,
    tx_trie_root,
)
from lucidtrond.tron.contracts import Transfer
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.receipt import Log, Receipt
from lucidtrond.tron.transaction import RawData, Reference, Transaction
from lucidtrond.tron.units import Sun, UnixMillis

T = TypeVar("T")

START_MS = 1_700_000_000_000
SUCCESS = 1


def address(number: int) -> Address:
    """The *number*th address of a test."""
    return Address(b"\x41" + number.to_bytes(20, "big"))


@cache
def producer_key(number: int) -> PrivateKey:
    """Of the *number*th producer of a test, or any other key."""
    return PrivateKey(b"producer" + number.to_bytes(24, "big"))


def transfer(
    *, owner: Address, to: Address, amount: int = 1, nonce: int = 0
) -> Transaction:
    """A payment; *nonce* makes its id another one."""
    raw = RawData(
        Transfer(owner, to, Sun(amount)),
        Reference(b"\0\0", bytes(8)),
        expiration=UnixMillis(START_MS + 86_400_000),
        timestamp=UnixMillis(START_MS + nonce),
    )
    return Transaction(raw.encode(), (bytes(65),))


def make_block(
    parent: BlockHeader | None,
    transactions: Sequence[Transaction] = (),
    *,
    salt: int = 0,
    results: Sequence[int] | None = None,
    missed: int = 0,
    key: PrivateKey | None = None,
) -> Block:
    """The block after *parent*; another *salt* makes another block.

    There is one producer for each salt modulo 5; it signs with *key* or its own.
    """
    own = producer_key(salt % 5)
    number = 0 if parent is None else parent.number + 1
    before = START_MS - BLOCK_INTERVAL_MS if parent is None else parent.timestamp
    results = [SUCCESS] * len(transactions) if results is None else results
    inside = tuple(map(BlockTransaction.with_code, transactions, results))
    header = BlockHeader(
        number=number,
        timestamp=UnixMillis(before + (1 + missed) * BLOCK_INTERVAL_MS),
        parent_id=BlockId("00" * 32) if parent is None else parent.id,
        tx_trie_root=tx_trie_root(inside),
        witness=own.address.raw,
        version=34 + salt,
    )
    if number == 0:
        return Block(header, inside)
    signature = (key or own).sign(header.digest)
    return Block(evolve(header, witness_signature=signature), inside)


def receipts_of(block: Block) -> tuple[Receipt, ...]:
    """Plain receipts, one for each transaction."""
    header = block.header
    return tuple(
        Receipt(
            included.transaction.txid,
            block_number=header.number,
            block_timestamp=header.timestamp,
            fee=Sun(1000 + at),
        )
        for at, included in enumerate(block.transactions)
    )


@define
class ModelChain:
    """What an honest node shows: one branch and a solid number that only grows."""

    blocks: list[Block] = field(factory=lambda: [make_block(None)])
    solid: int = 0
    questions: int = 0
    noted: list[tuple[BlockHeader, frozenset[Address]]] = field(factory=list)
    before_answer: Callable[[str], None] = field(default=lambda _: None)
    key_at: Callable[[Address, int], Address] = lambda producer, _: producer
    """What a producer's account says after a block; its own key unless told."""
    blamed: list[tuple[BlockId, str]] = field(factory=list)
    proven: dict[int, Block] = field(factory=dict)
    """Blocks that another endpoint shows whole."""
    producer_reports: Sequence[ProducerReport] = ()
    logs: dict[str, tuple[Log, ...]] = field(factory=dict)
    """What receipts hold, by txid; nothing unless told."""

    @property
    def head(self) -> int:
        return len(self.blocks) - 1

    def grow(self, *transactions: Transaction, salt: int = 0, missed: int = 0) -> Block:
        """Make the next block."""
        block = make_block(
            self.blocks[-1].header, transactions, salt=salt, missed=missed
        )
        self.blocks.append(block)
        return block

    def grow_by(self, count: int, *, salt: int = 0) -> None:
        for _ in range(count):
            self.grow(salt=salt)

    def fork(self, depth: int) -> list[Block]:
        """Revert the newest *depth* blocks; never a solid one."""
        keep = max(self.solid, self.head - depth) + 1
        taken = self.blocks[keep:]
        del self.blocks[keep:]
        return taken

    def solidify(self, number: int) -> None:
        self.solid = max(self.solid, min(number, self.head))

    async def fetch_head(self, *, solid: bool = False) -> BlockHeader:
        self._ask("solid" if solid else "head")
        return self.blocks[self.solid if solid else -1].header

    async def fetch_blocks(self, start: int, end: int) -> list[Block]:
        assert 0 < end - start <= 100
        self._ask("blocks")
        return self.blocks[start:end]

    async def fetch_same(
        self,
        block_id: BlockId,  # noqa: ARG002 - a protocol's
        start: int,
    ) -> list[Block]:
        return await self.fetch_blocks(start, start + 100)

    async def report_producers(self) -> Sequence[ProducerReport]:
        self._ask("producers")
        return self.producer_reports

    async def fetch_headers(
        self,
        block_id: BlockId,  # noqa: ARG002 - a protocol's
        start: int,
        end: int,
    ) -> list[BlockHeader]:
        return [block.header for block in self.blocks[start:end]]

    async def fetch_others(
        self,
        block_id: BlockId,  # noqa: ARG002 - a protocol's
        start: int | None = None,  # noqa: ARG002 - a protocol's
    ) -> list[list[Block]]:
        return []

    async def fetch_receipts(self, which: Block) -> tuple[Receipt, ...]:
        self._ask("receipts")
        assert which.header.number > 0
        # The node looks the number up in its present branch.
        return tuple(
            evolve(receipt, logs=self.logs.get(receipt.txid, ()))
            for receipt in receipts_of(self.blocks[which.header.number])
        )

    async def fetch_receipts_by(self, which: Block) -> tuple[str, tuple[Receipt, ...]]:
        return "model", await self.fetch_receipts(which)

    def has_second_source(self, besides: str) -> bool:  # noqa: ARG002 - a protocol's
        return False

    async def fetch_second_receipts(
        self,
        which: Block,  # noqa: ARG002 - a protocol's
        *,
        besides: str,  # noqa: ARG002 - a protocol's
    ) -> tuple[Receipt, ...] | None:
        return None

    async def report_keys(
        self,
        producer: Address,
        *,
        expected: Address,  # noqa: ARG002 - the Protocol's
    ) -> Sequence[KeyReport]:
        self._ask("keys")
        return [
            KeyReport(
                "model",
                self.key_at(producer, self.head),
                self.head,
                solid=self.key_at(producer, self.solid),
                solid_number=self.solid,
            )
        ]

    async def fetch_proven(self, block: Block) -> Block | None:
        self._ask("proof")
        return self.proven.get(block.header.number)

    async def confirm_solid(self, number: int, block_id: BlockId) -> Agreement:
        self._ask("confirmation")
        return Agreement(number, block_id, 1, agreeing=("model",))

    def note_lie(self, block_id: BlockId, reason: str) -> NodeError:
        self.blamed.append((block_id, reason))
        return NodeLied("model", reason)

    def note_block(self, header: BlockHeader, touched: Collection[Address]) -> None:
        self.noted.append((header, frozenset(touched)))

    def _ask(self, question: str) -> None:
        self.questions += 1
        self.before_answer(question)


class Crash(Exception):
    """The process dies here."""


@define
class CrashingStore:
    """A store whose process dies at the *nth* write from now, before or after it.

    With another *error* it does not die but refuses.
    """

    store: Store
    nth: int | None = None
    after: bool = False
    error: type[Exception] = Crash
    _cancelling: tuple[int, trio.CancelScope] | None = None

    def cancel_at(self, call: int, scope: trio.CancelScope) -> None:
        """Cancel *scope* at the beginning of the *call*th read or write from now."""
        self._cancelling = call, scope

    def stop_cancelling(self) -> None:
        self._cancelling = None

    def _count(self) -> None:
        if self._cancelling is not None:
            left, scope = self._cancelling
            self._cancelling = left - 1, scope
            if left == 1:
                scope.cancel()

    async def write(self, fn: Callable[[Tx], T]) -> T:
        self._count()
        crashes = self.nth == 0
        if self.nth is not None:
            self.nth -= 1
        if crashes and not self.after:
            raise self.error
        done = await self.store.write(fn)
        if crashes:
            raise self.error
        return done

    async def read(self, fn: Callable[[Tx], T]) -> T:
        self._count()
        return await self.store.read(fn)


OUTBOX = Migration(
    "model", 1, "CREATE TABLE model_outbox (seq SERIAL, topic TEXT, body BYTES)"
)


def emit(tx: Tx, event: Event) -> int:
    """An outbox in its smallest form."""
    rows = tx.execute(
        "INSERT INTO model_outbox (topic, body) VALUES (?, ?) RETURNING seq",
        (event.topic, msgspec.json.encode(event)),
    )
    return int(rows[0][0])


def emitted(tx: Tx, topic: str) -> list[dict[str, Any]]:
    """Events of *topic* in order."""
    rows = tx.execute(
        "SELECT body FROM model_outbox WHERE topic = ? ORDER BY seq", (topic,)
    )
    return [msgspec.json.decode(body) for (body,) in rows]
