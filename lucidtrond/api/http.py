"""HTTP routes of plugins: what a handler gets and gives; the transport does the rest.

``@plugin.route("GET", "/api/v1/things/{thing_id}", calls=("thing.get",))`` on
``async def (ctx, request: RouteRequest) -> RouteResponse``. *calls* are the methods the
route stands for: who may not call one of them may not use the route.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal

from msgspec import Struct

from lucidtrond.api.caller import Caller

Verb = Literal["GET", "POST", "PUT", "DELETE"]
PREFIX: Final = "/api/"
"""Everything else belongs to the daemon."""
_TEMPLATE: Final = re.compile(r"(?:/(?:[A-Za-z0-9._-]+|\{[a-z][a-z0-9_]*\}))+\Z")


class RouteRequest(Struct, frozen=True, kw_only=True):
    """One request whose path fits; all texts are percent-decoded."""

    caller: Caller
    path: Mapping[str, str]
    """The template's ``{names}``."""
    query: Mapping[str, str]
    """Of a name that is repeated the last value."""
    body: bytes


class RouteResponse(Struct, frozen=True, kw_only=True):
    """A JSON body, whole."""

    status: int
    body: bytes


class RouteSpec(Struct, frozen=True, kw_only=True):
    """One route as declared."""

    verb: Verb
    path: str
    handler: Callable[..., Awaitable[RouteResponse]]
    calls: tuple[str, ...]
    """Names of methods; the caller must be allowed each of them."""


def fault_in(path: str) -> str | None:
    """Say what is wrong with a template, if anything."""
    if not path.startswith(PREFIX):
        return f"expected a path under {PREFIX}"
    if not _TEMPLATE.match(path):
        return "expected segments of letters, digits, . _ - or {name}"
    names = re.findall(r"\{(.*?)\}", path)
    return "a name is repeated" if len(set(names)) < len(names) else None


def shape_of(path: str) -> tuple[str, ...]:
    """Two templates of one shape catch the same paths."""
    return tuple("{}" if part.startswith("{") else part for part in path.split("/"))


def match(template: str, path: tuple[str, ...]) -> dict[str, Any] | None:
    """Give the named segments of a split *path*, or None when it does not fit."""
    parts = template.split("/")
    if len(parts) != len(path):
        return None
    segments = {}
    for part, segment in zip(parts, path, strict=True):
        if part.startswith("{"):
            if not segment:
                return None
            segments[part[1:-1]] = segment
        elif part != segment:
            return None
    return segments
