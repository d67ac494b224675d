"""Bytes that wait for a slow peer."""

import socket
from math import inf

import trio
import trio.testing

from lucidtrond.transports.outbox import Outbox


def pair() -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)  # noqa: FBT003 - the socket module's own name
    theirs.setblocking(False)  # noqa: FBT003 - ditto
    return ours, theirs


async def test_parts_leave_in_order_and_in_one_write() -> None:
    ours, theirs = pair()
    with ours, theirs:
        out = Outbox(30)
        assert not out
        for part in (b"one ", b"two ", b"three"):
            out.put(part)
        assert out.size == 13
        assert out.flush(ours)
        assert theirs.recv(100) == b"one two three"
        assert (out.size, out.deadline, bool(out)) == (0, inf, False)


async def test_what_the_kernel_refuses_stays_first_under_a_deadline(
    autojump_clock: trio.testing.MockClock,
) -> None:
    ours, theirs = pair()
    with ours, theirs:
        out = Outbox(30)
        data = bytes(range(256)) * 20_000
        out.put(data)
        assert out.flush(ours)
        assert out.deadline == trio.current_time() + 30
        out.put(b"behind")
        received = b""
        while len(received) < len(data) + 6:
            received += theirs.recv(1 << 20)
            assert out.flush(ours)
        assert received == data + b"behind"
        assert out.deadline == inf


async def test_a_peer_that_takes_nothing_gains_no_time(
    autojump_clock: trio.testing.MockClock,
) -> None:
    ours, theirs = pair()
    with ours, theirs:
        out = Outbox(30)
        out.put(bytes(10_000_000))
        assert out.flush(ours)
        first = out.deadline
        await trio.sleep(5)
        assert out.flush(ours)
        assert out.deadline == first


async def test_a_peer_that_is_gone_is_told_and_all_dropped() -> None:
    ours, theirs = pair()
    with ours:
        theirs.close()
        out = Outbox(30)
        out.put(b"to nobody")
        assert not out.flush(ours)
        assert (out.size, out.deadline, bool(out)) == (0, inf, False)
