"""All faults of all plugins, found together and before anything of them runs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, get_args

import msgspec
from msgspec import Struct

from lucidtrond.api import Grant, Manifest
from lucidtrond.api.http import shape_of
from lucidtrond.pluginhost.discover import ImportedPlugin
from lucidtrond.pluginhost.section import read_config, read_grants

RESERVED: Final = ("rpc.", "daemon.", "plugin.", "events.")
"""Methods that the daemon registers itself."""
OWNERS: Final = frozenset(
    ("chain", "daemon", "event", "keystore", "pluginhost", "sending", "store")
)
"""Who else has tables: names that a plugin with tables can't have."""
GRANTS: Final = frozenset(get_args(Grant))
_TABLE: Final = re.compile(
    r"\b(?:CREATE|ALTER|DROP)\s+(?:\w+\s+)?(?:TABLE|INDEX|VIEW|TRIGGER)\s+"
    r"(?:IF\s+(?:NOT\s+)?EXISTS\s+)?[\"`\[]?(\w+)",
    re.IGNORECASE,
)


class Checked(Struct, frozen=True):
    """A plugin without faults and its settings."""

    imported: ImportedPlugin
    manifest: Manifest
    config: msgspec.Struct
    grants: frozenset[str]


def check_all(
    imported: Sequence[ImportedPlugin],
    manifests: Mapping[str, Manifest],
    sections: Mapping[str, Mapping[str, Any]],
) -> tuple[list[Checked], list[str]]:
    """Give the good plugins and the faults of the others, each naming its plugin."""
    good: list[Checked] = []
    faults: list[str] = []
    owners: dict[str, str] = {}
    shapes: dict[tuple[str, ...], str] = {}
    for plugin in imported:
        if plugin.fault is not None:
            faults.append(f"{plugin.where}: {plugin.fault}")
            continue
        manifest = manifests[plugin.name]
        config, problems = read_config(manifest, sections[plugin.name])
        grants, more = read_grants(manifest, sections[plugin.name], existing=GRANTS)
        problems += [*more, *_methods(manifest, owners), *_migrations(manifest)]
        problems += _routes(manifest, shapes)
        faults += [f"{plugin.where}: {problem}" for problem in problems]
        if config is not None and not problems:
            good.append(Checked(plugin, manifest, config, grants))
    return good, faults


def _methods(manifest: Manifest, owners: dict[str, str]) -> Iterator[str]:
    for method in manifest.methods:
        if method.name.startswith(RESERVED):
            yield f"method {method.name}: {', '.join(RESERVED)} are the daemon's"
        if method.name in owners:
            yield f"method {method.name}: plugin {owners[method.name]} offers it too"
        owners.setdefault(method.name, manifest.name)


def _routes(manifest: Manifest, owners: dict[tuple[str, ...], str]) -> Iterator[str]:
    for route in manifest.routes:
        shape = (route.verb, *shape_of(route.path))
        if shape in owners:
            yield f"route {route.verb} {route.path}: plugin {owners[shape]} has it too"
        owners.setdefault(shape, manifest.name)


def _migrations(manifest: Manifest) -> Iterator[str]:
    prefix = f"{manifest.name}_"
    if manifest.migrations and manifest.name in OWNERS:
        yield f"migrations: tables named {prefix}… are the daemon's own"
    for step in manifest.migrations:
        for table in _TABLE.findall(step.sql):
            if not table.lower().startswith(prefix):
                yield f"migration {step.version}: {table} must start with {prefix}"
