"""A third party's plugin: installed by pip, enabled in the configuration, called."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.process import PASSPHRASE, DaemonProcess

EXAMPLE = Path(__file__).parents[2] / "contrib" / "example-plugin"
FLAGS = ("--block-time", "0.3", "--witnesses", "3")

pytestmark = pytest.mark.process


@pytest.fixture(name="installed", scope="module")
def _installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH with the plugin in it, and nothing else."""
    target = tmp_path_factory.mktemp("installed")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"),
            *("--no-build-isolation", "--disable-pip-version-check", "--no-index"),
            *("--root-user-action=ignore", "--target", str(target), str(EXAMPLE)),
        ],
        check=True,
    )
    return target


@pytest.fixture(name="enabled")
def _enabled(tmp_path: Path) -> Iterator[DaemonProcess]:
    """A daemon whose configuration has the plugin's section."""
    settings = tmp_path / "lucidtrond.toml"
    process = DaemonProcess(tmp_path, "--config", str(settings), *FLAGS)
    yield process
    process.end()


def enable(daemon: DaemonProcess, address: str) -> None:
    section = f'[plugins.lowfuel]\naddress = "{address}"\nfloor_sun = 5000000\n'
    daemon.state.with_name("lucidtrond.toml").write_text(section)


def test_an_installed_plugin_is_used_over_the_socket(
    enabled: DaemonProcess, installed: Path
) -> None:
    daemon = enabled
    (daemon.state.with_name("lucidtrond.toml")).write_text("")
    daemon.start(PYTHONPATH=str(installed))
    daemon.call("keystore.init", passphrase=PASSPHRASE)
    car = daemon.call("wallet.create", label="car")["address"]
    assert "lowfuel" not in json.dumps(daemon.call("rpc.discover"))
    daemon.stop()

    enable(daemon, car)
    daemon.start(PYTHONPATH=str(installed))
    assert daemon.call("lowfuel.check") == {"balance_sun": "0", "low": True}
    daemon.fund(car, 8_000_000)
    assert daemon.call("lowfuel.check") == {"balance_sun": "8000000", "low": False}
    methods = [each["name"] for each in daemon.call("rpc.discover")["methods"]]
    assert "lowfuel.check" in methods
    assert daemon.stop() == 0


def test_a_plugin_that_is_enabled_but_not_installed_is_named(
    enabled: DaemonProcess,
) -> None:
    enable(enabled, "TLsV52sRDL79HXGGm9yzwKibb6BeruhUzy")
    assert enabled.spawn().wait(20) == 1
    assert "lowfuel" in enabled.log_lines()[-1]["reason"]
