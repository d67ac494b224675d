"""A real systemd as process 1 of a container: of Debian 12, of Debian 13.

Where this machine is the wanted Debian its own files are the root, and nothing is
downloaded; else contrib/debian-root makes one, once. The root lies under an overlay
that is thrown away. The container's own network has nothing in it but loopback.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

import attrs
import pytest
from packaging.requirements import Requirement

TOP: Final = Path(__file__).parents[2]
SUITES: Final = ("bookworm", "trixie")
"""Debian 12 with systemd 252, Debian 13 with systemd 257."""
UNIT: Final = TOP / "systemd" / "lucidtrond.service"
OPT: Final = "opt/lucidtrond"  # what the unit's ExecStart= says
BOOT_S: Final = 60
_APT: Final = "apt-get install -y --no-install-recommends systemd systemd-container"
_NAMESPACES: Final = ("-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w")
_CANNOT: Final = 77
"""Exit status of contrib/debian-root where it may or can make nothing."""
_PYTHON: Final = "/usr/bin/python3"  # the unit's ProtectHome= hides one under a home
_MASKED: Final = (
    "console-getty.service",
    "systemd-timesyncd.service",
    "systemd-udevd.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
)


def require(tool: str) -> str:
    """The tool's path; installs it where we may, or skips and says why not."""
    if (path := shutil.which(tool)) is not None:
        return path
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.skip(f"{tool} is not installed and only root with apt-get could: {_APT}")
    subprocess.run(["apt-get", "update", "-qq"], check=True, timeout=300)
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(_APT.split(), check=True, timeout=300, env=environ)
    found = shutil.which(tool)
    assert found is not None, tool
    return found


def _runtime(name: str, seen: set[str]) -> Iterator[metadata.Distribution]:
    """What *name* needs to run, as it is installed here."""
    for line in metadata.requires(name) or ():
        wanted = Requirement(line)
        if wanted.name in seen or (wanted.marker and not wanted.marker.evaluate()):
            continue
        seen.add(wanted.name)
        yield metadata.distribution(wanted.name)
        yield from _runtime(wanted.name, seen)


def _install_ours(root: Path) -> None:
    """What is installed here, for a root that is this machine's own."""
    opt = root / OPT
    subprocess.run([_PYTHON, "-m", "venv", "--without-pip", opt], check=True)
    [packages] = opt.glob("lib/python3*/site-packages")
    for dist in _runtime("lucidtrond", set()):
        for file in dist.files or ():
            source = Path(str(file.locate()))  # old setup.py installs list files
            if ".." not in file.parts and source.is_file():  # that are not there
                target = packages / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"),
            *("--no-build-isolation", "--no-warn-conflicts", "--target", packages),
            TOP,
        ],
        check=True,
    )


