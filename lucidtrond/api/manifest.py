"""What a plugin declares: plain data, checked before anything of it runs. Pure."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal

import msgspec
from msgspec import Struct

from lucidtrond.api.caller import CallerClass
from lucidtrond.api.http import RouteSpec
from lucidtrond.errors import LucidError
from lucidtrond.events.types import Event

Grant = Literal["keystore", "devnet"]
"""Rights that a plugin's section must grant."""


class NoConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section of a plugin that has no settings."""


class MethodSpec(Struct, frozen=True, kw_only=True):
    """One method. *handler* is ``async def (ctx[, params]) -> result``.

    *params* and *result* are msgspec Structs; *example* holds params by name. *errors*
    are what a caller must expect beyond what any method may answer. An *internal* one
    is for other plugins (`Context.call`) and served to no client.
    """

    name: str
    handler: Callable[..., Awaitable[Any]]
    params: type[msgspec.Struct] | None
    result: type[msgspec.Struct]
    caller: CallerClass
    timeout_s: float
    inline: bool
    internal: bool
    summary: str
    example: Mapping[str, Any]
    errors: tuple[type[LucidError], ...]


class ServiceSpec(Struct, frozen=True, kw_only=True):
    """A task that lives as long as the daemon: ``async def (ctx, task_status)``."""

    name: str
    run: Callable[..., Awaitable[None]]
    on_crash: Literal["restart", "stop-daemon"] = "restart"


class HandlerSpec(Struct, frozen=True, kw_only=True):
    """Called for every event of one type, one at a time and in order.

    *name* is the function's: under it the host remembers how far the handler came.
    """

    name: str
    event: type[Event]
    run: Callable[..., Awaitable[None]]


class MigrationSpec(Struct, frozen=True, kw_only=True):
    """One forward step of the plugin's own tables (``<plugin>_`` is their prefix)."""

    version: int
    sql: str


Lifespan = Callable[..., AbstractAsyncContextManager[None]]


class Manifest(Struct, frozen=True, kw_only=True):
    """All of one plugin's declarations.

    *needs* are the grants without which it can't work; *networks* are the only ones on
    which it is run (empty: all).
    """

    name: str
    config: type[msgspec.Struct]
    needs: frozenset[Grant] = frozenset()
    networks: frozenset[str] = frozenset()
    methods: tuple[MethodSpec, ...] = ()
    services: tuple[ServiceSpec, ...] = ()
    handlers: tuple[HandlerSpec, ...] = ()
    migrations: tuple[MigrationSpec, ...] = ()
    routes: tuple[RouteSpec, ...] = ()
    lifespan: Lifespan | None = None
