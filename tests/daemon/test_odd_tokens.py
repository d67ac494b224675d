"""A daemon and its embedded chain over the socket: tokens that are odd."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lucidtrond.cli.connection import RpcFailure
from tests.daemon.process import PASSPHRASE, DaemonProcess

pytestmark = pytest.mark.process

STRANGER = "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH"
IN_DOUBT, WOULD_FAIL = 302, 307
CONFIG = """
[network]
name = "devnet"
block_time_s = 0.1
witnesses = 3
devnet_tokens = ["zero", "liar", "fickle"]
[sending]
restore_wait_s = 3600
"""


@pytest.fixture(name="shop")
def _shop(tmp_path: Path) -> Iterator[tuple[DaemonProcess, str]]:
    """A daemon and a wallet with TRX and some of each token."""
    config = tmp_path / "lucidtrond.toml"
    config.write_text(CONFIG)
    process = DaemonProcess(tmp_path, config=config)
    process.start()
    try:
        process.call("keystore.init", passphrase=PASSPHRASE)
        wallet = process.call("wallet.create", label="shop")
        asked = {"address": wallet["address"]}
        process.call("devnet.fund", **asked, amount_sun="100000000")
        for symbol in ("ZERO", "LIAR", "FICKLE"):
            funded = process.call(
                "devnet.fund", **asked, asset=symbol, amount_raw="5000000"
            )
        process.call("tx.wait", txid=funded["txid"], until="solidified")
        yield process, wallet["wallet_id"]
        assert process.stop() == 0
    finally:
        process.end()


def test_tokens_are_paid_proven_refused_or_in_doubt(
    shop: tuple[DaemonProcess, str],
) -> None:
    daemon, wallet = shop
    assert {token["symbol"] for token in daemon.call("devnet.info")["tokens"]} == {
        "IUSD",
        "ZERO",
        "LIAR",
        "FICKLE",
    }

    def asked(symbol: str, key: str) -> dict[str, Any]:
        return {
            "from": wallet,
            "to": STRANGER,
            "asset": symbol,
            "amount_raw": "2000000",
            "idempotency_key": key,
            "expires_s": 3600,
        }

    def send(symbol: str, key: str) -> dict[str, Any]:
        paid: dict[str, Any] = daemon.call(
            "transfer.send", **asked(symbol, key), wait="solidified"
        )
        return paid

    def held(symbol: str) -> str:
        balance = daemon.call("token.balance", token=symbol, address=STRANGER)
        return str(balance["balance_raw"])

    # As mainnet's USDT: 32 zero bytes, and it has moved the amount.
    paid = send("ZERO", "zero")
    assert (paid["state"], paid["arrived_raw"]) == ("solidified", "2000000")
    assert held("ZERO") == "2000000"

    with pytest.raises(RpcFailure) as refused:
        send("LIAR", "liar")
    assert refused.value.code == WOULD_FAIL

    unproven = send("FICKLE", "fickle")
    assert (unproven["state"], held("FICKLE")) == ("unproven", "0")
    with pytest.raises(RpcFailure) as doubt:
        daemon.call("tx.retry", txid=unproven["txid"], pay_again=True)
    assert doubt.value.code == IN_DOUBT

    changed = daemon.call("devnet.rule", token="FICKLE", honest=True)
    daemon.call("tx.wait", txid=changed["txid"], until="included")
    assert send("FICKLE", "honest")["state"] == "solidified"
    assert held("FICKLE") == "2000000"
    # What was in doubt stays so: that another payment arrived proves nothing.
    assert send("FICKLE", "fickle")["state"] == "unproven"
