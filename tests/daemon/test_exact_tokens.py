"""A daemon and its embedded chain: deposits of an exact token rest on their calls."""

from pathlib import Path
from typing import Any

import pytest

from tests.daemon.process import PASSPHRASE, DaemonProcess

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


def test_a_deposit_is_proven_by_its_call_and_a_large_one_after_a_check(
    tmp_path: Path,
) -> None:
    config = tmp_path / "lucidtrond.toml"
    config.write_text(CONFIG)
    daemon = DaemonProcess(tmp_path, config=config)
    daemon.start()
    try:
        daemon.call("keystore.init", passphrase=PASSPHRASE)
        wallet = daemon.call("wallet.create", label="shop")

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
    finally:
        daemon.end()
