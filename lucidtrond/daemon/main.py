"""The process: logs, signals, limits, exit code.

One of the three places that catch broadly (STYLE C3): whatever ends the daemon is
logged here, once, and becomes the exit code.
"""

import gc
import logging
import signal
import time

import trio

from lucidtrond import pluginhost
from lucidtrond.daemon.assemble import serve
from lucidtrond.daemon.config import Config
from lucidtrond.daemon.logs import configure_logging
from lucidtrond.daemon.machine import forbid_core_dumps, raise_file_limit
from lucidtrond.daemon.options import RunOptions
from lucidtrond.devnet.state.token_sorts import UnknownSort, check_sorts
from lucidtrond.errors import ConfigError, LucidError

__all__ = ["RunOptions", "check", "run"]

log = logging.getLogger("lucidtrond.daemon")


class WallClock:
    """The real wall clock; the only place that reads it."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch."""
        return time.time_ns() // 1_000_000


def run(config: Config, options: RunOptions) -> int:
    """Run the daemon until SIGTERM or SIGINT; gives the exit code."""
    configure_logging(config.log.level)
    forbid_core_dumps()
    files = raise_file_limit()
    log.debug("open files limited", extra={"limit": files})
    try:
        trio.run(_main, config, options)
    except BaseException as exc:  # noqa: BLE001 - the process ends here and says why
        return _ended(exc)
    return 0


def check(config: Config) -> str:
    """Load configuration and plugins as `run` would; all faults are raised together."""
    try:
        check_sorts(config.network.devnet_tokens)
    except UnknownSort as unknown:
        raise ConfigError(f"[network] devnet_{unknown}") from None
    host = pluginhost.load(config.plugins)
    return (
        f"network {config.network.name}, {len(host.methods())} methods of "
        f"{len(config.plugins)} plugins: the configuration is good"
    )


async def _main(config: Config, options: RunOptions) -> None:
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        await nursery.start(_listen_for_signals, stop)
        ready = trio.Event()

        def on_ready() -> None:
            gc.freeze()
            ready.set()

        with trio.CancelScope() as starting:
            nursery.start_soon(_stop_while_starting, stop, ready, starting)
            await serve(
                config, options, clock=WallClock(), stop=stop, on_ready=on_ready
            )
        if starting.cancelled_caught:
            log.info("stopped while starting")
        nursery.cancel_scope.cancel()


async def _stop_while_starting(
    stop: trio.Event, ready: trio.Event, starting: trio.CancelScope
) -> None:
    """Before it serves there is nothing to drain: stopping is cancelling."""
    await stop.wait()
    if not ready.is_set():
        starting.cancel()


async def _listen_for_signals(
    stop: trio.Event, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async for number in signals:
            if stop.is_set():  # asked twice: the operator does not want to wait
                raise KeyboardInterrupt
            log.info("stopping", extra={"signal": signal.Signals(number).name})
            stop.set()


def _ended(exc: BaseException) -> int:
    """Log what ended the daemon: purpose in one line, a bug in full."""
    causes = list(_leaves(exc))
    for cause in causes:
        if isinstance(cause, LucidError):
            log.error("daemon ended", extra={"reason": str(cause)})
        elif isinstance(cause, KeyboardInterrupt):
            log.warning("daemon stopped without draining")
        else:
            log.critical("daemon ended by a fault", exc_info=cause)
    return 1


def _leaves(exc: BaseException) -> list[BaseException]:
    if isinstance(exc, BaseExceptionGroup):
        return [leaf for member in exc.exceptions for leaf in _leaves(member)]
    return [exc]
