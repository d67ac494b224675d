"""Putting the floors together, in the order of starting; stopping is its reverse.

The order is a shape, not a list of calls: each ``async with`` below owns what it
opened, and leaving it closes that. From the outside in: state directory, store,
embedded chain, node pool, then three nurseries: *floor* (bell, vault, sender,
follower), *plugins*, *doors*. Doors stop accepting and drain first, then plugins
unwind, then the floor ends, then the store closes, then the vault is wiped.
"""

import contextlib
import logging
import os
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import trio
from attrs import define, frozen

from lucidtrond import pluginhost
from lucidtrond.api import Context
from lucidtrond.chain import ledger as chain_ledger
from lucidtrond.chain.follower import Follower
from lucidtrond.chain.ledger import Ledger
from lucidtrond.daemon import listeners, methods
from lucidtrond.daemon.config import Config
from lucidtrond.daemon.health import Conditions
from lucidtrond.daemon.ledgerchecks import ledger_checks
from lucidtrond.daemon.machine import hold_state_dir
from lucidtrond.daemon.metrics import collect
from lucidtrond.daemon.network import check_state, known_tokens, open_network
from lucidtrond.daemon.node_events import watch_nodes
from lucidtrond.daemon.notify import notify
from lucidtrond.devnet.server import Devnet, DevnetConfig, open_devnet
from lucidtrond.errors import KeystoreMissing, OperatorError, WrongPassphrase
from lucidtrond.events import outbox
from lucidtrond.events.bus import Bus
from lucidtrond.keystore import vault as keystore_vault
from lucidtrond.keystore.vault import Vault
from lucidtrond.node.cache import CachedNode
from lucidtrond.pluginhost import BoundMethod, PluginHost
from lucidtrond.ports import Clock, Tx
from lucidtrond.rpc import audit
from lucidtrond.rpc.dispatch import Call, Dispatcher, Method
from lucidtrond.rpc.events import events_methods
from lucidtrond.sending import sender as sending_sender
from lucidtrond.sending.intent import Limits
from lucidtrond.sending.sender import Sender
from lucidtrond.store.database import Database, open_store
from lucidtrond.store.migrate import migrate
from lucidtrond.transports.accept import Accepting
from lucidtrond.transports.http import HttpLimits, serve_http
from lucidtrond.transports.rpc_http import RpcHttp
from lucidtrond.transports.unix import UnixLimits, UnixListener, serve_unix
from lucidtrond.transports.websocket import WebSockets
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BLOCK_INTERVAL_MS, BlockId
from lucidtrond.tron.units import Sun

log = logging.getLogger("lucidtrond.daemon")

START_S: Final = 30.0
"""How long one service may take to get ready."""
DATABASE: Final = "lucidtrond.sqlite"
DEVNET_DIR: Final = "devnet"
EVENTS_PAGE: Final = 256
PASSPHRASE_BYTES: Final = 1024


@frozen
class RunOptions:
    """What the command line says beyond the configuration."""

    state_dir: Path
    sockets: tuple[Path, ...]
    passphrase_file: Path | None = None
    passphrase_fd: int | None = None


@define(eq=False)
class Services:
    """What the floors need of one another, once all of it is open.

    *instance* names this run of the daemon."""

    instance: str
    config: Config
    clock: Clock
    store: Database
    devnet: Devnet | None
    node: CachedNode
    bus: Bus
    vault: Vault
    ledger: Ledger
    sender: Sender
    follower: Follower
    host: PluginHost


async def serve(
    config: Config,
    options: RunOptions,
    *,
    clock: Clock,
    stop: trio.Event,
    on_ready: Callable[[], object] = lambda: None,
) -> None:
    """Run a daemon until *stop*; *on_ready* is called when it serves.

    Raises:
        OperatorError: it can't start, or can't go on; the text says why.
    """
    started_ms = clock.now_ms()
    host = pluginhost.load(config.plugins)
    instance = secrets.token_hex(16)
    with (
        hold_state_dir(options.state_dir),
        listeners.bound_socket(
            options.sockets,
            config.access,
            state_dir=options.state_dir,
            instance=instance,
        ) as listener,
    ):
        async with _open_house(
            config, options, clock=clock, host=host, instance=instance
        ) as services:
            await _unlock(services.vault, options)
            async with trio.open_nursery() as floor:
                floor.start_soon(_watch_store, services.store)
                for service in (
                    services.bus.run,
                    services.vault.run,
                    services.sender.run,
                    services.node.watch,
                    services.follower.run,
                    partial(
                        watch_nodes,
                        services.node.changes,
                        services.store,
                        emit=services.bus.emitter(),
                    ),
                ):
                    await _start(floor, service)
                for check in ledger_checks(
                    config.ledger,
                    node=services.node,
                    store=services.store,
                    ledger=services.ledger,
                    bus=services.bus,
                ):
                    await _start(floor, check)
                async with trio.open_nursery() as plugins:
                    await _start_plugins(plugins, services)
                    door = listeners.open_http(
                        config.http, devnet=services.devnet is not None
                    )
                    url = None if door is None else door.url
                    conditions = _conditions(services, listener)
                    dispatcher = _dispatcher(
                        services, conditions, started_ms, http_url=url
                    )
                    listener.listen()
                    async with trio.open_nursery() as doorway:
                        if door is not None:
                            await doorway.start(
                                partial(_serve_http, started_ms=started_ms),
                                *(services, dispatcher, conditions, door, stop),
                            )
                        await doorway.start(
                            partial(_serve_socket, accepting=conditions.accepting),
                            *(services, dispatcher, listener, stop),
                        )
                        log.info(
                            "ready", extra={"socket": str(listener.path), "http": url}
                        )
                        notify(f"READY=1\nSTATUS=serving {config.network.name}")
                        on_ready()
                        await stop.wait()
                        notify("STOPPING=1")
                    plugins.cancel_scope.cancel()
                floor.cancel_scope.cancel()
    log.info("stopped")


