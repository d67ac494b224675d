"""Somebody who can write the database file, and waits for the operator to unlock.

The daemon is stopped, a row is edited, the daemon starts and is unlocked. What is paid
is read from the chain, which is a process of its own.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lucidtrond.cli.connection import RpcFailure
from lucidtrond.testing.fixtures import TronDevnet, running_devnet
from lucidtrond.tron.address import Address
from lucidtrond.tron.contracts import Transfer
from lucidtrond.tron.transaction import RawData, Reference, Transaction, decode_raw
from lucidtrond.tron.units import Sun, UnixMillis
from tests.cli.process import lucidtron
from tests.daemon.outside import ask, config_over, paid_on
from tests.daemon.process import PASSPHRASE, DaemonProcess

pytestmark = pytest.mark.process

FUND_SUN = 2_000_000_000
PAID_SUN = 1_500_000
STOLEN_SUN = 800_000_000
ATTACKER = Address(b"\x41" + b"\x66" * 20)
RECIPIENT = Address(b"\x41" + b"\x22" * 20)
IN_DOUBT = 302
NEXT = Address(b"\x41" + b"\x33" * 20)


@pytest.fixture(name="chain")
def _chain() -> Iterator[TronDevnet]:
    with running_devnet(block_time_s=0.3, witnesses=3, replicas=1) as chain:
        yield chain


@pytest.fixture(name="daemon")
def _daemon(chain: TronDevnet, tmp_path: Path) -> Iterator[DaemonProcess]:
    daemon = DaemonProcess(tmp_path, config=config_over(chain, tmp_path / "c.toml"))
    try:
        yield daemon.start()
    finally:
        daemon.end()


def pay(daemon: DaemonProcess, wallet: dict[str, Any], to: Address, **more: Any) -> Any:
    params = {"from": wallet["wallet_id"], "to": to.base58, "amount_sun": str(PAID_SUN)}
    return daemon.call("transfer.send", **params, **more)


def edit(daemon: DaemonProcess, sql: str, *params: object) -> None:
    with closing(sqlite3.connect(daemon.state / "lucidtrond.sqlite")) as other, other:
        assert other.execute(sql, params).rowcount == 1


def drafted(chain: TronDevnet, owner: str, to: Address, amount: int) -> bytes:
    """Raw data as fresh as any."""
    head = ask(chain, "/wallet/getnowblock")
    now = UnixMillis(head["block_header"]["raw_data"]["timestamp"])
    return RawData(
        Transfer(Address.from_base58(owner), to, Sun(amount)),
        Reference.to_block(head["blockID"]),
        expiration=UnixMillis(now + 3_600_000),
        timestamp=now,
    ).encode()


def queue(
    chain: TronDevnet, daemon: DaemonProcess, owner: str, to: Address, amount: int
) -> bytes:
    """Make the only attempt one that was never signed; gives its txid."""
    head = ask(chain, "/wallet/getnowblock")["block_header"]["raw_data"]
    raw = drafted(chain, owner, to, amount)
    txid = Transaction(raw).digest
    edit(
        daemon,
        "UPDATE sending_attempt SET txid = ?, raw = ?, signature = NULL,"
        " state = 'queued', unresolved = 1, due_ms = 0, expiration_ms = ?,"
        " reference_number = ?, block_number = NULL, block_id = NULL,"
        " block_timestamp_ms = NULL, contract_ret = NULL, fee_sun = NULL",
        txid,
        raw,
        decode_raw(raw).expiration,
        head["number"],
    )
    return txid


@pytest.fixture(name="wallet")
def _wallet(chain: TronDevnet, daemon: DaemonProcess) -> dict[str, Any]:
    """Has paid once, and its daemon is stopped."""
    daemon.call("keystore.init", passphrase=PASSPHRASE)
    wallet: dict[str, Any] = daemon.call("wallet.create")
    chain.fund(wallet["address"], FUND_SUN)
    paid = pay(daemon, wallet, RECIPIENT, idempotency_key="old", wait="solidified")
    assert paid["state"] == "solidified"
    assert daemon.stop() == 0
    return wallet


def recipients(chain: TronDevnet, wallet: dict[str, Any]) -> set[str]:
    return {payment.recipient for payment in paid_on(chain, {wallet["address"]})}


def test_an_edited_attempt_is_named_and_not_signed_and_others_are_paid(
    chain: TronDevnet, daemon: DaemonProcess, wallet: dict[str, Any]
) -> None:
    txid = queue(chain, daemon, wallet["address"], ATTACKER, STOLEN_SUN)
    daemon.start()
    daemon.call("keystore.unlock", passphrase=PASSPHRASE)
    # The row is the oldest, so it is looked at before this one is paid.
    after = pay(daemon, wallet, NEXT, idempotency_key="new", wait="solidified")
    assert after["state"] == "solidified"

    shown = daemon.call("transfer.status", idempotency_key="old")
    assert (shown["amount"], shown["to_address"]) == (str(PAID_SUN), RECIPIENT.base58)
    assert shown["state"] == "queued"
    metrics = daemon.call("daemon.metrics")["metrics"]
    [metric] = [row for row in metrics if row["name"].endswith("payments_set_aside")]
    assert [sample["value"] for sample in metric["samples"]] == [1.0]
    health = daemon.call("daemon.health")
    [condition] = [
        condition
        for condition in health["conditions"]
        if condition["kind"] == "payment_set_aside"
    ]
    assert condition["subject"] == shown["payment_id"]
    assert "recipient: expected" in condition["text"]
    assert f"{RECIPIENT.base58}, stored {ATTACKER.base58}" in condition["text"]
    assert condition["remedy"]
    [line] = [
        line for line in daemon.log_lines() if line["event"] == "payment set aside"
    ]
    assert (line["payment"], line["txid"]) == (shown["payment_id"], txid.hex())
    assert recipients(chain, wallet) == {RECIPIENT.base58, NEXT.base58}
    assert daemon.stop() == 0
    with closing(sqlite3.connect(daemon.state / "lucidtrond.sqlite")) as other:
        events = other.execute("SELECT topic FROM event_outbox").fetchall()
    assert events.count(("set_aside",)) == 1


def test_an_intent_that_is_edited_with_its_attempt_is_not_signed_either(
    chain: TronDevnet, daemon: DaemonProcess, wallet: dict[str, Any]
) -> None:
    queue(chain, daemon, wallet["address"], ATTACKER, STOLEN_SUN)
    edit(
        daemon,
        "UPDATE sending_payment SET recipient = ?, amount = ?",
        ATTACKER.raw,
        STOLEN_SUN.to_bytes(32, "big"),
    )
    daemon.start()
    daemon.call("keystore.unlock", passphrase=PASSPHRASE)
    pay(daemon, wallet, NEXT, idempotency_key="new", wait="solidified")
    waiting = daemon.call("sending.queued")
    assert waiting["payments"] == []
    [fault] = waiting["set_aside"]
    assert fault["field"] == "sending_payment"
    assert recipients(chain, wallet) == {RECIPIENT.base58, NEXT.base58}


def test_what_has_no_mac_waits_until_it_is_approved(
    chain: TronDevnet, daemon: DaemonProcess, wallet: dict[str, Any], tmp_path: Path
) -> None:
    txid = queue(chain, daemon, wallet["address"], RECIPIENT, PAID_SUN).hex()
    edit(daemon, "UPDATE sending_payment SET mac = NULL")
    edit(daemon, "UPDATE sending_attempt SET mac = NULL")
    daemon.start()
    words = ("--socket", str(daemon.socket))
    secret = tmp_path / "passphrase"
    secret.write_text(PASSPHRASE)
    secret.chmod(0o600)
    unlock = ("unlock", "--passphrase-file", str(secret))
    unlocked = lucidtron(*words, *unlock, home=tmp_path)
    assert (unlocked.returncode, unlocked.stdout) == (0, "unlocked\n"), unlocked
    assert "1 payments, 1.5 TRX" in unlocked.stderr
    pay(daemon, wallet, NEXT, idempotency_key="new", wait="solidified")
    shown = daemon.call("transfer.status", idempotency_key="old")
    assert shown["state"] == "queued"
    kinds = [row["kind"] for row in daemon.call("daemon.health")["conditions"]]
    assert kinds == ["payments_unapproved"]

    listed = lucidtron(*words, "queued", home=tmp_path)
    assert shown["payment_id"] in listed.stdout
    assert f"to {RECIPIENT.base58}" in listed.stdout
    assert "1 payments, 1.5 TRX" in listed.stdout
    refused = lucidtron(*words, "approve", home=tmp_path, typed="n\n")
    assert (refused.returncode, "nothing was approved" in refused.stderr) == (1, True)
    approved = lucidtron(*words, "approve", home=tmp_path, typed="y\n")
    assert (approved.returncode, approved.stdout) == (0, "approved: 1\n"), approved
    paid = daemon.call("tx.wait", txid=txid, until="solidified")
    assert paid["txid"] == txid
    nothing = lucidtron(*words, "approve", home=tmp_path)
    assert "nothing waits for approval" in nothing.stderr
    assert daemon.call("daemon.health")["conditions"] == []


def test_a_paid_payment_whose_row_says_expired_is_not_paid_again(
    chain: TronDevnet, daemon: DaemonProcess, wallet: dict[str, Any]
) -> None:
    edit(
        daemon,
        "UPDATE sending_attempt SET state = 'expired', unresolved = 1,"
        " block_number = NULL, block_id = NULL, block_timestamp_ms = NULL,"
        " contract_ret = NULL, fee_sun = NULL",
    )
    daemon.start()
    daemon.call("keystore.unlock", passphrase=PASSPHRASE)
    pay(daemon, wallet, NEXT, idempotency_key="new", wait="solidified")
    shown = daemon.call("transfer.status", idempotency_key="old")
    assert not shown["safe_to_retry"]
    with pytest.raises(RpcFailure) as caught:
        daemon.call("tx.retry", txid=shown["txid"], pay_again=True)
    assert caught.value.code == IN_DOUBT
    [fault] = daemon.call("sending.queued")["set_aside"]
    assert (fault["payment_id"], fault["field"]) == (shown["payment_id"], "state")
    payments = paid_on(chain, {wallet["address"]})
    assert sorted(payments.values()) == [1, 1]
