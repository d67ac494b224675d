"""One node's HTTP address, and what may be shown of it."""

from urllib.parse import urlsplit

from attrs import field, frozen

from lucidtrond.errors import ConfigError
from lucidtrond.node.health.rate_limit import Budget


@frozen
class Endpoint:
    """A node's base URL and how to be let in.

    *url* and *api_key* may be secret (some providers put the key into the path), so
    only `name` may appear in errors, logs and answers. *solidity_url* is for a node
    whose solidified state is served on a port of its own (8091 by default there).
    """

    url: str = field(repr=False)
    api_key: str | None = field(default=None, repr=False)
    solidity_url: str | None = field(default=None, repr=False)
    budget: Budget = Budget()
    name: str = field(init=False)
    """Host and port."""

    def __attrs_post_init__(self) -> None:
        name = _checked_name(self.url)
        object.__setattr__(self, "name", name)
        if self.solidity_url is not None:
            _checked_name(self.solidity_url)
        key = self.api_key
        if key is not None and not (key.isascii() and key.isprintable() and key):
            raise ConfigError(f"endpoint {name}: the api key is not printable ASCII")

    @property
    def urls(self) -> tuple[str, ...]:
        """All base URLs, without a slash at the end."""
        both = (self.url, self.solidity_url or self.url)
        return tuple(each.rstrip("/") for each in both)


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
    if not all("!" <= each <= "~" for each in url):
        raise ConfigError(f"endpoint {host!a}: other than ASCII has to be %-encoded")
    shown = f"[{host}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"
