"""Who gets the socket file, with which mode, and what happens to an old one."""

import multiprocessing
import os
import socket
import stat
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from lucidtrond.errors import AlreadyRunning, ConfigError
from lucidtrond.transports.unix_listener import open_unix_listener, read_peer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rpc.sock"


def connect(path: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect(os.fspath(path))
    return client


def leave_stale_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.bind(os.fspath(path))
        sock.listen()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o177])
@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666])
def test_the_file_has_the_mode_asked_for_whatever_the_umask(
    path: Path, mode: int, umask: int
) -> None:
    before = os.umask(umask)
    try:
        listener = open_unix_listener(path, mode=mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    listener.close()


def test_the_file_gets_its_group(path: Path) -> None:
    group = os.getgid()
    listener = open_unix_listener(path, group=group)
    assert path.stat().st_gid == group
    listener.close()


def test_closing_removes_the_file_and_can_be_repeated(path: Path) -> None:
    listener = open_unix_listener(path)
    listener.close()
    listener.close()
    assert not path.exists()
    open_unix_listener(path).close()


def test_a_dead_daemons_socket_is_replaced(path: Path) -> None:
    leave_stale_socket(path)
    assert path.exists()
    listener = open_unix_listener(path)
    connect(path).close()
    listener.close()


def test_a_live_daemon_is_respected_and_named(path: Path) -> None:
    listener = open_unix_listener(path)
    with pytest.raises(AlreadyRunning, match=r"rpc\.sock: .*--socket"):
        open_unix_listener(path)
    connect(path).close()
    listener.close()


def test_a_live_stranger_without_our_lock_is_respected(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stranger:
        stranger.bind(os.fspath(path))
        stranger.listen(0)
        for _ in range(4):  # each try stays in its queue, which is soon full
            with pytest.raises(AlreadyRunning):
                open_unix_listener(path)
    open_unix_listener(path).close()


def test_a_file_that_is_no_socket_is_left_alone(path: Path) -> None:
    path.write_text("precious")
    with pytest.raises(ConfigError, match="no socket"):
        open_unix_listener(path)
    assert path.read_text() == "precious"
    path.unlink()
    open_unix_listener(path).close()  # the refusal gave the lock back


def test_a_path_too_long_for_a_socket_is_a_setting_at_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="107 bytes"):
        open_unix_listener(tmp_path / ("x" * 108))


def test_a_missing_folder_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_unix_listener(tmp_path / "no" / "rpc.sock")


def test_another_daemons_new_socket_survives_our_close(path: Path) -> None:
    listener = open_unix_listener(path)
    path.unlink()
    leave_stale_socket(path)
    listener.close()
    assert path.exists()


def test_the_peer_is_who_the_kernel_says(path: Path) -> None:
    listener = open_unix_listener(path)
    with connect(path):
        connection, _ = listener.sock.accept()
        with connection:
            peer = read_peer(connection)
    listener.close()
    assert peer.uid == os.geteuid()
    assert peer.gids == {os.getegid(), *os.getgroups()}


def start_at_once(
    path: Path, barrier: Barrier, results: "multiprocessing.Queue[str]"
) -> None:
    barrier.wait()
    try:
        listener = open_unix_listener(path)
    except AlreadyRunning:
        results.put("refused")
    else:
        results.put("listening")
        barrier.wait()  # the others are done
        listener.close()
        return
    barrier.wait()


@pytest.mark.process
def test_of_many_that_start_at_once_one_wins(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    for _ in range(2):
        leave_stale_socket(path)
        barrier, results = context.Barrier(4), context.Queue()
        starters = [
            context.Process(target=start_at_once, args=(path, barrier, results))
            for _ in range(4)
        ]
        for starter in starters:
            starter.start()
        outcomes = sorted(results.get(timeout=60) for _ in starters)
        for starter in starters:
            starter.join()
        assert outcomes == ["listening", "refused", "refused", "refused"]
