"""A daemon and its embedded chain: what an exact token moves rests on its calls."""

from pathlib import Path
from typing import Any

import pytest

from tests.daemon.process import PASSPHRASE, DaemonProcess

STRANGER = "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH"
pytestmark = pytest.mark.process

CONFIG = """
[network]
name = "devnet"
block_time_s = 0.1
witnesses = 3
devnet_tokens = ["zero"]
[chain]
large_credit = 2
"""


def check_payment(daemon: DaemonProcess, wallet_id: str, *, since: int) -> None:
    """A large one has one endpoint's word until the check that it asks for."""
    params = {"from": wallet_id, "to": STRANGER, "asset": "IUSD"}
    daemon.call(
        "transfer.send",
        **params,
        amount_raw="2000000",
        idempotency_key="large",
        wait="included",
    )
    proofs: list[str] = []
    while not proofs or proofs[-1] != "signatures":
        polled = daemon.call(
            "events.poll", since=since, topics=["transaction"], wait_ms=60_000
        )
        assert polled["events"], proofs
        since = polled["next_since"]
        payments = [event["event"]["payment"] for event in polled["events"]]
        proofs += [payment["proof"] for payment in payments if payment["proof"]]
    assert proofs[0] == "one_source"
    shown = daemon.call("transfer.status", idempotency_key="large")
    assert (shown["state"], shown["proof"]) == ("solidified", "signatures")


def test_a_deposit_or_payment_is_proven_by_its_call_a_large_one_after_a_check(
    tmp_path: Path,
) -> None:
    config = tmp_path / "lucidtrond.toml"
    config.write_text(CONFIG)
    daemon = DaemonProcess(tmp_path, config=config)
    daemon.start()
    try:
        daemon.call("keystore.init", passphrase=PASSPHRASE)
        wallet = daemon.call("wallet.create", label="shop")
        daemon.call("devnet.fund", address=wallet["address"], amount_sun="100000000")

        def deposit(symbol: str, amount: str) -> str:
            funded = daemon.call(
                "devnet.fund",
                address=wallet["address"],
                asset=symbol,
                amount_raw=amount,
            )
            daemon.call("tx.wait", txid=funded["txid"], until="solidified")
            return str(funded["txid"])

        def row(txid: str) -> dict[str, Any]:
            rows = daemon.call("history.list", address=wallet["address"])["entries"]
            [entry] = [row for row in rows if row["txid"] == txid]
            return dict(entry)

        small, odd = deposit("IUSD", "1999999"), deposit("ZERO", "1999999")
        assert (row(small)["proof"], row(small)["single_source"]) == (
            "signatures",
            False,
        )
        assert row(odd)["proof"] == "one_source"
        since = daemon.call("events.poll", limit=1)["next_since"]
        large = deposit("IUSD", "2000000")
        changes: list[tuple[str, str]] = []
        while not changes or changes[-1][0] != "proven":
            polled = daemon.call(
                "events.poll", since=since, topics=["transfer"], wait_ms=60_000
            )
            assert polled["events"], changes
            since = polled["next_since"]
            changes += [
                (event["event"]["change"], event["event"]["entry"]["proof"])
                for event in polled["events"]
                if event["event"]["entry"]["txid"] == large
            ]
        assert changes[0] == ("included", "one_source")
        assert changes[-1] == ("proven", "signatures")
        assert row(large)["proof"] == "signatures"
        check_payment(daemon, wallet["wallet_id"], since=since)
    finally:
        daemon.end()
