"""The chain as a running thing: time, durability, the port for test money."""

import json
import os
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from attrs import define
from trio.testing import MockClock

from lucidtrond.devnet.production import FIRST_BLOCKS
from lucidtrond.devnet.server import Devnet, DevnetConfig, open_devnet
from lucidtrond.devnet.state.world import rows_of
from lucidtrond.devnet.timeline import HEAD_START_MS
from lucidtrond.errors import AlreadyRunning, ConfigError, InsufficientFunds
from lucidtrond.tron.block import check_block
from lucidtrond.tron.units import Sun
from tests.devnet.making import ALICE, FIVE, NOVA

EPOCH_MS = 1_795_000_000_500


@define
class TrioClock:
    """Wall time that follows trio's clock."""

    start_ms: int = EPOCH_MS

    def now_ms(self) -> int:
        return self.start_ms + round(trio.current_time() * 1000)


@asynccontextmanager
async def running(
    clock: TrioClock | None = None, **config: object
) -> AsyncIterator[Devnet]:
    config.setdefault("genesis", FIVE)
    chosen = DevnetConfig(**config)  # type: ignore[arg-type] # as the test says
    async with open_devnet(chosen, clock=clock or TrioClock()) as devnet:
        yield devnet


async def test_a_real_time_chain_makes_a_block_at_the_start_of_each_slot(
    autojump_clock: MockClock,
) -> None:
    async with running(block_time_s=3.0) as devnet:
        first = devnet.head_number
        await trio.sleep(30.1)
        properties = devnet.chain.head.globals
        assert properties.number - first == 10
        assert 0 <= EPOCH_MS + 30_100 - properties.timestamp < 3000


async def test_a_fast_chain_counts_three_seconds_a_block_from_the_past(
    autojump_clock: MockClock,
) -> None:
    async with running(block_time_s=0.5) as devnet:
        before = devnet.chain.head.globals
        await trio.sleep(10.1)
        after = devnet.chain.head.globals
        assert after.number - before.number == 20
        assert after.timestamp - before.timestamp == 60_000
        assert abs(EPOCH_MS - HEAD_START_MS - before.timestamp) < 6000


@pytest.mark.parametrize("until_s", [1, 60, 3599, 3601, 21_300, 21_301, 21_599])
async def test_a_fast_chain_has_an_hour_before_its_first_maintenance(
    autojump_clock: MockClock, until_s: int
) -> None:
    interval = FIVE.parameters.maintenance_ms
    boundary = FIVE.timestamp + HEAD_START_MS + 5 * interval
    clock = TrioClock(boundary - until_s * 1000)
    async with running(clock, block_time_s=0.5) as devnet:
        begun = devnet.chain.head.globals
        assert begun.next_maintenance - begun.timestamp > 3_500_000
        await trio.sleep(580)
        last = devnet.chain.head.globals
        assert last.number - last.solid == 3
        assert last.next_maintenance == begun.next_maintenance


async def test_a_chain_without_a_clock_moves_only_when_told(
    autojump_clock: MockClock,
) -> None:
    async with running(block_time_s=0) as devnet:
        before = devnet.head_number
        await trio.sleep(1000)
        assert devnet.head_number == before
        assert await devnet.mine(7) == before + 7


async def test_a_new_chain_begins_with_a_solidified_block_and_no_future(
    autojump_clock: MockClock,
) -> None:
    for witnesses in (1, 5, 27):
        async with running(
            block_time_s=3.0, genesis=None, witnesses=witnesses
        ) as devnet:
            properties = devnet.chain.head.globals
            assert properties.number == FIRST_BLOCKS
            assert devnet.chain.solid.globals.number > 0
            assert properties.timestamp <= EPOCH_MS
            for witness in devnet.chain.head.witnesses.values():
                assert witness.latest_block > 0


async def test_funding_is_a_real_transfer_that_solidifies(
    autojump_clock: MockClock,
) -> None:
    async with running(block_time_s=0) as devnet:
        one = await devnet.fund(NOVA.address, Sun(5_000_000))
        two = await devnet.fund(NOVA.address, Sun(5_000_000))
        assert one != two
        located = devnet.chain.find(bytes.fromhex(one))
        assert located is not None
        assert located.block is None
        await devnet.mine(6)
        located = devnet.chain.find(bytes.fromhex(two), solid=True)
        assert located is not None
        assert located.block is not None
        check_block(located.block.block)
        nova = devnet.chain.solid.accounts.get(NOVA.address.raw)
        assert nova is not None
        assert nova.balance == 10_000_000


async def test_more_than_anybody_has_is_not_funded(autojump_clock: MockClock) -> None:
    async with running(block_time_s=0) as devnet:
        with pytest.raises(InsufficientFunds):
            await devnet.fund(NOVA.address, Sun(10**18))
        with pytest.raises(InsufficientFunds):
            await devnet.fund(NOVA.address, Sun(0))


