"""A plugin's emitter: it speaks in the plugin's own name only."""

from attrs import frozen

from lucidtrond.api import Emit, Event, PluginEvent, Tx
from lucidtrond.events.types import EVENTS


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
        return self._emit(tx, event)
