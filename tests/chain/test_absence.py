"""That final blocks hold a transaction or do not is derived from them each time."""

from typing import Any

import pytest
from attrs import evolve

from lucidtrond.chain import absence, tables
from lucidtrond.ports import AbsenceDoubt, Tx
from lucidtrond.tron.block import BlockHeader
from lucidtrond.tron.contracts import Transfer
from lucidtrond.tron.transaction import RawData, Reference, Transaction
from lucidtrond.tron.units import Sun, UnixMillis
from tests.chain.model import ModelChain, address
from tests.chain.world import World, world

LIFE_MS = 30_000
REFERENCE = 2


def drafted(chain: ModelChain, *, life_ms: int = LIFE_MS) -> RawData:
    header = chain.blocks[REFERENCE].header
    return RawData(
        Transfer(address(1), address(2), Sun(5)),
        Reference.to_block(header.id),
        expiration=UnixMillis(header.timestamp + life_ms),
        timestamp=header.timestamp,
    )


async def grown(made: World) -> BlockHeader:
    """30 blocks, of which 25 are final; gives the last of those."""
    await made.store.write(made.watch_all)
    await made.settle()
    for _ in range(30):
        made.chain.grow()
    made.chain.solidify(25)
    await made.settle()
    solid = made.ledger.position().solid
    assert solid is not None
    return solid


async def doubt(
    made: World, raw: RawData, solid: BlockHeader, *, reference: int = REFERENCE
) -> AbsenceDoubt | None:
    txid = Transaction(raw.encode()).txid

    def read(tx: Tx) -> AbsenceDoubt | None:
        return absence.find_doubt(
            tx, txid, raw, reference_number=reference, solid=solid
        )

    return await made.store.read(read)


async def test_blocks_without_it_past_its_expiration_prove_it() -> None:
    async with world(ModelChain()) as made:
        solid = await grown(made)
        assert await doubt(made, drafted(made.chain), solid) is None


async def test_a_final_block_before_its_expiration_proves_nothing() -> None:
    async with world(ModelChain()) as made:
        solid = await grown(made)
        life_ms = solid.timestamp - made.chain.blocks[REFERENCE].header.timestamp
        assert await doubt(made, drafted(made.chain, life_ms=life_ms), solid) is None
        early = await doubt(made, drafted(made.chain, life_ms=life_ms + 1), solid)
        assert early is not None
        assert early.is_edited
        assert "before its expiration" in early.text


async def test_an_entry_of_it_is_a_block_that_holds_it() -> None:
    chain = ModelChain()
    async with world(chain) as made:
        await made.store.write(made.watch_all)
        await made.settle()
        for _ in range(REFERENCE + 1):
            chain.grow()
        raw = drafted(chain)
        chain.grow(Transaction(raw.encode()))
        held = chain.head
        for _ in range(30):
            chain.grow()
        chain.solidify(25)
        await made.settle()
        solid = made.ledger.position().solid
        assert solid is not None
        assert await doubt(made, raw, solid) == AbsenceDoubt(f"block {held} holds it")


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("DELETE FROM chain_block WHERE number = 9", "have a gap"),
        ("UPDATE chain_block SET id = zeroblob(32) WHERE number = 9", "have a gap"),
        ("DELETE FROM chain_block WHERE number = 2", "is not our block 2"),
        ("UPDATE chain_cursor SET complete_from = 4", "not all blocks"),
        ("DELETE FROM chain_cursor", "not all blocks"),
    ],
)
async def test_what_is_missing_of_the_blocks_proves_nothing(
    sql: str, text: str
) -> None:
    async with world(ModelChain()) as made:
        solid = await grown(made)
        await made.store.write(lambda tx: tx.execute(sql))
        missing = await doubt(made, drafted(made.chain), solid)
        assert missing is not None
        assert text in missing.text


async def test_another_reference_block_or_final_block_proves_nothing() -> None:
    async with world(ModelChain()) as made:
        solid = await grown(made)
        raw = drafted(made.chain)
        assert await doubt(made, raw, solid, reference=REFERENCE + 1) is not None
        forged = evolve(solid, timestamp=UnixMillis(solid.timestamp + 1))
        assert await doubt(made, raw, forged) is not None


async def test_a_block_of_one_endpoints_word_is_a_doubt_and_no_edit() -> None:
    async with world(ModelChain()) as made:
        solid = await grown(made)
        await made.store.write(
            lambda tx: tx.execute(
                "INSERT INTO chain_unproven (number, id, parent_timestamp_ms)"
                " VALUES (5, zeroblob(32), 1)"
            )
        )
        doubtful = await doubt(made, drafted(made.chain), solid)
        assert doubtful is not None
        assert not doubtful.is_edited


async def test_blocks_that_are_forgotten_by_now_are_not_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: Any = 10
    monkeypatch.setattr(tables, "KEPT_BLOCKS", kept)
    async with world(ModelChain()) as made:
        solid = await grown(made)
        await made.store.write(lambda tx: tables.prune_blocks(tx, solid.number))
        assert await doubt(made, drafted(made.chain), solid) is None
        await made.store.write(
            lambda tx: tx.execute("DELETE FROM chain_block WHERE number = 20")
        )
        assert await doubt(made, drafted(made.chain), solid) is not None
