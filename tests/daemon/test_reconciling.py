"""A real daemon over a real chain compares balances, and finds nothing to tell."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lucidtrond.testing.fixtures import TronDevnet, running_devnet
from tests.daemon.outside import config_over
from tests.daemon.process import PASSPHRASE, DaemonProcess

pytestmark = [pytest.mark.process, pytest.mark.slow]

STRANGER = "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH"
PATIENCE_S = 150.0


@pytest.fixture(name="chain")
def _chain() -> Iterator[TronDevnet]:
    with running_devnet(block_time_s=0.5, witnesses=3) as chain:
        yield chain


def compared(state_dir: Path) -> set[str]:
    """Assets of balances that a node and the ledger agreed on."""
    path = next(state_dir.rglob("lucidtrond.sqlite"))
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        rows = database.execute(
            "SELECT asset FROM reconcile_balance WHERE base_number IS NOT NULL"
        ).fetchall()
    database.close()
    return {asset for (asset,) in rows}


def test_deposits_and_a_payment_leave_no_drift(
    chain: TronDevnet, tmp_path: Path
) -> None:
    token = str(chain.info()["tokens"][0]["address"])
    config = config_over(chain, tmp_path / "config.toml")
    text = config.read_text() + "\n[ledger]\nreconcile_per_minute = 600\n"
    if token not in text:
        text += (
            f'[[network.tokens]]\naddress = "{token}"\nsymbol = "IUSD"\ndecimals = 6\n'
        )
    config.write_text(text)
    daemon = DaemonProcess(tmp_path, config=config).start()
    try:
        daemon.call("keystore.init", passphrase=PASSPHRASE)
        shop, till = (daemon.call("wallet.create", label=label) for label in "st")
        for wallet in (shop, till):
            chain.fund(wallet["address"], 100_000_000)
            txid = chain.fund_token(wallet["address"], token, 7_000_000)
        daemon.call("tx.wait", txid=txid, until="solidified")
        paid = daemon.call(
            "transfer.send",
            **{"from": shop["wallet_id"], "to": STRANGER, "amount_sun": "1000000"},
            idempotency_key="one",
            wait="solidified",
        )
        assert paid["state"] == "solidified"
        deadline = time.monotonic() + PATIENCE_S
        while compared(tmp_path) < {"TRX", token}:
            assert time.monotonic() < deadline, daemon.log_lines()[-5:]
            time.sleep(1)
        status = daemon.call("network.status")
        assert (status["drifting"], status["warnings"]) == (0, [])
        assert daemon.call("account.get", address=till["address"])["drifts"] == []
        events = daemon.call("events.poll", since=0, limit=1000, topics=["ledger"])
        assert events["events"] == []
    finally:
        daemon.end()
