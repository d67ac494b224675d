"""What a transaction asks to be called once it is durable."""

from pathlib import Path

import pytest
import trio

from lucidtrond.errors import ConstraintBroken
from lucidtrond.ports import Tx
from tests.store.rows import insert, keys, open_rows
from tests.store.test_database import BOTH_STORES, path_for


@BOTH_STORES
async def test_it_is_called_once_durable_and_before_the_caller_goes_on(
    where: str, tmp_path: Path
) -> None:
    async with open_rows(path_for(where, tmp_path)) as db:
        called: list[str] = []

        def note() -> None:
            assert trio.lowlevel.in_trio_run()
            called.append("durable")

        def write(tx: Tx) -> None:
            tx.after_commit(note)
            insert(1)(tx)
            tx.after_commit(note)
            assert not called

        await db.write(write)
        assert called == ["durable"]
        assert await db.read(keys) == [1]


@BOTH_STORES
async def test_it_is_not_called_when_nothing_stays(where: str, tmp_path: Path) -> None:
    async with open_rows(path_for(where, tmp_path)) as db:
        called: list[str] = []

        def fail(tx: Tx) -> None:
            tx.after_commit(lambda: called.append("failed"))
            raise LookupError("changed my mind")

        def twice(tx: Tx) -> None:
            tx.after_commit(lambda: called.append("twice"))
            insert(1)(tx)
            insert(1)(tx)

        with pytest.raises(LookupError):
            await db.write(fail)
        with pytest.raises(ConstraintBroken):
            await db.write(twice)
        await db.read(lambda tx: tx.after_commit(lambda: called.append("read")))
        assert called == []


@BOTH_STORES
async def test_a_group_calls_what_several_asked_for_once(
    where: str, tmp_path: Path
) -> None:
    async with open_rows(path_for(where, tmp_path)) as db:
        calls = 0

        def callback() -> None:
            nonlocal calls
            calls += 1

        def write(tx: Tx, key: int) -> None:
            tx.after_commit(callback)
            insert(key)(tx)

        async with trio.open_nursery() as nursery:
            for key in range(50):
                nursery.start_soon(db.write, lambda tx, key=key: write(tx, key))
        assert 1 <= calls <= db.statistics().groups
        assert await db.read(keys) == list(range(50))
