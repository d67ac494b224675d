"""The plugins of one daemon: loaded, bound to what they may touch, run.

    load (discover, check: all faults together) → bind (contexts) → run (lifespans,
    services, event handlers) → unwound in reverse

How one plugin runs and fails is in `running`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import attrs
import msgspec
import pluggy
import trio
from attrs import define, field
from msgspec import Struct

from lucidtrond.api import Context, HookSpecs, RouteResponse
from lucidtrond.api.caller import Caller, CallerClass
from lucidtrond.api.hookspecs import PROJECT
from lucidtrond.api.manifest import Manifest
from lucidtrond.errors import (
    DeadlinePassed,
    InvalidInput,
    LucidError,
    NotPermitted,
    PluginDisabled,
    PluginError,
    StartTimeout,
)
from lucidtrond.pluginhost import running
from lucidtrond.pluginhost.check import check_all
from lucidtrond.pluginhost.discover import PluginPoint, import_enabled, installed
from lucidtrond.pluginhost.outgoing import PluginEmitter
from lucidtrond.pluginhost.running import Running, State, WaitEvents
from lucidtrond.pluginhost.section import is_enabled
from lucidtrond.ports import Migration

MakeContext = Callable[..., Context[Any]]
"""``make_context(name=…, config=…, grants=…)``: given by the daemon."""


class BoundMethod(Struct, frozen=True, kw_only=True):
    """A method with its plugin's context inside: ``await call(params)``."""

    name: str
    plugin: str
    call: Callable[..., Awaitable[Any]]
    params: type[msgspec.Struct] | None
    result: type[msgspec.Struct]
    caller: CallerClass
    timeout_s: float
    inline: bool
    internal: bool
    summary: str
    example: Mapping[str, Any]
    errors: tuple[type[LucidError], ...]


class BoundRoute(Struct, frozen=True, kw_only=True):
    """A route with its plugin's context inside: ``await call(request)``."""

    verb: str
    path: str
    plugin: str
    call: Callable[..., Awaitable[RouteResponse]]
    calls: tuple[str, ...]


class PluginState(Struct, frozen=True):
    """For ``plugin.list``."""

    name: str
    distribution: str
    version: str
    state: State
    methods: tuple[str, ...]
    reason: str | None = None


class _Manager(pluggy.PluginManager):
    """Looks at names of ours only: at all of them, a start would take 20 ms more."""

    def parse_hookimpl_opts(
        self, plugin: object, name: str
    ) -> pluggy.HookimplOpts | None:
        if not name.startswith(f"{PROJECT}_"):
            return None
        return super().parse_hookimpl_opts(plugin, name)


def load(
    sections: Mapping[str, Mapping[str, Any]],
    points: Sequence[PluginPoint] | None = None,
) -> "PluginHost":
    """Import and check every plugin whose section does not say ``enabled = false``.

    Raises:
        PluginError: lists all faults of all plugins.
    """
    enabled = [name for name, section in sections.items() if is_enabled(section)]
    imported = import_enabled(enabled, installed() if points is None else points)
    manager = _Manager(PROJECT)
    manager.add_hookspecs(HookSpecs)
    manifests = {}
    for plugin in imported:
        if plugin.plugin is not None:
            manager.register(plugin.plugin, plugin.name)
            manifests[plugin.name] = plugin.plugin.lucidtrond_manifest()
    good, faults = check_all(imported, manifests, sections)
    if len(faults) == 1:
        raise PluginError(faults[0])
    if faults:
        raise PluginError(f"{len(faults)} faults in plugins:\n" + "\n".join(faults))
    return PluginHost(manager, [Running(checked) for checked in good])


