"""Who may come in over HTTP: judged by the address we listen on and by two fields.

A web page that anybody's browser has open can send requests to a loopback port. What it
can't do is leave out ``Origin`` where it matters, or choose ``Host`` freely: a name
that was made to point here (DNS rebinding) shows in it.
"""

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit

from msgspec import Struct

from lucidtrond.api.caller import Caller, CallerClass
from lucidtrond.transports.http_messages import HttpRequest

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class HttpAccess(Struct, frozen=True):
    """*classes* is what every caller may, *hosts* are the names we are called by,
    *origins* the web pages that may call us beside our own."""

    classes: frozenset[CallerClass]
    hosts: frozenset[str] = LOOPBACK
    origins: frozenset[str] = frozenset()

    def caller(self, transport: str) -> Caller:
        """Everybody is the same until there are tokens."""
        return Caller(transport, "local", self.classes)

    def refusal(self, request: HttpRequest) -> str | None:
        """Say why this request is not served, or None."""
        fields = request.headers
        return _refusal(
            fields.get(b"host", b""), fields.get(b"origin"), self.hosts, self.origins
        )


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches *host*."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=64)
def _refusal(
    host_field: bytes,
    origin_field: bytes | None,
    hosts: frozenset[str],
    origins: frozenset[str],
) -> str | None:
    host = host_field.decode("latin-1").strip().lower()
    if (name := _host_name(host)) is None or name not in hosts:
        return "this service is not called by that Host"
    if origin_field is None:
        return None
    origin = origin_field.decode("latin-1").strip().lower()
    if origin in origins or origin == f"http://{host}":
        return None
    return "pages of that Origin may not call this service"


def _host_name(authority: str) -> str | None:
    """The name in ``name``, ``name:port``, ``[v6]`` or ``[v6]:port``."""
    if not authority or set("/@?#, \\") & set(authority):
        return None
    try:
        parts = urlsplit(f"//{authority}")
        _ = parts.port  # raises for what is no number
    except ValueError:
        return None
    return parts.hostname
