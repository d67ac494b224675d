"""The chain: a head that grows, a pool on top of it, a solidified view below it.

Blocks come in two steps, so that the shell can make them durable in between: `draft`
takes the pool's transactions and makes the next block, `commit` shows all drafts to
readers. Nobody sees a drafted block, but new transactions are already judged on top of
it, since it will be committed whatever happens.

Time and storage are arguments: this module never looks at a clock.
"""

from collections.abc import Iterable
from typing import Final

from attrs import define, field
from msgspec import Struct
from msgspec.structs import replace

from lucidtrond.devnet.state.account import block_key
from lucidtrond.devnet.state.blocks import (
    Archive,
    BlockRow,
    TransactionRow,
    row_of,
)
from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.execution import execute
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.invariants import certain, present
from lucidtrond.devnet.state.pool import MAX_POOL, Pooled, check_size, choose, rerun
from lucidtrond.devnet.state.rejections import Invalid, Refused, expired
from lucidtrond.devnet.state.schedule import count_block, next_slot_ms, witness_at
from lucidtrond.devnet.state.signatures import check_signatures
from lucidtrond.devnet.state.world import World
from lucidtrond.tron.block import BLOCK_INTERVAL_MS, BlockHeader, merkle_root
from lucidtrond.tron.hashing import sha256
from lucidtrond.tron.transaction import MAX_LIFETIME_MS
from lucidtrond.tron.units import UnixMillis

TAPOS_WINDOW: Final = 65_536
VIEW_LAG: Final = 2
"""A node's solidity side shows the state two blocks behind the solidified number:
its snapshots are moved when the next session opens (SnapshotManager.buildSession), as
recorded conversations show."""


class ChainBroken(Exception):
    """A kept block does not fit on the state that the blocks before it made."""


class TooDeep(ValueError):
    """A fork would take back what is solidified."""


class Draft(Struct, frozen=True):
    """A finished block that readers do not see yet."""

    row: BlockRow
    world: World


class Found(Struct, frozen=True):
    """A transaction's place; *block* is None while it is pending."""

    transaction: TransactionRow
    block: BlockRow | None