@contextlib.asynccontextmanager
async def _open_house(
    config: Config,
    options: RunOptions,
    *,
    clock: Clock,
    host: PluginHost,
    instance: str,
) -> AsyncIterator[Services]:
    """Open everything that is opened, in order; nothing of it runs yet."""
    async with (
        open_store(options.state_dir / DATABASE) as store,
        _open_devnet(config, options, clock) as devnet,
    ):
        await migrate(
            store,
            [
                *outbox.MIGRATIONS,
                *keystore_vault.MIGRATIONS,
                *chain_ledger.MIGRATIONS,
                *sending_sender.MIGRATIONS,
                *audit.MIGRATIONS,
                *host.migrations(),
            ],
        )
        await check_state(store, config.network, devnet, state_dir=options.state_dir)
        async with open_network(config, devnet, clock) as (node, genesis_id):
            vault = Vault(store, clock=clock, auto_lock_s=config.keystore.auto_lock_s)
            try:
                yield _furnish(
                    config,
                    instance=instance,
                    clock=clock,
                    store=store,
                    devnet=devnet,
                    node=node,
                    vault=vault,
                    host=host,
                    genesis_id=genesis_id,
                )
            finally:
                vault.wipe()


def _furnish(
    config: Config,
    *,
    instance: str,
    clock: Clock,
    store: Database,
    devnet: Devnet | None,
    node: CachedNode,
    vault: Vault,
    host: PluginHost,
    genesis_id: BlockId,
) -> Services:
    bus = Bus(store, clock=clock)
    emit = bus.emitter()
    ledger = Ledger(
        store, tokens=known_tokens(config.network, devnet), now_ms=clock.now_ms
    )
    sender = Sender(
        store,
        node,
        signer=vault,
        position=ledger.position,
        emit=emit,
        clock=clock,
        limits=Limits(
            fee_limit=Sun(config.sending.fee_limit_sun),
            max_burn=Sun(config.sending.max_burn_sun),
        ),
    )
    block_s = BLOCK_INTERVAL_MS / 1000
    if config.network.name in ("devnet", "private"):
        block_s = min(config.network.block_time_s or block_s, block_s)
    follower = Follower(
        node,
        store,
        ledger=ledger,
        emit=emit,
        genesis_id=genesis_id,
        observers=[sender],
        poll_s=block_s,
        producers=_producers(devnet),
        wait_recovered=node.wait_recovered,
    )
    services = Services(
        instance=instance,
        config=config,
        clock=clock,
        store=store,
        devnet=devnet,
        node=node,
        bus=bus,
        vault=vault,
        ledger=ledger,
        sender=sender,
        follower=follower,
        host=host,
    )
    host.bind(lambda **given: _context(services, **given))
    return services


def _producers(devnet: Devnet | None) -> Mapping[Address, Address] | None:
    """Who makes blocks, with the keys of the beginning, where the definition tells.

    The devnet's schedule never changes.
    """
    return None if devnet is None else devnet.chain.genesis.producers


def _context(
    services: Services, *, name: str, config: Any, grants: frozenset[str]
) -> Context[Any]:
    """Everything one plugin may touch, and what its section grants beyond that."""
    return Context(
        name=name,
        config=config,
        network=services.config.network.name,
        clock=services.clock,
        log=logging.getLogger(f"lucidtrond.plugins.{name}"),
        node=services.node,
        store=services.store,
        ledger=services.ledger,
        tokens=services.ledger.tokens,
        sender=services.sender,
        keys=services.vault,
        emit=services.bus.emitter(),
        call=services.host.call,
        keystore=services.vault if "keystore" in grants else None,
        devnet=services.devnet if "devnet" in grants else None,
    )


@contextlib.asynccontextmanager
async def _open_devnet(
    config: Config, options: RunOptions, clock: Clock
) -> AsyncIterator[Devnet | None]:
    if config.network.name != "devnet":
        yield None
        return
    wanted = DevnetConfig(
        block_time_s=config.network.block_time_s,
        witnesses=config.network.witnesses,
        tokens=config.network.devnet_tokens,
        state_dir=options.state_dir / DEVNET_DIR,
    )
    async with open_devnet(wanted, clock=clock) as devnet:
        yield devnet


