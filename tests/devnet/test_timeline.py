"""Chain time against the clock: chosen once, kept with the chain at every hour."""

from pathlib import Path

import pytest
import trio
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lucidtrond.devnet.server import Devnet
from lucidtrond.devnet.timeline import (
    HEAD_START_MS,
    MOST_BEHIND_S,
    QUIET_MS,
    SETTLED_MS,
    choose_behind_ms,
)
from lucidtrond.errors import ConfigError, StoreError
from lucidtrond.tron.units import UnixMillis
from tests.devnet.making import FIVE
from tests.devnet.test_server import TrioClock, running

MIDNIGHT_MS = 1_795_046_400_000
DAY_S = 86_400
LONGEST_MS = HEAD_START_MS + QUIET_MS + SETTLED_MS
BAD_S = 3 * 3600 + 1800
"""Of the day: an hour or less before a maintenance of a chain 22 h behind."""

seconds_of_day = st.integers(0, DAY_S - 1)
pauses_s = st.one_of(st.just(0), st.integers(0, 3 * DAY_S))


def head_ms(devnet: Devnet) -> int:
    return devnet.chain.head.globals.timestamp


def clock_at(second: int) -> TrioClock:
    """A wall clock at that second of a day."""
    return TrioClock(MIDNIGHT_MS + second * 1000)


@given(second=seconds_of_day)
@example(second=BAD_S)
def test_a_new_fast_chain_has_no_maintenance_soon(second: int) -> None:
    now = MIDNIGHT_MS + second * 1000
    behind = choose_behind_ms(FIVE, UnixMillis(now), real_time=False)
    assert HEAD_START_MS <= behind <= MOST_BEHIND_S * 1000
    since = (now - behind - FIVE.timestamp) % FIVE.parameters.maintenance_ms
    assert SETTLED_MS <= since < FIVE.parameters.maintenance_ms - QUIET_MS
    assert choose_behind_ms(FIVE, UnixMillis(now), real_time=True) == 0


@given(
    second=seconds_of_day,
    pause_s=pauses_s,
    block_time_s=st.sampled_from([0, 0.3, 3.0]),
    later_block_time_s=st.sampled_from([0, 0.3, 3.0]),
    behind_s=st.none() | st.integers(0, MOST_BEHIND_S),
)
@example(second=BAD_S, pause_s=0, block_time_s=0, later_block_time_s=0, behind_s=None)
@example(second=BAD_S, pause_s=0, block_time_s=0, later_block_time_s=3.0, behind_s=None)
@settings(max_examples=20, deadline=None)
def test_a_restart_never_moves_the_chains_time(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    second: int,
    pause_s: int,
    block_time_s: float,
    later_block_time_s: float,
    behind_s: int | None,
) -> None:
    """At most by as much as the clock went on in between, whatever the hour."""
    state_dir = tmp_path_factory.mktemp("chain")

    async def restart() -> None:
        first = clock_at(second)
        async with running(
            first, block_time_s=block_time_s, state_dir=state_dir, behind_s=behind_s
        ) as devnet:
            await devnet.mine(1)
            before, distance = head_ms(devnet), first.now_ms() - head_ms(devnet)
        later = TrioClock(first.start_ms + pause_s * 1000)
        async with running(
            later, block_time_s=later_block_time_s, state_dir=state_dir
        ) as devnet:
            await devnet.mine(1)
            moved = head_ms(devnet) - before
            assert 0 < moved <= pause_s * 1000 + 9000
            # Nor does it fall behind: it is as far from the clock as it was.
            assert abs(later.now_ms() - head_ms(devnet) - distance) <= 9000

    trio.run(restart)


@pytest.mark.parametrize("behind_s", [0, 7, 3600, MOST_BEHIND_S])
@pytest.mark.parametrize("block_time_s", [0, 3.0])
async def test_a_chosen_distance_is_the_chains(
    tmp_path: Path, behind_s: int, block_time_s: float
) -> None:
    config = {"block_time_s": block_time_s, "state_dir": tmp_path}
    clock = clock_at(BAD_S)
    for chosen in (behind_s, None, behind_s):
        async with running(clock, behind_s=chosen, **config) as devnet:
            late = clock.now_ms() - behind_s * 1000 - head_ms(devnet)
            assert -9000 <= late < 12_000
    with pytest.raises(ConfigError, match=f"is {behind_s} s behind the clock, not 60"):
        async with running(clock, behind_s=60, **config):
            pass


@pytest.mark.parametrize("behind_s", [-1, MOST_BEHIND_S + 1])
async def test_a_distance_that_no_client_could_live_with_is_refused(
    behind_s: int,
) -> None:
    with pytest.raises(ConfigError, match=f"expected 0 to 86340 s, got {behind_s}"):
        async with running(behind_s=behind_s):
            pass


@pytest.mark.parametrize("block_time_s", [0, 3.0])
async def test_a_chain_made_before_its_distance_was_kept_expires_nothing(
    tmp_path: Path, block_time_s: float
) -> None:
    """What an older version chose is unknown: nothing may go ahead by 65 minutes."""
    clock = clock_at(BAD_S)
    config = {"block_time_s": block_time_s, "state_dir": tmp_path}
    async with running(clock, **config) as devnet:
        before = head_ms(devnet)
    (tmp_path / "chain.behind").unlink()
    for _ in range(2):
        async with running(clock, **config) as devnet:
            await devnet.mine(1)
            assert 0 < head_ms(devnet) - before <= 15_000
    kept = int((tmp_path / "chain.behind").read_text())
    assert kept == (0 if block_time_s else LONGEST_MS)


@pytest.mark.parametrize("text", [b"", b"12", b"-5\n", b"x\n", b"9" * 16 + b"\n"])
async def test_a_spoiled_distance_is_no_reason_to_guess(
    tmp_path: Path, text: bytes
) -> None:
    async with running(block_time_s=0, state_dir=tmp_path):
        pass
    (tmp_path / "chain.behind").write_bytes(text)
    with pytest.raises(StoreError, match=r"chain\.behind: expected milliseconds"):
        async with running(block_time_s=0, state_dir=tmp_path):
            pass


def test_files_of_a_chain_are_private(tmp_path: Path) -> None:
    async def begin() -> None:
        async with running(block_time_s=0, state_dir=tmp_path):
            pass

    trio.run(begin)
    modes = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.iterdir()}
    assert {"chain.log", "chain.checkpoint", "chain.behind"} <= modes.keys()
    assert set(modes.values()) == {0}
