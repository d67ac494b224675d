"""A third party's plugin: installed by pip, enabled in the configuration, called."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
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
    methods = [method["name"] for method in daemon.call("rpc.discover")["methods"]]
    assert "lowfuel.check" in methods
    assert daemon.stop() == 0


def test_a_plugin_that_is_enabled_but_not_installed_is_named(
    enabled: DaemonProcess,
) -> None:
    enable(enabled, "TLsV52sRDL79HXGGm9yzwKibb6BeruhUzy")
    assert enabled.spawn().wait(20) == 1
    assert "lowfuel" in enabled.log_lines()[-1]["reason"]


CRASHY = """
from lucidtrond.api import Plugin
plugin = Plugin("crashy")

@plugin.service
async def fall(ctx, task_status):
    task_status.started()
    raise ValueError("a secret of the plugin")
"""


@pytest.mark.slow
def test_a_plugin_that_keeps_crashing_is_told_by_health_and_stops_nothing(
    enabled: DaemonProcess, tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    about = folder / "crashy-1.0.dist-info"
    about.mkdir(parents=True)
    (folder / "crashy.py").write_text(CRASHY)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: crashy\nVersion: 1\n")
    (about / "entry_points.txt").write_text(
        "[lucidtrond.plugins]\ncrashy = crashy:plugin\n"
    )
    enabled.state.with_name("lucidtrond.toml").write_text("[plugins.crashy]\n")
    enabled.start(PYTHONPATH=str(folder))
    deadline = time.monotonic() + 60
    while (health := enabled.call("daemon.health"))["checks"]["plugins"]:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    problem = "plugins: crashy failed: crashy.fall crashed 6 times: ValueError"
    assert (health["status"], health["problems"]) == ("degraded", [problem])
    rows = {row["name"]: row for row in enabled.call("plugin.list")["plugins"]}
    assert rows["crashy"]["reason"] in problem
    assert rows["wallets"]["reason"] is None
    url = enabled.call("daemon.info")["http_url"]
    with urllib.request.urlopen(f"{url}/health/ready") as answer:
        assert answer.status == 200
    with pytest.raises(urllib.error.HTTPError) as unwell:
        urllib.request.urlopen(f"{url}/health")
    with unwell.value as answer:
        body = json.load(answer)
    assert body["dependencies"]["plugins"]["status"] == "unhealthy"
    assert enabled.stop() == 0
