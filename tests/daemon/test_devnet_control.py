"""The embedded chain's verbs over the socket, and what the daemon does about faults."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lucidtrond.cli.connection import RpcFailure
from tests.daemon.process import PASSPHRASE, DaemonProcess

pytestmark = pytest.mark.process

NODE_UNAVAILABLE = 200
PATIENCE_S = 30.0
STRANGER = "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH"


@pytest.fixture(name="shop")
def _shop(tmp_path: Path) -> Iterator[tuple[DaemonProcess, str]]:
    """A daemon over a chain with 27 witnesses, and a wallet with TRX."""
    process = DaemonProcess(tmp_path, "--block-time", "0.1", "--witnesses", "27")
    process.start()
    try:
        process.call("keystore.init", passphrase=PASSPHRASE)
        wallet = process.call("wallet.create", label="shop")
        address, amount = wallet["address"], "100000000"
        funded = process.call("devnet.fund", address=address, amount_sun=amount)
        # Final, so that no fork takes the money itself.
        process.call("tx.wait", txid=funded["txid"], until="solidified")
        yield process, wallet["wallet_id"]
        assert process.stop() == 0
    finally:
        process.end()


def pay(daemon: DaemonProcess, wallet: str, key: str, wait: str) -> dict[str, Any]:
    paid: dict[str, Any] = daemon.call(
        "transfer.send",
        **{"from": wallet, "to": STRANGER, "amount_sun": "1000000"},
        idempotency_key=key,
        expires_s=3600,  # of the chain, whose blocks are 3 s apart and come in 0.1 s
        wait=wait,
    )
    return paid


def pay_in_the_end(daemon: DaemonProcess, wallet: str, key: str) -> None:
    """Ask again, as a caller does who hears that the only node does not answer."""
    for _ in range(10):
        try:
            pay(daemon, wallet, key, "included")
        except RpcFailure as failure:
            if failure.code != NODE_UNAVAILABLE:
                raise
        else:
            return
    pytest.fail("ten times no answer from the node")


@pytest.mark.parametrize("depth", [1, 3, 18])
def test_a_payment_that_a_fork_takes_back_is_paid_once_in_the_end(
    depth: int, shop: tuple[DaemonProcess, str]
) -> None:
    daemon, wallet = shop
    paid = pay(daemon, wallet, "fork", "included")
    deadline = time.monotonic() + PATIENCE_S
    while not _reverted(daemon):  # the newest block may not have been read before
        assert time.monotonic() < deadline, daemon.tail()
        daemon.call("devnet.fork", depth=depth)
        time.sleep(0.2)
    final = pay(daemon, wallet, "fork", "solidified")
    assert (final["state"], final["txid"]) == ("solidified", paid["txid"])
    ours = daemon.call("wallet.history", wallet=wallet)["entries"]
    assert [e["txid"] for e in ours].count(paid["txid"]) == 1


def _reverted(daemon: DaemonProcess) -> list[Any]:
    polled = daemon.call("events.poll", since=0, limit=1000, topics=["reverted"])
    events: list[Any] = polled["events"]
    return events


def test_a_lost_reply_to_a_broadcast_is_not_paid_twice(
    shop: tuple[DaemonProcess, str],
) -> None:
    daemon, wallet = shop
    rule = {"fault": "lost_reply", "path": "/wallet/broadcast*", "count": 3}
    daemon.call("devnet.fault", rule=rule)
    paid = pay(daemon, wallet, "lost", "solidified")
    assert paid["state"] == "solidified"
    [state] = daemon.call("devnet.faults")["faults"]
    assert state["struck"] >= 1
    balance = daemon.call("wallet.balance", wallet=wallet)["balance_sun"]
    assert int(balance) == 100_000_000 - 1_000_000 - 1_100_000
    assert daemon.call("devnet.clear") == {"cleared": 1}


@pytest.mark.slow
def test_answers_that_are_none_keep_nobody_from_following_the_chain(
    shop: tuple[DaemonProcess, str],
) -> None:
    daemon, wallet = shop
    kinds = ("error", "truncate", "cut", "reset", "lost_reply", "status")
    for fault in kinds:
        daemon.call("devnet.fault", rule={"fault": fault, "chance": 0.05})
    for number in range(5):
        pay_in_the_end(daemon, wallet, f"noise-{number}")
    daemon.call("devnet.clear")
    for number in range(5):
        paid = pay(daemon, wallet, f"noise-{number}", "solidified")
        assert paid["state"] == "solidified"
    entries = daemon.call("wallet.history", wallet=wallet)["entries"]
    assert len(entries) == 6  # the funding and five payments, each once
    assert len({e["txid"] for e in entries}) == 6


def test_a_stall_is_waited_out(shop: tuple[DaemonProcess, str]) -> None:
    daemon, wallet = shop
    daemon.call("devnet.stall", stalled=True)
    daemon.call("devnet.mine", count=30)
    paid = pay(daemon, wallet, "stall", "included")
    daemon.call("devnet.mine", count=60)
    status = daemon.call("transfer.status", txid=paid["txid"])
    assert status["state"] == "included"
    daemon.call("devnet.stall", stalled=False)
    daemon.call("devnet.mine", count=60)
    assert pay(daemon, wallet, "stall", "solidified")["state"] == "solidified"


def test_a_verb_that_can_not_be_says_what_it_wanted(
    shop: tuple[DaemonProcess, str],
) -> None:
    daemon, _ = shop
    for method, params, complaint in (
        ("devnet.fork", {"depth": 500}, "fork: expected a depth of 1 to"),
        ("devnet.restore", {"name": "x"}, "restore: no snapshot 'x'"),
        (
            "devnet.fault",
            {"rule": {"fault": "x"}},
            r"Invalid enum value 'x' - at `\$\.rule\.fault`",
        ),
    ):
        with pytest.raises(RpcFailure, match=complaint):
            daemon.call(method, **params)
