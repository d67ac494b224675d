"""A plugin's store and emitter: what it emits rings the bell once it is committed."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from attrs import define, frozen

from lucidtrond.api import Emit, Event, PluginEvent, Store, Tx
from lucidtrond.events.types import EVENTS
from lucidtrond.ports import Row

T = TypeVar("T")


@define(eq=False)
class _Marked:
    """A `Tx` that remembers whether an event went into the outbox through it."""

    tx: Tx
    emitted: bool = False

    def execute(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        return self.tx.execute(sql, params)

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        self.tx.execute_many(sql, rows)


@frozen
class RingingStore:
    """Satisfies `ports.Store`; no plugin can forget to ring."""

    _store: Store
    _ring: Callable[[], None]

    async def write(self, fn: Callable[[Tx], T]) -> T:
        """Run *fn* in the writer; its effects are durable when this returns."""

        def run(tx: Tx) -> tuple[T, bool]:
            marked = _Marked(tx)
            return fn(marked), marked.emitted

        result, emitted = await self._store.write(run)
        if emitted:
            self._ring()
        return result

    async def read(self, fn: Callable[[Tx], T]) -> T:
        """Run *fn* on one consistent snapshot."""
        return await self._store.read(fn)


@frozen
class PluginEmitter:
    """Satisfies `api.Emit` for one plugin."""

    _emit: Emit
    _plugin: str

    def __call__(self, tx: Tx, event: Event) -> int:
        """Put *event* into the outbox within *tx*.

        Raises:
            TypeError: no type that handlers and subscribers know.
            ValueError: it speaks in another plugin's name.
        """
        if type(event) not in EVENTS:
            raise TypeError(
                f"{type(event).__name__} is no event; emit a PluginEvent instead"
            )
        if isinstance(event, PluginEvent) and event.plugin != self._plugin:
            raise ValueError(
                f"plugin {self._plugin} emits an event of plugin {event.plugin}"
            )
        if isinstance(tx, _Marked):
            tx.emitted = True
            tx = tx.tx
        return self._emit(tx, event)
