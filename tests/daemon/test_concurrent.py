"""1,000 concurrent intents through the real socket."""

import json
import socket
from typing import Any

import pytest

from tests.daemon.process import PASSPHRASE, DaemonProcess

pytestmark = pytest.mark.process

COUNT = 1000
CONNECTIONS = 20


def _all_at_once(
    daemon: DaemonProcess, requests: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Write every request before reading any answer, spread over connections."""
    socks = []
    for at in range(CONNECTIONS):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(120)
        sock.connect(str(daemon.socket))
        mine = requests[at::CONNECTIONS]
        sock.sendall(b"".join(json.dumps(request).encode() + b"\n" for request in mine))
        socks.append((sock, len(mine)))
    answers = []
    for sock, count in socks:
        with sock, sock.makefile("rb") as lines:
            answers += [json.loads(lines.readline()) for _ in range(count)]
    return answers


def _intents(shop: dict[str, Any], to: str, keys: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "jsonrpc": "2.0",
            "id": number,
            "method": "transfer.send",
            "params": {
                "from": shop["wallet_id"],
                "to": to,
                "amount_sun": "1000000",
                "idempotency_key": key,
                "expires_s": 3600,  # a block of 3 s takes 0.3 s: 60 s pass in 6 s
                "wait": "included",
            },
        }
        for number, key in enumerate(keys)
    ]


def _ready(daemon: DaemonProcess) -> tuple[dict[str, Any], dict[str, Any]]:
    daemon.start()
    daemon.call("keystore.init", passphrase=PASSPHRASE)
    shop = daemon.call("wallet.create", label="shop")
    till = daemon.call("wallet.create", label="till")
    daemon.fund(shop["address"], 2_000_000_000)
    return shop, till


def test_different_keys_end_as_so_many_payments(daemon: DaemonProcess) -> None:
    shop, till = _ready(daemon)
    keys = [f"key-{number}" for number in range(COUNT)]
    answers = _all_at_once(daemon, _intents(shop, till["address"], keys))
    assert [a["error"] for a in answers if "error" in a] == []
    assert len({a["result"]["txid"] for a in answers}) == COUNT
    balance = daemon.call("wallet.balance", wallet=till["wallet_id"])
    assert balance["balance_sun"] == str(COUNT * 1_000_000)
    daemon.stop()


def test_one_key_ends_as_one_payment(daemon: DaemonProcess) -> None:
    shop, till = _ready(daemon)
    answers = _all_at_once(daemon, _intents(shop, till["address"], ["key"] * COUNT))
    assert [a["error"] for a in answers if "error" in a] == []
    assert len({a["result"]["txid"] for a in answers}) == 1
    daemon.call("devnet.mine", count=3)
    balance = daemon.call("wallet.balance", wallet=till["wallet_id"])
    assert balance["balance_sun"] == "1000000"
    daemon.stop()
