"""A keystore that is unlocked without a time of its own, and locks when it is idle."""

import logging

import pytest
import trio
import trio.testing

from lucidtrond.errors import KeystoreLocked
from lucidtrond.keystore.vault import MIGRATIONS, Vault
from lucidtrond.store.database import open_store
from lucidtrond.store.migrate import migrate
from tests.keystore.vaults import CHEAP, PASSPHRASE, FixedClock

DIGEST = bytes(32)
IDLE_S = 60.0


async def _signs_every(
    period_s: float,
    *,
    auto_lock_s: float,
    for_s: float | None,
) -> float:
    """Sign every *period_s* for 1,000 s at most; when it was found locked."""
    async with open_store(None) as db, trio.open_nursery() as nursery:
        await migrate(db, MIGRATIONS)
        vault = Vault(db, clock=FixedClock(), scrypt=CHEAP, auto_lock_s=auto_lock_s)
        await nursery.start(vault.run)
        await vault.init(PASSPHRASE)
        (key,) = await db.write(lambda tx: vault.allocate(tx, 1))
        await vault.unlock(PASSPHRASE, for_s=for_s)
        began = trio.current_time()
        try:
            while trio.current_time() - began < 1000:
                await trio.sleep(period_s)
                await vault.sign(key.address, DIGEST)
        except KeystoreLocked:
            assert vault.is_locked
        else:
            assert not vault.is_locked
        nursery.cancel_scope.cancel()
        return trio.current_time() - began
    raise AssertionError("unreachable")


@pytest.mark.parametrize(
    ("period_s", "auto_lock_s", "for_s", "locked_at"),
    [
        (59, IDLE_S, None, None),  # each signature begins the time anew
        (61, IDLE_S, None, 61),
        (59, IDLE_S, 90, 118),  # a time of its own is kept, signatures or not
        (61, IDLE_S, 90, 122),
        (500, 0, None, None),  # 0 is never
    ],
)
async def test_locked_when_idle_unless_the_unlocking_has_its_own_time(
    period_s: float,
    auto_lock_s: float,
    for_s: float | None,
    locked_at: float | None,
    autojump_clock: trio.testing.MockClock,
) -> None:
    ended = await _signs_every(period_s, auto_lock_s=auto_lock_s, for_s=for_s)
    if locked_at is None:
        assert ended >= 1000
    else:
        assert ended == pytest.approx(locked_at)


@pytest.mark.parametrize(
    ("for_s", "reason"),
    [
        (None, "nothing was signed for 60 s (auto_lock_s)"),
        (90, "its for_s are over"),
    ],
)
async def test_the_log_says_why_a_keystore_locked_itself(
    for_s: float | None,
    reason: str,
    autojump_clock: trio.testing.MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    await _signs_every(61, auto_lock_s=IDLE_S, for_s=for_s)
    records = [record for record in caplog.records if record.name.endswith(".vault")]
    # Time leaps while scrypt runs, so the first opening may have ended before.
    assert records[-1].message == "keystore locked by itself"
    assert records[-1].__dict__["reason"] == reason


async def test_a_new_keystore_is_locked_when_idle_and_says_until_when(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_store(None) as db, trio.open_nursery() as nursery:
        await migrate(db, MIGRATIONS)
        clock = FixedClock()
        vault = Vault(db, clock=clock, scrypt=CHEAP, auto_lock_s=IDLE_S)
        await nursery.start(vault.run)
        await vault.init(PASSPHRASE)
        (key,) = await db.write(lambda tx: vault.allocate(tx, 1))
        assert (await vault.status()).unlocked_until_ms == clock.ms + 60_000
        await trio.sleep(IDLE_S / 2)
        await vault.sign(key.address, DIGEST)
        assert (await vault.status()).unlocked_until_ms == clock.ms + 60_000
        await trio.sleep(IDLE_S + 1)
        assert vault._opened is None  # the service forgot the key by itself
        status = await vault.status()
        assert (status.locked, status.unlocked_until_ms) == (True, None)
        nursery.cancel_scope.cancel()
