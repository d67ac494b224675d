"""A real daemon over a node that accepts connections and never answers.

What an operator and a caller are told, and after how long, with the shipped settings.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from lucidtrond.cli.connection import RpcFailure
from lucidtrond.testing.fixtures import TronDevnet, running_devnet
from tests.daemon.process import PASSPHRASE, DaemonProcess
from tests.daemon.silent_proxy import SilentProxy

pytestmark = [pytest.mark.process, pytest.mark.slow]

TOLD_WITHIN_S = 10.0
SENT_WITHIN_S = 10.0
BACK_WITHIN_S = 5.0
SLACK_S = 2.0
"""For a busy machine."""
AMOUNT_SUN = 10**9


@pytest.fixture(name="chain")
def _chain() -> Iterator[TronDevnet]:
    with running_devnet(block_time_s=1.0, witnesses=3) as chain:
        yield chain


@contextlib.contextmanager
def daemon_over(
    chain: TronDevnet, directory: Path, *urls: str
) -> Iterator[tuple[DaemonProcess, list[dict[str, Any]]]]:
    """A daemon that asks *urls* in this order; two wallets, the first with money."""
    config = directory / "lucidtrond.toml"
    lines = ["[network]", 'name = "private"', f'genesis_id = "{chain.genesis_id}"']
    lines.append("block_time_s = 1.0")
    for number, url in enumerate(urls):
        lines += ["[[network.endpoints]]", f'url = "{url}"', f'operator = "{number}"']
    config.write_text("\n".join(lines))
    daemon = DaemonProcess(directory, config=config)
    try:
        daemon.start()
        daemon.call("keystore.init", passphrase=PASSPHRASE)
        wallets = daemon.call("wallet.batch_create", count=2)["wallets"]
        txid = chain.fund(wallets[0]["address"], AMOUNT_SUN)
        daemon.call("tx.wait", txid=txid, until="solidified")
        yield daemon, wallets
    finally:
        daemon.end()


def seconds_until(condition: Callable[[], bool], *, within_s: float) -> float:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < within_s + SLACK_S
        time.sleep(0.05)
    return time.monotonic() - begun


def test_with_the_only_endpoint_silent_this_is_said_and_soon(
    chain: TronDevnet, tmp_path: Path
) -> None:
    with (
        SilentProxy(urlsplit(chain.url).port or 0) as proxy,
        daemon_over(chain, tmp_path, proxy.url) as (daemon, wallets),
    ):

        def send(key: str) -> tuple[float, RpcFailure | None]:
            begun, failed = time.monotonic(), None
            try:
                daemon.call(
                    "transfer.send",
                    **{"from": wallets[0]["wallet_id"], "to": wallets[1]["address"]},
                    amount_sun="1000000",
                    idempotency_key=key,
                )
            except RpcFailure as failure:
                failed = failure
            return time.monotonic() - begun, failed

        def healthy() -> bool:
            return bool(daemon.call("daemon.health")["status"] == "ok")

        assert healthy()
        assert send("before")[1] is None
        proxy.silent = True
        took_s, failed = send("at first")
        assert took_s <= SENT_WITHIN_S + SLACK_S
        assert failed is not None
        assert proxy.name in str(failed)
        seconds_until(lambda: not healthy(), within_s=max(0.0, TOLD_WITHIN_S - took_s))
        seconds_until(
            lambda: not daemon.call("network.status")["synced"], within_s=TOLD_WITHIN_S
        )
        status = daemon.call("network.status")
        assert proxy.name in status["not_synced_reason"]
        started_ms = daemon.call("daemon.info")["started_ms"]
        assert status["since_ms"] > started_ms
        assert send("later")[0] <= SENT_WITHIN_S + SLACK_S
        time.sleep(15)
        proxy.silent = False
        seconds_until(
            lambda: healthy() and daemon.call("network.status")["synced"],
            within_s=BACK_WITHIN_S,
        )
        assert send("after")[1] is None


def test_with_the_first_of_two_silent_payments_go_on_and_health_names_it(
    chain: TronDevnet, tmp_path: Path
) -> None:
    with (
        SilentProxy(urlsplit(chain.url).port or 0) as proxy,
        daemon_over(chain, tmp_path, proxy.url, chain.url) as (daemon, wallets),
    ):
        proxy.silent = True
        for number in range(3):
            begun = time.monotonic()
            daemon.call(
                "transfer.send",
                **{"from": wallets[0]["wallet_id"], "to": wallets[1]["address"]},
                amount_sun="1000000",
                idempotency_key=f"{number}",
            )
            assert time.monotonic() - begun <= SENT_WITHIN_S + SLACK_S

        def named() -> bool:
            problems = daemon.call("daemon.health")["problems"]
            return any(proxy.name in problem for problem in problems)

        seconds_until(named, within_s=TOLD_WITHIN_S)
        assert daemon.call("network.status")["synced"]
        proxy.silent = False
        seconds_until(lambda: not named(), within_s=BACK_WITHIN_S)