async def _unlock(vault: Vault, options: RunOptions) -> None:
    """Open the keystore at start, where the operator asked for it."""
    phrase = _read_passphrase(options)
    if phrase is None:
        return
    try:
        await vault.unlock(phrase, for_s=None)
    except KeystoreMissing:
        log.warning("no keystore to unlock yet")
    except WrongPassphrase:
        raise OperatorError("the given passphrase does not open the keystore") from None


def _read_passphrase(options: RunOptions) -> str | None:
    source: Path | int
    if options.passphrase_file is not None:
        source = options.passphrase_file
    elif options.passphrase_fd is not None:
        source = options.passphrase_fd
    elif directory := os.environ.get("CREDENTIALS_DIRECTORY"):
        source = Path(directory) / "keystore.passphrase"
        if not source.exists():
            return None
    else:
        return None
    try:
        with open(source, "rb") as stream:  # noqa: PTH123 - a path or a descriptor
            data = stream.read(PASSPHRASE_BYTES + 2)
        return data.decode().removesuffix("\n").removesuffix("\r")
    except OSError as exc:
        raise OperatorError(f"passphrase: can't be read ({exc.strerror})") from None
    except UnicodeDecodeError:
        raise OperatorError("passphrase: expected UTF-8 text") from None


async def _watch_store(store: Database) -> None:
    """End the daemon when a commit's outcome is unknown: only a restart can tell."""
    raise await store.wait_failed()


async def _start(nursery: trio.Nursery, service: Callable[..., Any]) -> None:
    with trio.move_on_after(START_S) as limit:
        await nursery.start(service)
    if limit.cancelled_caught:
        name = getattr(service, "__qualname__", str(service))
        raise OperatorError(f"{name} was not ready within {START_S:.0f} s")


async def _start_plugins(nursery: trio.Nursery, services: Services) -> None:
    since = await services.store.read(outbox.last_seq)

    async def events(after: int) -> Sequence[tuple[int, str, bytes]]:
        await services.bus.wait_beyond(after)

        def read(tx: Tx) -> list[tuple[int, str, bytes]]:
            stored = outbox.read_since(tx, after, limit=EVENTS_PAGE)
            return [(each.seq, each.topic, each.payload) for each in stored]

        return await services.store.read(read)

    async def run(task_status: trio.TaskStatus[None]) -> None:
        await services.host.run(events, since=since, task_status=task_status)

    await nursery.start(run)


def _dispatcher(
    services: Services, conditions: Conditions, started_ms: int, *, http_url: str | None
) -> Dispatcher:
    host = services.host
    log_of_calls = audit.Audit(services.store, services.clock)
    dispatcher = Dispatcher(
        authorize=host.authorize if host.has_authorizers else None,
        audit=log_of_calls,
    )
    for bound in host.methods():
        dispatcher.add(_method(bound))
    for method in events_methods(services.bus, services.store):
        dispatcher.add(method)
    methods.register(
        dispatcher,
        methods.Facts(
            instance=services.instance,
            network=services.config.network.name,
            genesis_id=lambda: services.node.genesis_id,
            started_ms=started_ms,
            clock=services.clock,
            conditions=conditions,
            audit=log_of_calls,
            metrics=partial(collect, services, conditions, started_ms=started_ms),
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


def _conditions(services: Services, listener: UnixListener) -> Conditions:
    return Conditions(
        clock=services.clock,
        position=services.ledger.position,
        endpoints=services.node.endpoints,
        waiting_for_unlock=lambda: services.sender.waiting_for_unlock,
        socket_is_there=listener.is_in_place,
        accepting=Accepting(),
        plugins=services.host.states,
    )


async def _serve_socket(
    services: Services,
    dispatcher: Dispatcher,
    listener: UnixListener,
    stop: trio.Event,
    *,
    accepting: Accepting,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    await serve_unix(
        listener,
        dispatcher,
        stop=stop,
        grace_s=services.config.rpc.grace_s,
        access=listeners.access_rules(services.config.access),
        limits=UnixLimits(max_connections=services.config.rpc.max_connections),
        accepting=accepting,
        task_status=task_status,
    )


async def _serve_http(
    services: Services,
    dispatcher: Dispatcher,
    conditions: Conditions,
    door: listeners.HttpDoor,
    stop: trio.Event,
    *,
    started_ms: int,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    handler = RpcHttp(
        dispatcher=dispatcher,
        access=door.access,
        clock=services.clock,
        problems=conditions.by_component,
        is_ready=lambda: services.ledger.position().synced,
        metrics=lambda: collect(services, conditions, started_ms=started_ms),
        routes=services.host.routes(),
    )
    websockets = WebSockets(dispatcher=dispatcher, access=door.access, stop=stop)
    await serve_http(
        handler,
        door.listeners,
        stop=stop,
        grace_s=services.config.rpc.grace_s,
        limits=HttpLimits(max_connections=services.config.http.max_connections),
        upgrade=websockets.takeover,
        accepting=conditions.accepting,
        task_status=task_status,
    )
