"""The client as a process, without a daemon and against a closed pipe."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.daemon.process import PASSPHRASE, DaemonProcess

STRANGER = "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH"

pytestmark = pytest.mark.process


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lucidtrond.cli.client", *words],
        env={"PATH": os.environ["PATH"], "HOME": str(cwd)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        stdin=subprocess.DEVNULL,
    )


def test_without_a_daemon_it_says_where_it_looked(tmp_path: Path) -> None:
    done = run("--socket", str(tmp_path / "s"), "status", cwd=tmp_path)
    assert done.returncode == 3
    assert str(tmp_path / "s") in done.stderr


def test_without_anybody_to_say_yes_nothing_is_sent(tmp_path: Path) -> None:
    daemon = DaemonProcess(tmp_path).start()
    try:
        daemon.call("keystore.init", passphrase=PASSPHRASE)
        wallet = daemon.call("wallet.create", label="shop")
        daemon.fund(wallet["address"], 5_000_000)
        asked = ("send", wallet["wallet_id"], STRANGER, "1", "TRX")
        done = run("--socket", str(daemon.socket), *asked, cwd=tmp_path)
        assert done.returncode == 2
        assert "--yes pays without asking" in done.stderr
        assert daemon.call("transfer.list")["payments"] == []
        done = run("--socket", str(daemon.socket), *asked, "--yes", cwd=tmp_path)
        assert done.returncode == 0
        [paid] = daemon.call("transfer.list")["payments"]
        done = run("--socket", str(daemon.socket), "retry", paid["txid"], cwd=tmp_path)
        assert done.returncode == 1
        assert "it is paid, final: there is nothing to do" in done.stderr
    finally:
        daemon.end()


def test_wrong_usage_has_its_own_exit_code(tmp_path: Path) -> None:
    assert run("nonsense", cwd=tmp_path).returncode == 2


def test_it_imports_nothing_heavy(tmp_path: Path) -> None:
    """It starts in under 100 ms because of this."""
    code = (
        "import sys, lucidtrond.cli.client;"
        "print(sorted({m.partition('.')[0] for m in sys.modules}"
        " & {'trio', 'httpx', 'attr', 'msgspec', 'coincurve', 'google', 'pluggy'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
