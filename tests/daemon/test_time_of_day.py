"""The daemon on its embedded chain, at hours of the day at which it once failed.

A fast chain's time is 22 to 23 hours behind the clock, and every six hours it has a
maintenance, so the hours of the day are not alike to it.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lucidtrond.devnet.timeline import HEAD_START_MS, QUIET_MS, SETTLED_MS
from tests import wall_clock
from tests.daemon.process import PASSPHRASE, DaemonProcess

pytestmark = pytest.mark.process

BAD = "03:30"
"""Half an hour before a maintenance of a chain that is 22 hours behind."""
TIMES = ("03:02", "15:30", "22:02")
RESTARTING = ("test_process.py", "test_third_party.py")
"""Files of this folder that restart a daemon on its chain."""


def test_the_shifted_clock_is_the_daemons(daemon: DaemonProcess) -> None:
    shifted = wall_clock.environ_at(BAD)
    daemon.start(**shifted)
    head_ms = daemon.call("network.status")["head_timestamp_ms"]
    now_ms = (time.time_ns() // 1_000_000) + int(shifted[wall_clock.SHIFT]) * 1000
    behind_ms = HEAD_START_MS + QUIET_MS + SETTLED_MS
    assert abs(now_ms - behind_ms - head_ms) < 600_000
    daemon.stop()


def test_a_payment_in_flight_at_a_restart_lands(daemon: DaemonProcess) -> None:
    shifted = wall_clock.environ_at(BAD)
    daemon.start(**shifted)
    daemon.call("keystore.init", passphrase=PASSPHRASE)
    first = daemon.call("wallet.create", label="first")
    second = daemon.call("wallet.create", label="second")
    daemon.fund(first["address"], 5_000_000)
    sent = daemon.call(
        "transfer.send",
        **{"from": first["wallet_id"], "to": second["address"]},
        amount_sun="1000000",
        idempotency_key="in flight",
    )
    daemon.kill()
    daemon.start(**shifted)
    landed = daemon.call("tx.wait", txid=sent["txid"], until="solidified")
    assert landed["success"] is True
    assert landed["block_timestamp_ms"] <= sent["expiration_ms"]
    daemon.stop()


@pytest.mark.slow
@pytest.mark.parametrize("time_of_day", TIMES)
def test_no_test_of_a_restart_depends_on_the_hour(time_of_day: str) -> None:
    folder = Path(__file__).parent
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-m", "not slow"),
            *(str(folder / name) for name in RESTARTING),
        ],
        env={**os.environ, **wall_clock.environ_at(time_of_day)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-5000:]
