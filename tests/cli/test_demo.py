"""The main job as a newcomer runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process


def run_demo(home: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lucidtrond.cli.operator", "demo", *flags],
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )


def test_a_directory_with_the_state_of_an_earlier_run_is_refused(
    tmp_path: Path,
) -> None:
    state = tmp_path / "kept" / "state"
    state.mkdir(parents=True)
    done = run_demo(tmp_path, "--keep", str(state.parent))
    assert done.returncode == 1
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith(f"lucidtrond: {state.parent} holds the state of an earlier")
    assert line.endswith("choose another directory")
    assert list(state.parent.rglob("*")) == [state]


def test_the_demo_verifies_every_step_and_says_so(tmp_path: Path) -> None:
    done = run_demo(tmp_path)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Every step was verified" in done.stdout
    for text in ("12.345678 TRX", "12.5 IUSD", "history over HTTP", "over a websocket"):
        assert text in done.stdout
