"""The follower over a real database: whatever happens, the ledger is the chain's."""

import logging
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.chain import tables
from lucidtrond.chain.ledger import Ledger
from lucidtrond.errors import (
    AnotherChain,
    CommitUnknown,
    NodeUnavailable,
    StoreError,
)
from lucidtrond.ports import Tx
from lucidtrond.tron.block import Block, BlockId
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.transaction import decode_raw
from tests.chain.model import (
    Crash,
    ModelChain,
    address,
    emitted,
    producer_key,
    transfer,
)
from tests.chain.world import WATCHED, World, world


async def check(made: World) -> None:
    """Compare all that was kept with the chain itself."""
    chain, ledger = made.chain, made.ledger
    first = ledger.position().complete_from
    assert first is not None
    entries, _, total = await ledger.entries(limit=1000)
    expected = list(transfers_in(chain, first))[::-1]
    assert total == len(expected)
    assert [(e.txid, e.block_id, e.amount, e.solidified) for e in entries] == expected
    seen = await made.store.read(
        lambda tx: tx.execute("SELECT number, id, solid FROM seen ORDER BY number")
    )
    assert seen == [
        (
            block.header.number,
            bytes.fromhex(block.header.id),
            int(block.header.number <= chain.solid),
        )
        for block in chain.blocks[first:]
    ]
    replayed = await made.store.read(replay)
    assert replayed == {(entry[0], entry[1]): entry[3] for entry in expected}


def transfers_in(chain: ModelChain, first: int) -> list[tuple[str, str, str, bool]]:
    transfers: list[tuple[str, str, str, bool]] = []
    for block in chain.blocks[first:]:
        for included in block.transactions:
            contract: Any = decode_raw(included.transaction.raw).contract
            if {contract.owner, contract.to} & WATCHED:
                solid = block.header.number <= chain.solid
                amount = str(contract.amount)
                txid = included.transaction.txid
                transfers.append((txid, block.header.id, amount, solid))
    return transfers


def replay(tx: Tx) -> dict[tuple[str, str], bool]:
    """What a subscriber of ``transfer`` knows: (txid, block) -> is it final."""
    final: dict[tuple[str, str], bool] = {}
    for event in emitted(tx, "transfer"):
        key = event["entry"]["txid"], event["entry"]["block_id"]
        match event["change"]:
            case "included":
                assert key not in final, "emitted twice"
                final[key] = False
            case "solidified":
                assert final[key] is False
                final[key] = True
            case _:
                assert final.pop(key) is False
    return final


payments = st.lists(
    st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(0, 50)), max_size=4
)
moves = st.lists(
    st.one_of(
        st.tuples(st.just("grow"), payments),
        st.tuples(st.just("gap"), st.integers(1, 130)),
        st.tuples(st.just("fork"), st.integers(1, 12)),
        st.tuples(st.just("solidify"), st.integers(0, 20)),
        st.tuples(st.just("turn"), st.integers(1, 3)),
        st.tuples(st.just("die before"), st.integers(0, 2)),
        st.tuples(st.just("die after"), st.integers(0, 2)),
        st.tuples(st.just("die asking"), st.integers(1, 6)),
        st.tuples(st.just("fail"), st.integers(1, 6)),
    ),
    max_size=25,
)


async def play(made: World, script: list[tuple[str, Any]]) -> None:
    nonce = 0
    for kind, size in script:
        chain = made.chain
        match kind:
            case "grow":
                nonce += 10
                chain.grow(
                    *[
                        transfer(
                            owner=address(owner),
                            to=address(to),
                            amount=amount,
                            nonce=nonce + at,
                        )
                        for at, (owner, to, amount) in enumerate(size)
                    ]
                )
            case "gap":
                chain.grow_by(size)
            case "fork":
                # The longer branch has the same transactions in other blocks, or not.
                taken = chain.fork(size)
                again = [b.transactions for b in taken[::2]]
                for at in range(len(taken) + 1):
                    inside = again[at] if at < len(again) else ()
                    chain.grow(
                        *[included.transaction for included in inside], salt=nonce + 1
                    )
            case "solidify":
                chain.solidify(chain.head - size)
            case "turn":
                for _ in range(size):
                    await made.turn()
            case "die before" | "die after":
                made.store.nth, made.store.after = size, kind == "die after"
                await turn_until_crash(made)
            case _:
                made.chain.before_answer = after_questions(
                    size,
                    Crash()
                    if kind == "die asking"
                    else NodeUnavailable("model", 1, "no answer"),
                )
                await turn_until_crash(made)


def after_questions(count: int, error: Exception) -> Callable[[str], None]:
    remaining = iter(range(count - 1))

    def ask(_: str) -> None:
        if next(remaining, None) is None:
            raise error

    return ask


async def turn_until_crash(made: World) -> None:
    try:
        for _ in range(3):
            await made.turn()
    except* Crash:
        pass
    await made.start()


