"""Money through ``lucidtron``, as a process, on a devnet and on what says "mainnet"."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lucidtrond.cli.connection import RpcFailure
from lucidtrond.tron.address import Address
from tests.cli.process import lucidtron, renamed_network
from tests.daemon.process import PASSPHRASE, DaemonProcess

pytestmark = pytest.mark.process

STRANGER = "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH"
TYPED_TWICE = "y\nmainnet\n"


@pytest.fixture
def shop(daemon: DaemonProcess) -> str:
    """The wallet id of somebody with 50 TRX."""
    daemon.start()
    daemon.call("keystore.init", passphrase=PASSPHRASE)
    wallet = daemon.call("wallet.create", label="shop")
    daemon.fund(wallet["address"], 50_000_000)
    return str(wallet["wallet_id"])


def paid(daemon: DaemonProcess) -> int:
    return len(daemon.call("transfer.list")["payments"])


def test_on_mainnet_it_asks_twice_and_names_the_network(
    daemon: DaemonProcess, shop: str, tmp_path: Path
) -> None:
    proxy = tmp_path / "mainnet.sock"
    words = ("--socket", str(proxy), "send", shop, STRANGER, "1", "TRX")
    with renamed_network(daemon, proxy, network="mainnet") as called:
        for typed in ("n\n", "y\ny\n", "y\nno\n", "\n"):
            done = lucidtron(*words, home=tmp_path, typed=typed)
            assert (done.returncode, paid(daemon)) == (1, 0), done
            assert "mainnet: pay 1 TRX from T" in done.stderr
            assert f"to {STRANGER}" in done.stderr
        for typed in ("", "y\n"):  # nobody there, or nobody any more
            done = lucidtron(*words, home=tmp_path, typed=typed)
            assert (done.returncode, paid(daemon)) == (2, 0), done
            assert "--yes pays without asking" in done.stderr
        done = lucidtron(*words, home=tmp_path, typed=TYPED_TWICE)
        assert (done.returncode, paid(daemon)) == (0, 1), done
        assert "network: mainnet" in done.stdout
        done = lucidtron(*words, "--yes", home=tmp_path)
        assert (done.returncode, paid(daemon)) == (0, 2), done
        assert called.count("transfer.send") == 6 + 2 + 1


def test_any_method_that_spends_is_asked_about_on_mainnet(
    daemon: DaemonProcess, shop: str, tmp_path: Path
) -> None:
    proxy = tmp_path / "mainnet.sock"
    words = (
        *("--socket", str(proxy), "call", "transfer.send", f"from={shop}"),
        *(f"to={STRANGER}", "amount_sun=1500000", "idempotency_key=4711"),
    )
    with renamed_network(daemon, proxy, network="mainnet"):
        done = lucidtron(*words, home=tmp_path)
        assert (done.returncode, paid(daemon)) == (2, 0), done
        done = lucidtron(*words, "check=true", home=tmp_path)
        assert (done.returncode, paid(daemon)) == (0, 0), done
        done = lucidtron(*words, home=tmp_path, typed=TYPED_TWICE)
        assert (done.returncode, paid(daemon)) == (0, 1), done
        done = lucidtron(*words, "--yes", home=tmp_path)
        assert (done.returncode, paid(daemon)) == (0, 1), done
        assert "network: mainnet" in done.stderr
        done = lucidtron(
            "--socket", str(proxy), "call", "wallet.list", home=tmp_path
        )  # reads
        assert done.returncode == 0
        assert done.stderr == ""


def test_a_new_transaction_by_retry_is_asked_about_on_mainnet(
    daemon: DaemonProcess, shop: str, tmp_path: Path
) -> None:
    drop = {"fault": "drop", "path": "/wallet/broadcast*"}
    daemon.call("devnet.fault", rule=drop)
    asked = {"from": shop, "to": STRANGER, "amount_sun": "1000000", "expires_s": 12}
    sent = daemon.call("transfer.send", **asked, idempotency_key="k")
    daemon.call("devnet.jump", seconds=60)
    deadline = time.monotonic() + 30
    while daemon.call("transfer.status", txid=sent["txid"])["state"] != "expired":
        assert time.monotonic() < deadline, daemon.tail()
        time.sleep(0.05)
    daemon.call("devnet.clear")
    proxy = tmp_path / "mainnet.sock"
    words = ("--socket", str(proxy), "retry", sent["txid"])
    with renamed_network(daemon, proxy, network="mainnet") as called:
        done = lucidtron(*words, "--check", home=tmp_path)
        assert done.returncode == 0, done
        done = lucidtron(*words, home=tmp_path)
        assert done.returncode == 2, done
        assert "mainnet: pay with a new transaction 1 TRX from T" in done.stderr
        done = lucidtron(*words, home=tmp_path, typed="y\nyes\n")
        assert done.returncode == 1, done
        assert called.count("tx.retry") == 3  # each a dry run
        assert daemon.call("transfer.status", idempotency_key="k")["attempt"] == 1
        done = lucidtron(*words, home=tmp_path, typed=TYPED_TWICE)
        assert done.returncode == 0, done
        assert "network: mainnet" in done.stderr
        again = daemon.call("transfer.status", idempotency_key="k")
        assert again["attempt"] == 2


def test_elsewhere_it_asks_once_and_shows_base58_and_the_cost(
    daemon: DaemonProcess, shop: str, tmp_path: Path
) -> None:
    state = ("--state-dir", str(daemon.state))
    lower = Address.from_base58(STRANGER).evm
    words = (*state, "send", shop, lower, "1", "TRX")
    done = lucidtron(*words, "--yes", home=tmp_path)
    assert (done.returncode, paid(daemon)) == (1, 0), done
    assert "allow_unchecked_recipient says that it is meant" in done.stderr
    meant = (*words, "--allow-unchecked-recipient", "--key", "k")
    done = lucidtron(*meant, home=tmp_path, typed="y\n")
    assert done.returncode == 0, done
    assert "devnet: pay 1 TRX from T" in done.stderr
    assert f"to {STRANGER}, at a cost of up to 1.1 TRX? [y/N]" in done.stderr
    assert "network: devnet" in done.stdout
    # Asked again with its key nothing new is paid, so nobody is asked.
    done = lucidtron("--json", *meant, home=tmp_path)
    assert (done.returncode, paid(daemon)) == (0, 1), done
    assert json.loads(done.stdout)["to_address"] == STRANGER
    assert done.stderr == "network: devnet\nidempotency key: k\n"


def test_a_second_keystore_is_refused_before_its_passphrase_is_asked_for(
    daemon: DaemonProcess, shop: str, tmp_path: Path
) -> None:
    done = lucidtron("--socket", str(daemon.socket), "init", home=tmp_path)
    assert done.returncode == 1
    assert "a keystore exists already" in done.stderr


def test_an_interrupted_payment_is_in_flight_and_says_how_to_find_it(
    daemon: DaemonProcess, shop: str, tmp_path: Path
) -> None:
    daemon.call("devnet.stall")  # it will not be final
    process = subprocess.Popen(
        [
            # A check in the background ignores SIGINT, and so do its children.
            *("env", "--default-signal=INT"),
            *(sys.executable, "-m", "lucidtrond.cli.client"),
            *("--socket", str(daemon.socket), "send", shop, STRANGER, "1", "TRX"),
            *("--key", "k1", "--yes"),
        ],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if line.startswith("…"):
                break
        process.send_signal(signal.SIGINT)
        complaint = process.stderr.read()
    assert process.returncode == 4
    assert "may still land" in complaint
    assert "--key k1" in complaint


def test_arguments_that_are_no_text_are_refused_at_once(
    daemon: DaemonProcess, tmp_path: Path
) -> None:
    """It hung for ever: the daemon's answer to it has no id."""
    words = ("--socket", "/nowhere", "wallet", "create", "--label", b"caf\xe9")
    done = lucidtron(*words, home=tmp_path)
    assert done.returncode == 2
    assert (
        r"argument 6: expected text in UTF-8, got the bytes b'caf\xe9'" in done.stderr
    )
    # What argv can't hold, JSON can: a lone surrogate.
    daemon.start()
    state = ("--state-dir", str(daemon.state))
    for label in (r'label="\ud800"', r'label="\udce9"'):
        done = lucidtron(*state, "call", "wallet.create", label, home=tmp_path)
        assert done.returncode == 2
        assert "lone surrogate" in done.stderr


