"""One host: contexts with their grants, calls between plugins, networks, events."""

import pytest
import trio
from trio.testing import MockClock

from lucidtrond.api import (
    BlockApplied,
    Caller,
    Context,
    DeadlinePassed,
    InvalidInput,
    NoConfig,
    NotPermitted,
    Params,
    Plugin,
    PluginDisabled,
    PluginEvent,
    Result,
    Tx,
    hookimpl,
)
from lucidtrond.store.database import open_store
from lucidtrond.testing import LocalNode, load_plugins, open_workbench

Ctx = Context[NoConfig]


class Ask(Params, frozen=True):
    number: int = 0


class Answer(Result, frozen=True):
    number: int


def counting() -> Plugin[NoConfig]:
    plugin = Plugin("some")

    @plugin.method("some.double", example={"number": 1})
    async def double(_ctx: Ctx, params: Ask) -> Answer:
        """Double it."""
        return Answer(number=2 * params.number)

    @plugin.method("some.quadruple", example={"number": 1})
    async def quadruple(ctx: Ctx, params: Ask) -> Answer:
        """Ask another method twice."""
        once = await ctx.call("some.double", params)
        twice = await ctx.call("some.double", {"number": once.number})
        assert isinstance(twice, Answer)
        return twice

    @plugin.method("some.hidden", internal=True)
    async def hidden(_ctx: Ctx) -> Answer:
        """Answer other plugins only."""
        return Answer(number=5)

    @plugin.method("some.slow", timeout_s=3)
    async def slow(_ctx: Ctx) -> Answer:
        """Take for ever."""
        await trio.sleep_forever()
        raise AssertionError

    return plugin


async def test_methods_call_one_another_with_structs_or_mappings(
    autojump_clock: MockClock,
) -> None:
    async with open_workbench({"some": {}}, plugins=[counting()]) as bench:
        assert (await bench.call("some.quadruple", {"number": 3})).number == 12
        assert (await bench.call("some.double", Ask(number=3))).number == 6
        assert (await bench.call("some.double")).number == 0


async def test_a_call_from_inside_is_checked_like_one_from_outside(
    autojump_clock: MockClock,
) -> None:
    async with open_workbench({"some": {}}, plugins=[counting()]) as bench:
        with pytest.raises(
            InvalidInput, match=r"some\.double: Expected `int`, got `str`"
        ):
            await bench.call("some.double", {"number": "3"})
        with pytest.raises(InvalidInput, match="unknown field `x`"):
            await bench.call("some.double", {"x": 3})
        with pytest.raises(PluginDisabled, match=r"no enabled plugin offers other\.do"):
            await bench.call("other.do")
        with pytest.raises(DeadlinePassed, match=r"some\.slow took more than 3 s"):
            await bench.call("some.slow")


async def test_an_internal_method_is_served_to_no_client(
    autojump_clock: MockClock,
) -> None:
    async with open_workbench({"some": {}}, plugins=[counting()]) as bench:
        names = {method.name for method in bench.host.methods()}
        assert names == {"some.double", "some.quadruple", "some.slow"}
        assert "some.hidden" not in bench.host.states()[0].methods
        assert (await bench.call("some.hidden")).number == 5


@pytest.mark.parametrize("network", ["devnet", "nile"])
async def test_a_plugin_has_methods_on_its_networks_only(
    network: str, autojump_clock: MockClock
) -> None:
    local = Plugin("local", networks=["devnet"])

    @local.method("local.get")
    async def get(_ctx: Ctx) -> Answer:
        """Answer."""
        return Answer(number=1)

    async with open_workbench({"local": {}}, plugins=[local], network=network) as bench:
        [state] = bench.host.states()
        if network == "devnet":
            assert (await bench.call("local.get")).number == 1
            assert state.methods == ("local.get",)
        else:
            assert bench.host.methods() == []
            assert (state.state, state.methods) == ("not on this network", ())
            with pytest.raises(PluginDisabled):
                await bench.call("local.get")


