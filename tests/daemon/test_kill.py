"""kill -9 at random instants under load: nothing lost, nothing twice.

The chain lives in a process of its own and misbehaves at random too. The audit reads
its blocks over HTTP, not the daemon's books: each idempotency key that was ever asked
for is on the chain exactly once, or is proven never to have been.

``contrib/kill-proof 500`` runs it with more kills (`KILLS`) and another `SEED`.
"""

import contextlib
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lucidtrond.cli.connection import RpcFailure, Unreachable
from lucidtrond.testing.fixtures import TronDevnet, running_devnet
from tests.daemon.outside import ask, check_books, config_over, paid_on, strew, wanted
from tests.daemon.process import PASSPHRASE, DaemonProcess

pytestmark = [pytest.mark.process, pytest.mark.slow]

KILLS = int(os.environ.get("KILLS", "60"))
SEED = int(os.environ.get("SEED", "20261123"))
HELD_S = 60.0
WALLETS = 60
PAYERS = 10
CLIENTS = 12
FUND_SUN = 50_000_000_000
TOKENS_RAW = 50_000_000_000
FIRST_AMOUNT = 1_000_001
LOCKED = 400
HELD = 309
"""The chain is so quick here that a start may find it a minute ahead."""
RESTORE_WAIT_S = 3600
"""As long as the longest lifetime; the database is never an old copy here."""
NO_NODE = range(200, 203)
"""Nothing was journaled: no node gave an answer to rely on."""


class Load:
    """Asks for one payment after the other until told to stop; remembers all keys."""

    def __init__(self, daemon: DaemonProcess, wallets: list[dict[str, Any]]) -> None:
        self._daemon = daemon
        self._wallets = wallets
        self._stop = threading.Event()
        self._numbers = iter(range(10**6))
        self._lock = threading.Lock()
        self.asked: dict[str, dict[str, Any]] = {}
        self.answered: dict[str, str] = {}
        self.unexpected: list[Exception] = []
        self._threads = [threading.Thread(target=self._run) for _ in range(CLIENTS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _intent(self) -> dict[str, Any]:
        with self._lock:
            number = next(self._numbers)
            params: dict[str, Any] = {
                "from": self._wallets[number % PAYERS]["wallet_id"],
                "to": self._wallets[PAYERS + number % (WALLETS - PAYERS)]["address"],
                "idempotency_key": f"kill-{number}",
            }
            # A distinct amount names the intent on the chain.
            amount = str(FIRST_AMOUNT + number)
            if number % 3:
                params["amount_sun"] = amount
            else:
                params |= {"asset": "IUSD", "amount_raw": amount}
            if number % 4 == 0:  # dies soon, and is signed anew when that is proven
                params |= {"expires_s": 30, "attempts": 50}
            else:
                params |= {"expires_s": RESTORE_WAIT_S}
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
                    if exc.code not in (LOCKED, HELD, *NO_NODE):
                        self.unexpected.append(exc)
                        break
                    time.sleep(0.02)
                else:
                    self.answered[params["idempotency_key"]] = payment["payment_id"]
                    break


@pytest.fixture(name="chain")
def _chain() -> Iterator[TronDevnet]:
    with running_devnet(block_time_s=0.3, witnesses=5, replicas=1) as chain:
        yield chain


def test_kills_lose_nothing_and_pay_nothing_twice(
    chain: TronDevnet, tmp_path: Path
) -> None:
    rng = random.Random(SEED)
    config = config_over(chain, tmp_path / "c.toml", restore_wait_s=RESTORE_WAIT_S)
    daemon = DaemonProcess(tmp_path, config=config)
    try:
        _prove(chain, daemon, rng)
    finally:
        daemon.end()


def _prove(chain: TronDevnet, daemon: DaemonProcess, rng: random.Random) -> None:
    daemon.start()
    daemon.call("keystore.init", passphrase=PASSPHRASE)
    wallets = daemon.call("wallet.batch_create", count=WALLETS)["wallets"]
    [token] = chain.tokens
    for wallet in wallets[:PAYERS]:
        chain.fund(wallet["address"], FUND_SUN)
        txid = chain.fund_token(wallet["address"], token["address"], TOKENS_RAW)
    daemon.call("tx.wait", txid=txid, until="solidified")
    load = Load(daemon, wallets)
    load.start()
    seen: dict[int, str] = {}
    try:
        for number in range(KILLS):
            if number % 5 == 0:
                strew(chain, rng, broadcasts=rng.randrange(6), of_all=0.05)
                _say(f"{number} kills, {len(load.answered)} payments")
            time.sleep(rng.uniform(0.0, 0.6))
            seen |= _solid(daemon)
            daemon.kill()
            daemon.start()
            daemon.call("sending.acknowledge", restore=True)
            if rng.random() < 0.8:  # sometimes it stays locked until the next kill
                daemon.call("keystore.unlock", passphrase=PASSPHRASE)
            listed = daemon.call("wallet.list", limit=1000)["wallets"]
            assert {w["wallet_id"]: w["address"] for w in listed} == {
                w["wallet_id"]: w["address"] for w in wallets
            }
        chain.clear()
        with contextlib.suppress(RpcFailure):
            daemon.call("keystore.unlock", passphrase=PASSPHRASE)
        time.sleep(1)
    finally:
        load.stop()
    assert load.unexpected == []
    _settle_and_audit(chain, daemon, load, wallets)
    for number, block_id in seen.items():
        block = ask(chain, "/wallet/getblockbynum", num=number)
        assert block["blockID"] == block_id
    check_books(
        daemon,
        chain,
        wallets,
        {wallet["address"]: TOKENS_RAW for wallet in wallets[:PAYERS]},
    )
    assert daemon.stop() == 0


def _settle_and_audit(
    chain: TronDevnet,
    daemon: DaemonProcess,
    load: Load,
    wallets: list[dict[str, Any]],
) -> None:
    """Whoever got no answer asks again with the same key; then all settle."""
    deadline = time.monotonic() + HELD_S
    while daemon.call("sending.foreign")["held_back"] is not None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert daemon.call("sending.foreign")["transactions"] == []
    expected: Counter[object] = Counter()
    states: Counter[str] = Counter()
    attempts = 0
    for params in load.asked.values():
        payment = daemon.call("transfer.send", **params, wait="solidified")
        answer = load.answered.get(params["idempotency_key"])
        assert answer in (None, payment["payment_id"])
        states[payment["state"]] += 1
        attempts += payment["attempt"] - 1
        if payment["state"] == "solidified":
            expected[wanted(params, wallets)] += 1
        else:
            assert payment["safe_to_retry"], payment
    _say(f"{len(load.asked)} payments {dict(states)}, {attempts} signed anew")
    on_chain = paid_on(chain, {wallet["address"] for wallet in wallets})
    assert on_chain == expected
    assert max(on_chain.values()) == 1
    assert states["solidified"] > 0.9 * len(load.asked)


def _solid(daemon: DaemonProcess) -> dict[int, str]:
    try:
        status = daemon.call("network.status")
    except (Unreachable, OSError, RpcFailure):
        return {}
    if status.get("solid_number") is None:
        return {}
    return {status["solid_number"]: status["solid_id"]}


def _say(words: str) -> None:
    """Shown by ``contrib/kill-proof``, which does not capture."""
    sys.stderr.write(f"{words}\n")