@define(eq=False)
class Chain:
    """One chain of one process; *archive* holds its blocks above genesis."""

    genesis: Genesis
    archive: Archive
    _layers: list[World] = field(init=False)
    """A base at the solid view, then one layer for each block above it."""
    _pending: World | None = field(init=False, default=None)
    _drafts: list[Draft] = field(init=False, factory=list)
    _drafted: dict[bytes, Pooled] = field(init=False, factory=dict)
    """Transactions of the drafts: pending, as readers see it."""
    _pool: dict[bytes, Pooled] = field(init=False, factory=dict)
    _genesis_row: BlockRow = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._layers = [self.genesis.world()]
        self._genesis_row = row_of(self.genesis.block)

    # Views

    @property
    def head(self) -> World:
        """State after the newest block that readers see."""
        return self._layers[-1]

    @property
    def solid(self) -> World:
        """State of the solidity side; its globals name that side's head."""
        return self._layers[0]

    @property
    def pending(self) -> World:
        """State after the head and everything in the pool."""
        return self._pending or self.top

    @property
    def top(self) -> World:
        """State after the newest block, drafts included."""
        return self._drafts[-1].world if self._drafts else self._layers[-1]

    @property
    def pool(self) -> tuple[Pooled, ...]:
        """What waits to be in a block, in order of arrival."""
        return (*self._drafted.values(), *self._pool.values())

    def block(self, number: int, *, solid: bool = False) -> BlockRow | None:
        """A block that the head side (or the solidity side) shows."""
        top = self.solid if solid else self.head
        if not 0 <= number <= top.globals.number:
            return None
        if number == 0:
            return self._genesis_row
        return self.archive.read(number)

    def state_at(self, number: int) -> World | None:
        """The state after a block, of those that are kept: genesis, solid to head."""
        if number == 0:
            return self.genesis.world()
        return next(
            (layer for layer in self._layers if layer.globals.number == number), None
        )

    def find(self, txid: bytes, *, solid: bool = False) -> Found | None:
        """A transaction in a block, or (on the head side) in the pool."""
        place = self.archive.find(txid)
        if place is not None:
            block = self.block(place[0], solid=solid)
            if block is not None:
                return Found(block.transactions[place[1]], block)
        pooled = self._pool.get(txid) or self._drafted.get(txid)
        if pooled is None or solid:
            return None
        return Found(pooled.row, None)

    # The pool

    def can_sign(self, witness: bytes) -> bool:
        """Whether the key that signs *witness*'s next block is one that we know.

        A producer who names another is like one whose machine is off: its slots pass.
        """
        return self._block_key(witness) in self.genesis.known_keys

    def _block_key(self, witness: bytes) -> bytes:
        # Manager.pushBlock validates a block against its parent's state
        # (BlockCapsule.validateSignature): what it changes counts from the next one on.
        return block_key(present(self.top.accounts.get(witness)))

    def next_slot(self, earliest: int) -> UnixMillis:
        """The first slot from *earliest* on whose producer can sign."""
        slot = max(earliest, next_slot_ms(self.top.globals))
        while not self.can_sign(witness_at(self.genesis, slot)):
            slot += BLOCK_INTERVAL_MS
        return UnixMillis(slot)

    def submit(self, candidate: Candidate) -> None:
        """Take a transaction into the pool, after all checks of a broadcast.

        Raises:
            Refused: the first check that fails, in java-tron's order
                (Wallet.broadcastTransaction, Manager.pushTransaction).
        """
        properties = self.top.globals
        if len(self._pool) >= MAX_POOL:
            raise Refused("SERVER_BUSY", "Server busy.")
        if not candidate.contracts:
            raise Invalid("No contract!")
        if candidate.expiration < next_slot_ms(properties):
            raise expired()
        self._check_signatures(candidate)
        if candidate.contracts != 1:
            raise Invalid(
                f"tx {candidate.txid.hex()} contract size should be exactly 1,"
                f" this is extend feature ,actual :{candidate.contracts}"
            )
        if not self._refers_to_this_chain(candidate):
            raise Refused("TAPOS_ERROR", "Tapos check error.")
        check_size(candidate)
        if not 0 < candidate.expiration - properties.timestamp <= MAX_LIFETIME_MS:
            raise expired()
        known_already = candidate.txid in self._pool or candidate.txid in self._drafted
        if known_already or self.archive.find(candidate.txid):
            raise Refused("DUP_TRANSACTION_ERROR", "Dup transaction.")
        self._take(candidate, since_ms=properties.timestamp)

    def _check_signatures(self, candidate: Candidate) -> None:
        owner = self.pending.accounts.get(candidate.owner)
        check_signatures(candidate, owner, self.genesis.default_operations)

    def _take(self, candidate: Candidate, *, since_ms: UnixMillis) -> None:
        base = self._pending or self.top.fork()
        trial = base.fork()
        receipt = execute(trial, candidate, self.genesis)
        base.absorb(trial)
        self._pending = base
        self._pool[candidate.txid] = Pooled(
            candidate, receipt, tuple(trial.moves), since_ms
        )

    def _refers_to_this_chain(self, candidate: Candidate) -> bool:
        low, digest = candidate.reference
        if len(low) != 2 or len(digest) != 8:
            return False
        head = self.head.globals.number
        number = head - (head - int.from_bytes(low, "big")) % TAPOS_WINDOW
        row = self.block(number)
        return row is not None and row.id[8:16] == digest

    # Blocks

    def draft(self, timestamp: UnixMillis) -> Draft:
        """Make the next block at *timestamp*, the time of a slot (`next_slot`).

        What does not fit (size, time) stays in the pool or falls out of it.
        """
        previous = self.top.globals
        certain(timestamp >= next_slot_ms(previous), "slots go forward")
        chosen, left = choose(self._pool.values(), timestamp)
        world = self._pending or self.top.fork()
        if left:
            world, chosen = rerun(self.top, chosen, self.genesis)
        rows = tuple(pooled.row for pooled in chosen)
        row = self._sign(previous.block_id, previous.number + 1, timestamp, rows)
        world.globals = replace(
            world.globals, number=row.number, timestamp=timestamp, block_id=row.id
        )
        count_block(world, self.genesis, previous=previous)
        draft = Draft(row, world)
        self._drafts.append(draft)
        self._drafted |= {pooled.candidate.txid: pooled for pooled in chosen}
        self._pending = None
        self._repool(left)
        return draft

    def commit(self) -> None:
        """Show the drafted blocks, which the archive has by now."""
        for draft in self._drafts:
            self._push(draft.world)
        self._drafts.clear()
        self._drafted.clear()

    def replay(self, row: BlockRow) -> None:
        """Apply a block of our own that the archive kept; signatures were checked.

        Raises:
            ChainBroken: it does not fit.
        """
        previous = self._layers[-1].globals
        if row.number != previous.number + 1 or row.parent != previous.block_id:
            raise ChainBroken(f"block {row.number} does not follow {previous.number}")
        world = self._layers[-1].fork()
        for included in row.transactions:
            try:
                receipt = execute(
                    world, Candidate.read(included.transaction), self.genesis
                )
            except Refused as refusal:
                raise ChainBroken(f"block {row.number}: {refusal}") from None
            if receipt != included.receipt:
                raise ChainBroken(f"block {row.number}: a receipt came out otherwise")
        world.globals = replace(
            world.globals, number=row.number, timestamp=row.timestamp, block_id=row.id
        )
        count_block(world, self.genesis, previous=previous)
        self._push(world)

    def restart(self, base: World, rows: Iterable[BlockRow]) -> None:
        """Be what *base* and the blocks above it make, with an empty pool.

        The archive must hold all blocks up to the last of *rows*.
        """
        certain(not self._drafts, "everything made is shown")
        self._layers = [base]
        self._pending = None
        self._pool.clear()
        for row in rows:
            self.replay(row)

    def restore(self, base: World) -> None:
        """Start from a kept state instead of the genesis block's."""
        certain(len(self._layers) == 1, "before the first block only")
        self._layers = [base]

    def revert(self, depth: int, *, keep: bool) -> list[BlockRow]:
        """Forget the newest blocks, as a node does that meets a better fork.

        Their transactions go back to the pool, before what waits there, or with *keep*
        False vanish. Gives the blocks; the archive has forgotten them too.

        Raises:
            TooDeep: nothing that is solidified is ever reverted.
        """
        certain(not self._drafts, "everything made is shown")
        old = self.head.globals
        deepest = old.number - old.solid
        if not 1 <= depth <= deepest:
            raise TooDeep(
                f"expected a depth of 1 to {deepest}, down to the solidified block"
                f" {old.solid}, got {depth}"
            )
        first = old.number - depth + 1
        lost = [present(self.archive.read(n)) for n in range(first, old.number + 1)]
        self.archive.truncate(first - 1)
        del self._layers[-depth:]
        top = self._layers[-1]
        top.globals = replace(top.globals, solid=old.solid)
        waiting = list(self._pool.values())
        self._pool.clear()
        self._pending = None
        if keep:
            rows = (included for row in lost for included in row.transactions)
            for included in rows:
                self._resubmit(
                    Candidate.read(included.transaction, included.results),
                    old.timestamp,
                )
        for pooled in waiting:
            self._resubmit(pooled.candidate, pooled.since_ms)
        return lost

    def _resubmit(self, candidate: Candidate, since_ms: UnixMillis) -> None:
        """Into the pool, unless the new head refuses it."""
        if candidate.txid in self._pool or not self._refers_to_this_chain(candidate):
            return
        try:
            self._take(candidate, since_ms=since_ms)
        except Refused:
            return

    def _push(self, world: World) -> None:
        self._layers.append(world)
        shown = max(0, world.globals.solid - VIEW_LAG)
        base = self._layers[0]
        while base.globals.number < shown:
            base.absorb(self._layers.pop(1))
            if len(self._layers) > 1:
                self._layers[1].rebase(base)

    def _repool(self, left: Iterable[Pooled]) -> None:
        now = self.top.globals.timestamp
        self._pool.clear()
        for pooled in left:
            if pooled.is_dropped_at(now):
                continue
            try:
                self._check_signatures(pooled.candidate)
                self._take(pooled.candidate, since_ms=pooled.since_ms)
            except Refused:
                continue

    def _sign(
        self,
        parent: bytes,
        number: int,
        timestamp: UnixMillis,
        rows: tuple[TransactionRow, ...],
    ) -> BlockRow:
        witness = witness_at(self.genesis, timestamp)
        unsigned = BlockRow(
            number=number,
            timestamp=timestamp,
            parent=parent,
            root=b"",
            witness=witness,
            version=self.genesis.file.block_version,
            transactions=rows,
        )
        leaves = [sha256(included.encode()) for included in unsigned.block.transactions]
        rooted = replace(unsigned, root=merkle_root(leaves))
        key = self.genesis.known_keys[self._block_key(witness)]
        signature = key.sign(rooted.header.digest)
        return replace(rooted, signature=signature)


def head_header(chain: Chain, *, solid: bool = False) -> BlockHeader:
    """The newest header of a side."""
    top = chain.solid if solid else chain.head
    return present(chain.block(top.globals.number)).header
