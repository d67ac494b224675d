"""One node's HTTP address, and what may be shown of it."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from attrs import field, frozen

from lucidtrond.errors import ConfigError
from lucidtrond.node.health.rate_limit import Budget
from lucidtrond.node.operators import default_operator


@frozen
class Endpoint:
    """A node's base URL and how to be let in.

    *url* and *api_key* may be secret (some providers put the key into the path), so
    only `name` may appear in errors, logs and answers. *solidity_url* is for a node
    whose solidified state is served on a port of its own (8091 by default there).
    *grpc_url* and *grpc_solidity_url* are where it serves gRPC, ``http:`` for plain
    text: there *api_key* is sent only to this machine, or with *grpc_plaintext_key*.
    *operator* is who runs it: endpoints of one operator are one source.
    """

    url: str = field(repr=False)
    api_key: str | None = field(default=None, repr=False)
    solidity_url: str | None = field(default=None, repr=False)
    budget: Budget = Budget()
    grpc_url: str | None = field(default=None, repr=False)
    grpc_solidity_url: str | None = field(default=None, repr=False)
    grpc_plaintext_key: bool = False
    operator: str = ""
    """Empty: that of the host, see `operators`."""
    name: str = field(init=False)
    """Host and port."""

    def __attrs_post_init__(self) -> None:
        name = _checked_name(self.url)
        object.__setattr__(self, "name", name)
        operator = self.operator.strip().casefold()
        if not operator:
            operator = default_operator(urlsplit(self.url).hostname or "")
        object.__setattr__(self, "operator", operator)
        if self.solidity_url is not None:
            _checked_name(self.solidity_url)
        key = self.api_key
        if key is not None and not (key.isascii() and key.isprintable() and key):
            raise ConfigError(f"endpoint {name}: the api key is not printable ASCII")
        for url in filter(None, (self.grpc_url, self.grpc_solidity_url)):
            check_grpc_url(
                url,
                has_key=key is not None,
                plaintext_key=self.grpc_plaintext_key,
            )

    @property
    def urls(self) -> tuple[str, ...]:
        """All base URLs, without a slash at the end."""
        both = (self.url, self.solidity_url or self.url)
        return tuple(url.rstrip("/") for url in both)


def check_grpc_url(url: str, *, has_key: bool, plaintext_key: bool) -> None:
    """Require a URL of gRPC over which the key may go.

    Raises:
        ConfigError: it is no such URL, or it would send the key in plain text to
            another machine without *plaintext_key*.
    """
    name = _checked_name(url)
    parts = urlsplit(url)
    if parts.path not in ("", "/"):
        raise ConfigError(f"endpoint {name}: a grpc_url without a path")
    is_exposed = parts.scheme == "http" and not _is_this_machine(parts.hostname or "")
    if has_key and is_exposed and not plaintext_key:
        raise ConfigError(
            f"endpoint {name}: its grpc_url is plain text, which would show the api key"
            " to everybody on the way; use https://, or allow it with"
            " grpc_plaintext_key = true"
        )


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _checked_name(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.scheme not in ("http", "https"):
        raise ConfigError("endpoint: expected a URL, http://… or https://…")
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigError(f"endpoint {host}: a URL without user, query and fragment")
    if not all("!" <= character <= "~" for character in url):
        raise ConfigError(f"endpoint {host!a}: other than ASCII has to be %-encoded")
    shown = f"[{host}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"
