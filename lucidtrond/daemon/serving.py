"""Serving clients: the methods, and the listeners that take calls of them."""

import logging
from collections.abc import Callable
from functools import partial

import trio

from lucidtrond.daemon import listeners, methods
from lucidtrond.daemon.health import Conditions
from lucidtrond.daemon.metrics import collect
from lucidtrond.daemon.notify import notify
from lucidtrond.daemon.opening import OpenDaemon
from lucidtrond.pluginhost import BoundMethod
from lucidtrond.rpc import audit
from lucidtrond.rpc.dispatch import Call, Dispatcher, Method
from lucidtrond.rpc.events import events_methods
from lucidtrond.transports.accept import Accepting
from lucidtrond.transports.http import HttpLimits, serve_http
from lucidtrond.transports.rpc_http import RpcHttp
from lucidtrond.transports.unix import UnixLimits, UnixListener, serve_unix
from lucidtrond.transports.websocket import WebSockets

log = logging.getLogger("lucidtrond.daemon")


async def serve_clients(
    daemon: OpenDaemon,
    listener: UnixListener,
    *,
    stop: trio.Event,
    on_ready: Callable[[], object],
) -> None:
    """Take calls until *stop*, then drain; *on_ready* is called when it serves.

    Raises:
        OperatorError: it can't listen as configured.
    """
    config = daemon.config
    http = listeners.open_http(config.http, devnet=daemon.devnet is not None)
    url = None if http is None else http.url
    conditions = _conditions(daemon, listener)
    dispatcher = _dispatcher(daemon, conditions, http_url=url)
    listener.listen()
    async with trio.open_nursery() as nursery:
        if http is not None:
            await nursery.start(_serve_http, daemon, dispatcher, conditions, http, stop)
        await nursery.start(
            partial(
                serve_unix,
                listener,
                dispatcher,
                stop=stop,
                grace_s=config.rpc.grace_s,
                access=listeners.access_rules(config.access),
                limits=UnixLimits(max_connections=config.rpc.max_connections),
                accepting=conditions.accepting,
            )
        )
        log.info("ready", extra={"socket": str(listener.path), "http": url})
        notify(f"READY=1\nSTATUS=serving {config.network.name}")
        on_ready()
        async with trio.open_nursery() as watching:
            watching.start_soon(conditions.watch)
            await stop.wait()
            watching.cancel_scope.cancel()
        notify("STOPPING=1")


def _dispatcher(
    daemon: OpenDaemon, conditions: Conditions, *, http_url: str | None
) -> Dispatcher:
    host, services = daemon.host, daemon.services
    log_of_calls = audit.Audit(services.store, services.clock)
    dispatcher = Dispatcher(
        authorize=host.authorize if host.has_authorizers else None,
        audit=log_of_calls,
        max_batch=daemon.config.rpc.max_batch,
    )
    for bound in host.methods():
        dispatcher.add(_method(bound))
    for method in events_methods(services.bus, services.store):
        dispatcher.add(method)
    methods.register(
        dispatcher,
        methods.Facts(
            instance=daemon.instance,
            network=daemon.config.network.name,
            genesis_id=lambda: services.node.genesis_id,
            started_ms=daemon.started_ms,
            clock=services.clock,
            conditions=conditions,
            audit=log_of_calls,
            metrics=partial(
                collect, services, conditions, started_ms=daemon.started_ms
            ),
            manifest=host.manifest,
            http_url=http_url,
            plugins=lambda: [
                methods.PluginRow(
                    name=row.name,
                    distribution=row.distribution,
                    version=row.version,
                    state=row.state,
                    methods=list(row.methods),
                    reason=row.reason,
                )
                for row in host.states()
            ],
        ),
    )
    return dispatcher


def _method(bound: BoundMethod) -> Method:
    run = bound.call

    async def handler(_call: Call, *params: object) -> object:
        return await run(*params)

    return Method(
        bound.name,
        handler,
        params=bound.params,
        result=bound.result,
        caller=bound.caller,
        timeout_s=bound.timeout_s,
        inline=bound.inline,
        summary=bound.summary,
        example=bound.example,
        errors=bound.errors,
    )


def _conditions(daemon: OpenDaemon, listener: UnixListener) -> Conditions:
    services = daemon.services
    return Conditions(
        clock=services.clock,
        position=services.ledger.position,
        endpoints=services.node.endpoints,
        waiting_for_unlock=lambda: services.sender.waiting_for_unlock,
        waiting_for_approval=lambda: services.sender.waiting_for_approval,
        set_aside=lambda: services.sender.set_aside,
        hold=lambda: services.sender.hold,
        stopped=lambda: services.sender.stopped,
        unproven_payments=lambda: services.sender.unproven,
        drifting=lambda: services.ledger.drifting,
        waiting_rows=lambda: services.ledger.waiting,
        socket_is_there=listener.is_in_place,
        accepting=Accepting(),
        plugins=daemon.host.states,
    )


async def _serve_http(
    daemon: OpenDaemon,
    dispatcher: Dispatcher,
    conditions: Conditions,
    http: listeners.HttpListener,
    stop: trio.Event,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    services = daemon.services
    handler = RpcHttp(
        dispatcher=dispatcher,
        access=http.access,
        clock=services.clock,
        problems=conditions.by_component,
        is_ready=lambda: services.ledger.position().synced,
        metrics=lambda: collect(services, conditions, started_ms=daemon.started_ms),
        routes=daemon.host.routes(),
    )
    websockets = WebSockets(dispatcher=dispatcher, access=http.access, stop=stop)
    await serve_http(
        handler,
        http.sockets,
        stop=stop,
        grace_s=daemon.config.rpc.grace_s,
        limits=HttpLimits(max_connections=daemon.config.http.max_connections),
        upgrade=websockets.takeover,
        accepting=conditions.accepting,
        task_status=task_status,
    )
