"""Services and event handlers: ready, supervised, failed, unwound."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from lucidtrond.api import (
    Context,
    NoConfig,
    Plugin,
    PluginEvent,
    PluginFailed,
    Result,
)
from lucidtrond.errors import PluginError, StartTimeout
from lucidtrond.pluginhost.running import CRASHES, FORGET_S, READY_S
from lucidtrond.store.database import open_store
from lucidtrond.testing import Workbench, open_workbench

Ctx = Context[NoConfig]
Status = trio.TaskStatus[None]


class Answer(Result, frozen=True):
    number: int


class Boom(Exception):
    pass


def plugin_with(
    serve: Callable[..., Any] | None = None,
    *,
    on_crash: Any = "restart",
    name: str = "some",
) -> Plugin[NoConfig]:
    plugin = Plugin(name)

    @plugin.method(f"{name}.get")
    async def get(_ctx: Ctx) -> Answer:
        """Answer."""
        return Answer(number=7)

    if serve is not None:
        plugin.service(serve, on_crash=on_crash)
    return plugin


@asynccontextmanager
async def opened(*plugins: Plugin[Any], poll_s: float = 1) -> AsyncIterator[Workbench]:
    sections: dict[str, Any] = {plugin.name: {} for plugin in plugins}
    async with open_workbench(
        sections, plugins=plugins, keystore=False, poll_s=poll_s
    ) as bench:
        yield bench


def make_event(number: int, plugin: str = "some") -> PluginEvent:
    return PluginEvent(plugin=plugin, name="told", data={"number": number})


def states(bench: Workbench) -> dict[str, str]:
    return {state.name: state.state for state in bench.host.states()}


async def test_methods_answer_and_services_are_ready_before_the_start_ends(
    autojump_clock: MockClock,
) -> None:
    ready_at: list[float] = []

    async def serve(_ctx: Ctx, task_status: Status) -> None:
        await trio.sleep(5)
        ready_at.append(trio.current_time())
        task_status.started()
        await trio.sleep_forever()

    async with opened(plugin_with(serve)) as bench:
        assert ready_at == [5.0]
        assert states(bench) == {"some": "running"}
        assert (await bench.call("some.get")).number == 7


async def test_a_service_that_is_never_ready_refuses_the_start(
    autojump_clock: MockClock,
) -> None:
    async def serve(_ctx: Ctx, task_status: Status) -> None:
        await trio.sleep_forever()

    with pytest.RaisesGroup(
        pytest.RaisesExc(StartTimeout, match=r"plugin some .*service some\.serve"),
        flatten_subgroups=True,
    ):
        async with opened(plugin_with(serve)):
            pytest.fail("not reached")
    assert trio.current_time() >= READY_S


async def test_a_service_that_crashes_before_it_is_ready_refuses_the_start(
    autojump_clock: MockClock,
) -> None:
    async def serve(_ctx: Ctx, task_status: Status) -> None:
        await trio.sleep(1)
        raise Boom("no luck")

    with pytest.RaisesGroup(
        pytest.RaisesExc(
            PluginError,
            match=r"service some\.serve crashed before it was ready: Boom: no luck",
        ),
        flatten_subgroups=True,
    ):
        async with opened(plugin_with(serve)):
            pytest.fail("not reached")


async def test_a_crashed_service_starts_again_with_growing_pauses(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    begun: list[float] = []

    async def serve(_ctx: Ctx, task_status: Status) -> None:
        begun.append(trio.current_time())
        task_status.started()
        if len(begun) < 4:
            raise Boom
        await trio.sleep_forever()

    async with opened(plugin_with(serve)) as bench:
        await trio.sleep(60)
        assert [then - begun[0] for then in begun] == [0, 1, 3, 7]
        assert states(bench) == {"some": "running"}
        assert (await bench.call("some.get")).number == 7
    crashes = [r for r in caplog.records if r.getMessage() == "plugin crashed"]
    assert len(crashes) == 3
    assert all(record.exc_info for record in crashes)


async def test_too_many_crashes_fail_the_plugin_and_nobody_else(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    begun: list[float] = []
    others: list[str] = []

    async def serve(_ctx: Ctx, task_status: Status) -> None:
        begun.append(trio.current_time())
        task_status.started()
        raise Boom

    async def second(_ctx: Ctx, task_status: Status) -> None:
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            others.append("stopped")

    broken = plugin_with(serve)
    broken.service(second)
    async with opened(broken, plugin_with(name="good")) as bench:
        await trio.sleep(600)
        assert len(begun) == CRASHES + 1
        assert others == ["stopped"]
        assert states(bench) == {"some": "failed", "good": "running"}
        [failed, _] = bench.host.states()
        assert failed.reason == "some.serve crashed 6 times: Boom"
        with pytest.raises(PluginFailed, match="plugin some has failed"):
            await bench.call("some.get")
        assert (await bench.call("good.get")).number == 7
    levels = [r.levelno for r in caplog.records if r.getMessage() == "plugin failed"]
    assert levels == [logging.ERROR]


async def test_crashes_of_long_ago_are_forgotten(autojump_clock: MockClock) -> None:
    begun: list[float] = []

    async def serve(_ctx: Ctx, task_status: Status) -> None:
        begun.append(trio.current_time())
        task_status.started()
        await trio.sleep(FORGET_S / 2)
        raise Boom

    async with opened(plugin_with(serve), poll_s=FORGET_S) as bench:
        await trio.sleep(FORGET_S * 10)
        assert len(begun) > 2 * CRASHES
        assert states(bench) == {"some": "running"}


async def test_a_service_may_take_the_daemon_along(autojump_clock: MockClock) -> None:
    async def serve(_ctx: Ctx, task_status: Status) -> None:
        task_status.started()
        await trio.sleep(1)
        raise Boom("must not be missing")

    with pytest.RaisesGroup(
        pytest.RaisesExc(PluginError, match=r"some\.serve crashed: Boom"),
        flatten_subgroups=True,
    ):
        async with opened(plugin_with(serve, on_crash="stop-daemon")):
            await trio.sleep(60)


async def test_a_service_that_returns_is_done_and_no_crash(
    autojump_clock: MockClock,
) -> None:
    begun: list[float] = []

    async def serve(_ctx: Ctx, task_status: Status) -> None:
        begun.append(trio.current_time())

    async with opened(plugin_with(serve)) as bench:
        await trio.sleep(60)
        assert len(begun) == 1
        assert states(bench) == {"some": "running"}


async def test_a_handler_gets_every_event_of_its_type_in_order(
    autojump_clock: MockClock,
) -> None:
    plugin = plugin_with()
    seen: list[object] = []

    @plugin.on(PluginEvent)
    async def remember(_ctx: Ctx, event: PluginEvent) -> None:
        await trio.sleep(0.1 if event.data["number"] == 0 else 0)
        seen.append(event.data["number"])

    async with opened(plugin) as bench:
        for number in range(10):
            await bench.emit(make_event(number))
        await bench.mine(3)  # events of another topic
        await trio.sleep(1)
        assert seen == list(range(10))


async def test_a_handler_that_crashes_gets_the_same_event_again(
    autojump_clock: MockClock,
) -> None:
    plugin = plugin_with()
    seen: list[object] = []

    @plugin.on(PluginEvent)
    async def remember(_ctx: Ctx, event: PluginEvent) -> None:
        seen.append(event.data["number"])
        if len(seen) == 2:
            raise Boom

    async with opened(plugin) as bench:
        for number in range(3):
            await bench.emit(make_event(number))
        await trio.sleep(5)
        assert seen == [0, 1, 1, 2]
        assert states(bench) == {"some": "running"}


async def test_an_event_that_always_crashes_its_handler_fails_the_plugin(
    autojump_clock: MockClock,
) -> None:
    plugin = plugin_with()

    @plugin.on(PluginEvent)
    async def remember(_ctx: Ctx, _event: PluginEvent) -> None:
        raise Boom

    async with opened(plugin) as bench:
        await bench.emit(make_event(0))
        await trio.sleep(600)
        assert states(bench) == {"some": "failed"}


async def test_a_slow_handler_makes_nobody_else_wait(autojump_clock: MockClock) -> None:
    slow, quick = plugin_with(), plugin_with(name="quick")
    seen: list[object] = []

    @slow.on(PluginEvent)
    async def dawdle(_ctx: Ctx, _event: PluginEvent) -> None:
        await trio.sleep_forever()

    @quick.on(PluginEvent)
    async def remember(_ctx: Ctx, event: PluginEvent) -> None:
        seen.append(event.data["number"])

    async with opened(slow, quick) as bench:
        for number in range(3):
            await bench.emit(make_event(number))
        await bench.handled()
        assert seen == [0, 1, 2]


async def test_a_plugin_may_fail_while_it_still_gets_ready(
    autojump_clock: MockClock,
) -> None:
    async def crash(_ctx: Ctx, task_status: Status) -> None:
        task_status.started()
        raise Boom

    async def crash_too(ctx: Ctx, task_status: Status) -> None:
        await crash(ctx, task_status)

    async def dawdle(_ctx: Ctx, task_status: Status) -> None:
        await trio.sleep(READY_S - 1)
        task_status.started()
        pytest.fail("it was stopped before")

    broken = plugin_with(crash)
    broken.service(crash_too)
    broken.service(dawdle)
    async with opened(broken, plugin_with(name="good")) as bench:
        assert states(bench) == {"some": "failed", "good": "running"}
        assert (await bench.call("good.get")).number == 7


async def test_a_handler_that_can_not_begin_fails_its_plugin_not_the_start(
    autojump_clock: MockClock,
) -> None:
    plugin = plugin_with()

    @plugin.on(PluginEvent)
    async def hear(_ctx: Ctx, _event: PluginEvent) -> None: ...

    async with open_store(None) as store:
        async with open_workbench({}, store=store, keystore=False):
            await store.write(
                lambda tx: tx.execute(
                    "CREATE TRIGGER stop BEFORE INSERT ON pluginhost_cursor"
                    " BEGIN SELECT RAISE(ABORT, 'stopped by the test'); END"
                )
            )
        async with open_workbench(
            {"some": {}}, plugins=[plugin], store=store, keystore=False, poll_s=1
        ) as bench:
            assert states(bench) == {"some": "running"}
            await trio.sleep(60)
            assert states(bench) == {"some": "failed"}


async def test_lifespans_wrap_services_and_are_unwound_in_reverse(
    autojump_clock: MockClock,
) -> None:
    happened: list[str] = []

    def living(name: str) -> Plugin[NoConfig]:
        async def serve(_ctx: Ctx, task_status: Status) -> None:
            happened.append(f"{name} served")
            task_status.started()
            try:
                await trio.sleep_forever()
            finally:
                happened.append(f"{name} stopped")

        plugin = plugin_with(serve, name=name)

        @plugin.lifespan
        @asynccontextmanager
        async def life(ctx: Ctx) -> AsyncIterator[None]:
            assert ctx.name == name
            happened.append(f"{name} in")
            try:
                yield
            finally:
                happened.append(f"{name} out")

        return plugin

    async with opened(living("a"), living("b")):
        assert happened == ["a in", "b in", "a served", "b served"]
        happened.clear()
    assert sorted(happened[:2]) == ["a stopped", "b stopped"]
    assert happened[2:] == ["b out", "a out"]
