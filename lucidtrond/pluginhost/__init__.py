"""Finds, checks and runs plugins."""

from lucidtrond.pluginhost.discover import installed
from lucidtrond.pluginhost.host import (
    BoundMethod,
    BoundRoute,
    PluginHost,
    PluginState,
    load,
)

__all__ = [
    "BoundMethod",
    "BoundRoute",
    "PluginHost",
    "PluginState",
    "installed",
    "load",
]
