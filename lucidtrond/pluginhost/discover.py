"""What is installed, and importing what is enabled."""

from collections.abc import Sequence
from importlib.metadata import Distribution, entry_points
from typing import Any, Protocol

from attrs import frozen

from lucidtrond.api import ENTRY_POINTS, Plugin


class PluginPoint(Protocol):
    """Where a plugin is; `importlib.metadata.EntryPoint` is one."""

    @property
    def name(self) -> str: ...

    @property
    def value(self) -> str: ...

    @property
    def dist(self) -> Distribution | None: ...

    def load(self) -> Any:
        """Import it."""


@frozen
class Found:
    """An enabled plugin, imported; *fault* says why it could not be."""

    name: str
    distribution: str
    version: str
    plugin: Plugin | None
    fault: str | None = None

    @property
    def where(self) -> str:
        """How a fault begins: the plugin and what it was installed with."""
        return f"plugin {self.name} (from {self.distribution} {self.version})"


def installed() -> Sequence[PluginPoint]:
    """Entry points of all installed plugins, by name; nothing is imported."""
    return sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name)


def import_enabled(names: Sequence[str], points: Sequence[PluginPoint]) -> list[Found]:
    """Import exactly the plugins *names*; a plugin without a section never runs."""
    return [
        _find(name, [point for point in points if point.name == name]) for name in names
    ]


def _find(name: str, points: Sequence[PluginPoint]) -> Found:
    if len(points) == 0:
        return Found(name, "?", "?", None, "enabled but not installed")
    if len(points) > 1:
        owners = " and ".join(sorted(_distribution(point)[0] for point in points))
        return Found(name, "?", "?", None, f"installed more than once: by {owners}")
    return _import(name, points[0])


def _import(name: str, point: PluginPoint) -> Found:
    distribution, version = _distribution(point)
    try:
        plugin = point.load()
    except Exception as exc:  # noqa: BLE001 - foreign code: whatever it raises is its fault
        reason = f"can't be imported: {type(exc).__name__}: {exc}"
        return Found(name, distribution, version, None, reason)
    if not isinstance(plugin, Plugin):
        reason = f"{point.value} is a {type(plugin).__name__}, expected a Plugin"
        return Found(name, distribution, version, None, reason)
    if plugin.name != name:
        reason = f"it calls itself {plugin.name!r}, its entry point {name!r}"
        return Found(name, distribution, version, None, reason)
    return Found(name, distribution, version, plugin)


def _distribution(point: PluginPoint) -> tuple[str, str]:
    if point.dist is None:
        return "?", "?"
    return point.dist.name, point.dist.version
