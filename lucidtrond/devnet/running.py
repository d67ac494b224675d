"""The embedded chain as it runs: what can be done to it, over its blocks and ports.

Its time is that of the wall clock, less a distance of its own (`timeline`).

Durability. A block is in the log, and synced, before anyone can see it (`log`).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import trio
from attrs import define, field
from msgspec import Struct

from lucidtrond.devnet.config import DevnetConfig
from lucidtrond.devnet.control import CantStall, NoSnapshot, NoSuchPort, control
from lucidtrond.devnet.describe import describe
from lucidtrond.devnet.faults import Faults
from lucidtrond.devnet.funding import fund, fund_token, plant_zero_transfer, set_rule
from lucidtrond.devnet.log import BlockLog
from lucidtrond.devnet.ports import Port
from lucidtrond.devnet.production import BlockProducer
from lucidtrond.devnet.state.blocks import BlockRow
from lucidtrond.devnet.state.chain import Chain
from lucidtrond.devnet.state.invariants import present
from lucidtrond.devnet.state.schedule import slot_at
from lucidtrond.devnet.state.world import WorldRows, rows_of, world_of
from lucidtrond.ports import Clock
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BLOCK_INTERVAL_MS, BlockId
from lucidtrond.tron.transaction import TxId
from lucidtrond.tron.units import Sun, UnixMillis

BATCH_BLOCKS: Final = 50
"""Made on demand they are synced together."""


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
    producer: BlockProducer
    opened_at: UnixMillis = field(init=False, default=UnixMillis(0))
    """The time of the newest block that was kept, before any new one is made."""
    faults: Faults = field(init=False, factory=Faults)
    grpc_url: str | None = field(init=False, default=None)
    _snapshots: dict[str, Snapshot] = field(init=False, factory=dict)

    @property
    def genesis_id(self) -> BlockId:
        return self.chain.genesis.id

    @property
    def head_number(self) -> int:
        return self.chain.head.globals.number

    async def mine(self, count: int) -> int:
        """Make *count* blocks now, one slot apart; gives the head's number."""
        async with self.producer.lock:
            for first in range(0, count, BATCH_BLOCKS):
                await self.producer.make_blocks(min(BATCH_BLOCKS, count - first))
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
        async with self.producer.lock:
            await self.producer.write()
            lost = self.chain.revert(depth, keep=keep)
            # Another slot is another witness: the new blocks are others for sure.
            self.producer.earliest = UnixMillis(lost[0].timestamp + BLOCK_INTERVAL_MS)
            await self.producer.make_blocks(blocks or depth + 1)
        return self.head_number

    async def jump(self, seconds: float) -> int:
        """Make a block so much later than the head; gives its number."""
        async with self.producer.lock:
            now = self.chain.top.globals.timestamp
            later = slot_at(self.chain.genesis, now + int(seconds * 1000))
            self.producer.earliest = UnixMillis(later)
            await self.producer.make_blocks(1)
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
        self.producer.silent = frozenset(schedule[-silent:]) if stalled else frozenset()

    async def snapshot(self, name: str) -> int:
        """Remember the chain as it is, in memory; gives the head's number.

        What waits in the pool is not part of it.
        """
        async with self.producer.lock:
            await self.producer.write()
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
        async with self.producer.lock:
            await self.producer.write()
            row = self._blocks.read(base.number) if base.number else None
            if base.number and (row is None or row.id != base.block_id):
                raise NoSnapshot(f"snapshot {name!r} is of a chain that was left")
            self._blocks.truncate(base.number)
            for block_row in kept.rows:
                self._blocks.append(block_row)
            await self.producer.sync()
            self.chain.restart(world_of(kept.base), kept.rows)
            self.producer.earliest = UnixMillis(0)
        return self.head_number

    def _above(self, number: int) -> range:
        return range(number + 1, self.chain.top.globals.number + 1)
