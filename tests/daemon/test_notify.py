"""What a real daemon tells its service manager."""

import socket
from pathlib import Path

import pytest

from tests.daemon.process import DaemonProcess

pytestmark = pytest.mark.process


def test_it_says_ready_when_it_can_be_called_and_stopping_when_it_ends(
    daemon: DaemonProcess, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        daemon.start(NOTIFY_SOCKET=str(tmp_path / "notify"))
        assert manager.recv(4096) == b"READY=1\nSTATUS=serving devnet"
        assert daemon.call("daemon.health")["status"] == "ok"
        manager.settimeout(0)
        with pytest.raises(BlockingIOError):
            manager.recv(4096)
        assert daemon.stop() == 0
        assert manager.recv(4096) == b"STOPPING=1"


def test_a_service_manager_that_is_gone_stops_nothing(
    daemon: DaemonProcess, tmp_path: Path
) -> None:
    daemon.start(NOTIFY_SOCKET=str(tmp_path / "nobody"))
    assert daemon.call("daemon.health")["status"] == "ok"
    assert daemon.stop() == 0


def test_nothing_is_ready_while_the_start_fails(
    daemon: DaemonProcess, tmp_path: Path
) -> None:
    daemon.socket.write_text("in the way")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(0)
        assert daemon.spawn(NOTIFY_SOCKET=str(tmp_path / "notify")).wait(20) == 1
        with pytest.raises(BlockingIOError):
            manager.recv(4096)
