"""The embedded chain's verbs over the socket, and what the daemon does about faults."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define

from lucidtrond.cli.connection import RpcFailure
from lucidtrond.testing.fixtures import TronDevnet, running_devnet
from tests.daemon.outside import ask, config_over
from tests.daemon.process import PASSPHRASE, DaemonProcess

pytestmark = pytest.mark.process

NODE_UNAVAILABLE = 200
PATIENCE_S = 30.0
SOLIDIFYING = 27
"""Blocks above one that are enough to make it final."""
STRANGER = "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH"


@pytest.fixture(name="shop")
def _shop(tmp_path: Path) -> Iterator[tuple[DaemonProcess, str]]:
    """A daemon over a chain with 27 witnesses, and a wallet with TRX."""
    flags = ("--block-time", "0.1", "--witnesses", "27")
    process = DaemonProcess(tmp_path, *flags, restore_wait_s=3600)
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


@define
class OnDemand:
    """A chain whose blocks come only when told to, and a daemon over it."""

    chain: TronDevnet
    daemon: DaemonProcess
    wallet: str

    def head(self) -> int:
        """Of the chain, once the daemon has read it."""
        block = ask(self.chain, "/wallet/getnowblock")
        eventually(
            lambda: self.daemon.call("network.status")["head_id"] == block["blockID"],
            self.daemon,
        )
        return int(block["block_header"]["raw_data"]["number"])

    def block_ids(self, first: int, last: int) -> list[str]:
        blocks = [
            ask(self.chain, "/wallet/getblockbynum", num=number)
            for number in range(first, last + 1)
        ]
        return [block["blockID"] for block in blocks]

    def block_of(self, txid: str) -> int:
        info = ask(self.chain, "/wallet/gettransactioninfobyid", value=txid)
        return int(info["blockNumber"])

    def reverted(self) -> list[tuple[int, str]]:
        """Number and id of each block that the daemon said was reverted, in order."""
        polled = self.daemon.call(
            "events.poll", since=0, limit=1000, topics=["reverted"]
        )
        events = [event["event"] for event in polled["events"]]
        return [(event["number"], event["block_id"]) for event in events]


@pytest.fixture(name="on_demand")
def _on_demand(tmp_path: Path) -> Iterator[OnDemand]:
    with running_devnet(block_time_s=0, witnesses=27, replicas=0) as chain:
        path = tmp_path / "config.toml"
        config = config_over(chain, path, block_time_s=0.1, restore_wait_s=3600)
        daemon = DaemonProcess(tmp_path, config=config)
        daemon.start()
        try:
            daemon.call("keystore.init", passphrase=PASSPHRASE)
            wallet = daemon.call("wallet.create", label="shop")
            chain.fund(wallet["address"], 100_000_000)
            chain.mine(SOLIDIFYING)  # final, so that no fork takes the money itself
            setting = OnDemand(chain, daemon, wallet["wallet_id"])
            setting.head()
            yield setting
            assert daemon.stop() == 0
        finally:
            daemon.end()


def eventually(condition: Callable[[], bool], daemon: DaemonProcess) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, daemon.tail()
        time.sleep(0.02)


@pytest.mark.parametrize("depth", [1, 3, 18])
def test_a_payment_that_a_fork_takes_back_is_paid_once_in_the_end(
    depth: int, on_demand: OnDemand
) -> None:
    chain, daemon, wallet = on_demand.chain, on_demand.daemon, on_demand.wallet
    txid = pay(daemon, wallet, "fork", "none")["txid"]
    pool = "/wallet/gettransactionlistfrompending"
    eventually(lambda: txid in ask(chain, pool).get("txId", ()), daemon)
    chain.mine()
    assert pay(daemon, wallet, "fork", "included")["txid"] == txid
    first = on_demand.block_of(txid)
    if depth > 1:
        chain.mine(depth - 1)
    head = on_demand.head()
    assert head == first + depth - 1  # the payment is in the lowest one that is lost
    lost = on_demand.block_ids(first, head)
    kept = on_demand.block_ids(first - 1, first - 1)
    assert on_demand.reverted() == []

    assert chain.fork(depth) == head + 1
    assert on_demand.head() == head + 1
    numbered = list(zip(range(first, head + 1), lost, strict=True))
    assert on_demand.reverted() == numbered[::-1]  # all of them, each once, no other
    others = on_demand.block_ids(first - 1, head)
    assert others[:1] == kept
    assert set(others[1:]).isdisjoint(lost)

    chain.mine(SOLIDIFYING)
    final = pay(daemon, wallet, "fork", "solidified")
    assert (final["state"], final["txid"]) == ("solidified", txid)
    assert on_demand.block_of(txid) == final["block_number"]
    entries = daemon.call("wallet.history", wallet=wallet)["entries"]
    assert [entry["txid"] for entry in entries].count(txid) == 1
    assert len(entries) == 2  # the funding and the payment
    balance = daemon.call("wallet.balance", wallet=wallet)["balance_sun"]
    assert int(balance) == 100_000_000 - 1_000_000 - 1_100_000
    assert len(on_demand.reverted()) == depth


def test_a_fork_by_the_method_is_met_by_the_follower(
    shop: tuple[DaemonProcess, str],
) -> None:
    daemon, wallet = shop
    paid = pay(daemon, wallet, "fork", "included")
    deadline = time.monotonic() + PATIENCE_S
    while not _reverted(daemon):  # the newest block may not have been read before
        assert time.monotonic() < deadline, daemon.tail()
        daemon.call("devnet.fork", depth=3)
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
