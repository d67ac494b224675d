"""The embedded chain as a running thing: blocks by the clock, an HTTP port, test money.

Its time is that of the wall clock, less a distance of its own (`timeline`).

Durability. A block is in the log, and synced, before anyone can see it (`log`).
"""

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import trio
from attrs import define, field
from msgspec import Struct

from lucidtrond.devnet.control import CantStall, NoSnapshot, NoSuchPort, control
from lucidtrond.devnet.describe import describe
from lucidtrond.devnet.faults import Faults
from lucidtrond.devnet.funding import fund, fund_token, plant_zero_transfer, set_rule
from lucidtrond.devnet.log import BlockLog
from lucidtrond.devnet.ports import HostPort, Port
from lucidtrond.devnet.state.blocks import BlockRow
from lucidtrond.devnet.state.chain import Chain
from lucidtrond.devnet.state.genesis import (
    Genesis,
)
from lucidtrond.devnet.state.invariants import present
from lucidtrond.devnet.state.schedule import (
    MAINTENANCE_SKIP_SLOTS,
    next_slot_ms,
    slot_at,
    witness_at,
)
from lucidtrond.devnet.state.world import WorldRows, rows_of, world_of
from lucidtrond.errors import StoreError
from lucidtrond.ports import Clock
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BLOCK_INTERVAL_MS, BlockId
from lucidtrond.tron.transaction import TxId
from lucidtrond.tron.units import Sun, UnixMillis

log = logging.getLogger(__name__)

CHECKPOINT_BLOCKS: Final = 500
FIRST_BLOCKS: Final = 36
"""A new chain begins with so many, so that every witness has made one and a block is
solidified: a node that just started has nothing to refer transactions to."""
BATCH_BLOCKS: Final = 50
"""Made on demand they are synced together."""
RETRY_S: Final = 1.0
EARLY_MS: Final = 100


class DevnetConfig(Struct, frozen=True, kw_only=True):
    """What chain, and where. *state_dir* None keeps nothing beyond the process.

    *block_time_s* 0 makes blocks on demand only; *genesis* replaces the default chain;
    *port* 0 is any free one.
    """

    block_time_s: float = 3.0
    witnesses: int = 27
    state_dir: Path | None = None
    host: str = "127.0.0.1"
    port: int = 0
    solidity: HostPort | None = None
    jsonrpc: HostPort | None = None
    """Ports of their own for the solidity side and for /jsonrpc."""
    grpc: HostPort | None = None
    """Where gRPC is served, both services at one port; None serves none."""
    replicas: int = 0
    """So many further ports of the same chain, for faults of their own."""
    control: bool = False
    """Whether ``/devnet/*`` is answered."""
    genesis: Genesis | None = None
    fake_token: bool = False
    """Whether there is a second token with the first one's name and symbol."""
    tokens: tuple[str, ...] = ()
    """Symbols of odd sorts of tokens that are there, too (`token_sorts`), or all."""
    behind_s: int | None = None
    """How far behind the clock a new chain begins; None lets `timeline` choose."""

    @property
    def keeps_real_time(self) -> bool:
        return self.block_time_s * 1000 >= BLOCK_INTERVAL_MS


class Snapshot(Struct, frozen=True):
    """A solidified state and the blocks above it."""

    base: WorldRows
    rows: tuple[BlockRow, ...]


