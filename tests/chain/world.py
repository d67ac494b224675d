"""One process's follower and ledger over a database that outlives it."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from attrs import define, field

from lucidtrond.chain.exact import DEFAULT_POLICY, ExactPolicy
from lucidtrond.chain.follower import Follower
from lucidtrond.chain.ledger import MIGRATIONS, Ledger
from lucidtrond.events.types import LedgerEntry
from lucidtrond.ports import Migration, Tx
from lucidtrond.store.database import open_store
from lucidtrond.store.migrate import migrate
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockHeader, BlockId
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.tokens import NO_TOKENS, KnownTokens
from lucidtrond.tron.transaction import TxId
from lucidtrond.tron.trc20 import TransferLog
from lucidtrond.tron.unproven import UnprovenBlocks
from tests.chain.model import (
    OUTBOX,
    CrashingStore,
    ModelChain,
    address,
    emit,
    make_block,
)

WATCHED = frozenset(map(address, (1, 2)))
GENESIS = make_block(None).header.id
SEEN = Migration(
    "seen",
    1,
    "CREATE TABLE seen (number INT64 PRIMARY KEY, id BYTES, solid FLAG NOT NULL)",
)


class Observer:
    """Keeps a copy of our view of the chain, as an observer is told of it."""

    def __init__(self) -> None:
        self.commits = 0
        self.unproven: tuple[int, ...] = ()
        self.agreed: set[TxId] = set()
        self.exact: set[TxId] = set()
        self.changed: list[tuple[str, str]] = []
        self.owners: list[frozenset[Address]] = []
        self.moved: list[tuple[TxId, TransferLog]] = []

    def applied(
        self,
        tx: Tx,
        block: Block,
        receipts: tuple[Receipt, ...],
        *,
        agreed: Collection[TxId],
        owners: Collection[Address],
        moved: Sequence[tuple[TxId, TransferLog]],
        exact: Collection[TxId],
    ) -> None:
        self.agreed.update(agreed)
        self.owners.append(frozenset(owners))
        self.moved += moved
        self.exact.update(exact)
        tx.after_commit(self._count_commit)
        assert len(receipts) == (len(block.transactions) if block.header.number else 0)
        tx.execute(
            "INSERT INTO seen (number, id, solid) VALUES (?, ?, 0)",
            (block.header.number, bytes.fromhex(block.header.id)),
        )

    def reproven(self, tx: Tx, entry: LedgerEntry) -> None:
        tx.after_commit(self._count_commit)
        self.changed.append((entry.txid, entry.proof))

    def disproven(self, tx: Tx, entry: LedgerEntry) -> None:
        tx.after_commit(self._count_commit)
        self.changed.append((entry.txid, "none"))

    def reverted(self, tx: Tx, number: int, block_id: BlockId) -> None:
        tx.after_commit(self._count_commit)
        [row] = tx.execute(
            "DELETE FROM seen WHERE number = ? RETURNING id, solid", (number,)
        )
        assert row == (bytes.fromhex(block_id), 0)

    def solidified(
        self,
        tx: Tx,
        header: BlockHeader,
        complete_from: int,
        *,
        unproven: Callable[[int, int | None], UnprovenBlocks],
        waits: Callable[[TxId, int], bool],  # noqa: ARG002 - the Protocol's
    ) -> None:
        tx.after_commit(self._count_commit)
        self.unproven = unproven(-1, header.number).numbers
        tx.execute("UPDATE seen SET solid = 1 WHERE number <= ?", (header.number,))
        [(lowest,)] = tx.execute("SELECT min(number) FROM seen")
        assert lowest == complete_from

    def _count_commit(self) -> None:
        self.commits += 1


@define
class World:
    """One process's objects over a database that outlives it."""

    store: CrashingStore
    chain: ModelChain
    tokens: KnownTokens = NO_TOKENS
    exact: ExactPolicy = DEFAULT_POLICY
    wait_unproven: bool = False
    producers: Mapping[Address, Address] | None = None
    ledger: Ledger = field(init=False)
    follower: Follower = field(init=False)
    observer: Observer = field(factory=Observer)

    async def start(self) -> None:
        """Begin anew, as after a crash."""
        self.store.nth = None
        self.chain.before_answer = lambda _: None
        self.ledger = Ledger(
            self.store,
            tokens=self.tokens,
            exact=self.exact,
            wait_unproven=self.wait_unproven,
        )
        self.follower = Follower(
            self.chain,
            self.store,
            ledger=self.ledger,
            emit=emit,
            genesis_id=GENESIS,
            observers=[self.observer],
            producers=self.producers,
        )
        await self.follower._load()

    def watch_all(self, tx: Tx) -> None:
        for watched in WATCHED:
            self.ledger.watch(tx, watched)

    async def turn(self) -> None:
        await self.follower._turn()

    async def settle(self) -> None:
        """Follow until the model's head and solid block are ours."""
        for _ in range(150):
            position = self.ledger.position()
            if (
                position.head == self.chain.blocks[-1].header
                and position.solid == self.chain.blocks[self.chain.solid].header
            ):
                return
            await self.turn()
        raise AssertionError("it does not settle")


@asynccontextmanager
async def world(chain: ModelChain, path: Path | None = None) -> AsyncIterator[World]:
    async with open_store(path) as store:
        await migrate(store, [*MIGRATIONS, OUTBOX, SEEN])
        made = World(CrashingStore(store), chain)
        await made.start()
        await store.write(made.watch_all)
        yield made
