"""The real daemon as a process: starting, refusing, stopping."""

import json
import socket
import stat
import time

import pytest

from lucidtrond.cli.connection import RpcFailure
from tests.daemon.process import PASSPHRASE, DaemonProcess

pytestmark = pytest.mark.process


def test_it_starts_answers_and_stops_by_sigterm(daemon: DaemonProcess) -> None:
    daemon.start()
    assert daemon.call("daemon.info")["network"] == "devnet"
    assert daemon.call("daemon.health")["status"] == "ok"
    assert daemon.stop() == 0
    assert not daemon.socket.exists()
    assert {line["level"] for line in daemon.log_lines()} <= {"info", "debug"}


def test_its_socket_and_files_are_private(daemon: DaemonProcess) -> None:
    daemon.start()
    assert stat.S_IMODE(daemon.socket.stat().st_mode) == 0o660
    assert stat.S_IMODE(daemon.state.stat().st_mode) == 0o700
    for path in daemon.state.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    daemon.stop()


def test_a_second_daemon_on_the_same_state_is_refused(daemon: DaemonProcess) -> None:
    daemon.start()
    assert daemon.spawn().wait(20) == 1
    reason = daemon.log_lines()[-1]["reason"]
    assert str(daemon.state) in reason
    assert str(daemon.pid) in reason
    assert daemon.call("daemon.health")["status"] == "ok"
    daemon.stop()


def test_a_second_daemon_on_the_same_socket_is_refused(daemon: DaemonProcess) -> None:
    daemon.start()
    first, daemon.state = daemon.state, daemon.state.with_name("other")
    assert daemon.spawn().wait(20) == 1
    assert str(daemon.socket) in daemon.log_lines()[-1]["reason"]
    daemon.state = first
    assert daemon.call("daemon.health")["status"] == "ok"
    daemon.stop()


def test_a_stale_socket_is_cleaned_up(daemon: DaemonProcess) -> None:
    daemon.start()
    daemon.kill()
    assert daemon.socket.exists()
    daemon.start()
    assert daemon.call("daemon.health")["status"] == "ok"
    daemon.stop()


def test_a_file_that_is_no_socket_is_never_removed(daemon: DaemonProcess) -> None:
    daemon.socket.write_text("precious")
    assert daemon.spawn().wait(20) == 1
    assert daemon.socket.read_text() == "precious"
    assert str(daemon.socket) in daemon.log_lines()[-1]["reason"]


def test_locked_everything_but_new_signatures_works(daemon: DaemonProcess) -> None:
    daemon.start()
    daemon.call("keystore.init", passphrase=PASSPHRASE)
    first = daemon.call("wallet.create", label="first")
    daemon.fund(first["address"], 5_000_000)
    daemon.stop()
    daemon.start()
    assert daemon.call("keystore.status")["locked"] is True
    second = daemon.call("wallet.create", label="second")
    assert second["address"] != first["address"]
    payment = {
        "from": first["wallet_id"],
        "to": second["address"],
        "amount_sun": "1000000",
        "idempotency_key": "locked",
    }
    with pytest.raises(RpcFailure) as caught:
        daemon.call("transfer.send", **payment)
    assert caught.value.code == 400
    daemon.call("keystore.unlock", passphrase=PASSPHRASE)
    done = daemon.call("transfer.send", **payment, wait="solidified")
    assert done["state"] == "solidified"
    daemon.stop()


def test_a_passphrase_file_unlocks_at_start(daemon: DaemonProcess) -> None:
    daemon.start()
    daemon.call("keystore.init", passphrase=PASSPHRASE)
    daemon.stop()
    file = daemon.socket.with_name("passphrase")
    file.write_text(PASSPHRASE + "\n")
    unlocking = DaemonProcess(
        daemon.socket.parent,
        *("--block-time", "0.3", "--witnesses", "3"),
        *("--passphrase-file", str(file)),
    )
    try:
        unlocking.start()
        assert unlocking.call("keystore.status")["locked"] is False
    finally:
        unlocking.end()


def test_stopping_lets_a_call_in_flight_end_and_refuses_none_halfway(
    daemon: DaemonProcess,
) -> None:
    daemon.start()
    with daemon.connect() as connection:
        connection.call("daemon.info")
        started = time.monotonic()
        assert daemon.stop() == 0
        assert time.monotonic() - started < 5


def test_no_descriptors_left_does_not_end_it(daemon: DaemonProcess) -> None:
    import resource  # noqa: PLC0415 - only here

    daemon.start()
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (48, 48))
    held: list[socket.socket] = []
    try:
        for _ in range(80):
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(1)
            try:
                sock.connect(str(daemon.socket))
            except OSError:
                break
            held.append(sock)
    finally:
        for sock in held:
            sock.close()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            assert daemon.call("daemon.info")["network"] == "devnet"
            break
        except OSError:
            time.sleep(0.05)
    else:
        pytest.fail(daemon.tail())
    daemon.stop()


def test_nothing_secret_is_in_logs_or_database(daemon: DaemonProcess) -> None:
    daemon.start()
    daemon.call("keystore.init", passphrase=PASSPHRASE)
    words = daemon.call("keystore.reveal_mnemonic", passphrase=PASSPHRASE)["mnemonic"]
    with pytest.raises(RpcFailure) as caught:
        daemon.call("keystore.unlock", passphrase="wrong guess 123")
    assert "wrong guess" not in json.dumps([str(caught.value), dict(caught.value.data)])
    with pytest.raises(RpcFailure):
        daemon.call("keystore.unlock", passphrase=["not", "wrong guess 123"])
    wallet = daemon.call("wallet.create", label="x")
    daemon.fund(wallet["address"], 9_000_000)
    daemon.stop()
    secrets = [
        PASSPHRASE.encode(),
        words.encode(),
        " ".join(words.split()[:4]).encode(),
        b"wrong guess",
    ]
    for path in (daemon.log, *daemon.state.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            for secret in secrets:
                assert secret not in data, path
