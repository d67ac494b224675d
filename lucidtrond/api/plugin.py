"""`Plugin`: collects what one plugin declares while it is imported.

Nothing declared runs before the daemon has checked all declarations of all plugins. A
`Plugin` holds no run-time state, so two daemons in one process share nothing.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Concatenate, Final, Generic, Literal, ParamSpec, TypeGuard

import msgspec
from attrs import define, field
from typing_extensions import TypeVar

from lucidtrond.api.caller import CallerClass
from lucidtrond.api.context import Context
from lucidtrond.api.hookspecs import hookimpl
from lucidtrond.api.manifest import (
    HandlerSpec,
    Manifest,
    MethodSpec,
    MigrationSpec,
    NoConfig,
    ServiceSpec,
)
from lucidtrond.events.types import Event

P = ParamSpec("P")
R = TypeVar("R", bound=msgspec.Struct)
E = TypeVar("E", bound=Event)
C = TypeVar("C", bound=msgspec.Struct, default=NoConfig)

DEFAULT_TIMEOUT_S: Final = 30.0


class BadDeclaration(TypeError):
    """A declaration that can't work; the text names it and says what was wanted."""


@define(eq=False)
class Plugin(Generic[C]):
    """One plugin. *config* is the Struct of its section ``[plugins.NAME]``."""

    name: str
    # mypy can't see that C takes this default from its TypeVar.
    config: type[C] = field(default=NoConfig)  # type: ignore[assignment]
    _methods: list[MethodSpec] = field(init=False, factory=list)
    _services: list[ServiceSpec] = field(init=False, factory=list)
    _handlers: list[HandlerSpec] = field(init=False, factory=list)
    _migrations: list[MigrationSpec] = field(init=False, factory=list)
    _lifespan: Callable[[Context[C]], AbstractAsyncContextManager[None]] | None = field(
        init=False, default=None
    )

    def method(
        self,
        name: str,
        *,
        caller: CallerClass = "read",
        timeout_s: float = DEFAULT_TIMEOUT_S,
        inline: bool = False,
        example: Mapping[str, Any] | None = None,
    ) -> Callable[
        [Callable[Concatenate[Context[C], P], Awaitable[R]]],
        Callable[Concatenate[Context[C], P], Awaitable[R]],
    ]:
        """Offer an RPC method ``async def (ctx, params: Struct) -> Struct``.

        The docstring's first line is its summary. *inline* is for methods that answer
        from memory without waiting.
        """

        def declare(
            handler: Callable[Concatenate[Context[C], P], Awaitable[R]],
        ) -> Callable[Concatenate[Context[C], P], Awaitable[R]]:
            params, result = _types_of(name, handler)
            summary = (inspect.getdoc(handler) or "").partition("\n")[0]
            if not summary:
                raise BadDeclaration(f"method {name}: a docstring is wanted")
            self._methods.append(
                MethodSpec(
                    name=name,
                    handler=handler,
                    params=params,
                    result=result,
                    caller=caller,
                    timeout_s=timeout_s,
                    inline=inline,
                    summary=summary,
                    example=example or {},
                )
            )
            return handler

        return declare

    def service(
        self,
        run: Callable[..., Awaitable[None]] | None = None,
        *,
        on_crash: Literal["restart", "stop-daemon"] = "restart",
    ) -> Any:
        """Run ``async def (ctx, task_status)`` for the daemon's whole life."""

        def declare(
            service: Callable[..., Awaitable[None]],
        ) -> Callable[..., Awaitable[None]]:
            if not inspect.iscoroutinefunction(service):
                raise BadDeclaration(f"service {service!r}: expected an async function")
            name = f"{self.name}.{service.__name__}"
            self._services.append(
                ServiceSpec(name=name, run=service, on_crash=on_crash)
            )
            return service

        return declare if run is None else declare(run)

    def on(
        self, event: type[E]
    ) -> Callable[
        [Callable[[Context[C], E], Awaitable[None]]],
        Callable[[Context[C], E], Awaitable[None]],
    ]:
        """Handle every event of one type, one at a time and in order."""

        def declare(
            handler: Callable[[Context[C], E], Awaitable[None]],
        ) -> Callable[[Context[C], E], Awaitable[None]]:
            self._handlers.append(HandlerSpec(event=event, run=handler))
            return handler

        return declare

    def migration(self, version: int, sql: str) -> None:
        """Declare one forward step of this plugin's tables, in portable SQL."""
        self._migrations.append(MigrationSpec(version=version, sql=sql))

    def lifespan(
        self, manager: Callable[[Context[C]], AbstractAsyncContextManager[None]]
    ) -> Callable[[Context[C]], AbstractAsyncContextManager[None]]:
        """Wrap the plugin's life: entered before services, left after them."""
        if self._lifespan is not None:
            raise BadDeclaration(f"plugin {self.name}: one lifespan, got a second")
        self._lifespan = manager
        return manager

    @hookimpl
    def lucidtrond_manifest(self) -> Manifest:
        """Everything declared so far."""
        return Manifest(
            name=self.name,
            config=self.config,
            methods=tuple(self._methods),
            services=tuple(self._services),
            handlers=tuple(self._handlers),
            migrations=tuple(self._migrations),
            lifespan=self._lifespan,
        )


def _types_of(
    name: str, handler: Callable[..., Any]
) -> tuple[type[msgspec.Struct] | None, type[msgspec.Struct]]:
    """Read params and result type off the signature, so that faults show at import."""
    if not inspect.iscoroutinefunction(handler):
        raise BadDeclaration(f"method {name}: expected an async function")
    hints = inspect.get_annotations(handler, eval_str=True)
    parameters = list(inspect.signature(handler).parameters.values())
    if len(parameters) not in (1, 2):
        raise BadDeclaration(
            f"method {name}: expected (ctx) or (ctx, params), "
            f"got {len(parameters)} parameters"
        )
    result = hints.get("return")
    if not _is_struct(result):
        raise BadDeclaration(f"method {name}: a Struct must be the result")
    if len(parameters) == 1:
        return None, result
    params = hints.get(parameters[1].name)
    if not _is_struct(params):
        raise BadDeclaration(f"method {name}: a Struct must be the params")
    return params, result


def _is_struct(kind: object) -> TypeGuard[type[msgspec.Struct]]:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
