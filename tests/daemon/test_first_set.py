"""Which producers finality is counted by at first, on each network."""

from pathlib import Path
from typing import Any

import pytest
import trio

from lucidtrond.chain.finality import needed
from lucidtrond.daemon.config import NetworkConfig, load_config
from lucidtrond.daemon.first_set import first_set, read_snapshot
from lucidtrond.devnet.server import DevnetConfig, open_devnet
from lucidtrond.errors import ConfigError
from lucidtrond.testing.clocks import ManualClock
from lucidtrond.tron.address import Address
from tests import mainnet
from tests.chain.model import producer_key

A, B, C = (producer_key(number).address.base58 for number in range(3))


def network(**given: Any) -> NetworkConfig:
    return load_config(file=None, environ={}, flags={"network": given}).network


def test_mainnet_begins_with_the_snapshot() -> None:
    first = first_set(network(name="mainnet"), None)
    assert first is not None
    assert (first.origin, first.producers.n, needed(first.producers.n)) == (
        "snapshot",
        27,
        19,
    )
    assert len(first.producers.keys) == 27


@pytest.mark.mainnet
def test_the_snapshot_is_what_signed_headers_of_mainnet_show() -> None:
    snapshot = read_snapshot()
    keys: dict[str, set[str]] = {}
    for recording in mainnet.load("headers.json.gz")["headers"]:
        number = recording["number"]
        if snapshot.first_block <= number <= snapshot.as_of_block:
            header = mainnet.make_header(recording)
            signer = header.signer().base58
            keys.setdefault(Address(header.witness).base58, set()).add(signer)
    shown = {producer: {key} for producer, key in snapshot.producers.items()}
    assert shown == keys
    assert sum(producer != key for producer, key in snapshot.producers.items()) == 7


@pytest.mark.parametrize("name", ["mainnet", "nile", "shasta"])
def test_a_pin_goes_before_all_else(name: str) -> None:
    pinned = network(name=name, producers=[A, f"{B}={C}", C])
    first = first_set(pinned, None)
    assert first is not None
    assert (first.origin, first.producers.n) == ("pin", 3)
    keys = {p.base58: k.base58 for p, k in first.producers.keys.items()}
    assert keys == {A: A, B: C, C: C}


@pytest.mark.parametrize("name", ["nile", "shasta"])
def test_elsewhere_nobody_is_known(name: str) -> None:
    assert first_set(network(name=name), None) is None


async def test_the_devnets_definition_names_them(tmp_path: Path) -> None:
    config = DevnetConfig(witnesses=5, block_time_s=0, state_dir=tmp_path)
    async with open_devnet(config, clock=ManualClock(1_700_000_000_000)) as devnet:
        first = first_set(network(name="devnet"), devnet)
        await trio.lowlevel.checkpoint()
    assert first is not None
    assert (first.origin, first.producers.n) == ("genesis", 5)
    assert first.producers.keys == devnet.chain.genesis.producers


@pytest.mark.parametrize(
    ("producers", "text"),
    [
        ([A, A], f"{A} is there twice"),
        ([f"{A}={B}", A], f"{A} is there twice"),
        (["no address"], "'no address'"),
        ([f"{A}=x"], "=x'"),
    ],
)
def test_what_is_no_pin_is_refused(producers: list[str], text: str) -> None:
    with pytest.raises(ConfigError, match=r"\[network\] producers") as caught:
        network(name="nile", producers=producers)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"name": "mainnet"},
        {"name": "devnet"},
        {"name": "nile", "producers": [A]},
    ],
)
def test_who_is_known_is_not_asked_for(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="known already"):
        network(**given, producers_from_endpoints=True)
    assert network(name="nile", producers_from_endpoints=True).producers_from_endpoints
    assert not network(name="nile").producers_from_endpoints


def test_the_devnet_takes_no_pin() -> None:
    with pytest.raises(ConfigError, match="leave it out"):
        network(name="devnet", producers=[A])
