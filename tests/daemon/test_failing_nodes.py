"""Many payments at once through nodes of which three calls in ten fail."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lucidtrond.cli.connection import RpcFailure
from lucidtrond.testing.fixtures import TronDevnet, running_devnet
from tests.daemon.outside import Paid, check_books, config_over, paid_on, strew, wanted
from tests.daemon.process import PASSPHRASE, DaemonProcess

pytestmark = pytest.mark.process

FUND_SUN = 10_000_000_000
TOKENS_RAW = 1_000_000_000
FIRST_AMOUNT = 1_000_001
CLIENTS = 50
NO_NODE = range(200, 205)
PATIENCE_S = 240.0


@pytest.fixture(name="chain")
def _chain() -> Iterator[TronDevnet]:
    with running_devnet(block_time_s=0.3, witnesses=5, replicas=2) as chain:
        yield chain


@pytest.mark.parametrize(
    ("payments", "payers"),
    [(60, 6), pytest.param(1000, 50, marks=pytest.mark.slow)],
)
def test_all_are_paid_once_and_the_sums_are_exact(
    payments: int, payers: int, chain: TronDevnet, tmp_path: Path
) -> None:
    daemon = DaemonProcess(tmp_path, config=config_over(chain, tmp_path / "c.toml"))
    try:
        daemon.start()
        daemon.call("keystore.init", passphrase=PASSPHRASE)
        wallets = daemon.call("wallet.batch_create", count=2 * payers)["wallets"]
        [token] = chain.tokens
        for wallet in wallets[:payers]:
            chain.fund(wallet["address"], FUND_SUN)
            txid = chain.fund_token(wallet["address"], token["address"], TOKENS_RAW)
        daemon.call("tx.wait", txid=txid, until="solidified")
        strew(chain, random.Random(20261123), broadcasts=10, of_all=0.3)
        asked = [_intent(number, wallets, payers) for number in range(payments)]
        with ThreadPoolExecutor(CLIENTS) as pool:
            results = list(pool.map(lambda params: _pay(daemon, params), asked))
        struck = sum(fault["struck"] for fault in chain.faults())
        assert struck > payments / 10
        chain.clear()
        final = [daemon.call("transfer.send", **p, wait="solidified") for p in asked]
        assert Counter(payment["state"] for payment in final) == {
            "solidified": payments
        }
        assert [r["payment_id"] for r in results] == [f["payment_id"] for f in final]
        on_chain = paid_on(chain, {wallet["address"] for wallet in wallets})
        expected: Counter[Paid] = Counter(wanted(params, wallets) for params in asked)
        assert on_chain == expected
        assert max(on_chain.values()) == 1
        given = {wallet["address"]: TOKENS_RAW for wallet in wallets[:payers]}
        check_books(daemon, chain, wallets, given)
        assert daemon.stop() == 0
    finally:
        daemon.end()


def _intent(number: int, wallets: list[dict[str, Any]], payers: int) -> dict[str, Any]:
    amount = str(FIRST_AMOUNT + number)
    asset = {"amount_sun": amount}
    if number % 4 == 0:
        asset = {"asset": "IUSD", "amount_raw": amount}
    return {
        "from": wallets[number % payers]["wallet_id"],
        "to": wallets[payers + (number * 7) % payers]["address"],
        "idempotency_key": f"failing-{number}",
        "expires_s": 600,
        "attempts": 20,
        **asset,
    }


def _pay(daemon: DaemonProcess, params: dict[str, Any]) -> dict[str, Any]:
    """Ask until no node's failure stands in the way; the same key each time."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            paid: dict[str, Any] = daemon.call("transfer.send", **params)
        except RpcFailure as failure:
            if failure.code not in NO_NODE or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return paid
