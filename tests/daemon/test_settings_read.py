"""Each setting is read by the daemon, not only checked and documented."""

import os
import subprocess
import sys
import tomllib
from importlib import resources
from pathlib import Path

import pytest

from lucidtrond.daemon.config import Config
from lucidtrond.testing.fixtures import running_devnet
from tests.daemon.outside import config_over
from tests.daemon.process import DaemonProcess
from tests.daemon.recording_settings import names


def run_once(directory: Path, *flags: str, config: Path | None = None) -> set[str]:
    """What a daemon read that was started and stopped."""
    directory.mkdir()
    daemon = DaemonProcess(directory, *flags, config=config)
    daemon.program = ("-m", "tests.daemon.recording_settings", str(directory / "read"))
    daemon.start()
    assert daemon.stop() == 0, daemon.tail()
    return set((directory / "read").read_text().split())


def run_refused(directory: Path, config: str) -> set[str]:
    """What a daemon read that can't start, with everything from its file."""
    directory.mkdir()
    (directory / "config.toml").write_text(config)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.daemon.recording_settings"),
            *(
                str(directory / "read"),
                "run",
                "--config",
                str(directory / "config.toml"),
            ),
            *("--state-dir", str(directory / "state")),
        ],
        capture_output=True,
        env={"PATH": os.environ["PATH"], "HOME": str(directory)},
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert b"allow_public" in done.stderr, done.stderr
    return set((directory / "read").read_text().split())


@pytest.mark.process
def test_each_setting_is_read_on_the_devnet_or_on_another_network(
    tmp_path: Path,
) -> None:
    read = run_once(tmp_path / "devnet")
    with running_devnet(block_time_s=0.3, witnesses=3) as chain:
        config = config_over(chain, tmp_path / "config.toml")
        read |= run_once(tmp_path / "private", config=config)
    public = f"""
        [network]
        block_time_s = 0
        witnesses = 1
        [rpc]
        socket = "{tmp_path}/rpc.sock"
        [http]
        host = "0.0.0.0"
    """
    read |= run_refused(tmp_path / "public", public)
    unread = set(names(Config)) - read
    assert unread == set(), "nothing of the daemon reads these settings"
    assert ".keystore.auto_lock_s" in read


def test_the_settings_are_those_of_the_documented_file() -> None:
    """What `names` lists is what an operator can set."""
    defaults = tomllib.loads(
        resources.files("lucidtrond.daemon").joinpath("defaults.toml").read_text()
    )
    documented = {f".{section}" for section in defaults} | {
        f".{section}.{key}"
        for section, keys in defaults.items()
        if section != "plugins"
        for key in keys
    }
    assert {name for name in names(Config) if "[]" not in name} == documented
