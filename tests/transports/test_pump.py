"""The pump: who waits keeps its task, everybody else goes on."""

import socket
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

import pytest
import trio
import trio.testing
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.transports.pump import (
    TURN_CALLS,
    Pump,
    notice_waiting,
)


class Told(Exception):
    """Raised into or out of what runs."""


class Ask:
    """Something to await that asks its event loop for a value."""

    def __init__(self, question: int) -> None:
        self._question = question

    def __await__(self) -> Any:
        return (yield self._question)


async def talk(questions: int, *, heard: list[Any], fails: bool) -> str:
    for question in range(questions):
        try:
            heard.append(await Ask(question))
        except Told as error:
            heard.append(error)
    if fails:
        raise Told
    return "done"


def drive(talking: Coroutine[Any, Any, str], says: list[Any]) -> list[Any]:
    """Be an event loop: give *says* for answers; gives questions and the end."""
    came: list[Any] = []
    said = iter([None, *says])
    try:
        while True:
            word = next(said)
            step: Callable[[Any], Any] = talking.send
            if isinstance(word, Told):
                step = talking.throw
            came.append(step(word))
    except StopIteration as done:
        came.append(done.value)
    except Told:
        came.append("failed")
    return came


@given(
    says=st.lists(st.none() | st.integers() | st.builds(Told), max_size=5),
    fails=st.booleans(),
)
def test_nobody_can_tell_that_waiting_is_noticed(
    says: list[Any], *, fails: bool
) -> None:
    noticed: list[int] = []
    plain: list[Any] = []
    watched: list[Any] = []

    async def watch() -> str:
        inner = talk(len(says), heard=watched, fails=fails)
        return await notice_waiting(inner, lambda: noticed.append(len(watched)))

    wanted = drive(talk(len(says), heard=plain, fails=fails), says)
    assert drive(watch(), says) == wanted
    assert watched == plain == says
    assert noticed == ([0] if says else [])


async def stay() -> None:
    await trio.sleep_forever()


async def test_what_waits_can_be_cancelled_through_it() -> None:
    with trio.CancelScope() as scope:
        await notice_waiting(stay(), scope.cancel)
    assert scope.cancelled_caught


@define(eq=False)
class Reader:
    """Reads a byte at a turn; waits if told to."""

    sock: socket.socket
    go: trio.Event | None = None
    pump: Pump = field(init=False)
    got: list[bytes] = field(factory=list)
    turns: int = 0
    is_queued: bool = False
    was_cut_short: bool = False

    def on_ready(self, events: int) -> bool:
        is_new = not self.is_queued
        self.is_queued = True
        return is_new and events > 0

    async def work(self, guard: trio.CancelScope) -> int:
        self.is_queued = False
        self.turns += 1
        self.got.append(self.sock.recv(1))
        if self.got[-1] == b"g":
            guard.cancel()
        if self.go is not None:
            self.pump.rearm(self.sock.fileno(), 0)
            self.pump.step_down(guard)
            await self.go.wait()
        return 1

    def cut_short(self) -> None:
        self.was_cut_short = True


@define(eq=False)
class Bench:
    """A running pump and pairs of sockets."""

    pump: Pump
    peers: list[socket.socket] = field(factory=list)

    def add(self, **given: Any) -> tuple[socket.socket, Reader]:
        peer, ours = socket.socketpair()
        ours.settimeout(0)
        self.peers += (peer, ours)
        reader = Reader(ours, **given)
        reader.pump = self.pump
        self.pump.watch(ours.fileno(), reader)
        return peer, reader


@pytest.fixture
async def bench() -> Any:
    async with trio.open_nursery() as nursery:
        bench = Bench(Pump(nursery))
        nursery.start_soon(bench.pump.run)
        yield bench
        nursery.cancel_scope.cancel()
    bench.pump.close()
    for sock in bench.peers:
        sock.close()


async def test_whoever_is_ready_gets_a_turn(bench: Bench) -> None:
    pairs = [bench.add() for _ in range(200)]
    for peer, _ in pairs[::2]:
        peer.send(b"a")
    await trio.testing.wait_all_tasks_blocked()
    assert [reader.turns for _, reader in pairs] == [1, 0] * 100


async def test_one_that_waits_holds_up_nobody(bench: Bench) -> None:
    go = trio.Event()
    slow = [bench.add(go=go) for _ in range(3)]
    peer, quick = bench.add()
    for each, _ in slow:
        each.send(b"a")
    await trio.testing.wait_all_tasks_blocked()
    for _ in range(3):
        peer.send(b"b")
        await trio.testing.wait_all_tasks_blocked()
    assert quick.got == [b"b"] * 3
    assert [reader.turns for _, reader in slow] == [1, 1, 1]
    go.set()
    await trio.testing.wait_all_tasks_blocked()
    peer.send(b"c")
    await trio.testing.wait_all_tasks_blocked()
    assert quick.got[-1] == b"c"


async def test_a_guard_ends_only_what_waits_in_it(bench: Bench) -> None:
    go = trio.Event()
    peer, slow = bench.add(go=go)
    other, quick = bench.add()
    peer.send(b"g")
    await trio.testing.wait_all_tasks_blocked()
    assert slow.was_cut_short
    other.send(b"a")
    await trio.testing.wait_all_tasks_blocked()
    assert quick.got == [b"a"]
    assert not quick.was_cut_short


@define(eq=False)
class Endless:
    """Always wants another turn."""

    pump: Pump
    turns: int = 0

    def on_ready(self, _events: int) -> bool:
        return False

    async def work(self, _guard: trio.CancelScope) -> int:
        self.turns += 1
        self.pump.queue(self)
        return 1

    def cut_short(self) -> None:
        raise AssertionError("nobody did")


async def test_other_tasks_get_their_turn_however_much_there_is_to_do(
    bench: Bench,
) -> None:
    endless = Endless(bench.pump)
    bench.pump.queue(endless)
    peer, reader = bench.add()
    peer.send(b"a")
    turns = [0]
    while not reader.turns:
        await trio.lowlevel.checkpoint()
        turns.append(endless.turns)
    steps = [after - before for before, after in pairwise(turns)]
    # trio shuffles who goes first in a round: it may have two turns between ours.
    assert 0 < max(steps) <= 2 * TURN_CALLS
    assert sum(steps) <= 3 * TURN_CALLS


async def test_a_turn_that_is_asked_for_wakes_it(bench: Bench) -> None:
    peer, reader = bench.add()
    await trio.testing.wait_all_tasks_blocked()
    bench.pump.rearm(reader.sock.fileno(), 0)
    peer.send(b"a")
    await trio.testing.wait_all_tasks_blocked()
    assert reader.turns == 0
    bench.pump.queue(reader)
    await trio.testing.wait_all_tasks_blocked()
    assert reader.got == [b"a"]


async def test_it_ends_when_there_is_nobody_left() -> None:
    with trio.fail_after(1):
        async with trio.open_nursery() as nursery:
            pump = Pump(nursery)
            nursery.start_soon(pump.run)
            await trio.testing.wait_all_tasks_blocked()
            pump.finish()
    pump.close()
