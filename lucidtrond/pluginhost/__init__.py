"""Finds, checks and runs plugins."""

from lucidtrond.pluginhost.discover import installed
from lucidtrond.pluginhost.host import BoundMethod, PluginHost, PluginState, load

__all__ = ["BoundMethod", "PluginHost", "PluginState", "installed", "load"]
