"""The example of a third party's plugin, from its own folder."""

import importlib.util
from pathlib import Path
from typing import Any

import msgspec
import pytest
from trio.testing import MockClock

from lucidtrond.api import Plugin
from lucidtrond.testing import open_workbench
from tests.plugins.bench import SHIPPED, open_shipped

FILE = (
    Path(__file__).parents[2] / "contrib" / "example-plugin" / "lucidtrond_lowfuel.py"
)


@pytest.fixture(name="lowfuel")
def _lowfuel() -> Plugin[Any]:
    spec = importlib.util.spec_from_file_location("lucidtrond_lowfuel", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    plugin = module.plugin
    assert isinstance(plugin, Plugin)
    return plugin


def test_the_example_plugin_has_less_than_40_lines() -> None:
    assert len(FILE.read_text().splitlines()) < 40


async def test_the_example_plugin_tells_when_fuel_runs_low(
    lowfuel: Plugin[Any], autojump_clock: MockClock
) -> None:
    async with open_shipped() as bench:
        address = (await bench.call("wallet.create")).address
    sections = {**SHIPPED, "lowfuel": {"address": address, "floor_sun": 5_000_000}}
    async with open_workbench(sections, plugins=[lowfuel]) as bench:
        car = await bench.call("wallet.create")
        assert car.address == address
        assert (await bench.call("lowfuel.check")).low
        await bench.fund(address, 8_000_000)
        assert not (await bench.call("lowfuel.check")).low
        await bench.call(
            "transfer.send",
            {
                "from": car.wallet_id,
                "to": bench.node.info()["accounts"][0]["address"],
                "amount_sun": "4000000",
                "idempotency_key": "trip",
            },
        )
        await bench.settle()
        await bench.handled()
        [event] = await bench.events("plugin")
        assert msgspec.json.decode(event.payload) == {
            "plugin": "lowfuel",
            "name": "low",
            "about": [],
            "data": {"balance_sun": "4000000"},
        }
