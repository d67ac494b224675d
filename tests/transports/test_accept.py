"""Accepting: bursts, peers that gave up, and no descriptors left."""

import errno
import os
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
import trio.testing

from lucidtrond.transports.accept import accept_forever, open_tcp_listeners


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.bind(os.fspath(tmp_path / "s"))
        sock.listen(256)
        yield sock


async def test_everybody_who_waits_is_taken(listener: socket.socket) -> None:
    taken: list[socket.socket] = []

    peers = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(200)]
    for peer in peers:
        peer.connect(listener.getsockname())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(accept_forever, listener, taken.append)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert len(taken) == 200
    assert all(connection.gettimeout() == 0 for connection in taken)
    for sock in (*taken, *peers):
        sock.close()


class Failing:
    """A listener whose accept fails as told, then has nobody."""

    def __init__(self, sock: socket.socket, *errors: int) -> None:
        self._sock = sock
        self._errors = list(errors)

    def fileno(self) -> int:
        return self._sock.fileno()

    def settimeout(self, seconds: float) -> None:
        self._sock.settimeout(seconds)

    def accept(self) -> tuple[socket.socket, object]:
        if self._errors:
            raise OSError(self._errors.pop(0), "as told")
        return self._sock.accept()


@pytest.mark.parametrize(
    "errors",
    [
        [errno.EMFILE, errno.ENFILE],
        [errno.ECONNABORTED, errno.EPROTO],
        [errno.ENOBUFS, errno.ECONNABORTED, errno.ENOMEM],
    ],
)
async def test_a_failing_accept_is_survived(
    listener: socket.socket,
    errors: list[int],
    autojump_clock: trio.testing.MockClock,
) -> None:
    served = trio.Event()

    def admit(connection: socket.socket) -> None:
        connection.close()
        served.set()

    failing: socket.socket = Failing(listener, *errors)  # type: ignore[assignment] # duck
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.connect(listener.getsockname())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(accept_forever, failing, admit)
            with trio.fail_after(10):
                await served.wait()
            nursery.cancel_scope.cancel()


@pytest.mark.process
async def test_peers_wait_until_there_are_descriptors_again(
    listener: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    served = trio.Event()

    def admit(connection: socket.socket) -> None:
        connection.close()
        served.set()

    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(accept_forever, listener, admit)
        await trio.testing.wait_all_tasks_blocked()
        resource.setrlimit(resource.RLIMIT_NOFILE, (peer.fileno() + 1, before[1]))
        try:
            peer.connect(listener.getsockname())
            with trio.move_on_after(0.3):
                await served.wait()
            assert not served.is_set()
            assert "no resources" in caplog.text
            assert len(caplog.records) < 10  # it does not spin
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        with trio.fail_after(5):
            await served.wait()
        nursery.cancel_scope.cancel()
    peer.close()


def test_a_name_with_two_addresses_gives_one_port() -> None:
    listeners = open_tcp_listeners("localhost", 0)
    ports = {listener.getsockname()[1] for listener in listeners}
    assert len(ports) == 1
    with pytest.raises(OSError, match="in use"):
        open_tcp_listeners("localhost", ports.pop())
    for listener in listeners:
        listener.close()