@define(eq=False)
class PluginHost:
    """Made by `load`; `bind` once, then `run`."""

    _manager: pluggy.PluginManager
    _plugins: list[Running]
    _methods: dict[str, BoundMethod] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        for plugin in self._plugins:
            for spec in plugin.checked.manifest.methods:
                self._methods[spec.name] = BoundMethod(
                    name=spec.name,
                    plugin=plugin.name,
                    call=partial(plugin.call, spec.handler),
                    params=spec.params,
                    result=spec.result,
                    caller=spec.caller,
                    timeout_s=spec.timeout_s,
                    inline=spec.inline,
                    internal=spec.internal,
                    summary=spec.summary,
                    example=spec.example,
                    errors=spec.errors,
                )

    def methods(self) -> list[BoundMethod]:
        """All methods that are served to clients: not the internal ones."""
        return [method for method in self._methods.values() if not method.internal]

    def routes(self) -> list[BoundRoute]:
        """All HTTP routes of the plugins that run on this network."""
        return [
            BoundRoute(
                verb=spec.verb,
                path=spec.path,
                plugin=plugin.name,
                call=partial(plugin.call, spec.handler),
                calls=spec.calls,
            )
            for plugin in self._plugins
            if plugin.state != "not on this network"
            for spec in plugin.checked.manifest.routes
        ]

    def migrations(self) -> list[Migration]:
        """The host's own steps, and all plugins', owned by the plugin's name."""
        return [
            *running.MIGRATIONS,
            *(
                Migration(plugin.name, step.version, step.sql)
                for plugin in self._plugins
                for step in plugin.checked.manifest.migrations
            ),
        ]

    def states(self) -> list[PluginState]:
        """One row per enabled plugin."""
        return [
            PluginState(
                plugin.name,
                plugin.checked.imported.distribution,
                plugin.checked.imported.version,
                plugin.state,
                tuple(
                    spec.name
                    for spec in plugin.checked.manifest.methods
                    if spec.name in self._methods and not spec.internal
                ),
                plugin.reason,
            )
            for plugin in self._plugins
        ]

    def manifest(self, name: str) -> Manifest | None:
        """What an enabled plugin declares."""
        for plugin in self._plugins:
            if plugin.name == name:
                return plugin.checked.manifest
        return None

    def authorize(self, caller: Caller, method: str) -> None:
        """Ask the plugins' hook. Raises NotPermitted with their reason."""
        reason = self._manager.hook.lucidtrond_authorize(caller=caller, method=method)
        if reason is not None:
            raise NotPermitted(f"{method}: {reason}")

    @property
    def has_authorizers(self) -> bool:
        """Whether `authorize` can refuse anything at all."""
        return bool(self._manager.hook.lucidtrond_authorize.get_hookimpls())

    async def call(
        self, name: str, params: msgspec.Struct | Mapping[str, Any] | None = None
    ) -> Any:
        """Call a method from inside, with the daemon's own authority.

        Raises:
            PluginDisabled: no enabled plugin offers it on this network.
            DeadlinePassed: it took longer than it may.
            InvalidInput: *params* don't fit.
        """
        method = self._methods.get(name)
        if method is None:
            raise PluginDisabled(f"no enabled plugin offers {name}", method=name)
        given = [] if method.params is None else [_fit(method.params, params, name)]
        with trio.move_on_after(method.timeout_s):
            return await method.call(*given)
        raise DeadlinePassed(f"{name} took more than {method.timeout_s:g} s")

    def bind(self, make_context: MakeContext) -> None:
        """Give each plugin its context; methods work from here on.

        Plugins that are not for this network lose their methods.
        """
        for plugin in self._plugins:
            checked = plugin.checked
            given = make_context(
                name=plugin.name, config=checked.config, grants=checked.grants
            )
            plugin.store = given.store
            plugin.context = attrs.evolve(
                given,
                emit=PluginEmitter(given.emit, plugin.name),
            )
            networks = checked.manifest.networks
            if networks and given.network not in networks:
                plugin.state = "not on this network"
                for spec in checked.manifest.methods:
                    del self._methods[spec.name]

    async def run(
        self,
        events: WaitEvents,
        *,
        since: int,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Enter lifespans, start services, hand over events until cancelled.

        Handlers that never ran before get events after *since*.

        Raises:
            StartTimeout, PluginError: a service was not ready; it is named.
        """
        plugins = [plugin for plugin in self._plugins if plugin.state == "loaded"]
        refusal: PluginError | StartTimeout | None = None
        async with AsyncExitStack() as lifespans:
            for plugin in plugins:
                lifespan = plugin.checked.manifest.lifespan
                if lifespan is not None:
                    await lifespans.enter_async_context(lifespan(plugin.context))
            async with trio.open_nursery() as nursery:
                try:
                    for plugin in plugins:
                        await nursery.start(partial(plugin.run, events, since=since))
                except (PluginError, StartTimeout) as exc:
                    refusal = exc  # out here it is in no group
                    nursery.cancel_scope.cancel()
                else:
                    task_status.started()
                    await trio.sleep_forever()
            if refusal is not None:
                raise refusal


def _fit(
    kind: type[msgspec.Struct],
    params: msgspec.Struct | Mapping[str, Any] | None,
    name: str,
) -> msgspec.Struct:
    if isinstance(params, kind):
        return params
    try:
        return msgspec.convert({} if params is None else params, kind)
    except msgspec.ValidationError as exc:
        raise InvalidInput(f"{name}: {exc}") from None
