"""The plugins of one daemon: loaded, bound to what they may touch, run.

    load (discover, check: all faults together) → bind (contexts) → run (lifespans,
    services, event handlers) → unwound in reverse

A plugin's service that crashes is restarted with a growing pause. When its budget is
spent the plugin is *failed*: its methods answer `PluginFailed`, everything else goes
on. A service declared with ``on_crash="stop-daemon"`` ends the daemon instead.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from importlib.metadata import EntryPoint
from typing import Any, Final, Literal

import msgspec
import pluggy
import trio
from attrs import define, field, frozen

from lucidtrond.api import Context, Event, HookSpecs, hookimpl
from lucidtrond.api.caller import Caller, CallerClass
from lucidtrond.api.hookspecs import PROJECT
from lucidtrond.api.manifest import ServiceSpec
from lucidtrond.errors import NotPermitted, PluginError, PluginFailed, StartTimeout
from lucidtrond.pluginhost.check import Checked, check_all
from lucidtrond.pluginhost.discover import import_enabled, installed
from lucidtrond.ports import Migration

__all__ = ["BoundMethod", "PluginHost", "PluginState", "hookimpl", "load"]

log = logging.getLogger(__name__)

READY_S: Final = 30.0
RESTARTS: Final = 5
"""So many crashes are forgiven, then the plugin is failed."""
FORGET_S: Final = 600.0
"""A service that ran so long has its crashes forgotten."""
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0

MakeContext = Callable[..., Context[Any]]
"""``make_context(name=…, config=…, grants=…)``: given by the daemon."""
WaitEvents = Callable[[int], Awaitable[Sequence[tuple[int, str, bytes]]]]
"""Events beyond a sequence number: (seq, topic, encoded event), waiting for some."""


@frozen(kw_only=True)
class BoundMethod:
    """A method with its plugin's context inside: ``await call(params)``."""

    name: str
    plugin: str
    call: Callable[..., Awaitable[Any]]
    params: type[msgspec.Struct] | None
    result: type[msgspec.Struct]
    caller: CallerClass
    timeout_s: float
    inline: bool
    summary: str
    example: Mapping[str, Any]


@frozen
class PluginState:
    """For ``plugin.list``."""

    name: str
    distribution: str
    version: str
    state: Literal["loaded", "running", "failed"]
    methods: tuple[str, ...]


@define(eq=False)
class _Running:
    """One plugin at run time."""

    checked: Checked
    context: Context[Any] | None = None
    state: Literal["loaded", "running", "failed"] = "loaded"

    @property
    def name(self) -> str:
        return self.checked.manifest.name


def load(
    sections: Mapping[str, Mapping[str, Any]],
    points: Sequence[EntryPoint] | None = None,
) -> "PluginHost":
    """Import and check every plugin whose section does not say ``enabled = false``.

    Raises:
        PluginError: lists all faults of all plugins.
    """
    enabled = [name for name, section in sections.items() if _enabled(section)]
    found = import_enabled(enabled, installed() if points is None else points)
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(HookSpecs)
    manifests = {}
    for each in found:
        if each.plugin is not None:
            manager.register(each.plugin, each.name)
            manifests[each.name] = each.plugin.lucidtrond_manifest()
    misnamed = [
        f"plugin {name}: its entry point and its name {manifest.name!r} differ"
        for name, manifest in manifests.items()
        if manifest.name != name
    ]
    good, faults = check_all(found, manifests, sections)
    if misnamed or faults:
        raise PluginError("; ".join([*misnamed, *faults]))
    return PluginHost(manager, [_Running(checked) for checked in good])


def _enabled(section: Mapping[str, Any]) -> bool:
    return section.get("enabled", True) is not False


