"""The hooks: synchronous, quick, without I/O. pluggy answers what and who, at once."""

from typing import Final

import pluggy

from lucidtrond.api.caller import Caller
from lucidtrond.api.manifest import Manifest

PROJECT: Final = "lucidtrond"
ENTRY_POINTS: Final = "lucidtrond.plugins"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class HookSpecs:
    """What a plugin may implement with `hookimpl`."""

    @hookspec
    def lucidtrond_manifest(self) -> Manifest:  # type: ignore[empty-body] # a spec
        """Say what this plugin declares. Called once, before anything runs."""

    @hookspec(firstresult=True)
    def lucidtrond_authorize(self, caller: Caller, method: str) -> str | None:
        """Refuse a call by giving the reason; None leaves it to the next plugin.

        It can only narrow what the caller's classes allow.
        """
