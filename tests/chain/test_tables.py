"""The follower's tables: what an older program wrote stays readable."""

from lucidtrond.chain.tables import MIGRATIONS, entries_between
from lucidtrond.ports import Tx
from lucidtrond.store.database import open_store
from lucidtrond.store.migrate import migrate
from lucidtrond.tron.tokens import KnownTokens


def write_old_entry(tx: Tx) -> None:
    tx.execute(
        "INSERT INTO chain_entry VALUES"
        " (7, 0, ?, 'trx', 0, ?, ?, 'TRX', ?, 1, 0, x'', 0, ?, 3000)",
        (
            bytes(32),
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
        assert await migrate(store, MIGRATIONS) == 1
        [entry] = await store.read(
            lambda tx: entries_between(tx, 0, 9, solid=9, known=KnownTokens([]))
        )
        assert (entry.amount, entry.energy_used, entry.bandwidth_used) == (
            "5",
            None,
            None,
        )
