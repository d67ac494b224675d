"""What was acknowledged is there after the process was really killed."""

import random
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio

from lucidtrond.ports import Tx
from tests.store.rows import keys, open_rows

ROOT = Path(__file__).parents[2]
Line = Callable[[], Awaitable[str]]


async def start_child(*arguments: str) -> tuple[trio.Process, Line]:
    process = await trio.lowlevel.open_process(
        [sys.executable, "-m", "tests.store.writing_child", *arguments],
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    stdout = process.stdout
    assert stdout is not None
    pending = bytearray()

    async def line() -> str:
        """The next whole line; empty at the end."""
        while b"\n" not in pending:
            chunk = await stdout.receive_some()
            if not chunk:
                return ""
            pending.extend(chunk)
        text, _, rest = bytes(pending).partition(b"\n")
        pending[:] = rest
        return text.decode()

    return process, line


def check_integrity(tx: Tx) -> None:
    stored = keys(tx)
    assert sorted(-key for key in stored) == stored, "half a transaction is there"


@pytest.mark.process
async def test_every_acknowledged_row_survives_sigkill(tmp_path: Path) -> None:
    path = tmp_path / "db"
    chance = random.Random(7)
    acknowledged: set[int] = set()
    for first in range(1_000_000, 6_000_000, 1_000_000):
        with trio.fail_after(30):
            process, line = await start_child(str(path), str(first))
            for _ in range(chance.randrange(1, 400)):
                acknowledged.add(int(await line()))
            process.kill()
            while text := await line():  # what it said before it died
                acknowledged.add(int(text))
            await process.wait()
        async with open_rows(path) as db:
            assert acknowledged <= set(await db.read(keys))
            await db.read(check_integrity)


@pytest.mark.process
async def test_a_file_that_can_not_grow_stops_the_store_and_loses_nothing(
    tmp_path: Path,
) -> None:
    path = tmp_path / "db"
    acknowledged: set[int] = set()
    with trio.fail_after(30):
        process, line = await start_child(str(path), "1", "300000")
        while (text := await line()).isdigit():
            acknowledged.add(int(text))
        assert text == "unknown: CommitUnknown"
        assert await process.wait() == 0
    assert len(acknowledged) > 10
    async with open_rows(path) as db:
        assert acknowledged <= set(await db.read(keys))
        await db.read(check_integrity)


@pytest.mark.process
async def test_two_processes_write_one_database(tmp_path: Path) -> None:
    path = tmp_path / "db"
    async with open_rows(path):
        pass
    with trio.fail_after(30):
        children = [await start_child(str(path), first) for first in ("1", "1000000")]
        said = [{int(await line()) for _ in range(100)} for _, line in children]
        for process, _ in children:
            process.kill()
            await process.wait()
    async with open_rows(path) as db:
        assert said[0] | said[1] <= set(await db.read(keys))
