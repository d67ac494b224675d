"""All faults of all plugins, found together and before anything of them runs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from attrs import frozen

from lucidtrond.api import Manifest
from lucidtrond.pluginhost.discover import Found

RESERVED: Final = ("rpc.", "daemon.", "plugin.", "events.")
GRANTS: Final = frozenset({"keystore", "devnet"})
_METHOD: Final = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*\Z")
_TABLE: Final = re.compile(
    r"\bCREATE\s+(?:UNIQUE\s+)?(?:TABLE|INDEX)\s+(\w+)", re.IGNORECASE
)


@frozen
class Checked:
    """A plugin without faults and its settings."""

    found: Found
    manifest: Manifest
    config: msgspec.Struct
    grants: frozenset[str]


def check_all(
    found: Sequence[Found],
    manifests: Mapping[str, Manifest],
    sections: Mapping[str, Mapping[str, Any]],
) -> tuple[list[Checked], list[str]]:
    """Give the good plugins and the faults of the others, each naming its plugin."""
    good: list[Checked] = []
    faults: list[str] = []
    owners: dict[str, str] = {}
    for each in found:
        where = f"plugin {each.name} (from {each.distribution})"
        if each.fault is not None:
            faults.append(f"{where}: {each.fault}")
            continue
        manifest = manifests[each.name]
        problems = [
            *_methods(manifest, owners),
            *_migrations(manifest),
        ]
        config, grants, section_problems = _section(manifest, sections[each.name])
        problems += section_problems
        faults += [f"{where}: {problem}" for problem in problems]
        if config is not None and not problems:
            good.append(Checked(each, manifest, config, grants))
    return good, faults


def _methods(manifest: Manifest, owners: dict[str, str]) -> Iterator[str]:
    for method in manifest.methods:
        if not _METHOD.match(method.name):
            yield f"method {method.name!r}: expected area.name in small letters"
        if method.name.startswith(RESERVED):
            yield f"method {method.name}: {', '.join(RESERVED)} are the daemon's"
        if method.name in owners:
            yield f"method {method.name}: already offered by {owners[method.name]}"
        owners.setdefault(method.name, manifest.name)


def _migrations(manifest: Manifest) -> Iterator[str]:
    versions = [step.version for step in manifest.migrations]
    if versions != list(range(1, len(versions) + 1)):
        yield f"migrations: expected versions 1, 2, 3 …, got {versions}"
    prefix = f"{manifest.name}_"
    for step in manifest.migrations:
        for table in _TABLE.findall(step.sql):
            if not table.lower().startswith(prefix):
                yield f"migration {step.version}: {table} must start with {prefix}"


def _section(
    manifest: Manifest, section: Mapping[str, Any]
) -> tuple[msgspec.Struct | None, frozenset[str], list[str]]:
    settings = {k: v for k, v in section.items() if k not in ("enabled", "grants")}
    wanted = section.get("grants", [])
    problems = []
    if not isinstance(wanted, list) or not GRANTS.issuperset(map(str, wanted)):
        problems.append(
            f"[plugins.{manifest.name}] grants: expected a list out of "
            f"{sorted(GRANTS)}, got {wanted!r}"
        )
        wanted = []
    try:
        config = msgspec.convert(settings, manifest.config)
    except msgspec.ValidationError as exc:
        problems.append(f"[plugins.{manifest.name}] {exc}")
        return None, frozenset(), problems
    return config, frozenset(map(str, wanted)), problems