@settings(max_examples=60, deadline=None)
@given(moves, st.integers(0, 40), st.integers(0, 20))
def test_whatever_forks_fails_or_dies_the_ledger_is_the_chains(
    script: list[tuple[str, Any]], length: int, lag: int
) -> None:
    async def main() -> None:
        with TemporaryDirectory() as folder:
            chain = ModelChain()
            chain.grow_by(length)
            chain.solidify(length - lag)
            async with world(chain, Path(folder) / "db") as made:
                await play(made, script)
                await made.settle()
                await check(made)

    trio.run(main)


async def test_ten_thousand_blocks_of_downtime_are_caught_up_without_a_gap() -> None:
    chain = ModelChain()
    async with world(chain) as made:
        await made.settle()
        for number in range(10_000):
            chain.grow(
                *[transfer(owner=address(1), to=address(9), nonce=number)]
                if number % 100 == 0
                else ()
            )
        chain.solidify(chain.head - 19)
        chain.questions = 0
        await made.settle()
        await check(made)
        assert chain.questions < 101 * 2 + 100 + 10


async def test_the_first_block_is_the_solid_head_and_is_remembered() -> None:
    chain = ModelChain()
    chain.grow_by(30)
    chain.solidify(12)
    async with world(chain) as made:
        assert made.ledger.position().head is None
        await made.settle()
        assert made.ledger.position().complete_from == 12
        chain.grow_by(30)
        chain.solidify(40)
        await made.start()
        before = made.ledger.position()
        assert before.head is not None
        assert before.head.number == 30
        assert not before.synced
        await made.settle()
        assert made.ledger.position().complete_from == 12
        assert made.observer.commits > 0


async def test_headers_that_no_reference_can_name_any_more_are_forgotten() -> None:
    chain = ModelChain()
    chain.grow_by(9)
    async with world(chain) as made:
        await made.settle()
        await made.store.write(lambda tx: tables.prune_blocks(tx, 70_000 + 4))
        kept = await made.store.read(lambda tx: tables.read_ids(tx, 0, 99))
        assert kept == tuple(block.header.id for block in chain.blocks[4:])


async def test_the_node_is_told_whose_accounts_changed() -> None:
    chain = ModelChain()
    async with world(chain) as made:
        await made.settle()
        block = chain.grow(transfer(owner=address(5), to=address(6)))
        await made.settle()
        assert chain.noted[-1] == (block.header, frozenset([address(5), address(6)]))


async def test_another_chain_below_the_solid_head_stops_the_follower() -> None:
    chain = ModelChain()
    chain.grow_by(20)
    chain.solidify(10)
    async with world(chain) as made:
        await made.settle()
        other = ModelChain()
        other.grow_by(60, salt=1)
        made.chain = other
        for solid in (4, 10, 15, 50):
            other.solid = solid
            await made.start()
            if solid == 4:
                continue  # older than all that we hold: nothing to compare with
            with pytest.raises(AnotherChain):
                await made.settle()


async def test_a_database_of_another_network_stops_the_follower() -> None:
    chain = ModelChain()
    async with world(chain) as made:
        await made.settle()
        with pytest.raises(AnotherChain):
            await Ledger(made.store).load(BlockId("11" * 32))


async def test_receipts_that_are_missing_are_asked_again_and_the_block_is_not_skipped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="lucidtrond.chain.follower")

    class Forgetful(ModelChain):
        receipts = True

        async def fetch_receipts(self, which: Block) -> tuple[Receipt, ...]:
            return await super().fetch_receipts(which) if self.receipts else ()

    chain = Forgetful()
    async with world(chain) as made:
        await made.settle()
        chain.receipts = False
        chain.grow(transfer(owner=address(1), to=address(6)))
        chain.grow_by(3)
        for _ in range(5):
            await made.turn()
        position = made.ledger.position()
        assert position.head == chain.blocks[0].header
        assert not position.synced
        assert [record.message for record in caplog.records] == ["can not follow"]
        chain.receipts = True
        await made.settle()
        await check(made)
        assert caplog.messages == ["can not follow", "following again"]


async def test_a_failing_receipt_among_many_writes_nothing_of_its_page() -> None:
    chain = ModelChain()
    async with world(chain) as made:
        await made.settle()
        for number in range(50):
            chain.grow(transfer(owner=address(1), to=address(6), nonce=number))
        chain.before_answer = after_questions(20, NodeUnavailable("model", 1))
        await made.turn()
        assert made.ledger.position().head == chain.blocks[0].header
        chain.before_answer = lambda _: None
        await made.settle()
        await check(made)


async def test_a_step_that_the_store_refuses_is_given_to_it_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    chain = ModelChain()
    async with world(chain) as made:
        await made.settle()
        chain.grow(transfer(owner=address(1), to=address(6)))
        made.store.nth, made.store.error = 0, StoreError
        await made.turn()
        assert made.ledger.position().head == chain.blocks[0].header
        assert caplog.messages == ["can not follow"]
        await made.settle()
        await check(made)
        chain.grow()
        made.store.nth, made.store.error, made.store.after = 0, CommitUnknown, True
        with pytest.raises(CommitUnknown):
            await made.turn()


