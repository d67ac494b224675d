"""A plugin's section of the configuration: every fault in it, not the first alone."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from lucidtrond.api import Manifest

HOST_KEYS: Final = ("enabled", "grants")
"""Keys that the daemon reads; the others are the plugin's."""
_PLACE: Final = re.compile(r" - at `\$(.*)`\Z")
_SHOWN: Final = 40


def is_enabled(section: Mapping[str, Any]) -> bool:
    """Everything but ``false`` does; `read_config` complains about what is no bool."""
    return section.get("enabled", True) is not False


def read_config(
    manifest: Manifest, section: Mapping[str, Any]
) -> tuple[msgspec.Struct | None, list[str]]:
    """Give the plugin's settings, or None and what is wrong with them."""
    where = f"[plugins.{manifest.name}]"
    settings = {key: value for key, value in section.items() if key not in HOST_KEYS}
    problems = [f"{where} {problem}" for problem in _problems(manifest, settings)]
    if not isinstance(section.get("enabled", True), bool):
        problems.append(
            f"{where} enabled: expected true or false, got {_show(section['enabled'])}"
        )
    if problems:
        return None, problems
    try:
        return msgspec.convert(settings, manifest.config), []
    except (msgspec.ValidationError, ValueError) as exc:
        # What fields can't say alone: __post_init__.
        return None, [f"{where} {exc}"]


def _problems(manifest: Manifest, settings: Mapping[str, Any]) -> Iterator[str]:
    fields = {
        field.encode_name: field for field in msgspec.structs.fields(manifest.config)
    }
    for key, value in settings.items():
        if key not in fields:
            names = ", ".join((*fields, *HOST_KEYS))
            yield f"{key}: unknown key; there are {names}"
            continue
        try:
            msgspec.convert(value, fields[key].type)
        except msgspec.ValidationError as exc:
            place_match = _PLACE.search(str(exc))
            place = key + (place_match[1] if place_match else "")
            what = _lower(_PLACE.sub("", str(exc)))
            yield f"{place}: {what}, came {_show(value)}"
    for key, field in fields.items():
        if field.required and key not in settings:
            yield f"{key}: missing"


def read_grants(
    manifest: Manifest, section: Mapping[str, Any], *, existing: frozenset[str]
) -> tuple[frozenset[str], list[str]]:
    """Give the grants of a section and what is wrong with them."""
    where = f"[plugins.{manifest.name}] grants"
    given = section.get("grants", [])
    if not isinstance(given, list) or not all(
        isinstance(grant, str) for grant in given
    ):
        return frozenset(), [f"{where}: expected a list of texts, got {_show(given)}"]
    grants = frozenset(given)
    problems = [
        f"{where}: expected some of {', '.join(sorted(existing))}, got {_show(grant)}"
        for grant in sorted(grants - existing)
    ]
    problems += [
        f"{where}: it can't work without {grant!r}"
        for grant in sorted(manifest.needs - grants)
    ]
    return grants, problems


def _show(value: object) -> str:
    # A setting in the wrong place may be a secret in the wrong place: only its kind,
    # and short plain values.
    text = repr(value)
    if isinstance(value, bool | int | float) or len(text) <= _SHOWN:
        return text
    return f"a {type(value).__name__}"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
