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


_Known = dict[Distribution, tuple[str, str]]


def installed() -> Sequence[PluginPoint]:
    """Entry points of all installed plugins, by name; nothing is imported."""
    return sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name)


def import_enabled(names: Sequence[str], points: Sequence[PluginPoint]) -> list[Found]:
    """Import exactly the plugins *names*; a plugin without a section never runs."""
    known: _Known = {}
    return [
        _find(name, [point for point in points if point.name == name], known)
        for name in names
    ]


def _find(name: str, points: Sequence[PluginPoint], known: _Known) -> Found:
    if len(points) == 0:
        return Found(name, "?", "?", None, "enabled but not installed")
    if len(points) > 1:
        owners = sorted(_distribution(point, known)[0] for point in points)
        reason = f"installed more than once: by {' and '.join(owners)}"
        return Found(name, "?", "?", None, reason)
    return _import(name, points[0], known)


def _import(name: str, point: PluginPoint, known: _Known) -> Found:
    distribution, version = _distribution(point, known)
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


def _distribution(point: PluginPoint, known: _Known) -> tuple[str, str]:
    """Name and version; reading them parses a file, so once per distribution."""
    if point.dist is None:
        return "?", "?"
    if point.dist not in known:
        metadata = point.dist.metadata
        known[point.dist] = metadata["Name"], metadata["Version"]
    return known[point.dist]
