"""A store with an outbox, a running bus and sinks with a bounded room."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import trio
from attrs import define, field

from lucidtrond.events import outbox
from lucidtrond.events.bus import Bus
from lucidtrond.events.types import (
    BlockApplied,
    Event,
    LedgerEntry,
    TransferSeen,
    WalletCreated,
)
from lucidtrond.ports import Store
from lucidtrond.store.database import Database, open_store
from lucidtrond.store.migrate import migrate


@define
class StoppedClock:
    ms: int = 1_700_000_000_000

    def now_ms(self) -> int:
        return self.ms


@define(eq=False)
class ListSink:
    """Keeps frames; full when it holds *room* of them."""

    room: int = 1_000_000
    frames: list[bytes] = field(factory=list)

    def push(self, frame: bytes) -> bool:
        if len(self.frames) >= self.room:
            return False
        self.frames.append(frame)
        return True

    def messages(self) -> list[dict[str, object]]:
        return [msgspec.json.decode(frame) for frame in self.frames]

    def seqs(self) -> list[int]:
        """Numbers of the events (not of other notifications) that came."""
        return [
            message["params"]["seq"]  # type: ignore[index] # decoded JSON
            for message in self.messages()
            if message["method"] == "events.event"
        ]

    def lagged(self) -> list[int]:
        return [
            message["params"]["resume_from"]  # type: ignore[index] # decoded JSON
            for message in self.messages()
            if message["method"] == "events.lagged"
        ]


def block(number: int) -> BlockApplied:
    return BlockApplied(
        number=number,
        block_id=f"{number:064x}",
        parent_id="00" * 32,
        timestamp_ms=number * 3000,
        transactions=0,
    )


def wallet(address: str) -> WalletCreated:
    return WalletCreated(wallet_id="w", address=address)


def transfer(source: str, target: str) -> TransferSeen:
    return TransferSeen(
        change="included",
        entry=LedgerEntry(
            txid="00" * 32,
            kind="trx",
            index=0,
            from_address=source,
            to_address=target,
            asset="TRX",
            amount="1",
            success=True,
            block_number=1,
            block_id="00" * 32,
            block_timestamp_ms=1,
        ),
    )


@asynccontextmanager
async def open_outbox() -> AsyncIterator[Database]:
    async with open_store(None) as db:
        await migrate(db, outbox.MIGRATIONS)
        yield db


@asynccontextmanager
async def open_bus(keep: int = 100_000) -> AsyncIterator[tuple[Bus, Database]]:
    async with open_outbox() as db, trio.open_nursery() as nursery:
        bus = Bus(db, clock=StoppedClock(), keep=keep)
        await nursery.start(bus.run)
        yield bus, db
        nursery.cancel_scope.cancel()


async def emit(bus: Bus, db: Store, *events: Event) -> list[int]:
    """Append in one transaction, notify, and wait until all is fanned out."""
    emit_one = bus.emitter()
    seqs = await db.write(lambda tx: [emit_one(tx, event) for event in events])
    bus.notify()
    if seqs:
        await bus.wait_beyond(seqs[-1] - 1)
    return seqs
