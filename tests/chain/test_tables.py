"""The follower's tables: what an older program wrote stays readable."""

from lucidtrond.chain.entries import entries_between
from lucidtrond.chain.tables import MIGRATIONS
from lucidtrond.ports import Tx
from lucidtrond.store.database import open_store
from lucidtrond.store.migrate import migrate
from lucidtrond.tron.tokens import KnownTokens


def write_old_entry(tx: Tx, place: int = 0, *, single_source: int = 0) -> None:
    tx.execute(
        "INSERT INTO chain_entry (block_number, place, txid, kind, item, from_address,"
        " to_address, asset, amount, success, fee_sun, memo, single_source, block_id,"
        " block_timestamp_ms)"
        f" VALUES (7, {place}, ?, 'trx', 0, ?, ?, 'TRX', ?, 1, 0, x'', {single_source},"
        " ?, 3000)",
        (
            bytes([place]) * 32,
            b"\x41" + bytes(20),
            b"\x41" + bytes(range(20)),
            (5).to_bytes(32, "big"),
            bytes(32),
        ),
    )


async def test_a_row_from_before_energy_was_kept_says_that_it_is_not_known() -> None:
    async with open_store(None) as store:
        await migrate(store, MIGRATIONS[:1])
        await store.write(write_old_entry)
        assert await migrate(store, MIGRATIONS) == len(MIGRATIONS) - 1
        [entry] = await store.read(
            lambda tx: entries_between(tx, 0, 9, solid=9, tokens=KnownTokens([]))
        )
        assert (entry.amount, entry.energy_used, entry.bandwidth_used) == (
            "5",
            None,
            None,
        )


async def test_rows_of_an_older_program_keep_what_they_rest_on() -> None:
    async with open_store(None) as store:
        await migrate(store, MIGRATIONS[:2])
        await store.write(lambda tx: write_old_entry(tx, 0, single_source=0))
        await store.write(lambda tx: write_old_entry(tx, 1, single_source=1))
        await migrate(store, MIGRATIONS)
        entries = await store.read(
            lambda tx: entries_between(tx, 0, 9, solid=9, tokens=KnownTokens([]))
        )
    assert [
        (entry.proof, entry.single_source, entry.cost_proof, entry.contradicted)
        for entry in entries
    ] == [
        ("signatures", False, "one_source", False),
        ("one_source", True, "one_source", False),
    ]
