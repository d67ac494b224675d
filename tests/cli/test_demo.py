"""The main job as a newcomer runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process


def test_the_demo_verifies_every_step_and_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lucidtrond.cli.operator", "demo"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Every step was verified" in done.stdout
    for text in ("12.345678 TRX", "12.5 IUSD", "history over HTTP", "over a websocket"):
        assert text in done.stdout
