from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.process import DaemonProcess


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[DaemonProcess]:
    """A daemon that is not started yet; no process is left behind."""
    process = DaemonProcess(tmp_path)
    yield process
    process.end()
