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

from lucidtrond.testing.fixtures import TronDevnet, running_devnet
from lucidtrond.tron.address import Address
from lucidtrond.tron.contracts import Transfer
from lucidtrond.tron.transaction import RawData, Reference, Transaction, decode_raw
from lucidtrond.tron.units import Sun, UnixMillis
from tests.daemon.outside import ask, config_over, paid_on
from tests.daemon.process import PASSPHRASE, DaemonProcess

pytestmark = pytest.mark.process

PATIENCE_S = 30.0
FUND_SUN = 2_000_000_000
PAID_SUN = 1_500_000
STOLEN_SUN = 800_000_000
ATTACKER = Address(b"\x41" + b"\x66" * 20)
RECIPIENT = Address(b"\x41" + b"\x22" * 20)
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


def stolen(chain: TronDevnet, owner: str) -> bytes:
    """Raw data that pay the attacker, as fresh as any."""
    head = ask(chain, "/wallet/getnowblock")
    now = UnixMillis(head["block_header"]["raw_data"]["timestamp"])
    return RawData(
        Transfer(Address.from_base58(owner), ATTACKER, Sun(STOLEN_SUN)),
        Reference.to_block(head["blockID"]),
        expiration=UnixMillis(now + 3_600_000),
        timestamp=now,
    ).encode()


def test_an_edited_attempt_is_named_and_not_signed_and_others_are_paid(
    chain: TronDevnet, daemon: DaemonProcess
) -> None:
    daemon.call("keystore.init", passphrase=PASSPHRASE)
    wallet = daemon.call("wallet.create")
    chain.fund(wallet["address"], FUND_SUN)
    paid = pay(daemon, wallet, RECIPIENT, idempotency_key="old", wait="solidified")
    assert paid["state"] == "solidified"
    assert daemon.stop() == 0
    raw = stolen(chain, wallet["address"])
    txid = Transaction(raw).digest
    edit(
        daemon,
        "UPDATE sending_attempt SET txid = ?, raw = ?, signature = NULL,"
        " state = 'queued', unresolved = 1, due_ms = 0, expiration_ms = ?,"
        " block_number = NULL, block_id = NULL, block_timestamp_ms = NULL,"
        " contract_ret = NULL, fee_sun = NULL",
        txid,
        raw,
        decode_raw(raw).expiration,
    )
    daemon.start()
    daemon.call("keystore.unlock", passphrase=PASSPHRASE)
    # The row is the oldest, so it is looked at before this one is paid.
    after = pay(daemon, wallet, NEXT, idempotency_key="new", wait="solidified")
    assert after["state"] == "solidified"

    shown = daemon.call("transfer.status", idempotency_key="old")
    assert (shown["amount"], shown["to_address"]) == (str(PAID_SUN), RECIPIENT.base58)
    assert (shown["state"], shown["broadcasts"]) == ("queued", paid["broadcasts"])
    metrics = daemon.call("daemon.metrics")["metrics"]
    [metric] = [row for row in metrics if row["name"].endswith("payments_set_aside")]
    assert [sample["value"] for sample in metric["samples"]] == [1.0]
    health = daemon.call("daemon.health")
    [condition] = [
        condition
        for condition in health["conditions"]
        if condition["kind"] == "payment_set_aside"
    ]
    assert condition["subject"] == paid["payment_id"]
    assert "recipient: expected" in condition["text"]
    assert f"{RECIPIENT.base58}, stored {ATTACKER.base58}" in condition["text"]
    assert condition["remedy"]
    [line] = [
        line for line in daemon.log_lines() if line["event"] == "payment set aside"
    ]
    assert (line["payment"], line["txid"]) == (paid["payment_id"], txid.hex())
    payments = paid_on(chain, {wallet["address"]})
    assert {payment.recipient for payment in payments} == {
        RECIPIENT.base58,
        NEXT.base58,
    }
    assert daemon.stop() == 0
    with closing(sqlite3.connect(daemon.state / "lucidtrond.sqlite")) as other:
        events = other.execute("SELECT topic FROM event_outbox").fetchall()
    assert events.count(("set_aside",)) == 1
