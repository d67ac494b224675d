"""Blocks made by the clock or on demand, and made durable before they are shown.

Whoever calls anything but `begin`, `run` and `checkpoint` holds `BlockProducer.lock`.
"""

import logging
import math
from typing import Final

import trio
from attrs import define, field

from lucidtrond.devnet.config import DevnetConfig
from lucidtrond.devnet.log import BlockLog
from lucidtrond.devnet.state.blocks import BlockRow
from lucidtrond.devnet.state.chain import Chain
from lucidtrond.devnet.state.schedule import (
    MAINTENANCE_SKIP_SLOTS,
    next_slot_ms,
    slot_at,
    witness_at,
)
from lucidtrond.devnet.state.world import rows_of
from lucidtrond.errors import StoreError
from lucidtrond.ports import Clock
from lucidtrond.tron.block import BLOCK_INTERVAL_MS
from lucidtrond.tron.units import UnixMillis

log = logging.getLogger(__name__)

CHECKPOINT_BLOCKS: Final = 500
FIRST_BLOCKS: Final = 36
"""A new chain begins with so many, so that every witness has made one and a block is
solidified: a node that just started has nothing to refer transactions to."""
RETRY_S: Final = 1.0
EARLY_MS: Final = 100


@define(eq=False)
class BlockProducer:
    """Makes the blocks of one chain, one caller at a time."""

    _config: DevnetConfig
    chain: Chain
    _blocks: BlockLog
    _clock: Clock
    _behind_ms: int
    """How far the chain's time is behind the clock's."""
    earliest: UnixMillis = field(init=False, default=UnixMillis(0))
    """The next block's time, at least."""
    silent: frozenset[bytes] = field(init=False, default=frozenset())
    """Witnesses who make no blocks."""
    lock: trio.Lock = field(init=False, factory=trio.Lock)
    """Held by whoever makes or replaces blocks."""
    _unwritten: BlockRow | None = field(init=False, default=None)
    """A draft that the log did not take."""
    _last_checkpoint: int = field(init=False, default=0)

    async def begin(self) -> None:
        """Give a new chain its first blocks, dated before now."""
        if self.chain.head.globals.number:
            return
        slots = FIRST_BLOCKS + MAINTENANCE_SKIP_SLOTS  # block 1 begins a maintenance
        first = self._present() - slots * BLOCK_INTERVAL_MS
        for ahead in range(FIRST_BLOCKS):
            earliest = UnixMillis(first + ahead * BLOCK_INTERVAL_MS)
            slot = max(next_slot_ms(self.chain.top.globals), earliest)
            self._blocks.append(self.chain.draft(slot).row)
        await self.sync()
        self.chain.commit()

    async def run(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Make blocks by the clock until cancelled."""
        task_status.started()
        if not self._config.block_time_s:
            await trio.sleep_forever()
        due = trio.current_time()
        while True:
            due = await self._until_due(due)
            async with self.lock:
                await self.make_blocks(1)

    async def _until_due(self, last: float) -> float:
        period = self._config.block_time_s
        if self._config.keeps_real_time:
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

    async def make_blocks(self, count: int) -> None:
        """Draft, keep, show. Holding `lock`.

        Cancelled while the disk is full it leaves drafts that the next call shows.
        """
        await self.write()
        for _ in range(count):
            self._unwritten = self.chain.draft(self._next_time()).row
            await self.write()
        await self.sync()
        self.chain.commit()
        if self.chain.head.globals.number - self._last_checkpoint >= CHECKPOINT_BLOCKS:
            await self.checkpoint()

    async def write(self) -> None:
        """Put the draft into the log; waits only for room on the disk."""
        while self._unwritten is not None:
            try:
                self._blocks.append(self._unwritten)
            except StoreError as error:
                log.warning("block not kept yet", extra={"error": str(error)})
                await trio.sleep(RETRY_S)
            else:
                self._unwritten = None

    async def sync(self) -> None:
        """Not cancellable: what was appended is always shown."""
        with trio.CancelScope(shield=True):  # an fsync ends, sooner or later
            if self._config.state_dir is None:
                await trio.lowlevel.checkpoint()
            else:
                await trio.to_thread.run_sync(self._blocks.sync)

    def _next_time(self) -> UnixMillis:
        able = set(filter(self.chain.can_sign, self.chain.genesis.schedule))
        makers = able - self.silent or able
        slot = self.chain.next_slot(max(self._present(), self.earliest))
        while witness_at(self.chain.genesis, slot) not in makers:
            slot = UnixMillis(slot + BLOCK_INTERVAL_MS)
        return slot

    def _present(self) -> UnixMillis:
        """The slot that the chain should be in."""
        return slot_at(self.chain.genesis, self._clock.now_ms() - self._behind_ms)

    async def checkpoint(self) -> None:
        """Let the next start begin here; a failure only makes that slower."""
        if self._config.state_dir is None:
            return
        self._last_checkpoint = self.chain.head.globals.number
        data = self._blocks.checkpoint(rows_of(self.chain.solid))
        try:
            with trio.CancelScope(shield=True):  # as above
                await trio.to_thread.run_sync(self._blocks.store_checkpoint, data)
        except StoreError as error:
            log.warning("checkpoint not written", extra={"error": str(error)})
