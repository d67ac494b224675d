"""kill -9 at random instants under load: nothing lost, nothing twice.

The audit reads the devnet's own blocks over HTTP, not the daemon's books: each
idempotency key that was ever asked for is on the chain exactly once.
"""

import contextlib
import json
import random
import threading
import time
import urllib.request
from collections import Counter
from typing import Any

import pytest

from lucidtrond.cli.connection import RpcFailure, Unreachable
from lucidtrond.tron import trc20
from lucidtrond.tron.address import Address
from lucidtrond.tron.contracts import Contract, Transfer, Trigger
from lucidtrond.tron.transaction import decode_raw
from tests.daemon.process import PASSPHRASE, DaemonProcess

pytestmark = [pytest.mark.process, pytest.mark.slow]

KILLS = 50
WALLETS = 100
FUND_SUN = 5_000_000_000
TOKENS_RAW = 50_000_000_000
FIRST_AMOUNT = 1_000_001
LOCKED = 400


class Load:
    """Asks for one payment after the other until told to stop; remembers all keys."""

    def __init__(self, daemon: DaemonProcess, wallets: list[dict[str, Any]]) -> None:
        self._daemon = daemon
        self._wallets = wallets
        self._stop = threading.Event()
        self._numbers = iter(range(10**6))
        self._lock = threading.Lock()
        self.asked: dict[str, dict[str, str]] = {}
        self.answered: dict[str, str] = {}
        self.unexpected: list[Exception] = []
        self._threads = [threading.Thread(target=self._run) for _ in range(4)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _intent(self) -> dict[str, str]:
        with self._lock:
            number = next(self._numbers)
            params = {
                "from": self._wallets[number % 10]["wallet_id"],
                "to": self._wallets[10 + number % 90]["address"],
                "idempotency_key": f"kill-{number}",
            }
            # A distinct amount names the intent on the chain.
            amount = str(FIRST_AMOUNT + number)
            if number % 3:
                params["amount_sun"] = amount
            else:
                params |= {"asset": "IUSD", "amount_raw": amount}
            self.asked[params["idempotency_key"]] = params
            return params

    def _run(self) -> None:
        while not self._stop.is_set():
            params = self._intent()
            # The same key until there is an answer: what a careful caller does.
            while not self._stop.is_set():
                try:
                    payment = self._daemon.call("transfer.send", **params)
                except (Unreachable, OSError, ValueError):
                    time.sleep(0.01)
                except RpcFailure as exc:
                    if exc.code != LOCKED:
                        self.unexpected.append(exc)
                        break
                    time.sleep(0.01)
                else:
                    self.answered[params["idempotency_key"]] = payment["txid"]
                    break


def test_fifty_kills_lose_nothing_and_pay_nothing_twice(daemon: DaemonProcess) -> None:
    rng = random.Random(20261123)
    daemon.start()
    daemon.call("keystore.init", passphrase=PASSPHRASE)
    batch = daemon.call("wallet.batch_create", count=WALLETS)
    wallets = batch["wallets"]
    for wallet in wallets[:10]:
        daemon.fund(wallet["address"], FUND_SUN)
        daemon.fund_token(wallet["address"], TOKENS_RAW)
    load = Load(daemon, wallets)
    load.start()
    seen_blocks: dict[int, str] = {}
    try:
        for _ in range(KILLS):
            time.sleep(rng.uniform(0.0, 0.6))
            head = _head(daemon)
            seen_blocks |= head
            daemon.kill()
            daemon.start()
            if rng.random() < 0.8:  # sometimes it stays locked until the next kill
                daemon.call("keystore.unlock", passphrase=PASSPHRASE)
            listed = daemon.call("wallet.list", limit=1000)["wallets"]
            assert {w["wallet_id"]: w["address"] for w in listed} == {
                w["wallet_id"]: w["address"] for w in wallets
            }
        with contextlib.suppress(RpcFailure):
            daemon.call("keystore.unlock", passphrase=PASSPHRASE)
        time.sleep(1)
    finally:
        load.stop()
    assert load.unexpected == []
    # Whoever got no answer asks again with the same key, and then all settle.
    for params in load.asked.values():
        payment = daemon.call("transfer.send", **params, wait="solidified")
        assert payment["state"] == "solidified", payment
        known = load.answered.get(params["idempotency_key"])
        assert known in (None, payment["txid"])
    _audit(daemon, load, wallets, seen_blocks)
    assert daemon.stop() == 0


def _head(daemon: DaemonProcess) -> dict[int, str]:
    try:
        status = daemon.call("network.status")
    except (Unreachable, OSError, RpcFailure):
        return {}
    if status.get("solid_number") is None:
        return {}
    return {status["solid_number"]: status["solid_id"]}


def _audit(
    daemon: DaemonProcess,
    load: Load,
    wallets: list[dict[str, Any]],
    seen_blocks: dict[int, str],
) -> None:
    url = daemon.call("devnet.info")["url"]
    blocks = _all_blocks(url)
    for number, block_id in seen_blocks.items():
        assert blocks[number]["blockID"] == block_id
    ours = {wallet["address"] for wallet in wallets}
    on_chain = Counter(
        _paid(decode_raw(bytes.fromhex(each["raw_data_hex"])).contract)
        for block in blocks[1:]
        for each in block.get("transactions", ())
        if each["ret"] == [{"contractRet": "SUCCESS"}]
    )
    on_chain = Counter({row: n for row, n in on_chain.items() if row[0] in ours})
    by_id = {wallet["wallet_id"]: wallet["address"] for wallet in wallets}
    wanted = Counter(
        (
            by_id[p["from"]],
            p["to"],
            p.get("asset", "TRX"),
            int(p.get("amount_sun") or p["amount_raw"]),
        )
        for p in load.asked.values()
    )
    assert on_chain == wanted
    assert {asset for _, _, asset, _ in wanted} == {"TRX", "IUSD"}
    assert max(on_chain.values()) == 1
    for wallet in wallets:
        balance = daemon.call("wallet.balance", wallet=wallet["wallet_id"])
        account = _ask(
            url, "/walletsolidity/getaccount", address=_hex(wallet["address"])
        )
        assert int(balance["balance_sun"]) == account.get("balance", 0)
        held = daemon.call("token.balance", token="IUSD", address=wallet["wallet_id"])
        assert int(held["balance_raw"]) == _tokens_left(wallet, wallets, wanted)
        _history_is_the_chains(daemon, wallet["address"], blocks)


def _paid(contract: Contract) -> tuple[str, str, str, int]:
    """Who paid whom, in which asset, how much."""
    if isinstance(contract, Transfer):
        return contract.owner.base58, contract.to.base58, "TRX", contract.amount
    assert isinstance(contract, Trigger)
    call = trc20.parse_call(contract.data)
    assert isinstance(call, trc20.TransferCall)
    return contract.owner.base58, call.recipient.base58, "IUSD", call.amount


def _tokens_left(
    wallet: dict[str, Any],
    wallets: list[dict[str, Any]],
    paid: Counter[tuple[str, str, str, int]],
) -> int:
    given = TOKENS_RAW if wallet in wallets[:10] else 0
    mine = wallet["address"]
    tokens = [row for row in paid if row[2] == "IUSD"]
    out = sum(amount for sender, _, _, amount in tokens if sender == mine)
    return given - out + sum(amount for _, to, _, amount in tokens if to == mine)


def _history_is_the_chains(
    daemon: DaemonProcess, address: str, blocks: list[dict[str, Any]]
) -> None:
    entries: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        params: dict[str, str] = {"cursor": cursor} if cursor else {}
        page = daemon.call("history.list", address=address, limit=50, **params)
        entries += page["entries"]
        cursor = page.get("next_cursor")
        if cursor is None:
            break
    wanted = [
        each["txID"]
        for block in blocks
        for each in block.get("transactions", ())
        # In a contract's call an address stands without its first byte.
        if _hex(address)[2:] in each["raw_data_hex"]
    ]
    assert [entry["txid"] for entry in reversed(entries)] == wanted


def _hex(address: str) -> str:
    return Address.from_base58(address).hex


def _all_blocks(url: str) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    while True:
        at = len(blocks)
        page = _ask(url, "/wallet/getblockbylimitnext", startNum=at, endNum=at + 100)
        found = page.get("block", [])
        blocks += found
        if len(found) < 100:
            return blocks


def _ask(url: str, path: str, **body: Any) -> Any:
    request = urllib.request.Request(url + path, json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)