async def test_a_fork_is_told_block_by_block_from_the_top_each_transfer_once() -> None:
    chain = ModelChain()
    async with world(chain) as made:
        await made.settle()
        for number in range(1, 4):
            chain.grow(
                transfer(owner=address(1), to=address(9), nonce=10 * number),
                transfer(owner=address(9), to=address(2), nonce=10 * number + 1),
            )
        await made.settle()
        taken = chain.fork(2)
        chain.grow_by(3, salt=1)
        await made.settle()
        transfers = await made.store.read(lambda tx: emitted(tx, "transfer"))
        entries = [
            event["entry"] for event in transfers if event["change"] == "reverted"
        ]
        assert [entry["txid"] for entry in entries] == [
            included.transaction.txid
            for block in reversed(taken)
            for included in reversed(block.transactions)
        ]
        assert not any(entry["solidified"] for entry in entries)
        reverted = await made.store.read(lambda tx: emitted(tx, "reverted"))
        assert [event["number"] for event in reverted] == [3, 2]
        await check(made)


async def test_a_block_by_a_stranger_is_not_taken() -> None:
    chain = ModelChain()
    async with world(chain) as made:
        # Block 0 is made by nobody; on a real chain its witness is a text.
        producer = producer_key(0).address
        made.producers = {producer: producer}
        await made.start()
        await made.settle()
        chain.grow()
        await made.settle()
        chain.grow(salt=1)
        await made.turn()
        [(block_id, reason)] = chain.blamed
        assert block_id == chain.blocks[-1].header.id
        assert "is no producer" in reason
        assert made.ledger.position().head == chain.blocks[-2].header
        assert not made.ledger.position().synced


async def test_only_addresses_that_are_watched_by_then_are_kept() -> None:
    chain = ModelChain()
    late = address(7)
    async with world(chain) as made:
        await made.settle()
        chain.grow(transfer(owner=late, to=address(8), nonce=1))
        await made.settle()
        await made.store.write(lambda tx: made.ledger.watch(tx, late))
        await made.store.write(lambda tx: made.ledger.watch(tx, late))
        assert await made.store.read(lambda tx: made.ledger.is_watched(tx, late))
        assert not await made.store.read(
            lambda tx: made.ledger.is_watched(tx, address(8))
        )
        chain.grow(transfer(owner=late, to=address(8), nonce=2))
        await made.settle()
        entries, _, _ = await made.ledger.entries(late)
        assert [entry.block_number for entry in entries] == [2]


async def test_it_starts_degraded_without_a_node_and_follows_when_there_is_one(
    autojump_clock: trio.testing.MockClock,
) -> None:
    autojump_clock.autojump_threshold = 0.02  # store threads take real time
    chain = ModelChain()
    chain.grow_by(5)
    async with world(chain) as made:

        def fail(_: str) -> None:
            raise NodeUnavailable("model", 1)

        chain.before_answer = fail
        async with trio.open_nursery() as nursery:
            await nursery.start(made.follower.run)
            assert made.ledger.position().head is None
            assert not made.ledger.position().synced
            chain.before_answer = lambda _: None
            await made.ledger.wait_block_beyond(4)
            chain.grow_by(2)
            await made.ledger.wait_block_beyond(6)
            assert made.ledger.position().synced
            nursery.cancel_scope.cancel()


async def test_following_can_be_cancelled_anywhere_and_taken_up_again() -> None:
    for deadline in range(1, 40):
        chain = ModelChain()
        async with world(chain) as made:
            chain.grow_by(3)
            chain.grow(transfer(owner=address(1), to=address(6)))
            with trio.CancelScope() as scope:
                chain.before_answer = cancel_at(deadline, scope)
                for turn in range(deadline):
                    await made.turn()
                    chain.grow(
                        transfer(owner=address(1), to=address(6), nonce=turn + 1)
                    )
            await made.start()
            await made.settle()
            await check(made)


def cancel_at(count: int, scope: trio.CancelScope) -> Callable[[str], None]:
    remaining = iter(range(count - 1))

    def ask(_: str) -> None:
        if next(remaining, None) is None:
            scope.cancel()

    return ask


async def test_who_is_woken_by_a_step_finds_the_position_moved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chain = ModelChain()
    chain.grow_by(5)
    async with world(chain) as made:
        heads: list[int] = []

        def count(_: object) -> None:
            head = made.ledger.position().head
            heads.append(-1 if head is None else head.number)

        monkeypatch.setattr(type(made.observer), "_count_commit", count)
        for number in range(5, 10):
            chain.solidify(chain.head)
            await made.settle()
            assert heads[-1] == number
            chain.grow()
