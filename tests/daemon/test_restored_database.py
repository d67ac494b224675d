"""A database that is restored from a copy, or runs twice: nothing is paid twice.

The chain is a process of its own, so it goes on while the database goes back.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lucidtrond.cli.connection import RpcFailure
from lucidtrond.testing.fixtures import TronDevnet, running_devnet
from lucidtrond.tron.address import Address
from tests import wall_clock
from tests.cli.process import lucidtron
from tests.daemon.outside import Paid, config_over, paid_on
from tests.daemon.process import PASSPHRASE, DaemonProcess

pytestmark = pytest.mark.process

FUND_SUN = 2_000_000_000
RECIPIENT = Address(b"\x41" + b"\x22" * 20)
WITHIN_S = 60.0
RESTORE = """
[sending]
restore_wait_s = 60
"""
FOREIGN, HELD = 308, 309


@pytest.fixture(name="chain")
def _chain() -> Iterator[TronDevnet]:
    # Its time runs ten times as fast as ours.
    with running_devnet(block_time_s=0.3, witnesses=3) as chain:
        yield chain


@pytest.fixture(name="config")
def _config(chain: TronDevnet, tmp_path: Path) -> Path:
    config = config_over(chain, tmp_path / "c.toml")
    with config.open("a") as file:
        file.write(RESTORE)
    return config


@pytest.fixture(name="daemon")
def _daemon(config: Path, tmp_path: Path) -> Iterator[DaemonProcess]:
    daemon = DaemonProcess(tmp_path / "first", config=config)
    daemon.state.parent.mkdir()
    try:
        yield daemon.start()
    finally:
        daemon.end()


def until(met: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + WITHIN_S
    while True:
        if result := met():
            return result
        assert time.monotonic() < deadline
        time.sleep(0.05)


def make_wallet(chain: TronDevnet, daemon: DaemonProcess) -> dict[str, Any]:
    daemon.call("keystore.init", passphrase=PASSPHRASE)
    wallet = dict(daemon.call("wallet.create"))
    chain.fund(wallet["address"], FUND_SUN)
    until(lambda: balance(daemon, wallet) == FUND_SUN)
    return wallet


def balance(daemon: DaemonProcess, wallet: dict[str, Any]) -> int:
    shown = daemon.call("wallet.balance", wallet=wallet["wallet_id"])
    return int(shown["balance_sun"])


def pay(
    daemon: DaemonProcess, wallet: dict[str, Any], key: str, amount: int, **more: Any
) -> Any:
    params = {"from": wallet["wallet_id"], "to": RECIPIENT.base58, "expires_s": 60}
    return daemon.call(
        "transfer.send",
        **params,
        amount_sun=str(amount),
        idempotency_key=key,
        **more,
    )


def refused(
    daemon: DaemonProcess, wallet: dict[str, Any], key: str, amount: int
) -> int | None:
    """The error's code, None when the payment is taken."""
    try:
        pay(daemon, wallet, key, amount)
    except RpcFailure as failure:
        return failure.code
    return None


def paid(chain: TronDevnet, wallet: dict[str, Any]) -> dict[Paid, int]:
    return dict(paid_on(chain, {wallet["address"]}))


def once(wallet: dict[str, Any], *amounts: int) -> dict[Paid, int]:
    owner, to = wallet["address"], RECIPIENT.base58
    return {Paid(owner, to, "TRX", amount): 1 for amount in amounts}


def conditions(daemon: DaemonProcess) -> list[str]:
    return [shown["kind"] for shown in daemon.call("daemon.health")["conditions"]]


def metric(daemon: DaemonProcess, name: str) -> float:
    rows = daemon.call("daemon.metrics")["metrics"]
    [row] = [row for row in rows if row["name"] == name]
    [sample] = row["samples"]
    return float(sample["value"])


def restore(daemon: DaemonProcess, copy: Path) -> None:
    """What an operator does: stop, put the copy in place, start, unlock."""
    daemon.end()
    shutil.rmtree(daemon.state)
    shutil.copytree(copy, daemon.state)
    daemon.start()
    daemon.call("keystore.unlock", passphrase=PASSPHRASE)


