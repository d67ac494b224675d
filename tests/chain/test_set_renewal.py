"""A set of producers that is too old is renewed by windows of headers."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from attrs import evolve
from trio.testing import MockClock

from lucidtrond.chain.finality import ProducerSet
from lucidtrond.chain.finality_tables import FirstSet
from lucidtrond.chain.plan import Unsettled
from lucidtrond.chain.set_renewal import (
    MAX_WINDOWS,
    SetRenewal,
    renewed,
    window_size,
)
from lucidtrond.tron.block import Block, BlockHeader
from lucidtrond.tron.keys import PrivateKey
from tests.chain.branch_node import following
from tests.chain.forging import node, signed
from tests.chain.model import make_block, producer_key

LENGTH = 700
AS_OF = 30
SIZE = window_size(5)
HEAD = LENGTH - 1


def rotating(every: int, *, at_once: int = 1) -> list[Block]:
    """Of 5 producers *at_once* are replaced every so many blocks."""
    blocks = [make_block(None)]
    active = [producer_key(number) for number in range(5)]
    made = 5
    for number in range(1, LENGTH):
        if number % every == 0:
            for place in range(at_once):
                active[(number // every * at_once + place) % 5] = producer_key(made)
                made += 1
        key = active[number % 5]
        blocks.append(signed(blocks[-1].header, key.address, key))
    return blocks


def makers(headers: Sequence[BlockHeader]) -> ProducerSet:
    keys = {header.signer(): header.signer() for header in headers}
    return ProducerSet(5, keys)


def first_of(blocks: list[Block]) -> FirstSet:
    newest = [block.header for block in blocks[AS_OF - 4 : AS_OF + 1]]
    return FirstSet(makers(newest), "snapshot", as_of=AS_OF)


class Headers:
    def __init__(self, blocks: list[Block]) -> None:
        self.blocks = blocks
        self.asked: list[int] = []

    async def fetch(self, start: int, end: int) -> list[BlockHeader]:
        self.asked.append(start)
        return [block.header for block in self.blocks[start:end]]


def test_a_window_gives_the_set_as_of_its_end() -> None:
    blocks = rotating(60)
    headers = [block.header for block in blocks[62 : 62 + SIZE]]
    before = makers([block.header for block in blocks[40:45]])
    assert renewed(before, headers) == makers(headers[-5:])
    assert renewed(before, headers) != before


@pytest.mark.parametrize("spoil", ["gap", "signature", "short", "none"])
def test_a_window_that_proves_too_little_gives_none(spoil: str) -> None:
    blocks = rotating(10_000)
    headers = [block.header for block in blocks[50 : 50 + SIZE]]
    match spoil:
        case "gap":
            del headers[8]
        case "signature":
            headers[8] = evolve(headers[8], witness_signature=bytes(65))
        case "short":
            headers = headers[:11]
        case "none":
            headers = []
    with pytest.raises(Unsettled):
        renewed(makers([block.header for block in blocks[1:6]]), headers)


@pytest.mark.parametrize("every", [10_000, 250, 60])
async def test_a_set_is_renewed_over_any_number_of_rotations(every: int) -> None:
    blocks = rotating(every)
    headers = Headers(blocks)
    renewal = SetRenewal(first_of(blocks))
    for _ in range(4):
        try:
            assert await renewal.renew(HEAD, headers.fetch)
        except Unsettled:  # more windows than one attempt may ask for
            assert len(headers.asked) % MAX_WINDOWS == 0
            continue
        break
    assert renewal.first.as_of == HEAD
    assert renewal.first.origin == "headers"
    assert renewal.first.producers == makers([b.header for b in blocks[-5:]])
    assert (len(headers.asked) == 1) == (every == 10_000)


async def test_too_fast_a_rotation_is_not_bridged() -> None:
    blocks = rotating(40, at_once=2)
    renewal = SetRenewal(first_of(blocks))
    for _ in range(3):
        with pytest.raises(Unsettled):
            await renewal.renew(HEAD, Headers(blocks).fetch)
    assert renewal.first.as_of is not None
    assert renewal.first.as_of < 100


async def test_nobody_else_can_make_a_window() -> None:
    """Three keys of five, and as many others as it takes."""
    blocks = rotating(10_000)
    keys = [producer_key(number) for number in range(3)]
    keys += [PrivateKey(bytes([number]) * 32) for number in range(7, 9)]
    forged = blocks[: AS_OF + 1]
    for number in range(AS_OF + 1, LENGTH):
        key = keys[number % 5]
        forged.append(signed(forged[-1].header, key.address, key))
    renewal = SetRenewal(first_of(blocks))
    with pytest.raises(Unsettled):
        await renewal.renew(HEAD, Headers(forged).fetch)
    assert renewal.first == first_of(blocks)


async def test_a_present_set_needs_no_renewal() -> None:
    blocks = rotating(10_000)
    headers = Headers(blocks)
    first = first_of(blocks)
    for as_of in (None, HEAD, HEAD - SIZE + 1):
        renewal = SetRenewal(evolve(first, as_of=as_of))
        assert not await renewal.renew(HEAD, headers.fetch)
    assert headers.asked == []


async def test_a_follower_begins_with_a_renewed_set(
    autojump_clock: MockClock,
) -> None:
    blocks = rotating(120)
    shown = node(blocks, head=HEAD, solid=HEAD - 3)
    first = first_of(blocks)
    async with following(shown, first_set=evolve(first, as_of=None)) as made:
        await made.turn(2)
        assert made.ledger.position().solid is None
    async with following(shown, first_set=first) as made:
        await made.turn(2)
        solid = made.ledger.position().solid
        assert solid is not None
        assert solid.number == HEAD - 3
        rows = await made.store.read(
            lambda tx: tx.execute("SELECT DISTINCT origin FROM producer_set")
        )
        assert rows == [("headers",)]
        assert shown.count("walletsolidity/getblock") > SIZE


async def test_an_older_database_is_gone_on_from_with_a_renewed_set(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    blocks = rotating(120)
    path = tmp_path / "db.sqlite"
    shown = node(blocks, head=600, solid=597)
    async with following(shown, path=path) as made:
        await made.turn(2)
        assert made.ledger.position().finality.basis == "nodes"
    for heads in (range(605, HEAD, 5), range(HEAD, HEAD + 1)):
        # The second time the snapshot is old, and what is stored is not.
        async with following(shown, first_set=first_of(blocks), path=path) as made:
            for head in heads:
                shown.head, shown.solid = head, head - 3
                await made.turn()
            position = made.ledger.position()
            assert position.finality.basis == "signatures"
            assert position.finality.stalled_reason is None
            assert position.solid is not None
            assert position.solid.number == shown.solid
