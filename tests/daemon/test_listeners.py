"""The three transports of one daemon process, and what keeps them closed."""

import contextlib
import json
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import trio
from trio_websocket import open_websocket_url

from lucidtrond.cli.connection import RpcFailure
from lucidtrond.daemon.config import load_config
from lucidtrond.daemon.listeners import open_http
from lucidtrond.errors import OperatorError
from tests.daemon.process import PASSPHRASE, DaemonProcess

pytestmark = pytest.mark.process

CLIENTS = 10
ROUNDS = 5


def _post(url: str, method: str, params: dict[str, Any]) -> Any:
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    data = json.dumps(message).encode()
    with urllib.request.urlopen(f"{url}/rpc", data=data, timeout=30) as answer:
        return json.load(answer)["result"]


def _over_websocket(url: str, method: str, params: dict[str, Any]) -> Any:
    async def ask() -> Any:
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        async with open_websocket_url(f"{url.replace('http', 'ws', 1)}/ws") as ws:
            with trio.fail_after(30):
                await ws.send_message(json.dumps(message))
                return json.loads(await ws.get_message())["result"]

    return trio.run(ask)


def test_the_length_of_batches_is_a_setting(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[network]\nwitnesses = 3\n[rpc]\nmax_batch = 2\n")
    daemon = DaemonProcess(tmp_path, config=config)
    daemon.start()
    url = daemon.call("daemon.info")["http_url"]
    call = {"jsonrpc": "2.0", "id": 1, "method": "network.status"}

    def ask(count: int) -> Any:
        data = json.dumps([call] * count).encode()
        with urllib.request.urlopen(f"{url}/rpc", data=data, timeout=30) as answer:
            return json.load(answer)

    assert len(ask(2)) == 2
    assert ask(3)["error"]["message"] == "Invalid request: batch over 2 calls"
    assert daemon.stop() == 0


def test_ten_clients_on_three_transports_see_the_same_truth(
    daemon: DaemonProcess,
) -> None:
    daemon.start()
    daemon.call("keystore.init", passphrase=PASSPHRASE)
    shop = daemon.call("wallet.create", label="shop")
    for amount in range(1, 6):
        daemon.fund(shop["address"], amount * 1_000_000)
    url = daemon.call("daemon.info")["http_url"]
    params = {"address": shop["address"], "limit": 100}
    seen: list[list[tuple[str, str, int]]] = []

    def look(client: int) -> None:
        for turn in range(ROUNDS):
            transport = (client + turn) % 3
            if transport == 0:
                page = daemon.call("history.list", **params)
            else:
                ask = _post if transport == 1 else _over_websocket
                page = ask(url, "history.list", params)
            seen.append(
                [(e["txid"], e["amount"], e["block_number"]) for e in page["entries"]]
            )

    threads = [threading.Thread(target=look, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(seen) == CLIENTS * ROUNDS
    assert len(seen[0]) == 5
    assert all(history == seen[0] for history in seen)
    path = f"{url}/api/v1/tron/wallets/{shop['wallet_id']}/history"
    with urllib.request.urlopen(path, timeout=30) as answer:
        rows = json.load(answer)["transactions"]
    assert [(r["txid"], r["amount_sun"], r["block_number"]) for r in rows] == seen[0]
    assert daemon.stop() == 0


def _http(**settings: Any) -> Any:
    return load_config(file=None, environ={}, flags={"http": settings}).http


def test_a_public_address_needs_an_explicit_setting_and_then_only_reads() -> None:
    with pytest.raises(OperatorError, match="allow_public"):
        open_http(_http(host="0.0.0.0", port=0), devnet=True)
    listener = open_http(_http(host="0.0.0.0", port=0, allow_public=True), devnet=True)
    assert listener is not None
    assert listener.access.classes == {"read"}
    listener.close()


def test_loopback_may_spend_on_the_devnet_only() -> None:
    for devnet, classes in ((True, {"read", "spend"}), (False, {"read"})):
        listener = open_http(_http(port=0), devnet=devnet)
        assert listener is not None
        assert listener.access.classes == classes
        listener.close()


def test_a_taken_port_is_named_and_http_can_be_off() -> None:
    listener = open_http(_http(port=0), devnet=True)
    assert listener is not None
    port = int(listener.url.rpartition(":")[2])
    with pytest.raises(OperatorError, match=f"{port}.*another port"):
        open_http(_http(port=port), devnet=True)
    listener.close()
    assert open_http(_http(enabled=False), devnet=True) is None


def test_what_spends_is_audited_on_every_transport_and_beyond_a_restart(
    daemon: DaemonProcess,
) -> None:
    daemon.start()
    daemon.call("keystore.init", passphrase=PASSPHRASE)
    url = daemon.call("daemon.info")["http_url"]
    daemon.call("wallet.create", label="one")
    _post(url, "wallet.create", {"label": "two"})
    _over_websocket(url, "wallet.create", {"label": "three"})
    for path in ("wallets/batch/create", "transactions/" + "ab" * 32 + "/retry"):
        request = urllib.request.Request(
            f"{url}/api/v1/tron/{path}", data=b'{"count": 2}', method="POST"
        )
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=30).close()
    daemon.kill()
    daemon.start()
    daemon.call("wallet.create", label="four")
    audit = daemon.call("daemon.audit")
    assert audit["broken_at"] is None
    seen = [
        (call["seq"], call["who"].split()[0], call["method"], call["outcome"])
        for call in reversed(audit["calls"])
    ]
    created = [json.loads(outcome)["ended"] for *_, outcome in seen]
    assert created == ["done"] * 3 + ["answered"] * 2 + ["done"]
    assert [row[:3] for row in seen] == [
        (1, "unix", "wallet.create"),
        (2, "http", "wallet.create"),
        (3, "websocket", "wallet.create"),
        (4, "http", "wallet.batch_create"),
        (5, "http", "tx.retry"),
        (6, "unix", "wallet.create"),
    ]
    assert json.loads(seen[4][3])["status"] == 404
    lines = [line for line in daemon.log_lines() if line["event"] == "spending call"]
    assert len(lines) == 6
    daemon.stop()


def test_the_daemon_shows_its_numbers_and_what_a_plugin_declares(
    daemon: DaemonProcess,
) -> None:
    daemon.start()
    url = daemon.call("daemon.info")["http_url"]
    shown = {
        (row["name"], *(f'{key}="{text}"' for key, text in sample["labels"].items()))
        for row in daemon.call("daemon.metrics")["metrics"]
        for sample in row["samples"]
    }
    with urllib.request.urlopen(f"{url}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    samples = [line.rpartition(" ")[0] for line in lines if not line.startswith("#")]
    assert shown == {
        (name, *labels.rstrip("}").split(","))[: 1 + labels.count("=")]
        for name, _, labels in (sample.partition("{") for sample in samples)
    }
    assert len(shown) > 10

    for row in daemon.call("plugin.list")["plugins"]:
        told_of = daemon.call("plugin.describe", name=row["name"])
        assert told_of["plugin"] == row
        public = [
            method["name"] for method in told_of["methods"] if not method["internal"]
        ]
        assert public == row["methods"]
    routes = daemon.call("plugin.describe", name="lucidhttp")["routes"]
    assert {"tx.retry"} in [set(route["calls"]) for route in routes]
    assert daemon.call("plugin.describe", name="keystore")["needs"] == ["keystore"]
    with pytest.raises(RpcFailure) as caught:
        daemon.call("plugin.describe", name="nobody")
    assert caught.value.code == 101
    daemon.stop()
