"""Who calls a method, as the transport knows it."""

from typing import Literal

from msgspec import Struct

CallerClass = Literal["read", "spend", "admin"]
"""What a method asks of its caller: look, pay, or run the place."""


class Caller(Struct, frozen=True):
    """One peer, for as long as its connection lasts.

    *identity* is for logs and the audit: ``uid=1000``, a token's name; never a secret.
    """

    transport: str
    """Which transport: ``unix``, ``websocket``, ``http``, ``plugin``."""
    identity: str
    classes: frozenset[CallerClass]

    def may(self, wanted: CallerClass) -> bool:
        return wanted in self.classes