@define(eq=False)
class Devnet:
    """A chain that runs. Satisfies `api.DevnetControl`."""

    config: DevnetConfig
    chain: Chain
    url: str
    solidity_url: str
    jsonrpc_url: str
    _ports: Sequence[Port]
    _blocks: BlockLog
    _clock: Clock
    _behind_ms: int
    """How far the chain's time is behind the clock's."""
    faults: Faults = field(init=False, factory=Faults)
    grpc_url: str | None = field(init=False, default=None)
    _earliest: UnixMillis = field(init=False, default=UnixMillis(0))
    """The next block's time, at least."""
    _silent: frozenset[bytes] = field(init=False, default=frozenset())
    """Witnesses who make no blocks."""
    _snapshots: dict[str, Snapshot] = field(init=False, factory=dict)
    _producing: trio.Lock = field(init=False, factory=trio.Lock)
    _unwritten: BlockRow | None = field(init=False, default=None)
    """A draft that the log did not take."""
    _last_checkpoint: int = field(init=False, default=0)

    @property
    def genesis_id(self) -> BlockId:
        return self.chain.genesis.id

    @property
    def head_number(self) -> int:
        return self.chain.head.globals.number

    async def mine(self, count: int) -> int:
        """Make *count* blocks now, one slot apart; gives the head's number."""
        async with self._producing:
            for first in range(0, count, BATCH_BLOCKS):
                await self._make_blocks(min(BATCH_BLOCKS, count - first))
        return self.head_number

    async def fund(self, address: Address, amount: Sun) -> TxId:
        """Pay *amount* from the richest account whose key is known.

        An ordinary signed transfer, taken like anyone's; included by the next block.

        Raises:
            InsufficientFunds: nobody here has that much.
            TooBusy: the pool is full.
        """
        await trio.lowlevel.checkpoint()
        return fund(self.chain, address, amount, now_ms=self._clock.now_ms())

    async def fund_token(self, address: Address, token: Address, amount: int) -> TxId:
        """The same with a token; *amount* counts its smallest units.

        Raises:
            InsufficientFunds: nobody here has that much, or there is no such token.
            TooBusy: the pool is full.
        """
        await trio.lowlevel.checkpoint()
        now_ms = self._clock.now_ms()
        return fund_token(self.chain, token, address, amount, now_ms=now_ms)

    async def plant_zero_transfer(
        self, sender: Address, recipient: Address, token: Address
    ) -> TxId:
        """Let a token say that *sender* paid *recipient* 0, without being asked.

        Anybody may have a token do so; it plants a look-alike in *sender*'s history.

        Raises:
            InsufficientFunds: there is no such token.
            TooBusy: the pool is full.
        """
        await trio.lowlevel.checkpoint()
        now_ms = self._clock.now_ms()
        return plant_zero_transfer(self.chain, token, sender, recipient, now_ms=now_ms)

    async def set_rule(self, token: Address, *, honest: bool) -> TxId:
        """Have a FICKLE token move what it says from the next block on, or not.

        Raises:
            InsufficientFunds: there is no such token.
            TooBusy: the pool is full.
        """
        await trio.lowlevel.checkpoint()
        now_ms = self._clock.now_ms()
        return set_rule(self.chain, token, honest=honest, now_ms=now_ms)

    @property
    def replica_urls(self) -> list[str]:
        """Of the further ports, in their order."""
        first = len(self._ports) - self.config.replicas
        return [port.url for port in self._ports[first:]]

    def info(self) -> Mapping[str, Any]:
        """URL, heads, block time, witnesses, funded accounts with their test keys."""
        return {
            "url": self.url,
            "replicas": self.replica_urls,
            "grpc_url": self.grpc_url,
            "block_time_s": self.config.block_time_s,
            **describe(self.chain),
        }

    # What a test does to it

    async def control(self, verb: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Carry out a verb of `devnet.control`. Raises InvalidInput."""
        return await control(self, verb, params)

    async def fork(self, depth: int, *, keep: bool = True, blocks: int = 0) -> int:
        """Replace the newest *depth* blocks by *blocks* others; gives the new head.

        0 blocks is one more than were reverted, which is what makes a node switch.
        With *keep* their transactions go back to the pool, so into the new blocks.

        Raises:
            TooDeep: nothing solidified is reverted.
        """
        async with self._producing:
            await self._write()
            lost = self.chain.revert(depth, keep=keep)
            # Another slot is another witness: the new blocks are others for sure.
            self._earliest = UnixMillis(lost[0].timestamp + BLOCK_INTERVAL_MS)
            await self._make_blocks(blocks or depth + 1)
        return self.head_number

    async def jump(self, seconds: float) -> int:
        """Make a block so much later than the head; gives its number."""
        async with self._producing:
            now = self.chain.top.globals.timestamp
            later = slot_at(self.chain.genesis, now + int(seconds * 1000))
            self._earliest = UnixMillis(later)
            await self._make_blocks(1)
        return self.head_number

    def close_port(self, port: int, for_s: float) -> None:
        """Refuse connections at one port for a while.

        Raises:
            NoSuchPort: there is no such port.
        """
        if port >= len(self._ports):
            raise NoSuchPort(
                f"expected a port from 0 to {len(self._ports) - 1}, got {port}"
            )
        self._ports[port].close_for(for_s)

    def stall(self, *, stalled: bool) -> None:
        """Let so many witnesses be silent that nothing is solidified any more.

        Raises:
            CantStall: with one witness every block is final at once.
        """
        schedule = self.chain.genesis.schedule
        silent = len(schedule) * 3 // 10 + 1
        if stalled and silent >= len(schedule):
            raise CantStall("expected a chain with 2 witnesses or more, it has 1")
        self._silent = frozenset(schedule[-silent:]) if stalled else frozenset()

    async def snapshot(self, name: str) -> int:
        """Remember the chain as it is, in memory; gives the head's number.

        What waits in the pool is not part of it.
        """
        async with self._producing:
            await self._write()
            base = self.chain.solid.globals.number
            rows = [present(self._blocks.read(n)) for n in self._above(base)]
            kept = Snapshot(rows_of(self.chain.solid), tuple(rows))
            self._snapshots[name] = kept
        return self.head_number

    async def restore(self, name: str) -> int:
        """Be the chain of a snapshot again; gives the head's number.

        Raises:
            NoSnapshot: no such name, or its chain was left by restoring an older one.
        """
        kept = self._snapshots.get(name)
        if kept is None:
            names = ", ".join(sorted(self._snapshots)) or "none"
            raise NoSnapshot(f"no snapshot {name!r}; there are: {names}")
        base = kept.base.globals
        async with self._producing:
            await self._write()
            row = self._blocks.read(base.number) if base.number else None
            if base.number and (row is None or row.id != base.block_id):
                raise NoSnapshot(f"snapshot {name!r} is of a chain that was left")
            self._blocks.truncate(base.number)
            for block_row in kept.rows:
                self._blocks.append(block_row)
            await self._sync()
            self.chain.restart(world_of(kept.base), kept.rows)
            self._earliest = UnixMillis(0)
        return self.head_number

    def _above(self, number: int) -> range:
        return range(number + 1, self.chain.top.globals.number + 1)

    # Blocks

    async def begin(self) -> None:
        """Give a new chain its first blocks, dated before now."""
        if self.head_number:
            return
        slots = FIRST_BLOCKS + MAINTENANCE_SKIP_SLOTS  # block 1 begins a maintenance
        first = self._present() - slots * BLOCK_INTERVAL_MS
        for ahead in range(FIRST_BLOCKS):
            earliest = UnixMillis(first + ahead * BLOCK_INTERVAL_MS)
            slot = max(next_slot_ms(self.chain.top.globals), earliest)
            self._blocks.append(self.chain.draft(slot).row)
        await self._sync()
        self.chain.commit()

    async def run(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Make blocks by the clock until cancelled."""
        task_status.started()
        if not self.config.block_time_s:
            await trio.sleep_forever()
        due = trio.current_time()
        while True:
            due = await self._until_due(due)
            async with self._producing:
                await self._make_blocks(1)

    async def _until_due(self, last: float) -> float:
        period = self.config.block_time_s
        if self.config.keeps_real_time:
            # Blocks appear at the start of a slot, also after the machine slept.
            step = math.ceil(period * 1000 / BLOCK_INTERVAL_MS) * BLOCK_INTERVAL_MS
            now = self._clock.now_ms()
            slot = now - now % step + step
            await trio.sleep((slot - now) / 1000)
            early = slot - self._clock.now_ms()
            if 0 < early < EARLY_MS:  # the two clocks do not run quite alike
                await trio.sleep(early / 1000)
            return trio.current_time()
        due = max(last + period, trio.current_time())
        await trio.sleep_until(due)
        return due

    async def _make_blocks(self, count: int) -> None:
        """Draft, keep, show. Holding `_producing`.

        Cancelled while the disk is full it leaves drafts that the next call shows.
        """
        await self._write()
        for _ in range(count):
            self._unwritten = self.chain.draft(self._next_time()).row
            await self._write()
        await self._sync()
        self.chain.commit()
        if self.head_number - self._last_checkpoint >= CHECKPOINT_BLOCKS:
            await self.checkpoint()

    async def _write(self) -> None:
        """Put the draft into the log; waits only for room on the disk."""
        while self._unwritten is not None:
            try:
                self._blocks.append(self._unwritten)
            except StoreError as error:
                log.warning("block not kept yet", extra={"error": str(error)})
                await trio.sleep(RETRY_S)
            else:
                self._unwritten = None

    async def _sync(self) -> None:
        """Not cancellable: what was appended is always shown."""
        with trio.CancelScope(shield=True):  # an fsync ends, sooner or later
            if self.config.state_dir is None:
                await trio.lowlevel.checkpoint()
            else:
                await trio.to_thread.run_sync(self._blocks.sync)

    def _next_time(self) -> UnixMillis:
        able = set(filter(self.chain.can_sign, self.chain.genesis.schedule))
        makers = able - self._silent or able
        slot = self.chain.next_slot(max(self._present(), self._earliest))
        while witness_at(self.chain.genesis, slot) not in makers:
            slot = UnixMillis(slot + BLOCK_INTERVAL_MS)
        return slot

    def _present(self) -> UnixMillis:
        """The slot that the chain should be in."""
        return slot_at(self.chain.genesis, self._clock.now_ms() - self._behind_ms)

    async def checkpoint(self) -> None:
        """Let the next start begin here; a failure only makes that slower."""
        if self.config.state_dir is None:
            return
        self._last_checkpoint = self.head_number
        data = self._blocks.checkpoint(rows_of(self.chain.solid))
        try:
            with trio.CancelScope(shield=True):  # as above
                await trio.to_thread.run_sync(self._blocks.store_checkpoint, data)
        except StoreError as error:
            log.warning("checkpoint not written", extra={"error": str(error)})
