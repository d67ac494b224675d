"""Providers that withhold what only receipts tell: asked elsewhere, else marked."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lucidtrond.testing.fixtures import TronDevnet, running_devnet
from tests.daemon.outside import config_over
from tests.daemon.process import PASSPHRASE, DaemonProcess

pytestmark = pytest.mark.process

PATIENCE_S = 20.0
NO_LOGS = {"fault": "no_logs", "path": "/wallet*/gettransactioninfo*"}


@pytest.fixture(name="chain")
def _chain() -> Iterator[TronDevnet]:
    with running_devnet(block_time_s=0.3, witnesses=3, replicas=1) as chain:
        yield chain


@pytest.fixture(name="token")
def _token(chain: TronDevnet) -> str:
    return str(chain.info()["tokens"][0]["address"])


@pytest.fixture(name="daemon")
def _daemon(chain: TronDevnet, token: str, tmp_path: Path) -> Iterator[DaemonProcess]:
    config = config_over(chain, tmp_path / "config.toml")
    text = config.read_text()
    if token not in text:
        config.write_text(
            f'{text}\n[[network.tokens]]\naddress = "{token}"\nsymbol = "IUSD"\n'
            "decimals = 6\n"
        )
    daemon = DaemonProcess(tmp_path, config=config).start()
    try:
        daemon.call("keystore.init", passphrase=PASSPHRASE)
        yield daemon
    finally:
        daemon.end()


def deposit(chain: TronDevnet, daemon: DaemonProcess, token: str) -> dict[str, Any]:
    """The row of a token's deposit, once its block is final."""
    wallet = daemon.call("wallet.create", label="shop")
    txid = chain.fund_token(wallet["address"], token, 5_000_000)

    def row() -> dict[str, Any] | None:
        entries = daemon.call("history.list", address=wallet["address"])["entries"]
        return next((entry for entry in entries if entry["solidified"]), None)

    entry = wait_for(row, daemon)
    assert (entry["txid"], entry["amount"]) == (txid, "5000000")
    return entry


def wait_for(
    what: Callable[[], dict[str, Any] | None], daemon: DaemonProcess
) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_S
    while (value := what()) is None:
        assert time.monotonic() < deadline, daemon.log_lines()[-5:]
        time.sleep(0.1)
    return value


def problems(daemon: DaemonProcess) -> list[str]:
    events = daemon.call("events.poll", since=0, limit=1000, topics=["ledger"])
    return [event["event"]["problem"] for event in events["events"]]


def test_what_two_endpoints_say_has_two_sources(
    chain: TronDevnet, daemon: DaemonProcess, token: str
) -> None:
    entry = deposit(chain, daemon, token)
    assert (entry["proof"], entry["cost_proof"]) == ("two_sources", "two_sources")
    assert (entry["success"], entry["single_source"]) == (True, False)
    assert problems(daemon) == []


def test_a_log_that_one_endpoint_withholds_is_taken_from_the_other(
    chain: TronDevnet, daemon: DaemonProcess, token: str
) -> None:
    chain.fault(**NO_LOGS, port=0)
    entry = deposit(chain, daemon, token)
    assert (entry["success"], entry["contradicted"]) == (True, False)
    assert (entry["proof"], entry["cost_proof"]) == ("one_source", "two_sources")
    assert problems(daemon) == ["receipts_differ"]


def test_a_log_that_both_withhold_is_no_deposit_and_all_goes_on(
    chain: TronDevnet, daemon: DaemonProcess, token: str
) -> None:
    chain.fault(**NO_LOGS)
    entry = deposit(chain, daemon, token)
    assert (entry["success"], entry["contradicted"]) == (False, True)
    assert entry["index"] == -1
    assert problems(daemon) == ["log_missing"]
    [counted] = [
        sample["value"]
        for row in daemon.call("daemon.metrics")["metrics"]
        if row["name"] == "lucidtrond_ledger_problems_total"
        for sample in row["samples"]
        if sample["labels"] == {"problem": "log_missing"}
    ]
    assert counted == 1
    assert any(line["event"] == "ledger problem" for line in daemon.log_lines())
    status = daemon.call("network.status")
    assert status["synced"]
