"""One plugin at run time: its services and event handlers, supervised.

    loaded ──lifespan, services ready──▶ running ──budget of crashes spent──▶ failed

One of the three places that catch everything (STYLE C3): a service or handler that
crashes is logged with its traceback and started again after a growing pause. Crashes
are counted for the whole plugin, those of long ago are forgotten; when too many are
left the plugin is *failed*: what still runs of it is stopped, its methods answer
`PluginFailed`, everything else goes on. A service with ``on_crash="stop-daemon"`` ends
the daemon instead, and so does any that crashes before it was ready: a fault of start.
"""

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, Literal

import msgspec
import trio
from attrs import define, field

from lucidtrond.api import Context
from lucidtrond.api.manifest import HandlerSpec, ServiceSpec
from lucidtrond.errors import PluginError, PluginFailed, StartTimeout
from lucidtrond.pluginhost.check import Checked
from lucidtrond.ports import Migration, Store, Tx

log = logging.getLogger(__name__)

READY_S: Final = 30.0
CRASHES: Final = 5
"""So many within `FORGET_S` are forgiven; the next one fails the plugin."""
FORGET_S: Final = 600.0
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0

State = Literal["loaded", "running", "failed", "not on this network"]
WaitEvents = Callable[[int], Awaitable[Sequence[tuple[int, str, bytes]]]]
"""Events beyond a sequence number: (seq, topic, encoded event), waiting for some."""

MIGRATIONS: Final = (
    Migration(
        "pluginhost",
        1,
        """
        CREATE TABLE pluginhost_cursor (
            plugin TEXT NOT NULL,
            handler TEXT NOT NULL,
            seq INT64 NOT NULL,
            PRIMARY KEY (plugin, handler)
        )
        """,
    ),
)


@define(eq=False)
class Running:
    """Made by the host; `run` once."""

    checked: Checked
    context: Context[Any] | None = None
    store: Store | None = None
    """The daemon's own, for the cursors of event handlers."""
    state: State = "loaded"
    reason: str | None = None
    """Why it failed, for the operator."""
    _crashes: deque[float] = field(init=False, factory=deque)
    _scope: trio.CancelScope = field(init=False, factory=trio.CancelScope)

    @property
    def name(self) -> str:
        return self.checked.manifest.name

    async def call(
        self, handler: Callable[..., Awaitable[Any]], *params: object
    ) -> Any:
        """Run a method of it.

        Raises:
            PluginFailed: it has crashed too often.
        """
        if self.state == "failed":
            raise PluginFailed(f"plugin {self.name} has failed", plugin=self.name)
        return await handler(self.context, *params)

    async def run(
        self,
        events: WaitEvents,
        *,
        since: int,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Run services and handlers until cancelled or failed; started when all are.

        Raises:
            StartTimeout, PluginError: a service was not ready, or crashed before; or
                it crashed later and takes the daemon along.
        """
        refusal: PluginError | StartTimeout | None = None
        is_ready = False
        with self._scope:
            async with trio.open_nursery() as nursery:
                try:
                    for service in self.checked.manifest.services:
                        await self._start(nursery, service)
                    for handler in self.checked.manifest.handlers:
                        await nursery.start(self._feed_for_ever, handler, events, since)
                except (PluginError, StartTimeout) as exc:
                    refusal = exc  # out here it is in no group
                    nursery.cancel_scope.cancel()
                else:
                    self.state = "running"
                    is_ready = True
                    task_status.started()
                    await trio.sleep_forever()
        if refusal is not None:
            raise refusal
        if not is_ready and self._scope.cancelled_caught:
            task_status.started()  # failed while its other services got ready

    async def _start(self, nursery: trio.Nursery, service: ServiceSpec) -> None:
        with trio.move_on_after(READY_S) as limit:
            await nursery.start(self._serve, service)
        if limit.cancelled_caught:
            raise StartTimeout(
                f"{self.checked.imported.where}: service {service.name} was not ready"
                f" within {READY_S:.0f} s"
            )

    async def _serve(
        self, service: ServiceSpec, task_status: trio.TaskStatus[None]
    ) -> None:
        """Run a service; again when it crashes. One that returns is done."""
        status = _Readiness(task_status)
        while True:
            try:
                await service.run(self.context, status)
            except Exception as exc:
                if not status.is_ready or service.on_crash == "stop-daemon":
                    when = "" if status.is_ready else " before it was ready"
                    raise PluginError(
                        f"{self.checked.imported.where}: service {service.name}"
                        f" crashed{when}: {type(exc).__name__}: {exc}"
                    ) from exc
                await self._take_crash(service.name, exc)
            else:
                status.started()
                return

    async def _feed_for_ever(
        self,
        handler: HandlerSpec,
        events: WaitEvents,
        since: int,
        task_status: trio.TaskStatus[None],
    ) -> None:
        status = _Readiness(task_status)
        while True:
            try:
                await self._feed(handler, events, since, status)
            except Exception as exc:  # noqa: BLE001 - the supervisor, see above
                status.started()
                await self._take_crash(f"{self.name}.{handler.name}", exc)

    async def _feed(
        self,
        handler: HandlerSpec,
        events: WaitEvents,
        since: int,
        status: "_Readiness",
    ) -> None:
        """Hand over every event from where the handler came to, then remember that."""
        assert self.store is not None, "bound before it is run"  # noqa: S101 - invariant
        store, place = self.store, (self.name, handler.name)
        cursor = await store.write(lambda tx: _read_cursor(tx, place, since))
        status.started()
        while True:
            for seq, topic, payload in await events(cursor):
                if topic == handler.event.topic:
                    event = msgspec.json.decode(payload, type=handler.event)
                    await handler.run(self.context, event)
                    await store.write(partial(_move, place=place, seq=seq))
                cursor = seq

    async def _take_crash(self, what: str, exc: Exception) -> None:
        """Log it, then pause before the next try, or fail the plugin."""
        now = trio.current_time()
        while self._crashes and self._crashes[0] < now - FORGET_S:
            self._crashes.popleft()
        self._crashes.append(now)
        count = len(self._crashes)
        log.error(
            "plugin crashed",
            exc_info=exc,
            extra={"plugin": self.name, "part": what, "crashes": count},
        )
        if count > CRASHES:
            self.state = "failed"
            self.reason = f"{what} crashed {count} times: {type(exc).__name__}"
            log.error("plugin failed", extra={"plugin": self.name, "part": what})
            self._scope.cancel()
        await trio.sleep(min(FIRST_PAUSE_S * 2 ** (count - 1), LONGEST_PAUSE_S))


@define
class _Readiness(trio.TaskStatus[None]):
    """Says ``started`` to the nursery once, however often a service starts."""

    _status: trio.TaskStatus[None]
    is_ready: bool = False

    def started(self, value: None = None) -> None:
        if not self.is_ready:
            self.is_ready = True
            self._status.started(value)


def _read_cursor(tx: Tx, place: tuple[str, str], since: int) -> int:
    """Where the handler came to; from now on when it is new."""
    [(seq,)] = tx.execute(
        "INSERT INTO pluginhost_cursor (plugin, handler, seq) VALUES (?, ?, ?)"
        " ON CONFLICT (plugin, handler) DO UPDATE SET seq = pluginhost_cursor.seq"
        " RETURNING seq",
        (*place, since),
    )
    return int(seq)


def _move(tx: Tx, *, place: tuple[str, str], seq: int) -> None:
    tx.execute(
        "UPDATE pluginhost_cursor SET seq = ? WHERE plugin = ? AND handler = ?",
        (seq, *place),
    )
