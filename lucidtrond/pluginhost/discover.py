"""What is installed, and importing what is enabled."""

from collections.abc import Sequence
from importlib.metadata import Distribution, entry_points
from typing import Any, Protocol

from msgspec import Struct

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


class ImportedPlugin(Struct, frozen=True):
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


_Distributions = dict[Distribution, tuple[str, str]]


def installed() -> Sequence[PluginPoint]:
    """Entry points of all installed plugins, by name; nothing is imported."""
    return sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name)


def import_enabled(
    names: Sequence[str], points: Sequence[PluginPoint]
) -> list[ImportedPlugin]:
    """Import exactly the plugins *names*; a plugin without a section never runs."""
    distributions: _Distributions = {}
    return [
        _import_by_name(
            name, [point for point in points if point.name == name], distributions
        )
        for name in names
    ]


def _import_by_name(
    name: str, points: Sequence[PluginPoint], distributions: _Distributions
) -> ImportedPlugin:
    if len(points) == 0:
        return ImportedPlugin(name, "?", "?", None, "enabled but not installed")
    if len(points) > 1:
        owners = sorted(_distribution(point, distributions)[0] for point in points)
        reason = f"installed more than once: by {' and '.join(owners)}"
        return ImportedPlugin(name, "?", "?", None, reason)
    return _import(name, points[0], distributions)


def _import(
    name: str, point: PluginPoint, distributions: _Distributions
) -> ImportedPlugin:
    distribution, version = _distribution(point, distributions)
    try:
        plugin = point.load()
    except Exception as exc:  # noqa: BLE001 - foreign code: whatever it raises is its fault
        reason = f"can't be imported: {type(exc).__name__}: {exc}"
        return ImportedPlugin(name, distribution, version, None, reason)
    if not isinstance(plugin, Plugin):
        reason = f"{point.value} is a {type(plugin).__name__}, expected a Plugin"
        return ImportedPlugin(name, distribution, version, None, reason)
    if plugin.name != name:
        reason = f"it calls itself {plugin.name!r}, its entry point {name!r}"
        return ImportedPlugin(name, distribution, version, None, reason)
    return ImportedPlugin(name, distribution, version, plugin)


def _distribution(point: PluginPoint, distributions: _Distributions) -> tuple[str, str]:
    """Name and version; reading them parses a file, so once per distribution."""
    if point.dist is None:
        return "?", "?"
    if point.dist not in distributions:
        metadata = point.dist.metadata
        distributions[point.dist] = metadata["Name"], metadata["Version"]
    return distributions[point.dist]
