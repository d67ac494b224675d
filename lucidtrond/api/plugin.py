"""`Plugin`: collects what one plugin declares while it is imported.

Nothing declared runs before the daemon has checked all declarations of all plugins. A
`Plugin` holds no run-time state, so two daemons in one process share nothing. What can
be seen at the declaration itself is refused there, with `BadDeclaration`; what needs
the other plugins or the configuration is checked by the daemon when it starts.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Concatenate, Final, Generic, Literal, ParamSpec

import msgspec
from attrs import define, field
from typing_extensions import TypeVar

from lucidtrond.api.caller import CallerClass
from lucidtrond.api.context import Context
from lucidtrond.api.declared import BadDeclaration, check_method, types_of
from lucidtrond.api.hookspecs import hookimpl
from lucidtrond.api.http import RouteResponse, RouteSpec, Verb, fault_in, shape_of
from lucidtrond.api.manifest import (
    Grant,
    HandlerSpec,
    Manifest,
    MethodSpec,
    MigrationSpec,
    NoConfig,
    ServiceSpec,
)
from lucidtrond.errors import LucidError
from lucidtrond.events.types import EVENTS, Event

__all__ = ["BadDeclaration", "Plugin"]

P = ParamSpec("P")
R = TypeVar("R", bound=msgspec.Struct)
E = TypeVar("E", bound=Event)
C = TypeVar("C", bound=msgspec.Struct, default=NoConfig)
Service = TypeVar("Service", bound=Callable[..., Awaitable[None]])

DEFAULT_TIMEOUT_S: Final = 30.0
_NAME: Final = re.compile(r"[a-z][a-z0-9]{0,30}\Z")
"""No underscore: ``<name>_`` in front of a table must mean one plugin only."""


@define(eq=False)
class Plugin(Generic[C]):
    """One plugin. *config* is the Struct of its section ``[plugins.NAME]``.

    *needs* names grants without which the daemon refuses to start with it; *networks*
    the only networks on which it is run (elsewhere its methods do not exist).
    """

    name: str
    # mypy can't see that C takes this default from its TypeVar.
    config: type[C] = field(default=NoConfig)  # type: ignore[assignment]
    needs: Sequence[Grant] = field(default=(), kw_only=True)
    networks: Sequence[str] = field(default=(), kw_only=True)
    _methods: list[MethodSpec] = field(init=False, factory=list)
    _services: list[ServiceSpec] = field(init=False, factory=list)
    _handlers: list[HandlerSpec] = field(init=False, factory=list)
    _migrations: list[MigrationSpec] = field(init=False, factory=list)
    _routes: list[RouteSpec] = field(init=False, factory=list)
    _lifespan: Callable[[Context[C]], AbstractAsyncContextManager[None]] | None = field(
        init=False, default=None
    )

    def __attrs_post_init__(self) -> None:
        if not _NAME.match(self.name):
            raise BadDeclaration(
                f"plugin {self.name!r}: expected 1 to 31 small letters and digits, a"
                " letter first"
            )

    def method(
        self,
        name: str,
        *,
        caller: CallerClass = "read",
        timeout_s: float = DEFAULT_TIMEOUT_S,
        inline: bool = False,
        internal: bool = False,
        example: Mapping[str, Any] | None = None,
        errors: Sequence[type[LucidError]] = (),
    ) -> Callable[
        [Callable[Concatenate[Context[C], P], Awaitable[R]]],
        Callable[Concatenate[Context[C], P], Awaitable[R]],
    ]:
        """Offer an RPC method ``async def (ctx, params: Struct) -> Struct``.

        The docstring's first line is its summary. *example* holds params by name.
        *inline* is for methods that answer from memory without waiting. *internal* ones
        are for `Context.call` only. *errors* are those the caller should expect.
        """

        def declare(
            handler: Callable[Concatenate[Context[C], P], Awaitable[R]],
        ) -> Callable[Concatenate[Context[C], P], Awaitable[R]]:
            params, result = types_of(name, handler)
            spec = MethodSpec(
                name=name,
                handler=handler,
                params=params,
                result=result,
                caller=caller,
                timeout_s=timeout_s,
                inline=inline,
                internal=internal,
                summary=(inspect.getdoc(handler) or "").partition("\n")[0],
                example=example or {},
                errors=tuple(errors),
            )
            check_method(spec)
            if any(method.name == name for method in self._methods):
                raise BadDeclaration(f"method {name}: declared twice")
            self._methods.append(spec)
            return handler

        return declare

    def service(
        self,
        run: Service | None = None,
        *,
        on_crash: Literal["restart", "stop-daemon"] = "restart",
    ) -> Any:
        """Run ``async def (ctx, task_status)`` for the daemon's whole life.

        ``task_status.started()`` says that it is ready; the daemon waits for that.
        When it crashes it is started again, a few times; with *on_crash* it takes the
        daemon along instead.
        """

        def declare(service: Service) -> Service:
            name = f"{self.name}.{_name_of('service', service, parameters=2)}"
            if any(service.name == name for service in self._services):
                raise BadDeclaration(f"service {name}: declared twice")
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
        """Handle every event of one type, one at a time and in order.

        Each is handled at least once from the first start with this handler on: after
        a crash, or a stop in the middle, its last event comes again.
        """
        if event not in EVENTS:
            events = ", ".join(sorted(kind.__name__ for kind in EVENTS))
            raise BadDeclaration(f"handler of {event!r}: expected one of {events}")

        def declare(
            handler: Callable[[Context[C], E], Awaitable[None]],
        ) -> Callable[[Context[C], E], Awaitable[None]]:
            name = _name_of("handler", handler, parameters=2)
            if any(handler.name == name for handler in self._handlers):
                raise BadDeclaration(f"handler {name}: declared twice")
            self._handlers.append(HandlerSpec(name=name, event=event, run=handler))
            return handler

        return declare

    def route(
        self, verb: Verb, path: str, *, calls: Sequence[str] = ()
    ) -> Callable[
        [Callable[Concatenate[Context[C], P], Awaitable[RouteResponse]]],
        Callable[Concatenate[Context[C], P], Awaitable[RouteResponse]],
    ]:
        """Answer HTTP requests: ``async def (ctx, request) -> RouteResponse``.

        *path* lies under ``/api/`` and may hold ``{names}``. *calls* are the methods
        whose right the caller needs; without any, whoever may read may use it.
        """
        if (fault := fault_in(path)) is not None:
            raise BadDeclaration(f"route {verb} {path}: {fault}")
        if any(
            (e.verb, shape_of(e.path)) == (verb, shape_of(path)) for e in self._routes
        ):
            raise BadDeclaration(f"route {verb} {path}: declared twice")

        def declare(
            handler: Callable[Concatenate[Context[C], P], Awaitable[RouteResponse]],
        ) -> Callable[Concatenate[Context[C], P], Awaitable[RouteResponse]]:
            _name_of("route", handler, parameters=2)
            self._routes.append(
                RouteSpec(verb=verb, path=path, handler=handler, calls=tuple(calls))
            )
            return handler

        return declare

    def migration(self, version: int, sql: str) -> None:
        """Declare one forward step of this plugin's tables, in portable SQL."""
        wanted = len(self._migrations) + 1
        if version != wanted:
            raise BadDeclaration(f"migration {version}: expected {wanted}")
        self._migrations.append(MigrationSpec(version=version, sql=sql))

    def lifespan(
        self, manager: Callable[[Context[C]], AbstractAsyncContextManager[None]]
    ) -> Callable[[Context[C]], AbstractAsyncContextManager[None]]:
        """Wrap the plugin's life: entered before services, left after them.

        It may be left while being cancelled: cleanup that must wait shields itself,
        with a deadline.
        """
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
            needs=frozenset(self.needs),
            networks=frozenset(self.networks),
            methods=tuple(self._methods),
            services=tuple(self._services),
            handlers=tuple(self._handlers),
            migrations=tuple(self._migrations),
            routes=tuple(self._routes),
            lifespan=self._lifespan,
        )


def _name_of(what: str, function: Callable[..., Any], *, parameters: int) -> str:
    if not inspect.iscoroutinefunction(function):
        raise BadDeclaration(f"{what} {function!r}: expected an async function")
    got = len(inspect.signature(function).parameters)
    if got != parameters:
        raise BadDeclaration(
            f"{what} {function.__name__}: expected {parameters} parameters, got {got}"
        )
    return function.__name__
