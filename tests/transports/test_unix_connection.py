"""One connection: cut texts, methods that wait, peers that are slow or gone."""

import contextlib
import random
import socket
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.rpc.dispatch import Call, Dispatcher, Method
from lucidtrond.rpc.session import SessionLimits
from lucidtrond.transports.unix import UnixLimits
from tests.transports.unix_daemon import (
    decode_lines,
    fixture_dispatcher,
    notification,
    pass_time,
    read_all,
    read_lines,
    request,
    served_still,
    serving,
    settle,
)


@given(cuts=st.lists(st.integers(1, 400), max_size=12), newline=st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_answers_do_not_depend_on_how_the_bytes_were_cut(
    cuts: list[int], *, newline: bool
) -> None:
    data = (
        request("echo", ["é", 1], id=1)
        + b"[" + request("sum", [1, 2], id=2).strip() + b",7]\n"
        + notification("update", [0])
        + b"{}\n"
        + request("nobody", [], id="x")
        + request("get_data", id=3).strip()
    )  # fmt: skip

    async def answers(cuts: list[int], folder: Path) -> list[Any]:
        async with serving(folder) as served, await served.connect() as stream:
            rest = data + b"\n" * newline
            for size in cuts:
                if part := rest[:size]:
                    await stream.send_all(part)
                    await trio.testing.wait_all_tasks_blocked()
                rest = rest[size:]
            if rest:
                await stream.send_all(rest)
            await stream.send_eof()
            return sorted(decode_lines(await read_all(stream)), key=str)

    with TemporaryDirectory() as folder:
        whole = trio.run(answers, [], Path(folder))
        assert trio.run(answers, cuts, Path(folder)) == whole
    assert len(whole) == 5


@pytest.mark.parametrize("seed", range(5))
async def test_every_call_is_answered_once_however_it_was_cut(
    seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    separator = chance.choice([b"\n", b"\n\n", b"\r\n", b" \n"])
    calls = 300
    data = separator.join(
        request(chance.choice(["echo", "sum", "wait"]), [0], id=i).strip()
        for i in range(calls)
    )
    async with serving(tmp_path) as served, await served.connect() as stream:

        async def send() -> None:
            rest = memoryview(data + separator)
            while rest:
                size = chance.choice([1, 7, 100, 4000, 70000])
                await stream.send_all(rest[:size])
                rest = rest[size:]

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            answers = await read_lines(stream, calls)
        assert sorted(answer["id"] for answer in answers) == list(range(calls))


async def test_a_peer_that_reads_nothing_is_dropped(
    tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    async with serving(tmp_path) as served, await served.connect() as stream:
        big = "x" * 100_000
        with trio.move_on_after(1000):
            async with trio.open_nursery() as nursery:

                async def flood() -> None:
                    with contextlib.suppress(trio.BrokenResourceError):
                        while True:
                            await stream.send_all(request("echo", [big]))
                    nursery.cancel_scope.cancel()

                nursery.start_soon(flood)
                for _ in range(40):
                    await settle()
                    mock_clock.jump(1)
        assert nursery.cancel_scope.cancel_called
        await served_still(served)


async def test_a_text_must_be_whole_in_time(
    tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    async with (
        serving(tmp_path) as served,
        await served.connect() as slow,
        await served.connect() as idle,
    ):
        await slow.send_all(request("get_data") + b'{"jsonrpc"')
        await read_lines(slow, 1)
        for _ in range(29):
            await settle()
            mock_clock.jump(1)
        await slow.send_all(b":")  # one more byte buys no time
        for _ in range(5):
            await settle()
            mock_clock.jump(1)
        assert await read_all(slow) == b""
        await idle.send_all(request("get_data"))
        assert len(await read_lines(idle, 1)) == 1


async def test_time_runs_for_a_text_only_while_it_is_listened_for(
    tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    limits = UnixLimits(session=SessionLimits(in_flight=1))
    async with (
        serving(tmp_path, limits=limits) as served,
        await served.connect() as stream,
    ):
        first, second = (request("wait", [29], id=i) for i in (1, 2))
        third = request("get_data", id=3)
        await stream.send_all(first[:9])
        await pass_time(mock_clock, 20)
        await stream.send_all(first[9:] + second + third[:9])
        await pass_time(mock_clock, 40)  # the first held up the second until now
        await stream.send_all(third[9:])
        await pass_time(mock_clock, 20)
        answers = await read_lines(stream, 3)
        assert [answer["id"] for answer in answers] == [1, 2, 3]


async def test_an_inline_method_that_waits_is_ended_and_the_rest_goes_on(
    tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    async with serving(tmp_path) as served, await served.connect() as stream:
        await stream.send_all(
            request("wait_inline", [3600], id=1)
            + request("echo", ["x"], id=2)
            + b"["
            + request("wait_inline", [3600], id=3).strip()
            + b"]\n"
            + request("echo", ["y"], id=4)
        )
        for _ in range(20):
            await settle()
            mock_clock.jump(1)
        first, second, third, fourth = await read_lines(stream, 4)
        assert (first["id"], first["error"]["code"]) == (1, 102)
        assert second["result"] == ["x"]
        assert (third[0]["id"], third[0]["error"]["code"]) == (3, 102)
        assert fourth["result"] == ["y"]


async def test_an_inline_method_that_waits_holds_up_nobody_else(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as served:
        stuck = [await served.connect() for _ in range(3)]
        for number, stream in enumerate(stuck):
            await stream.send_all(
                request("echo", ["before"], id=number)
                + request("wait_inline", [3600], id=9)
                + request("echo", ["behind"])
            )
            (answer,) = await read_lines(stream, 1)
            assert answer["id"] == number
        for _ in range(3):
            await served_still(served)
        for stream in stuck:
            await stream.aclose()


async def test_an_inline_method_that_waits_ends_when_its_peer_takes_nothing(
    tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    ended = trio.Event()

    async def stay(_: Call) -> None:
        try:
            await trio.sleep_forever()
        finally:
            ended.set()

    dispatcher = fixture_dispatcher()
    dispatcher.add(Method("stay", stay, inline=True))
    async with serving(tmp_path, dispatcher) as served:
        stream = await served.connect()
        await stream.send_all(request("stay"))
        await settle()
        await stream.aclose()
        await pass_time(mock_clock, 3)
        assert ended.is_set()
        await served_still(served)


async def test_a_peer_that_reads_nothing_slows_nobody(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        deaf = [await served.connect() for _ in range(4)]
        for stream in deaf:
            with trio.move_on_after(0.02):
                while True:
                    await stream.send_all(request("echo", ["x" * 50_000]))
        with trio.fail_after(1):
            for _ in range(50):
                await served_still(served)
        for stream in deaf:
            await stream.aclose()


async def test_notifications_of_a_peer_that_left_at_once_are_carried_out(
    tmp_path: Path,
) -> None:
    seen: list[Any] = []
    limits = UnixLimits(session=SessionLimits(in_flight=4))
    sent = notification("update", [1]) * 200 + request("echo", ["x" * 1000]) * 100
    sent += notification("notify_hello", [2]) * 200 + request("raise")
    async with serving(tmp_path, fixture_dispatcher(seen), limits=limits) as served:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(served.path))
            sock.sendall(sent)
        await settle()
        assert sorted(seen) == [[1]] * 200 + [[2]] * 200
        await served_still(served)


async def test_they_are_even_when_it_left_in_the_middle_of_a_burst(
    tmp_path: Path,
) -> None:
    seen: list[Any] = []
    sock = socket.socket(socket.AF_UNIX)

    async def leave(_: Call) -> None:
        sock.close()

    dispatcher = fixture_dispatcher(seen)
    dispatcher.add(Method("leave", leave, inline=True))
    async with serving(tmp_path, dispatcher) as served:
        sock.connect(str(served.path))
        sock.sendall(request("leave") + notification("notify_hello", [1]) * 100)
        await settle()
        assert seen == [[1]] * 100
        await served_still(served)


async def test_calls_of_a_peer_that_left_are_cancelled_and_notifications_are_not(
    tmp_path: Path,
) -> None:
    seen: list[Any] = []
    started, go = trio.Event(), trio.Event()
    cancelled = trio.Event()

    async def call(_: Call) -> None:
        started.set()
        try:
            await trio.sleep_forever()
        finally:
            cancelled.set()

    async def note(_: Call, params: list[int]) -> None:
        await go.wait()
        seen.extend(params)

    dispatcher = Dispatcher()
    dispatcher.add(Method("call", call))
    dispatcher.add(Method("note", note, params=list[int]))
    async with serving(tmp_path, dispatcher) as served:
        async with await served.connect() as stream:
            await stream.send_all(request("call") + notification("note", [7]))
            await started.wait()
        await cancelled.wait()
        go.set()
        await settle()
        assert seen == [7]


async def test_a_peer_that_ends_its_input_still_gets_its_answers(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as served:
        data = request("wait", [0.02, 1], id=1) + request("echo", [2], id=2)
        answers = await served.ask(data.rstrip(b"\n"))
        assert sorted(answer["id"] for answer in answers) == [1, 2]


async def test_peers_that_vanish_in_the_middle_leave_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        for data in (
            b"",
            b"{",
            request("wait", [3600]) * 50,
            request("echo", [1]) * 50,
        ):
            for _ in range(5):
                stream = await served.connect()
                await stream.send_all(data)
                await stream.aclose()
        await settle()
        await served_still(served)
        served.stop.set()
        with trio.fail_after(1):
            await served.finished.wait()
