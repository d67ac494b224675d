"""The daemon from start to stop; stopping is the reverse of starting.

The order is a shape, not a list of calls: each ``async with`` below owns what it
opened, and leaving it closes that. From the outside in: state directory, socket, what
`open_daemon` opens, then three nurseries: *services* (bus, vault, sender, follower, …),
*plugins*, and the listeners of `serve_clients`. Listeners stop accepting and drain
first, then plugins unwind, then the services end, then the vault is wiped, then the
store closes.
"""

import logging
import secrets
from collections.abc import Callable
from functools import partial
from typing import Final

import trio

from lucidtrond import pluginhost
from lucidtrond.composition import Service, run_plugins
from lucidtrond.daemon import listeners
from lucidtrond.daemon.config import Config
from lucidtrond.daemon.ledger_checks import ledger_checks
from lucidtrond.daemon.machine import hold_state_dir
from lucidtrond.daemon.node_events import watch_nodes
from lucidtrond.daemon.opening import OpenDaemon, open_daemon
from lucidtrond.daemon.options import RunOptions
from lucidtrond.daemon.passphrase import unlock_at_start
from lucidtrond.daemon.serving import serve_clients
from lucidtrond.errors import OperatorError
from lucidtrond.ports import Clock
from lucidtrond.store.database import Database

log = logging.getLogger("lucidtrond.daemon")

START_S: Final = 30.0
"""How long one service may take to get ready."""


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
        async with open_daemon(
            config,
            options,
            clock=clock,
            host=host,
            instance=instance,
            started_ms=started_ms,
        ) as daemon:
            await unlock_at_start(daemon.services.vault, options)
            async with trio.open_nursery() as services:
                services.start_soon(_watch_store, daemon.services.store)
                for service in _services(daemon):
                    await _start(services, service)
                async with trio.open_nursery() as plugins:
                    await plugins.start(run_plugins, host, daemon.services)
                    await serve_clients(daemon, listener, stop=stop, on_ready=on_ready)
                    plugins.cancel_scope.cancel()
                services.cancel_scope.cancel()
    log.info("stopped")


def _services(daemon: OpenDaemon) -> tuple[Service, ...]:
    """All that runs beside the plugins, in the order of starting."""
    services = daemon.services
    return (
        *services.in_starting_order(),
        partial(watch_nodes, services.node.changes, services.store, emit=services.emit),
        *ledger_checks(daemon.config.ledger, services),
    )


async def _watch_store(store: Database) -> None:
    """End the daemon when a commit's outcome is unknown: only a restart can tell."""
    raise await store.wait_failed()


async def _start(nursery: trio.Nursery, service: Service) -> None:
    with trio.move_on_after(START_S) as limit:
        await nursery.start(service)
    if limit.cancelled_caught:
        name = getattr(service, "__qualname__", str(service))
        raise OperatorError(f"{name} was not ready within {START_S:.0f} s")
