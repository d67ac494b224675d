"""The Unix socket with real peers: floods, bounds, stopping, events."""

import contextlib
import json
import random
import socket
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

import pytest
import trio
import trio.testing

from lucidtrond.api.caller import CallerClass
from lucidtrond.rpc.access import NOTHING, AccessRules, Peer
from lucidtrond.rpc.dispatch import Call, Dispatcher, Method
from lucidtrond.rpc.session import Session, SessionLimits
from lucidtrond.transports.unix import UnixLimits
from tests.transports.unix_daemon import (
    batch,
    decode_lines,
    fixture_dispatcher,
    notification,
    read_all,
    read_lines,
    request,
    served_still,
    serving,
    settle,
)


async def test_a_peer_that_only_sends_whole_objects_needs_no_newline(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as served, await served.connect() as stream:
        for i in range(3):
            await stream.send_all(request("echo", [i]).strip())
            (answer,) = await read_lines(stream, 1)
            assert answer["result"] == [i]


async def test_a_slow_call_does_not_hold_up_a_quick_one(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, await served.connect() as stream:
        await stream.send_all(
            request("wait", [0.05, "late"], id=1) + request("echo", ["now"], id=2)
        )
        answers = await read_lines(stream, 2)
        assert [answer["id"] for answer in answers] == [2, 1]


async def test_a_thousand_peers_are_all_answered(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        async with trio.open_nursery() as nursery:
            answered: list[int] = []

            async def ask(number: int) -> None:
                async with await served.connect() as stream:
                    for _ in range(3):
                        await stream.send_all(request("echo", [number]))
                        (answer,) = await read_lines(stream, 1)
                        assert answer["result"] == [number]
                    answered.append(number)

            for number in range(1000):
                nursery.start_soon(ask, number)
        assert sorted(answered) == list(range(1000))


async def test_a_batch_over_the_configured_length_is_refused(tmp_path: Path) -> None:
    dispatcher = fixture_dispatcher()
    dispatcher.max_batch = 2
    async with (
        serving(tmp_path, dispatcher) as served,
        await served.connect() as stream,
    ):
        await stream.send_all(batch(2) + batch(3))
        answers, refusal = await read_lines(stream, 2)
        assert [answer["id"] for answer in answers] == [0, 1]
        assert refusal["error"]["message"] == "Invalid request: batch over 2 calls"


async def test_a_flood_on_one_connection_leaves_room_for_another(
    tmp_path: Path,
) -> None:
    order: list[str] = []

    async def note(_: Call, params: list[str]) -> None:
        order.extend(params)

    dispatcher = Dispatcher()
    dispatcher.add(Method("note", note, params=list[str], inline=True))
    async with serving(tmp_path, dispatcher) as served:
        flood, other = (socket.socket(socket.AF_UNIX) for _ in range(2))
        with flood, other:
            flood.connect(str(served.path))
            other.connect(str(served.path))
            await settle()
            flood.sendall(notification("note", ["flood"]) * 500)
            other.sendall(notification("note", ["other"]))
            await settle()
    assert len(order) == 501
    assert order.index("other") <= 32


async def test_calls_in_flight_are_bounded_by_reading_no_more(tmp_path: Path) -> None:
    running = 0
    most = 0
    go = trio.Event()

    async def hold(_: Call) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await go.wait()
        running -= 1

    dispatcher = fixture_dispatcher()
    dispatcher.add(Method("hold", hold))
    limits = UnixLimits(session=SessionLimits(in_flight=4))
    async with (
        serving(tmp_path, dispatcher, limits=limits) as served,
        await served.connect() as stream,
    ):
        for i in range(20):
            await stream.send_all(request("hold", id=i))
        await settle()
        assert running == most == 4
        go.set()
        answers = await read_lines(stream, 20)
        assert sorted(answer["id"] for answer in answers) == list(range(20))
        assert most == 4


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", -32700),
        (b"\x16\x03\x01\x02\x00\x01\x00", -32700),
        (b"\x00" * 100, -32700),
        (b"x" * 3_000_000, -32700),
        (b'"' + b"x" * 3_000_000, 105),
        (b"1" * 3_000_000 + b"\n", 105),
    ],
)
async def test_a_peer_that_speaks_something_else_hears_it_once_and_is_closed(
    data: bytes, code: int, tmp_path: Path
) -> None:
    async with serving(tmp_path) as served:
        async with await served.connect() as stream, trio.open_nursery() as nursery:

            async def send() -> None:
                with contextlib.suppress(trio.BrokenResourceError):
                    await stream.send_all(data)

            nursery.start_soon(send)
            with trio.fail_after(5):
                (answer,) = decode_lines(await read_all(stream))
        assert answer["error"]["code"] == code
        assert answer["id"] is None
        await served_still(served)


async def test_random_garbage_is_always_answered_or_closed(tmp_path: Path) -> None:
    chance = random.Random(7)
    alphabet = [b"{", b"}", b"[", b"]", b'"', b":", b",", b"\n", b"\\", b"1", b"\xff"]
    alphabet += [
        b'"jsonrpc":"2.0"',
        b'"method":"get_data"',
        b'"id":1',
        b"\x00",
        b"null",
    ]
    async with serving(tmp_path) as served:
        for _ in range(150):
            data = b"".join(chance.choices(alphabet, k=chance.randrange(1, 60)))
            with trio.fail_after(5):
                raw = await served.exchange(data)
            for line in raw.splitlines():
                answer = json.loads(line)
                for one in answer if isinstance(answer, list) else [answer]:
                    assert one["jsonrpc"] == "2.0"
        await served_still(served)


async def test_when_full_a_newcomer_hears_it(tmp_path: Path) -> None:
    limits = UnixLimits(max_connections=2)
    async with serving(tmp_path, limits=limits) as served:
        first, second = await served.connect(), await served.connect()
        await second.send_all(request("get_data"))
        await read_lines(second, 1)
        async with await served.connect() as third:
            (answer,) = decode_lines(await read_all(third))
            assert answer["error"]["code"] == 104
        await first.aclose()
        await settle()
        await served_still(served)
        await second.aclose()


class Nobody(AccessRules):
    """Root runs these tests, too, and no rule takes anything from root."""

    def classes_of(self, peer: Peer) -> frozenset[CallerClass]:
        return NOTHING & super().classes_of(peer)


async def test_a_peer_without_a_class_may_call_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path, access=Nobody(owner=1)) as served:
        (answer,) = await served.ask(request("get_data"))
        assert answer["error"]["code"] == 402


