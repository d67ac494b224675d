"""The shipped unit: sandboxed as told, and the daemon lives in it."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from tests.daemon.process import PASSPHRASE
from tests.systemd.machine import SUITES, UNIT, Machine, boot, require

pytestmark = pytest.mark.process

MOST_EXPOSURE = 1.2
FIRST_WITH_ALL = 257
"""The systemd that knows each setting of the unit."""
CALL = """
import json, sys
from pathlib import Path
from lucidtrond.cli.connection import Connection
with Connection.open([Path("/run/lucidtrond/rpc.sock")]) as connection:
    print(json.dumps(connection.call(sys.argv[1], json.loads(sys.argv[2]))))
"""


@pytest.fixture(name="machine", scope="module", params=SUITES)
def _machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    yield from boot(request.param)


def call(
    machine: Machine, method: str, *, user: str = "root", **params: object
) -> dict[str, object]:
    """Call as somebody who is *user* on the machine."""
    python = ("/opt/lucidtrond/bin/python", "-I", "-c", CALL)
    words = (*python, method, json.dumps(params))
    answer = json.loads(machine.run("runuser", "-u", user, "--", *words))
    assert isinstance(answer, dict)
    return answer


def start(machine: Machine) -> None:
    """Returns at READY=1."""
    try:
        machine.run("systemctl", "start", UNIT.name, timeout_s=90)
    except AssertionError as exc:
        raise AssertionError(machine.journal()[-4000:]) from exc


def wait_until(what: Callable[[], bool], machine: Machine) -> None:
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline, machine.journal()[-4000:]
        time.sleep(0.1)


def test_the_unit_is_hardly_exposed() -> None:
    analyze = require("systemd-analyze")
    subprocess.run(
        [
            *(analyze, "security", "--offline=yes", "--no-pager"),
            *(f"--threshold={round(MOST_EXPOSURE * 10)}", str(UNIT)),
        ],
        check=True,
        capture_output=True,
    )


def test_no_line_of_the_unit_is_wrong_but_those_an_older_systemd_ignores() -> None:
    analyze = require("systemd-analyze")
    said = subprocess.run(
        [analyze, "security", "--offline=yes", "--no-pager", str(UNIT)],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    newer = ("RestartSteps", "RestartMaxDelaySec", "disconnected", "strict", "identity")
    wrong = [line for line in said.splitlines() if UNIT.name in line]
    assert [line for line in wrong if not any(word in line for word in newer)] == []


@pytest.mark.slow
def test_a_new_systemd_understands_each_line_of_the_unit(machine: Machine) -> None:
    version = int(machine.run("systemctl", "--version").split()[1])
    if version < FIRST_WITH_ALL:
        pytest.skip(f"systemd {version} ignores some lines, as the test above lists")
    path = f"/etc/systemd/system/{UNIT.name}"
    said = machine.run("systemd-analyze", "verify", path, with_errors=True)
    assert [line for line in said.splitlines() if UNIT.name in line] == []
    machine.run(
        *("systemd-analyze", "security", "--offline=yes", "--no-pager"),
        *(f"--threshold={round(MOST_EXPOSURE * 10)}", path),
    )


@pytest.mark.slow
def test_the_service_starts_answers_survives_a_kill_and_stops(
    machine: Machine,
) -> None:
    machine.run("systemctl", "daemon-reload")
    start(machine)
    assert machine.property("ActiveState") == "active", machine.journal()
    assert machine.property("StatusText") == "serving devnet"
    assert call(machine, "daemon.health")["status"] == "ok"
    first = machine.property("MainPID")

    machine.run("sh", "-c", "kill -9 $0", first)
    wait_until(lambda: machine.property("MainPID") not in {first, "0"}, machine)
    wait_until(lambda: machine.property("ActiveState") == "active", machine)
    assert machine.property("NRestarts") == "1"
    assert call(machine, "daemon.health")["status"] == "ok"

    machine.run("systemctl", "stop", UNIT.name)
    assert machine.property("ActiveState") == "inactive"
    assert machine.property("Result") == "success", machine.journal()
    assert "denied" not in machine.journal().lower()
    machine.run("test", "!", "-e", "/run/lucidtrond/rpc.sock")


@pytest.mark.slow
def test_the_service_runs_as_nobody_in_particular(machine: Machine) -> None:
    start(machine)
    pid = machine.property("MainPID")
    status = dict(
        line.split(":\t", 1)
        for line in machine.run("cat", f"/proc/{pid}/status").splitlines()
        if ":\t" in line
    )
    assert "0" not in status["Uid"].split()
    assert set(status["CapBnd"] + status["CapEff"]) == {"0"}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    state = machine.run("stat", "-L", "-c", "%a", "/var/lib/lucidtrond")
    assert state == "700"
    machine.run("systemctl", "stop", UNIT.name)


@pytest.mark.slow
def test_members_of_the_group_may_call_and_a_credential_unlocks(
    machine: Machine,
) -> None:
    """README's way: a user and a group of our own, the passphrase in a credential."""
    machine.run("addgroup", "--system", "lucidtrond")
    made = ("--system", "--no-create-home", "--ingroup", "lucidtrond")
    machine.run("adduser", *made, "lucidtrond")
    machine.run("adduser", *made, "till")
    secret = "/etc/lucidtrond/keystore.passphrase.cred"
    encrypt = f"echo {PASSPHRASE} | systemd-creds encrypt --name=$0 - {secret}"
    machine.run("sh", "-c", encrypt, "keystore.passphrase")
    drop_in = machine.root / "etc/systemd/system" / f"{UNIT.name}.d"
    drop_in.mkdir()
    (drop_in / "unlock.conf").write_text(
        f"[Service]\nLoadCredentialEncrypted=keystore.passphrase:{secret}\n"
    )
    machine.run("systemctl", "daemon-reload")
    start(machine)
    call(machine, "keystore.init", passphrase=PASSPHRASE)
    machine.run("systemctl", "restart", UNIT.name, timeout_s=90)
    assert call(machine, "keystore.status")["locked"] is False, machine.journal()
    assert "wallet_id" in call(machine, "wallet.create", user="till")
    with pytest.raises(AssertionError, match="Unreachable"):
        call(machine, "daemon.health", user="nobody")
    machine.run("systemctl", "stop", UNIT.name)