def follow(daemon: DaemonProcess, head: int) -> None:
    """Wait until the database holds block *head*."""
    until(lambda: (daemon.call("network.status")["head_number"] or 0) >= head)


def operate(daemon: DaemonProcess, *words: str) -> str:
    socket = str(daemon.socket)
    done = lucidtron("--socket", socket, *words, home=daemon.state)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_restored_copy_pays_nothing_twice(
    chain: TronDevnet, daemon: DaemonProcess, tmp_path: Path
) -> None:
    wallet = make_wallet(chain, daemon)
    assert pay(daemon, wallet, "kept", 1, wait="solidified")["state"] == "solidified"
    assert daemon.stop() == 0
    shutil.copytree(daemon.state, tmp_path / "copy")
    daemon.start()
    daemon.call("keystore.unlock", passphrase=PASSPHRASE)
    until(lambda: refused(daemon, wallet, "lost", 2) is None)
    assert pay(daemon, wallet, "lost", 2, wait="solidified")["state"] == "solidified"
    assert pay(daemon, wallet, "gone", 3, wait="solidified")["state"] == "solidified"
    restore(daemon, tmp_path / "copy")
    until(lambda: "possible_restore" in conditions(daemon))
    assert metric(daemon, "lucidtrond_possible_restore") == 1
    assert refused(daemon, wallet, "new", 4) == HELD
    shown = daemon.call("sending.foreign")
    assert "another file" in shown["held_back"]["reason"]
    # What the journal knows is answered, and what the chain knows is found.
    assert not pay(daemon, wallet, "kept", 1)["adopted"]
    until(lambda: len(daemon.call("sending.foreign")["transactions"]) == 2)
    adopted = pay(daemon, wallet, "lost", 2)
    assert (adopted["adopted"], adopted["amount"]) == (True, "2")
    assert refused(daemon, wallet, "lost", 22) == 103
    until(lambda: "possible_restore" not in conditions(daemon))
    assert metric(daemon, "lucidtrond_possible_restore") == 0
    assert metric(daemon, "lucidtrond_foreign_transactions") == 1
    assert "foreign_transaction" in conditions(daemon)
    assert refused(daemon, wallet, "new", 4) == FOREIGN
    [foreign] = daemon.call("sending.foreign", unexplained=True)["transactions"]
    assert (foreign["amount"], foreign["stops"]) == ("3", True)
    assert foreign["txid"] in operate(daemon, "foreign")
    assert foreign["txid"] in operate(daemon, "acknowledge", foreign["txid"], "--yes")
    assert pay(daemon, wallet, "new", 4, wait="solidified")["state"] == "solidified"
    # Acknowledged, it is still its key's.
    assert pay(daemon, wallet, "gone", 3)["txid"] == foreign["txid"]
    assert paid(chain, wallet) == once(wallet, 1, 2, 3, 4)


def test_what_was_only_in_a_pool_is_not_paid_again(
    chain: TronDevnet, daemon: DaemonProcess, tmp_path: Path
) -> None:
    wallet = make_wallet(chain, daemon)
    assert daemon.stop() == 0
    shutil.copytree(daemon.state, tmp_path / "copy")
    daemon.start()
    daemon.call("keystore.unlock", passphrase=PASSPHRASE)
    until(lambda: refused(daemon, wallet, "in a pool", 5) is None)
    daemon.kill()
    restore(daemon, tmp_path / "copy")
    until(lambda: refused(daemon, wallet, "in a pool", 5) is None)
    payment = pay(daemon, wallet, "in a pool", 5, wait="solidified")
    assert (payment["state"], payment["adopted"]) == ("solidified", True)
    assert paid(chain, wallet) == once(wallet, 5)


