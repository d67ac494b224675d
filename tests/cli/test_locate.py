"""Which daemon the client talks to, with real daemons."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lucidtrond.daemon.socket_record import RECORD, read_record
from tests.cli.process import lucidtron
from tests.daemon.process import DaemonProcess

pytestmark = pytest.mark.process


@pytest.fixture
def other(tmp_path: Path) -> DaemonProcess:
    (tmp_path / "other").mkdir()
    return DaemonProcess(tmp_path / "other")


def test_the_state_directory_names_its_daemon_or_none(
    daemon: DaemonProcess, other: DaemonProcess, tmp_path: Path
) -> None:
    """Another daemon answers at every usual place; it is not talked to."""
    usual = tmp_path / "runtime" / "lucidtrond"
    usual.mkdir(parents=True)
    other.socket = usual / "rpc.sock"
    runtime = {"XDG_RUNTIME_DIR": str(tmp_path / "runtime")}

    def made(*flags: str) -> subprocess.CompletedProcess[str]:
        words = (*flags, "--json", "call", "wallet.list")
        return lucidtron(*words, home=tmp_path / "nobody", **runtime)

    state = ("--state-dir", str(daemon.state))
    try:
        other.start()
        assert made().returncode == 0
        none = made(*state)
        assert none.returncode == 3
        assert f"no daemon serves the state directory {daemon.state}" in none.stderr
        daemon.start()
        for process in (daemon, other):
            process.call("keystore.init", passphrase="correct horse battery staple")
        ours = daemon.call("wallet.create")
        theirs = other.call("wallet.create")
        assert ours["address"] in made(*state).stdout
        assert theirs["address"] in made("--state-dir", str(other.state)).stdout
        assert theirs["address"] in made().stdout
        # $LUCIDTROND_SOCKET is weaker than a flag.
        runtime["LUCIDTROND_SOCKET"] = str(other.socket)
        assert ours["address"] in made(*state).stdout
        del runtime["LUCIDTROND_SOCKET"]
        assert daemon.stop() == 0
        assert not (daemon.state / RECORD).exists()
        assert made(*state).returncode == 3
        # Killed, its record is left; then another daemon takes over its socket.
        daemon.start()
        daemon.kill()
        stale = made(*state)
        assert stale.returncode == 3
        assert "was killed" in stale.stderr
        assert other.stop() == 0
        other.socket = daemon.socket
        other.start()
        taken = made(*state)
        assert taken.returncode == 3
        assert "another is there now" in taken.stderr
        assert theirs["address"] in made("--state-dir", str(other.state)).stdout
    finally:
        other.end()


def test_the_users_own_daemon_is_found_without_its_runtime_directory(
    daemon: DaemonProcess, tmp_path: Path
) -> None:
    """As from cron or su: no XDG_RUNTIME_DIR, and its socket is at no usual place."""
    daemon.start()
    words = ("--json", "call", "daemon.info")
    state = tmp_path / "xdg" / "lucidtrond"
    state.parent.mkdir()
    state.symlink_to(daemon.state)
    ended = lucidtron(*words, home=tmp_path, XDG_STATE_HOME=str(state.parent))
    record = read_record(daemon.state)
    assert record is not None
    assert record.instance in ended.stdout


def test_a_daemon_whose_socket_was_removed_is_not_said_to_be_away(
    daemon: DaemonProcess, tmp_path: Path
) -> None:
    daemon.start()
    daemon.socket.unlink()
    state = ("--state-dir", str(daemon.state))
    shown = lucidtron(*state, "status", home=tmp_path)
    assert shown.returncode == 3
    assert f"{daemon.socket} was removed: restart it" in shown.stderr
    daemon.kill()
    shown = lucidtron(*state, "status", home=tmp_path)
    assert "was removed" not in shown.stderr
    assert "no socket is there" in shown.stderr


def test_the_record_is_its_users_own(daemon: DaemonProcess) -> None:
    daemon.start()
    assert (daemon.state / RECORD).stat().st_mode & 0o777 == 0o600


def test_two_names_for_a_daemon_are_one_too_many(tmp_path: Path) -> None:
    both = lucidtron("--socket", "/a", "--state-dir", "/b", "status", home=tmp_path)
    assert both.returncode == 2
    assert "--state-dir: not allowed with argument --socket" in both.stderr


def test_a_daemon_that_is_starting_is_told_from_none(tmp_path: Path) -> None:
    """Its node is away: it is there, and does not serve yet."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        config = tmp_path / "config.toml"
        config.write_text(
            f'[network]\nname = "nile"\n[[network.endpoints]]\nurl = "{url}"\n'
            "[http]\nenabled = false\n"
        )
        daemon = DaemonProcess(tmp_path, config=config)
        process = daemon.spawn()
        try:
            silent.settimeout(30)
            silent.accept()[0].close()  # it has asked its node
            state = ("--state-dir", str(daemon.state))
            shown = lucidtron(*state, "status", home=tmp_path)
            assert shown.returncode == 3
            assert f"(process {process.pid}) is starting" in shown.stderr
            # A number may be another program's by now.
            assert f"start it: lucidtrond run --state-dir {daemon.state}" in (
                shown.stderr
            )
            shown = lucidtron("--socket", str(daemon.socket), "status", home=tmp_path)
            assert shown.returncode == 3
            assert "nobody accepts connections" in shown.stderr
            assert "is starting" in shown.stderr
        finally:
            process.kill()
            process.wait()


@pytest.mark.skipif(os.geteuid() != 0, reason="another user is to be denied")
def test_permission_denied_is_told_from_no_daemon(daemon: DaemonProcess) -> None:
    daemon.start()
    directory = daemon.socket.parent
    for folder in (directory, *directory.parents):
        if folder.is_relative_to("/tmp") and folder != Path("/tmp"):
            folder.chmod(0o755)
    code = (
        # The parser first: whom we become may not be able to import its modules.
        "import os, sys; from lucidtrond.cli import client;"
        "client._parser().parse_args(['status']);"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534); sys.exit(client.main())"
    )
    for flags, text in (
        (("--socket", str(daemon.socket)), "permission denied"),
        (("--state-dir", str(daemon.state)), "Permission denied"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, *flags, "status"],
            env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert done.returncode == 3
        assert text in done.stderr
        assert "start it" not in done.stderr