async def test_blocks_are_synced_before_anyone_sees_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[int, int]] = []
    really_sync = os.fdatasync
    async with running(block_time_s=0, state_dir=tmp_path) as devnet:

        def sync(file: int) -> None:
            synced.append((os.fstat(file).st_size, devnet.head_number))
            really_sync(file)

        monkeypatch.setattr(os, "fdatasync", sync)
        before = devnet.head_number
        for count in (1, 3, 120):
            synced.clear()
            size = (tmp_path / "chain.log").stat().st_size
            assert await devnet.mine(count) == before + count
            assert synced[0][0] > size
            assert synced[0][1] == before
            assert len(synced) == (count + 49) // 50
            before += count


async def test_a_chain_that_keeps_nothing_syncs_nothing(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    def sync(file: int) -> None:
        raise AssertionError("a volatile chain waits for no disk")

    monkeypatch.setattr(os, "fdatasync", sync)
    async with running(block_time_s=0) as devnet:
        await devnet.mine(10)


async def test_info_names_accounts_with_keys_that_fit(
    autojump_clock: MockClock,
) -> None:
    async with running(block_time_s=0) as devnet:
        info = devnet.info()
        json.dumps(info)
        assert info["url"].startswith("http://127.0.0.1:")
        assert info["genesis_id"] == FIVE.id
        assert info["head"]["number"] == devnet.head_number
        names = {account["name"]: account for account in info["accounts"]}
        assert names["account0"]["address"] == ALICE.address.base58
        assert names["account0"]["private_key"] == ALICE.secret.hex()


async def test_equal_calls_of_mine_at_once_make_a_row_of_blocks(
    autojump_clock: MockClock,
) -> None:
    async with running(block_time_s=0) as devnet:
        before = devnet.head_number
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(devnet.mine, 3)
        assert devnet.head_number == before + 30


async def test_mining_that_is_cancelled_leaves_a_chain_that_goes_on(
    tmp_path: Path,
) -> None:
    async with running(block_time_s=0, state_dir=tmp_path) as devnet:
        before = devnet.head_number
        for checkpoints in range(12):
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(devnet.mine, 3)
                    for _ in range(checkpoints):
                        await trio.lowlevel.checkpoint()
                    scope.cancel()
        middle = await devnet.mine(1)
        assert before < middle <= before + 12 * 3 + 1
        world = rows_of(devnet.chain.head)
    async with running(block_time_s=0, state_dir=tmp_path) as devnet:
        assert rows_of(devnet.chain.head) == world


async def test_a_full_disk_makes_blocks_wait_and_loses_none(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with running(block_time_s=0, state_dir=tmp_path) as devnet:
        before = devnet.head_number
        size = (tmp_path / "chain.log").stat().st_size
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 1000, hard))
            with trio.move_on_after(5) as gave_up:
                await devnet.mine(20)
            assert gave_up.cancelled_caught
            assert devnet.head_number == before  # none of them is synced yet
            async with trio.open_nursery() as nursery:
                nursery.start_soon(devnet.mine, 20)
                await trio.sleep(5)
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert before + 20 < devnet.head_number < before + 40
        world = rows_of(devnet.chain.head)
    async with running(block_time_s=0, state_dir=tmp_path) as devnet:
        assert rows_of(devnet.chain.head) == world


async def test_a_stopped_chain_comes_back_in_the_present(tmp_path: Path) -> None:
    async with running(block_time_s=0, state_dir=tmp_path) as devnet:
        await devnet.fund(NOVA.address, Sun(3_000_000))
        before = await devnet.mine(3)
        stopped = devnet.chain.head.globals
    behind_ms = int((tmp_path / "chain.behind").read_text())
    later = TrioClock(EPOCH_MS + 7_200_000)
    async with running(later, block_time_s=0, state_dir=tmp_path) as devnet:
        assert devnet.chain.head.globals == stopped
        await devnet.mine(1)
        properties = devnet.chain.head.globals
        assert properties.number == before + 1
        present = later.now_ms() - behind_ms
        assert 0 <= present - properties.timestamp < 6000
        missed = sum(witness.missed for witness in devnet.chain.head.witnesses.values())
        assert missed > 2000
        nova = devnet.chain.head.accounts.get(NOVA.address.raw)
        assert nova is not None
        assert nova.balance == 3_000_000


async def test_another_chain_than_the_one_in_the_directory_is_refused(
    tmp_path: Path,
) -> None:
    async with running(block_time_s=0, state_dir=tmp_path):
        with pytest.raises(AlreadyRunning):
            async with running(block_time_s=0, state_dir=tmp_path):
                pass
    with pytest.raises(ConfigError, match="another chain"):
        async with running(
            block_time_s=0, state_dir=tmp_path, genesis=None, witnesses=1
        ):
            pass
    with pytest.raises(ConfigError, match="witnesses"):
        async with running(genesis=None, witnesses=28):
            pass


async def test_the_port_speaks_http_and_a_taken_one_is_named(
    autojump_clock: MockClock,
) -> None:
    async with running(block_time_s=0) as devnet:
        port = int(devnet.url.rpartition(":")[2])
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        async with stream:
            await stream.send_all(
                b"GET /wallet/getnowblock HTTP/1.1\r\nHost: x\r\n\r\n"
            )
            answer = b""
            while b"witness_signature" not in answer:
                answer += await stream.receive_some()
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        with pytest.raises(ConfigError, match=str(port)):
            async with running(port=port):
                pass
