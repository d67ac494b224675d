"""What moved of one asset of one account, and what is read to tell."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import pytest
from attrs import define, field

from lucidtrond.chain.balances import is_touched_between, moved_between
from lucidtrond.chain.ledger import MIGRATIONS
from lucidtrond.ports import Row, Tx
from lucidtrond.store.database import open_store
from lucidtrond.store.migrate import migrate
from lucidtrond.tron.address import Address
from tests.chain.model import address

TOKEN: Final = address(20).base58
OURS: Final = address(1)


@define
class PlannedTx:
    """A `Tx` that keeps the plan of each statement which it runs."""

    tx: Tx
    steps: list[str] = field(factory=list)

    def execute(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        plan = self.tx.execute(f"EXPLAIN QUERY PLAN {sql}", params)
        self.steps += [step for *_, step in plan if "chain_entry" in step]
        return self.tx.execute(sql, params)

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        self.tx.execute_many(sql, rows)

    def after_commit(self, fn: Callable[[], object]) -> None:
        self.tx.after_commit(fn)


def put(
    tx: Tx,
    number: int,
    amount: int,
    *,
    to: Address = OURS,
    asset: str = TOKEN,
    success: bool = True,
    contradicted: bool = False,
) -> None:
    """Keep a transfer between *to* and another account; negative: from *to*."""
    ends = (address(9), to) if amount >= 0 else (to, address(9))
    tx.execute(
        "INSERT INTO chain_entry (block_number, place, txid, kind, item, from_address,"
        " to_address, asset, amount, success, fee_sun, memo, block_id,"
        " block_timestamp_ms, contradicted)"
        " VALUES (?, 0, ?, 'trc20', 0, ?, ?, ?, ?, ?, 0, x'', x'', 0, ?)",
        (
            number,
            number.to_bytes(32, "big"),
            *(end.raw for end in ends),
            asset,
            abs(amount).to_bytes(32, "big"),
            int(success),
            int(contradicted),
        ),
    )


def put_all(tx: Tx) -> None:
    put(tx, 1, 1 << 200)
    put(tx, 2, 70, asset="TRX")
    put(tx, 3, -30)
    put(tx, 4, 500, to=address(2))
    put(tx, 5, 8, success=False)
    put(tx, 6, 9, success=False, contradicted=True)
    put(tx, 7, 100)


@pytest.mark.parametrize(
    ("above", "up_to", "moved", "contradicted", "touched"),
    [
        (0, 7, (1 << 200) + 70, 1, True),
        (1, 7, 70, 1, True),
        (2, 3, -30, 0, True),
        (3, 4, 0, 0, False),
        (4, 5, 0, 0, True),
        (5, 6, 0, 1, True),
        (7, 9, 0, 0, False),
        (7, 1, 0, 0, False),
    ],
)
async def test_only_what_succeeded_in_those_blocks_moved(
    above: int, up_to: int, moved: int, contradicted: int, *, touched: bool
) -> None:
    async with open_store(None) as store:
        await migrate(store, MIGRATIONS)
        await store.write(put_all)

        def read(tx: Tx) -> tuple[tuple[int, int], bool]:
            ends = {"above": above, "up_to": up_to}
            return (
                moved_between(tx, OURS, TOKEN, **ends),
                is_touched_between(tx, OURS, TOKEN, **ends),
            )

        assert await store.read(read) == ((moved, contradicted), touched)


@pytest.mark.parametrize("question", [moved_between, is_touched_between])
async def test_no_row_of_another_asset_or_of_older_blocks_is_read(
    question: Callable[..., object],
) -> None:
    async with open_store(None) as store:
        await migrate(store, MIGRATIONS)

        def read(tx: Tx) -> list[str]:
            planned = PlannedTx(tx)
            question(planned, OURS, TOKEN, above=0, up_to=9)
            return planned.steps

        steps = await store.read(read)
    sought = "(?=? AND asset=? AND block_number>? AND block_number<?)"
    assert len(steps) == 2
    for step, end in zip(steps, ("to_address", "from_address"), strict=True):
        assert step.startswith("SEARCH chain_entry USING"), step
        assert step.endswith(sought.replace("?", end, 1)), step
