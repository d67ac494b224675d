"""The outbox keeps what happened in order, and says what it no longer keeps."""

from functools import partial

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.events import outbox
from lucidtrond.events.types import Event
from tests.events.subscribers import block, open_outbox, transfer, wallet

A, B, C = "TA", "TB", "TC"
EVENTS: list[Event] = [block(1), wallet(A), transfer(A, B), transfer(B, B), block(2)]

some_events = st.lists(st.sampled_from(EVENTS), max_size=12)
some_topics = st.lists(st.sampled_from(["block", "wallet", "transfer", "node"]))


@given(some_events, some_topics, st.sampled_from([None, A, B, C]), st.integers(0, 12))
@settings(max_examples=60, deadline=None)
async def test_reading_equals_filtering_all_that_was_appended(
    events: list[Event], topics: list[str], address: str | None, since: int
) -> None:
    async with open_outbox() as db:
        seqs = await db.write(
            lambda tx: [outbox.append(tx, event, at_ms=5) for event in events]
        )
        wanted = [
            (seq, event.topic, msgspec.json.encode(event))
            for seq, event in zip(seqs, events, strict=True)
            if seq > since
            and (not topics or event.topic in topics)
            and (address is None or address in event.addresses())
        ]
        for limit in (100, 2):
            stored = await db.read(
                partial(
                    outbox.read_since,
                    since=since,
                    limit=limit,
                    topics=topics,
                    address=address,
                )
            )
            assert [(e.seq, e.topic, e.payload) for e in stored] == wanted[:limit]
            assert all(e.at_ms == 5 for e in stored)


async def test_numbers_ascend_and_an_event_goes_with_its_transaction() -> None:
    async with open_outbox() as db:

        def fail(tx: object) -> None:
            outbox.append(tx, block(1), at_ms=1)  # type: ignore[arg-type] # it is a Tx
            raise KeyError

        first = await db.write(lambda tx: outbox.append(tx, block(1), at_ms=1))
        with pytest.raises(KeyError):
            await db.write(fail)
        second = await db.write(lambda tx: outbox.append(tx, block(2), at_ms=1))
        assert first < second
        events = await db.read(lambda tx: outbox.read_since(tx, 0, limit=9))
        assert [event.seq for event in events] == [first, second]


async def test_pruning_keeps_the_newest_and_never_gives_a_number_again() -> None:
    async with open_outbox() as db:
        assert await db.read(outbox.last_seq) == 0
        assert await db.read(outbox.oldest_seq) == 1
        for _ in range(10):
            await db.write(lambda tx: outbox.append(tx, wallet(A), at_ms=1))
        assert await db.write(lambda tx: outbox.prune(tx, 3)) == 7
        assert await db.write(lambda tx: outbox.prune(tx, 3)) == 0
        assert await db.read(outbox.oldest_seq) == 8
        assert await db.read(outbox.last_seq) == 10
        events = await db.read(lambda tx: outbox.read_since(tx, 0, limit=99, address=A))
        assert [event.seq for event in events] == [8, 9, 10]
        left = await db.read(
            lambda tx: tx.execute("SELECT COUNT(*) FROM event_address")
        )
        assert left == [(3,)]
        assert await db.write(lambda tx: outbox.append(tx, wallet(A), at_ms=1)) == 11


async def test_pruning_everything_is_refused() -> None:
    async with open_outbox() as db:
        with pytest.raises(ValueError, match="at least 1"):
            await db.write(lambda tx: outbox.prune(tx, 0))