def test_an_operator_who_knows_better_ends_the_waiting(
    chain: TronDevnet, daemon: DaemonProcess, tmp_path: Path
) -> None:
    wallet = make_wallet(chain, daemon)
    assert daemon.stop() == 0
    shutil.copytree(daemon.state, tmp_path / "copy")
    restore(daemon, tmp_path / "copy")
    assert refused(daemon, wallet, "new", 6) == HELD
    assert "may be an old copy" in operate(daemon, "status")
    assert "another file" in operate(daemon, "foreign")
    assert "not held back" in operate(daemon, "acknowledge", "--restore", "--yes")
    assert pay(daemon, wallet, "new", 6, wait="solidified")["state"] == "solidified"


def test_two_live_copies_detect_each_other(
    chain: TronDevnet, daemon: DaemonProcess, config: Path, tmp_path: Path
) -> None:
    wallet = make_wallet(chain, daemon)
    assert daemon.stop() == 0
    second = DaemonProcess(tmp_path / "second", config=config)
    shutil.copytree(daemon.state, second.state)
    daemon.start()
    try:
        second.start()
        for process in (daemon, second):
            process.call("keystore.unlock", passphrase=PASSPHRASE)
        until(lambda: refused(daemon, wallet, "one", 7) is None)
        until(lambda: "foreign_transaction" in conditions(second))
        # Asked for the same, it finds what the other one has paid.
        until(lambda: refused(second, wallet, "one", 7) is None)
        assert pay(second, wallet, "one", 7)["adopted"]
        until(lambda: refused(second, wallet, "two", 8) is None)
        until(lambda: "foreign_transaction" in conditions(daemon))
        assert refused(daemon, wallet, "three", 9) == FOREIGN
        until(lambda: paid(chain, wallet) == once(wallet, 7, 8))
    finally:
        second.end()


def test_a_quick_restart_holds_nothing_back(tmp_path: Path) -> None:
    with running_devnet() as chain:
        daemon = DaemonProcess(tmp_path, config=config_over(chain, tmp_path / "c.toml"))
        try:
            daemon.start()
            daemon.call("keystore.init", passphrase=PASSPHRASE)
            wallet = dict(daemon.call("wallet.create"))
            chain.fund(wallet["address"], FUND_SUN)
            follow(daemon, chain.mine(8))
            for restarted, stop in enumerate((daemon.kill, daemon.stop)):
                stop()
                chain.mine(10)
                daemon.start()
                daemon.call("keystore.unlock", passphrase=PASSPHRASE)
                assert refused(daemon, wallet, f"new {restarted}", 1) is None
                follow(daemon, chain.mine(1))
                assert conditions(daemon) == []
        finally:
            daemon.end()


def test_a_chain_that_stopped_with_the_daemon_holds_nothing_back_and_a_copy_does(
    tmp_path: Path,
) -> None:
    daemon = DaemonProcess(tmp_path, "--block-time", "3", "--witnesses", "3")
    hour_later = {wall_clock.SHIFT: "3600"}
    try:
        daemon.start()
        daemon.call("keystore.init", passphrase=PASSPHRASE)
        wallet = dict(daemon.call("wallet.create"))
        daemon.fund(wallet["address"], FUND_SUN)
        before = daemon.call("network.status")["head_timestamp_ms"]
        assert daemon.stop() == 0
        daemon.start(**hour_later)
        daemon.call("keystore.unlock", passphrase=PASSPHRASE)

        def has_leapt() -> bool:
            head = daemon.call("network.status")["head_timestamp_ms"]
            return bool(head - before > 3_000_000)

        until(has_leapt)
        assert refused(daemon, wallet, "next day", 1) is None
        assert daemon.stop() == 0
        shutil.copytree(daemon.state, tmp_path / "copy")
        shutil.rmtree(daemon.state)
        shutil.copytree(tmp_path / "copy", daemon.state)
        daemon.start(**hour_later)
        daemon.call("keystore.unlock", passphrase=PASSPHRASE)
        assert refused(daemon, wallet, "restored", 1) == HELD
    finally:
        daemon.end()