async def test_stopping_lets_calls_in_flight_end_and_refuses_new_ones(
    tmp_path: Path,
) -> None:
    go = trio.Event()

    async def hold(_: Call) -> str:
        await go.wait()
        return "done"

    dispatcher = fixture_dispatcher()
    dispatcher.add(Method("hold", hold))
    async with serving(tmp_path, dispatcher) as served:
        busy, idle = await served.connect(), await served.connect()
        await busy.send_all(request("hold", id=1))
        await settle()
        served.stop.set()
        assert await read_all(idle) == b""
        assert not served.path.exists()
        await busy.send_all(request("get_data", id=2) + request("hold", id=3))
        answers = await read_lines(busy, 2)
        assert [(a["id"], a["error"]["code"]) for a in answers] == [(2, 106), (3, 106)]
        go.set()
        (answer,) = decode_lines(await read_all(busy))
        assert (answer["id"], answer["result"]) == (1, "done")
        with trio.fail_after(1):
            await served.finished.wait()
        await busy.aclose()
        await idle.aclose()


async def test_a_call_that_was_sent_before_the_stop_is_not_lost_without_a_word(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as served, await served.connect() as stream:
        await settle()
        await stream.send_all(request("get_data"))
        served.stop.set()
        (answer,) = decode_lines(await read_all(stream))
        assert "result" in answer or answer["error"]["code"] == 106


async def test_a_call_that_waits_in_the_kernel_at_the_stop_is_refused_by_name(
    tmp_path: Path,
) -> None:
    go = trio.Event()

    async def hold(_: Call) -> None:
        await go.wait()

    dispatcher = fixture_dispatcher()
    dispatcher.add(Method("hold", hold, inline=True))
    async with (
        serving(tmp_path, dispatcher) as served,
        await served.connect() as stream,
    ):
        await stream.send_all(request("hold", id=1))
        await settle()
        await stream.send_all(request("get_data", id=2))
        served.stop.set()
        await settle()
        go.set()
        first, second = decode_lines(await read_all(stream))
        assert (first["id"], first["result"]) == (1, None)
        assert (second["id"], second["error"]["code"]) == (2, 106)


async def test_an_answer_that_is_half_sent_at_the_stop_arrives_whole(
    tmp_path: Path,
) -> None:
    async def big(_: Call, params: list[int]) -> str:
        return str(params[0]) * 900_000

    dispatcher = Dispatcher()
    dispatcher.add(Method("big", big, params=list[int], inline=True))
    async with (
        serving(tmp_path, dispatcher) as served,
        await served.connect() as stream,
    ):
        await stream.send_all(request("big", [7]))
        await settle()
        served.stop.set()  # wakes the reader in the middle of its write
        await settle()
        (answer,) = decode_lines(await read_all(stream))
        assert answer["result"] == "7" * 900_000


async def test_stopping_waits_no_longer_than_its_grace(
    tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    async with serving(tmp_path, grace_s=5) as served, await served.connect() as stream:
        await stream.send_all(request("wait", [3600]))
        await settle()
        served.stop.set()
        await settle()
        mock_clock.jump(4)
        await settle()
        assert not served.finished.is_set()
        mock_clock.jump(2)
        with trio.fail_after(1):
            await served.finished.wait()


def push(session: Session, frame: bytes) -> None:
    assert session.push(frame)


def subscribing(sessions: list[Session]) -> Dispatcher:
    async def subscribe(call: Call) -> str:
        assert call.session is not None
        sessions.append(call.session)
        call.session.hold("s1", lambda: None)
        frame = b'{"first":1}'
        session = call.session
        session.after_answer(partial(push, session, frame))
        return "s1"

    dispatcher = fixture_dispatcher()
    dispatcher.add(Method("subscribe", subscribe))
    return dispatcher


async def test_frames_follow_the_answer_and_keep_their_order(tmp_path: Path) -> None:
    sessions: list[Session] = []
    async with (
        serving(tmp_path, subscribing(sessions)) as served,
        await served.connect() as stream,
    ):
        await stream.send_all(request("subscribe"))
        answer, first = await read_lines(stream, 2)
        assert answer["result"] == "s1"
        assert first == {"first": 1}
        big = b'{"n":%d,"pad":"' + b"x" * 20_000 + b'"}'
        pushed = 0
        while sessions[0].push(big % pushed):
            pushed += 1
        assert 40 < pushed < 100  # a mebibyte and what the kernel took
        await stream.send_all(request("echo", ["in between"]))
        got = await read_lines(stream, pushed + 1)
        numbers = [frame["n"] for frame in got if "n" in frame]
        assert numbers == list(range(pushed))
        assert sessions[0].push(b"{}")
        assert await read_lines(stream, 1) == [{}]


async def test_a_subscriber_that_ended_its_input_is_served_until_it_leaves(
    tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    sessions: list[Session] = []
    async with serving(tmp_path, subscribing(sessions)) as served:
        stream = await served.connect()
        await stream.send_all(request("subscribe"))
        await stream.send_eof()
        await read_lines(stream, 2)
        assert sessions[0].push(b'{"n":1}')
        assert await read_lines(stream, 1) == [{"n": 1}]
        await stream.aclose()
        for _ in range(3):
            await settle()
            mock_clock.jump(1)
        await settle()
        assert sessions[0].is_closed
        assert not sessions[0].push(b"{}")


def count_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def test_cancelled_anywhere_the_server_leaves_nothing(tmp_path: Path) -> None:
    """Cancel it after each number of scheduler steps; then it must start again."""

    class CancelAfter(trio.abc.Instrument):
        def __init__(self, steps: int, cancel: Callable[[], None]) -> None:
            self.steps, self.cancel = steps, cancel

        def before_task_step(self, _task: trio.lowlevel.Task) -> None:
            self.steps -= 1
            if self.steps == 0:
                self.cancel()

    data = request("wait", [0, 1]) + request("echo", ["x" * 70_000]) * 3
    data += request("wait_inline", [0]) + b"{"
    descriptors = count_descriptors()
    for steps in count(1):
        with trio.CancelScope() as scope:
            instrument = CancelAfter(steps, scope.cancel)
            trio.lowlevel.add_instrument(instrument)
            try:
                async with serving(tmp_path) as served:
                    stream = await served.connect()
                    with contextlib.closing(stream.socket):
                        await stream.send_all(data)
                        await read_lines(stream, 5)
            finally:
                trio.lowlevel.remove_instrument(instrument)
        assert count_descriptors() == descriptors
        assert not (tmp_path / "rpc.sock").exists()
        if instrument.steps > 0:
            break
    assert steps > 20
    async with serving(tmp_path) as served:
        await served_still(served)
