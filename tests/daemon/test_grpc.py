"""A real daemon that follows a chain by gRPC, or by HTTP where that fails."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from lucidtrond.devnet.state.default_chain import default_genesis_file
from lucidtrond.devnet.state.genesis import format_genesis, make_genesis
from lucidtrond.testing.fixtures import TronDevnet, running_devnet
from tests.daemon.process import PASSPHRASE, DaemonProcess

pytestmark = pytest.mark.process

AMOUNT_SUN = 10**9
BLOCKS_BY_HTTP = ("/wallet/getblockby*", "/wallet/gettransactioninfobyblocknum")


def config(chain: TronDevnet, room: Path, grpc_url: str | None) -> Path:
    lines = [
        "[network]",
        'name = "private"',
        f'genesis_id = "{chain.genesis_id}"',
        "block_time_s = 0.3",
        "[[network.endpoints]]",
        f'url = "{chain.url}"',
        f'grpc_url = "{grpc_url}"',
        f'grpc_solidity_url = "{grpc_url}"',
    ]
    file = room / "lucidtrond.toml"
    file.write_text("\n".join(lines))
    return file


@contextlib.contextmanager
def daemon_over(
    chain: TronDevnet, room: Path, grpc_url: str | None
) -> Iterator[DaemonProcess]:
    daemon = DaemonProcess(room, config=config(chain, room, grpc_url))
    try:
        yield daemon.start()
    finally:
        daemon.end()


def pay(chain: TronDevnet, daemon: DaemonProcess) -> dict[str, Any]:
    """Pay between two wallets and wait until that is final."""
    daemon.call("keystore.init", passphrase=PASSPHRASE)
    wallets = daemon.call("wallet.batch_create", count=2)["wallets"]
    txid = chain.fund(wallets[0]["address"], AMOUNT_SUN)
    daemon.call("tx.wait", txid=txid, until="solidified")
    sent = daemon.call(
        "transfer.send",
        **{"from": wallets[0]["wallet_id"], "to": wallets[1]["address"]},
        amount_sun="1000000",
        idempotency_key="k",
    )
    daemon.call("tx.wait", txid=sent["txid"], until="solidified")
    [endpoint] = daemon.call("network.endpoints")["endpoints"]
    shown: dict[str, Any] = endpoint
    return shown


def test_it_follows_by_grpc_while_http_shows_no_blocks(tmp_path: Path) -> None:
    with (
        running_devnet(block_time_s=0.3, grpc=True) as chain,
        daemon_over(chain, tmp_path, chain.grpc_url) as daemon,
    ):
        for path in BLOCKS_BY_HTTP:
            chain.fault(path=path, fault="status", status=503)
        endpoint = pay(chain, daemon)
        assert (endpoint["grpc"], endpoint["grpc_failures"]) == ("ok", 0)
        assert endpoint["errors"] == 0
        assert [rule["seen"] for rule in chain.faults()] == [0, 0], "none was asked"
        assert daemon.call("network.status")["warnings"] == []


def test_without_grpc_it_follows_by_http_and_says_so(tmp_path: Path) -> None:
    nobody = "http://127.0.0.1:1"
    with (
        running_devnet(block_time_s=0.3) as chain,
        daemon_over(chain, tmp_path, nobody) as daemon,
    ):
        assert chain.grpc_url is None
        endpoint = pay(chain, daemon)
        assert endpoint["grpc"] == "failing"
        assert endpoint["grpc_failures"] >= 1
        assert endpoint["state"] == "ok"
        status = daemon.call("network.status")
        assert status["synced"]
        [warning] = status["warnings"]
        assert "gRPC fails, blocks come by HTTP" in warning
        text = daemon.log.read_text()
        assert text.count("gRPC fails, asking by HTTP") == 1


def test_grpc_of_another_network_stops_a_start(tmp_path: Path) -> None:
    definition = tmp_path / "genesis.json"
    file = replace(default_genesis_file(3), genesis_timestamp=1_735_689_600_000)
    definition.write_bytes(format_genesis(make_genesis(file)))
    with (
        running_devnet(block_time_s=0.3) as chain,
        running_devnet(block_time_s=0.3, genesis=definition, grpc=True) as other,
    ):
        assert other.genesis_id != chain.genesis_id
        daemon = DaemonProcess(tmp_path, config=config(chain, tmp_path, other.grpc_url))
        assert daemon.spawn().wait(30) == 1
    assert "the endpoint's grpc_url is on another network" in daemon.log.read_text()
    assert f"genesis {other.genesis_id}, wanted {chain.genesis_id}" in daemon.tail()
