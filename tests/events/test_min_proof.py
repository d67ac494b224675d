"""A subscriber that wants proof gets what has it, when it has it, and what is taken."""

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lucidtrond.events import outbox
from lucidtrond.events.types import (
    PROOFS,
    BlockApplied,
    Event,
    Proof,
    TransferSeen,
    proofs_from,
)
from tests.events.subscribers import (
    ListSink,
    block,
    emit,
    open_bus,
    open_outbox,
    transfer,
)

A, B = "TA", "TB"
CHANGES = ("included", "solidified", "corrected", "proven", "downgraded", "reverted")


def seen(proof: Proof, change: str = "included") -> TransferSeen:
    made = transfer(A, B)
    return replace(made, change=change, entry=replace(made.entry, proof=proof))


def comes(event: Event, least: Proof) -> bool:
    if isinstance(event, BlockApplied):
        return True
    assert isinstance(event, TransferSeen)
    return event.change in (
        "reverted",
        "downgraded",
    ) or event.entry.proof in proofs_from(least)


EVENTS = st.one_of(
    st.builds(seen, st.sampled_from(PROOFS), st.sampled_from(CHANGES)),
    st.just(block(1)),
)


def test_proofs_are_ordered_from_the_least_to_the_best() -> None:
    assert proofs_from("one_source") == ("one_source", "two_sources", "signatures")
    assert proofs_from("two_sources") == ("two_sources", "signatures")
    assert proofs_from("signatures") == ("signatures",)


@given(st.lists(EVENTS, max_size=10), st.sampled_from(PROOFS), st.integers(0, 10))
@settings(max_examples=40, deadline=None)
async def test_live_replayed_and_read_are_the_same(
    events: list[Event], least: Proof, split: int
) -> None:
    async with open_bus() as (bus, db):
        before, after = events[:split], events[split:]
        seqs = await emit(bus, db, *before)
        sink, other = ListSink(), ListSink()
        for to, proof in ((sink, least), (other, None)):
            (await bus.subscribe(to, since=0, min_proof=proof)).start()
        seqs += await emit(bus, db, *after)
        while len(other.seqs()) < len(events):
            await trio.lowlevel.checkpoint()
        wanted = [
            seq for seq, event in zip(seqs, events, strict=True) if comes(event, least)
        ]
        assert sink.seqs() == wanted
        read = await db.read(
            lambda tx: outbox.read_since(tx, 0, limit=100, min_proof=least)
        )
        assert [event.seq for event in read] == wanted


async def test_a_row_comes_when_it_reaches_the_proof() -> None:
    async with open_bus() as (bus, db):
        sink = ListSink()
        (await bus.subscribe(sink, min_proof="signatures")).start()
        seqs = await emit(
            bus,
            db,
            seen("one_source"),
            seen("one_source", "solidified"),
            seen("signatures", "proven"),
            seen("one_source", "downgraded"),
        )
        assert sink.seqs() == seqs[2:]


@pytest.mark.parametrize("least", PROOFS)
async def test_events_of_an_older_program_come_whatever_is_wanted(
    least: Proof,
) -> None:
    async with open_outbox() as db:
        await db.write(lambda tx: outbox.append(tx, seen("one_source"), at_ms=1))
        await db.write(lambda tx: tx.execute("UPDATE event_outbox SET proof = NULL"))
        read = await db.read(
            lambda tx: outbox.read_since(tx, 0, limit=9, min_proof=least)
        )
        assert len(read) == 1
