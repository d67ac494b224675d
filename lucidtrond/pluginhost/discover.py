"""What is installed, and importing what is enabled."""

from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points

from attrs import frozen

from lucidtrond.api import ENTRY_POINTS, Plugin


@frozen
class Found:
    """An enabled plugin, imported; *fault* says why it could not be."""

    name: str
    distribution: str
    version: str
    plugin: Plugin | None
    fault: str | None = None


def installed() -> Sequence[EntryPoint]:
    """Entry points of all installed plugins, by name; nothing is imported."""
    return sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name)


def import_enabled(names: Sequence[str], points: Sequence[EntryPoint]) -> list[Found]:
    """Import exactly the plugins *names*; a plugin without a section never runs."""
    by_name = {point.name: point for point in points}
    return [_import(name, by_name.get(name)) for name in names]


def _import(name: str, point: EntryPoint | None) -> Found:
    if point is None:
        return Found(name, "?", "?", None, "enabled but not installed")
    distribution = point.dist.name if point.dist is not None else "?"
    version = point.dist.version if point.dist is not None else "?"
    try:
        plugin = point.load()
    except Exception as exc:  # noqa: BLE001 - foreign code: whatever it raises is its fault
        reason = f"can't be imported: {type(exc).__name__}: {exc}"
        return Found(name, distribution, version, None, reason)
    if not isinstance(plugin, Plugin):
        reason = f"{point.value} is a {type(plugin).__name__}, expected a Plugin"
        return Found(name, distribution, version, None, reason)
    return Found(name, distribution, version, plugin)