async def test_the_vault_and_the_devnet_are_there_for_who_was_granted_them(
    autojump_clock: MockClock,
) -> None:
    seen: dict[str, Ctx] = {}

    def nosy(name: str) -> Plugin[NoConfig]:
        plugin = Plugin(name)

        @plugin.method(f"{name}.look")
        async def look(ctx: Ctx) -> Answer:
            """Keep the context."""
            seen[name] = ctx
            return Answer(number=1)

        return plugin

    sections = {"with": {"grants": ["keystore", "devnet"]}, "without": {}}
    plugins = [nosy("with"), nosy("without")]
    async with open_workbench(sections, plugins=plugins) as bench:
        for plugin in plugins:
            await bench.call(f"{plugin.name}.look")
        assert not (await seen["with"].keystore.status()).locked
        assert seen["with"].devnet.info()["solid_number"] > 0
        with pytest.raises(AttributeError, match="no grant for the keystore"):
            _ = seen["without"].keystore
        with pytest.raises(AttributeError, match="no devnet"):
            _ = seen["without"].devnet


async def test_what_a_plugin_emits_is_heard_once_it_is_committed(
    autojump_clock: MockClock,
) -> None:
    plugin = Plugin("some")
    heard: list[PluginEvent] = []

    @plugin.method("some.tell")
    async def tell(ctx: Ctx) -> Answer:
        """Emit."""
        event = PluginEvent(plugin="some", name="told")
        return Answer(number=await ctx.store.write(lambda tx: ctx.emit(tx, event)))

    @plugin.method("some.fail")
    async def fail(ctx: Ctx) -> Answer:
        """Emit, then think better of it."""

        def emit_and_fail(tx: Tx) -> int:
            ctx.emit(tx, PluginEvent(plugin="some", name="told"))
            raise InvalidInput("no")

        return Answer(number=await ctx.store.write(emit_and_fail))

    @plugin.on(PluginEvent)
    async def hear(_ctx: Ctx, event: PluginEvent) -> None:
        heard.append(event)

    async with open_workbench({"some": {}}, plugins=[plugin]) as bench:
        with pytest.raises(InvalidInput):
            await bench.call("some.fail")
        await bench.handled()
        assert heard == []
        assert (await bench.call("some.tell")).number > 0
        await bench.handled()  # nobody rang but the store
        assert len(heard) == 1


async def test_a_plugin_emits_known_events_in_its_own_name(
    autojump_clock: MockClock,
) -> None:
    plugin = Plugin("some")

    class Own(PluginEvent, frozen=True, kw_only=True):
        pass

    events = iter(
        [
            Own(plugin="some", name="told"),
            PluginEvent(plugin="other", name="told"),
            BlockApplied(
                number=1, block_id="", parent_id="", timestamp_ms=0, transactions=0
            ),
        ]
    )

    @plugin.method("some.tell")
    async def tell(ctx: Ctx) -> Answer:
        """Emit the next one."""
        event = next(events)
        return Answer(number=await ctx.store.write(lambda tx: ctx.emit(tx, event)))

    async with open_workbench({"some": {}}, plugins=[plugin]) as bench:
        with pytest.raises(TypeError, match="Own is no event; emit a PluginEvent"):
            await bench.call("some.tell")
        with pytest.raises(ValueError, match="emits an event of plugin other"):
            await bench.call("some.tell")
        assert (await bench.call("some.tell")).number > 0


async def test_an_event_missed_while_down_comes_after_the_restart(
    autojump_clock: MockClock,
) -> None:
    plugin = Plugin("some")
    heard: list[str] = []

    @plugin.on(PluginEvent)
    async def hear(_ctx: Ctx, event: PluginEvent) -> None:
        heard.append(event.name)

    node = LocalNode()
    async with open_store(None) as store:
        for enabled, name in ((True, "first"), (False, "second"), (True, "third")):
            section = {"enabled": enabled}
            async with open_workbench(
                {"some": section}, plugins=[plugin], node=node, store=store
            ) as bench:
                await bench.emit(PluginEvent(plugin="some", name=name))
                await bench.handled()
    assert heard == ["first", "second", "third"]


def test_a_hook_can_only_refuse() -> None:
    class Guarded(Plugin[NoConfig]):
        @hookimpl
        def lucidtrond_authorize(self, caller: Caller, method: str) -> str | None:
            assert caller is me
            return "not today" if method == "some.double" else None

    guarded = Guarded("guard")
    me = Caller("unix", "uid=1000", frozenset({"read"}))
    host = load_plugins({"guard": {}}, [guarded])
    assert host.has_authorizers
    host.authorize(me, "some.other")
    with pytest.raises(NotPermitted, match=r"some\.double: not today"):
        host.authorize(me, "some.double")
    assert not load_plugins({}).has_authorizers
