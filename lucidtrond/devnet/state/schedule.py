"""Slots: whose turn it is, what is solidified, when maintenance comes (DPoS)."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.invariants import present
from lucidtrond.devnet.state.rewards import maintain
from lucidtrond.devnet.state.world import Globals, World
from lucidtrond.tron.block import BLOCK_INTERVAL_MS
from lucidtrond.tron.units import UnixMillis

MAINTENANCE_SKIP_SLOTS = 2  # ChainConstant.MAINTENANCE_SKIP_SLOTS


def next_slot_ms(properties: Globals) -> UnixMillis:
    """The earliest time of the next block (DposSlot.getTime)."""
    skipped = MAINTENANCE_SKIP_SLOTS if properties.in_maintenance else 0
    return UnixMillis(properties.timestamp + BLOCK_INTERVAL_MS * (1 + skipped))


def slot_at(genesis: Genesis, now_ms: int) -> UnixMillis:
    """Start of the slot that *now_ms* lies in."""
    return UnixMillis(genesis.timestamp + genesis.slot(now_ms) * BLOCK_INTERVAL_MS)


def witness_at(genesis: Genesis, timestamp: int) -> bytes:
    """Who makes the block of a slot: they take turns in order of votes."""
    return genesis.schedule[genesis.slot(timestamp) % len(genesis.schedule)]


def solid_number(latest: Iterable[int], witnesses: int) -> int:
    """The height that more than 70 % of the witnesses have built on.

    DposService.updateSolidBlock: SOLIDIFIED_THRESHOLD of the producers' newest
    heights, sorted.
    """
    return sorted(latest)[witnesses * 3 // 10]


def count_block(world: World, genesis: Genesis, *, previous: Globals) -> None:
    """Book a new head in *world* whose globals already name it.

    Counts its witness's work and the slots that others missed, moves the solidified
    number (never back) and the maintenance clock.
    """
    properties = world.globals
    slot = genesis.slot(properties.timestamp)
    maker = witness_at(genesis, properties.timestamp)
    if properties.number > 1:
        first = genesis.slot(next_slot_ms(previous))
        _count_missed(world, genesis.schedule, first, slot - first)
    record = present(world.witnesses.get(maker))
    world.witnesses.put(
        maker,
        replace(
            record,
            produced=record.produced + 1,
            latest_block=properties.number,
            latest_slot=slot,
        ),
    )
    latest = [
        present(world.witnesses.get(address)).latest_block
        for address in genesis.schedule
    ]
    solid = max(properties.solid, solid_number(latest, len(genesis.schedule)))
    begins = properties.next_maintenance <= properties.timestamp
    world.globals = replace(
        properties,
        solid=solid,
        in_maintenance=begins,
        next_maintenance=_next_maintenance(properties, genesis)
        if begins
        else properties.next_maintenance,
    )
    if begins:
        maintain(world, genesis)


def _count_missed(
    world: World, schedule: Sequence[bytes], first: int, count: int
) -> None:
    if count <= 0:
        return
    rounds, rest = divmod(count, len(schedule))
    late = {schedule[(first + n) % len(schedule)] for n in range(rest)}
    for address in schedule if rounds else late:
        record = present(world.witnesses.get(address))
        missed = record.missed + rounds + (address in late)
        world.witnesses.put(address, replace(record, missed=missed))


def _next_maintenance(properties: Globals, genesis: Genesis) -> UnixMillis:
    # DynamicPropertiesStore.updateNextMaintenanceTime
    interval = genesis.parameters.maintenance_ms
    rounds = (properties.timestamp - properties.next_maintenance) // interval + 1
    return UnixMillis(properties.next_maintenance + rounds * interval)