@define(eq=False)
class PluginHost:
    """Made by `load`; `bind` once, then `run`."""

    _manager: pluggy.PluginManager
    _plugins: list[_Running]
    _methods: dict[str, BoundMethod] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        for running in self._plugins:
            for spec in running.checked.manifest.methods:
                self._methods[spec.name] = BoundMethod(
                    name=spec.name,
                    plugin=running.name,
                    call=partial(_call, running, spec.handler),
                    params=spec.params,
                    result=spec.result,
                    caller=spec.caller,
                    timeout_s=spec.timeout_s,
                    inline=spec.inline,
                    summary=spec.summary,
                    example=spec.example,
                )

    def methods(self) -> list[BoundMethod]:
        """All methods of all plugins."""
        return list(self._methods.values())

    def migrations(self) -> list[Migration]:
        """All plugins' steps, owned by the plugin's name."""
        return [
            Migration(running.name, step.version, step.sql)
            for running in self._plugins
            for step in running.checked.manifest.migrations
        ]

    def states(self) -> list[PluginState]:
        """One row per enabled plugin."""
        return [
            PluginState(
                running.name,
                running.checked.found.distribution,
                running.checked.found.version,
                running.state,
                tuple(spec.name for spec in running.checked.manifest.methods),
            )
            for running in self._plugins
        ]

    def authorize(self, caller: Caller, method: str) -> None:
        """Ask the plugins' hook. Raises NotPermitted with their reason."""
        reason = self._manager.hook.lucidtrond_authorize(caller=caller, method=method)
        if reason is not None:
            raise NotPermitted(f"{method}: {reason}")

    @property
    def has_authorizers(self) -> bool:
        """Whether `authorize` can refuse anything at all."""
        return bool(self._manager.hook.lucidtrond_authorize.get_hookimpls())

    async def call(self, name: str, params: object = None) -> Any:
        """Call a method from inside, with the daemon's own authority.

        Raises:
            KeyError: no plugin offers it; a bug of whoever asks.
        """
        method = self._methods[name]
        if method.params is None:
            return await method.call()
        if not isinstance(params, method.params):
            params = msgspec.convert(params or {}, method.params)
        return await method.call(params)

    def bind(self, make_context: MakeContext) -> None:
        """Give each plugin its context; methods work from here on."""
        for running in self._plugins:
            checked = running.checked
            running.context = make_context(
                name=running.name, config=checked.config, grants=checked.grants
            )

    async def run(
        self,
        events: WaitEvents,
        *,
        since: int,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Enter lifespans, start services, deliver events after *since*.

        Raises:
            StartTimeout: a service was not ready in time; it is named.
        """
        async with AsyncExitStack() as lifespans:
            for running in self._plugins:
                lifespan = running.checked.manifest.lifespan
                if lifespan is not None:
                    await lifespans.enter_async_context(lifespan(running.context))
            async with trio.open_nursery() as nursery:
                for running in self._plugins:
                    for service in running.checked.manifest.services:
                        await _start(nursery, running, service)
                if any(each.checked.manifest.handlers for each in self._plugins):
                    nursery.start_soon(self._deliver, events, since)
                for running in self._plugins:
                    running.state = "running"
                task_status.started()
                await trio.sleep_forever()

    async def _deliver(self, events: WaitEvents, since: int) -> None:
        """Give every event to the handlers of its type, in order, one at a time."""
        while True:
            for seq, topic, payload in await events(since):
                since = seq
                for running in self._plugins:
                    for spec in running.checked.manifest.handlers:
                        if spec.event.topic == topic and running.state != "failed":
                            event = msgspec.json.decode(payload, type=spec.event)
                            await _handle(running, spec.run, event)


async def _call(
    running: _Running, handler: Callable[..., Awaitable[Any]], *params: object
) -> Any:
    if running.state == "failed":
        raise PluginFailed(f"plugin {running.name} has failed; see the daemon's log")
    return await handler(running.context, *params)


async def _handle(
    running: _Running, run: Callable[..., Awaitable[None]], event: Event
) -> None:
    try:
        await run(running.context, event)
    except Exception:
        # The plugin supervisor (STYLE C3): one bad handler must not stop the others.
        log.exception("event handler failed", extra={"plugin": running.name})


async def _start(
    nursery: trio.Nursery, running: _Running, service: ServiceSpec
) -> None:
    with trio.move_on_after(READY_S) as limit:
        await nursery.start(_supervise, running, service)
    if limit.cancelled_caught:
        raise StartTimeout(f"service {service.name} not ready in {READY_S:.0f} s")


@define
class _Readiness(trio.TaskStatus[None]):
    """Says ``started`` to the nursery once, however often the service restarts."""

    _status: trio.TaskStatus[None]
    is_ready: bool = False

    def started(self, value: None = None) -> None:
        if not self.is_ready:
            self.is_ready = True
            self._status.started(value)


async def _supervise(
    running: _Running,
    service: ServiceSpec,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run a service; restart it when it crashes, until its budget is spent."""
    crashes = 0
    status = _Readiness(task_status)
    while True:
        began = trio.current_time()
        try:
            await service.run(running.context, status)
        except Exception:
            if service.on_crash == "stop-daemon" or not status.is_ready:
                # One that was never ready is a fault of the start.
                raise
            log.exception("service crashed", extra={"service": service.name})
        else:
            return
        crashes = 1 if trio.current_time() - began > FORGET_S else crashes + 1
        if crashes > RESTARTS:
            running.state = "failed"
            log.error("plugin failed", extra={"plugin": running.name})
            return
        await trio.sleep(min(FIRST_PAUSE_S * 2 ** (crashes - 1), LONGEST_PAUSE_S))