def test_a_request_that_is_too_long_is_told_so(daemon: DaemonProcess) -> None:
    """The daemon answers without an id, and closes while we are still sending."""
    daemon.start()
    for size in (2 << 20, 20 << 20):
        with pytest.raises(RpcFailure, match="a text over") as refused:
            daemon.call("wallet.create", label="x" * size)
        assert refused.value.code == 105


def test_one_odd_label_hides_nothing(
    daemon: DaemonProcess, shop: str, tmp_path: Path
) -> None:
    daemon.call("wallet.create", label="café")
    state = ("--state-dir", str(daemon.state))
    done = lucidtron(*state, "wallet", "list", home=tmp_path, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done
    assert shop in done.stdout
    assert r"caf\xe9" in done.stdout


def test_an_end_of_input_at_the_passphrase_is_no_traceback(
    daemon: DaemonProcess, tmp_path: Path
) -> None:
    daemon.start()
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "lucidtrond.cli.client"),
            *("--socket", str(daemon.socket), "unlock"),
        ],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        stdin=follower,
        stderr=subprocess.PIPE,
        start_new_session=True,  # no controlling terminal: getpass asks stdin
    )
    with process:
        assert process.stderr is not None
        asked = b""
        while not asked.endswith(b"Passphrase: "):
            byte = process.stderr.read(1)
            assert byte, asked
            asked += byte
        os.write(leader, b"\x04")
        complaint = process.stderr.read()
    os.close(leader)
    os.close(follower)
    assert process.returncode == 2
    assert complaint.endswith(b"lucidtron: no passphrase was typed\n")
    assert b"Traceback" not in complaint