def _install_wheels(root: Path, wheels: Path) -> None:
    """What README tells an operator to do; pip is given the wheels it would fetch."""
    source = root / "root/lucidtrond"
    source.mkdir()
    shutil.copytree(wheels, root / "root/wheels")
    for name in ("pyproject.toml", "requirements.lock", "README.md", "LICENSE"):
        shutil.copy(TOP / name, source)
    for name in ("lucidtrond", "plugins"):
        shutil.copytree(
            TOP / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    pip = (f"/{OPT}/bin/pip", "install", "--quiet", "--no-index")
    for command in (
        ("python3", "-m", "venv", f"/{OPT}"),
        (
            *(*pip, "--find-links", "/root/wheels", "--require-hashes"),
            *("-r", "/root/lucidtrond/requirements.lock"),
        ),
        (*pip, "--no-deps", "--no-build-isolation", "/root/lucidtrond"),
    ):
        subprocess.run(["chroot", root, *command], check=True, timeout=300)


def _settle(root: Path) -> None:
    settings = root / "etc/lucidtrond/lucidtrond.toml"
    settings.parent.mkdir(mode=0o755, exist_ok=True)
    settings.write_text("[network]\nblock_time_s = 0.5\nwitnesses = 3\n")
    shutil.copy(UNIT, root / "etc/systemd/system")


@attrs.frozen
class Machine:
    """A booted container, whose process 1 is *leader*."""

    root: Path
    leader: int

    def run(
        self, *command: str, timeout_s: float = 60, with_errors: bool = False
    ) -> str:
        """Run a command inside; its output, or an error that shows it."""
        done = subprocess.run(
            ["nsenter", f"-t{self.leader}", *_NAMESPACES, "--", *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return (done.stdout + (done.stderr if with_errors else "")).strip()

    def property(self, name: str) -> str:
        return self.run("systemctl", "show", "-P", name, UNIT.name)

    def journal(self) -> str:
        return self.run("journalctl", "-u", UNIT.name, "-o", "cat", "--no-pager")


def _leader(nspawn: int) -> int | None:
    children = Path(f"/proc/{nspawn}/task/{nspawn}/children").read_text().split()
    for child in children:
        if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
            return int(child)
    return None


def _is_this_machine(suite: str) -> bool:
    """Whether our own files are that Debian, and its Python is ours."""
    if platform.freedesktop_os_release().get("VERSION_CODENAME") != suite:
        return False
    ours = f"Python {sys.version_info.major}.{sys.version_info.minor}."
    theirs = subprocess.run(
        [_PYTHON, "--version"], capture_output=True, text=True, check=False
    ).stdout
    return theirs.startswith(ours)


def _made(*arguments: str) -> Path:
    """The folder that contrib/debian-root prints; skips where it can make none."""
    done = subprocess.run(
        [TOP / "contrib/debian-root", *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if done.returncode == _CANNOT:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def boot(suite: str) -> Iterator[Machine]:
    """Boot, hand over, power off. Skips where the kernel does not let us."""
    nspawn = require("systemd-nspawn")
    if os.geteuid() != 0:
        pytest.skip("only root may mount an overlay and boot a container")
    wheels = None
    lower = Path("/")
    if not _is_this_machine(suite):
        lower, wheels = _made(suite), _made("--wheels", suite)
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="lucidtrond-") as name:
        room = Path(name)
        for each in ("upper", "work", "root"):
            (room / each).mkdir()
        root = room / "root"
        layers = f"lowerdir={lower},upperdir={room / 'upper'},workdir={room / 'work'}"
        mounted = subprocess.run(
            ["mount", "-t", "overlay", "overlay", "-o", layers, root],
            capture_output=True,
            text=True,
            check=False,
        )
        if mounted.returncode:
            pytest.skip(f"no overlay file system here: {mounted.stderr.strip()}")
        try:
            if wheels is None:
                _install_ours(root)
            else:
                _install_wheels(root, wheels)
            _settle(root)
            yield from _boot_in(root, nspawn, room / "console.log")
        finally:
            subprocess.run(["umount", "-l", root], check=True)


def _boot_in(root: Path, nspawn: str, log: Path) -> Iterator[Machine]:
    units = root / "etc/systemd/system"
    units.mkdir(parents=True, exist_ok=True)
    for unit in _MASKED:
        (units / unit).unlink(missing_ok=True)
        (units / unit).symlink_to(os.devnull)
    (root / "etc/machine-id").write_text("")
    with log.open("wb") as console:
        process = subprocess.Popen(
            [
                *(nspawn, "--register=no", "--keep-unit", "--console=read-only"),
                *("--private-network", "--kill-signal=SIGRTMIN+3", "--quiet"),
                *(f"--machine=lucidtrond-test-{os.getpid()}", "-b", "-D", str(root)),
                *("--", "--unit=basic.target"),  # for the systemd inside
            ],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
        )
    try:
        deadline = time.monotonic() + BOOT_S
        while (leader := _leader(process.pid)) is None:
            assert process.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.05)
        machine = Machine(root, leader)
        _wait_until_up(machine, deadline, log)
        yield machine
    finally:
        process.terminate()  # nspawn turns it into --kill-signal: power off
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_up(machine: Machine, deadline: float, log: Path) -> None:
    while True:
        try:
            machine.run("systemctl", "is-active", "basic.target")
        except AssertionError:
            assert time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.1)
        else:
            return
