"""A start that must not go on, or is stopped: what is said, and how soon."""

import re
import socket
import time
from pathlib import Path

import pytest

from tests.daemon.process import DaemonProcess

pytestmark = pytest.mark.process

SOON_S = 1.0
SLACK_S = 2.0
"""For a busy machine: a start imports for a while."""


def test_a_state_directory_of_another_network_is_refused_before_connecting(
    tmp_path: Path,
) -> None:
    daemon = DaemonProcess(tmp_path)
    try:
        daemon.start()
        daemon.call("devnet.mine", count=3)
        assert daemon.stop() == 0
    finally:
        daemon.end()
    with socket.create_server(("127.0.0.1", 0)) as node:
        node.settimeout(0)
        port = node.getsockname()[1]
        config = tmp_path / "mainnet.toml"
        config.write_text(
            '[network]\nname = "mainnet"\n[[network.endpoints]]\n'
            f'url = "http://127.0.0.1:{port}"\n'
        )
        daemon.log.unlink()
        other = DaemonProcess(tmp_path, config=config)
        assert other.spawn().wait(30) == 1
        [ended] = [line for line in other.log_lines() if "reason" in line]
        for words in (
            f"state directory {other.state} belongs to a devnet or private network",
            "the configuration asks for mainnet",
            "use another --state-dir",
        ):
            assert words in ended["reason"]
        held, asked = re.findall(r"genesis ([0-9a-f]+)", ended["reason"])
        assert held != asked  # a block's number alone tells no chain from another
        with pytest.raises(BlockingIOError):
            node.accept()  # nobody connected


def test_a_start_that_waits_for_a_node_is_stopped_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as node:
        node.settimeout(30)
        config = tmp_path / "private.toml"
        config.write_text(
            f'[network]\nname = "private"\ngenesis_id = "{"00" * 32}"\n'
            "[[network.endpoints]]\n"
            f'url = "http://127.0.0.1:{node.getsockname()[1]}"\n'
        )
        process = DaemonProcess(tmp_path, config=config).spawn()
        try:
            connection, _ = node.accept()  # it waits for the answer now
            with connection:
                begun = time.monotonic()
                process.terminate()
                assert process.wait(30) == 0
                assert time.monotonic() - begun < SOON_S + SLACK_S
        finally:
            process.kill()
            process.wait()
