"""A lying node is named in the log, by an event and by a number; nobody pays by it."""

import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lucidtrond.cli.connection import RpcFailure
from lucidtrond.testing.fixtures import TronDevnet, running_devnet
from tests.daemon.outside import config_over
from tests.daemon.process import PASSPHRASE, DaemonProcess

pytestmark = pytest.mark.process

STRANGER = "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH"
PATIENCE_S = 20.0


@pytest.fixture(name="chain")
def _chain() -> Iterator[TronDevnet]:
    with running_devnet(block_time_s=0.3, witnesses=3, replicas=1) as chain:
        yield chain


@pytest.fixture(name="daemon")
def _daemon(chain: TronDevnet, tmp_path: Path) -> Iterator[DaemonProcess]:
    config = config_over(chain, tmp_path / "config.toml", restore_wait_s=3600)
    daemon = DaemonProcess(tmp_path, config=config).start()
    try:
        daemon.call("keystore.init", passphrase=PASSPHRASE)
        yield daemon
    finally:
        daemon.end()


LIES = [
    {"fault": "wrong_id", "path": "/wallet*/getblock*"},
    {"fault": "wrong_txid", "path": "/wallet*/getblock*"},
    {"fault": "edit_amount", "path": "/wallet*/getblock*"},
    {"fault": "wrong_txid", "path": "/wallet/broadcast*"},
]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: f"{lie['fault']} {lie['path']}")
def test_a_lie_is_named_and_the_other_node_is_believed(
    lie: dict[str, Any], chain: TronDevnet, daemon: DaemonProcess
) -> None:
    wallet = daemon.call("wallet.create", label="shop")
    txid = chain.fund(wallet["address"], 100_000_000)
    daemon.call("tx.wait", txid=txid, until="solidified")
    [liar] = [endpoint["endpoint"] for endpoint in _endpoints(daemon)][:1]
    chain.fault(**lie, port=0)
    paid = daemon.call(
        "transfer.send",
        **{"from": wallet["wallet_id"], "to": STRANGER, "amount_sun": "1000000"},
        idempotency_key="one",
        expires_s=3600,
        wait="solidified",
    )
    assert paid["state"] == "solidified"
    _wait_until(lambda: _endpoints(daemon)[0]["lies"] >= 1, daemon)
    lines = [line for line in daemon.log_lines() if "lied" in line["event"]]
    assert {line["endpoint"] for line in lines} == {liar}
    assert all(line["level"] == "error" for line in lines)
    events = daemon.call("events.poll", since=0, limit=1000, topics=["node"])["events"]
    lies = [event["event"] for event in events if event["event"]["state"] == "lied"]
    assert lies
    assert {lie["endpoint"] for lie in lies} == {liar}
    assert _metric(daemon, f'lucidtrond_endpoint_lies_total{{endpoint="{liar}"}}') >= 1


def test_nothing_is_signed_by_the_word_of_a_node_that_lies(
    chain: TronDevnet, daemon: DaemonProcess
) -> None:
    wallet = daemon.call("wallet.create", label="shop")
    txid = chain.fund(wallet["address"], 100_000_000)
    daemon.call("tx.wait", txid=txid, until="solidified")
    for fault in ("wrong_id", "edit_amount"):
        chain.fault(fault=fault, path="/wallet*/getblock*")  # at every endpoint
    daemon.kill()
    daemon.start()
    daemon.call("keystore.unlock", passphrase=PASSPHRASE)
    with pytest.raises(RpcFailure) as refused:
        daemon.call(
            "transfer.send",
            **{"from": wallet["wallet_id"], "to": STRANGER, "amount_sun": "1000000"},
            idempotency_key="one",
        )
    assert refused.value.code in range(200, 204)
    assert daemon.call("transfer.list")["payments"] == []
    chain.clear()
    chain.mine(3)
    assert all(endpoint["lies"] >= 1 for endpoint in _endpoints(daemon))


EDITED = {"fault": "edit_result", "path": "/wallet*/getblock*"}
"""Nothing but a block's root contradicts it, and JSON may show less of it."""


def test_an_edited_result_is_outdone_by_an_endpoint_that_proves_the_root(
    chain: TronDevnet, daemon: DaemonProcess
) -> None:
    chain.fault(**EDITED, port=0)
    wallet = daemon.call("wallet.create", label="shop")
    txid = chain.fund(wallet["address"], 100_000_000)
    daemon.call("tx.wait", txid=txid, until="solidified")
    _wait_until(lambda: _rows(daemon, wallet), daemon)
    [row] = _rows(daemon, wallet)
    assert (row["txid"], row["success"], row["proof"]) == (txid, True, "signatures")
    paid = daemon.call("transfer.send", **_payment(wallet), wait="solidified")
    assert paid["state"] == "solidified"
    assert any(fault["struck"] for fault in chain.faults())


def test_an_edited_result_at_every_endpoint_is_unproven_and_no_payment_failed(
    chain: TronDevnet, daemon: DaemonProcess
) -> None:
    wallet = daemon.call("wallet.create", label="shop")
    txid = chain.fund(wallet["address"], 100_000_000)
    daemon.call("tx.wait", txid=txid, until="solidified")
    chain.fault(**EDITED)
    sent = daemon.call("transfer.send", **_payment(wallet))
    ask = {"payment_id": sent["payment_id"]}

    def is_settled() -> bool:
        payment = daemon.call("transfer.status", **ask)
        assert payment["state"] not in ("failed", "expired")
        assert not payment["safe_to_retry"]
        return bool(payment["state"] == "unproven")

    _wait_until(is_settled, daemon)
    rows = [row for row in _rows(daemon, wallet) if row["txid"] == sent["txid"]]
    assert {row["proof"] for row in rows} == {"one_source"}
    assert not any(endpoint["lies"] for endpoint in _endpoints(daemon))


def _payment(wallet: dict[str, Any]) -> dict[str, Any]:
    return {
        "from": wallet["wallet_id"],
        "to": STRANGER,
        "amount_sun": "1000000",
        "idempotency_key": "one",
        "expires_s": 3600,
    }


def _rows(daemon: DaemonProcess, wallet: dict[str, Any]) -> list[dict[str, Any]]:
    address = wallet["address"]
    entries: list[dict[str, Any]] = daemon.call("history.list", address=address)[
        "entries"
    ]
    return entries


def _endpoints(daemon: DaemonProcess) -> list[dict[str, Any]]:
    endpoints: list[dict[str, Any]] = daemon.call("network.endpoints")["endpoints"]
    return endpoints


def _wait_until(condition: Any, daemon: DaemonProcess) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, daemon.tail()
        time.sleep(0.05)


def _metric(daemon: DaemonProcess, name: str) -> float:
    [ready] = [line for line in daemon.log_lines() if line["event"] == "ready"]
    with urllib.request.urlopen(ready["http"] + "/metrics") as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(name):
                return float(line.rpartition(" ")[2])
    raise AssertionError(f"no metric {name}")
