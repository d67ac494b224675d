"""The configuration: defaults, file, environment, flags, each over the one before.

Unknown keys and wrong types are errors that name where, what was expected and what
came. Values of secrets never stand here: only the names of files that hold them.
"""

import re
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from lucidtrond.errors import ConfigError
from lucidtrond.node.endpoint import check_grpc_url
from lucidtrond.tron.address import Address, InvalidAddress
from lucidtrond.tron.networks import NETWORKS, USDT_DECIMALS

SYMBOL: Final = re.compile(r"[A-Za-z][A-Za-z0-9._+-]{0,19}")
"""Of a token; never to be taken for an address or a TRC-10 id."""
MAX_DECIMALS: Final = 77
"""10**77 is the greatest power of ten below 2**256."""
SYSTEM_FILE: Final = Path("/etc/lucidtrond/lucidtrond.toml")
NetworkName = Literal["devnet", "nile", "shasta", "mainnet", "private"]
Class = Literal["read", "spend", "admin"]


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class EndpointConfig(_Section, frozen=True):
    """One node. *api_key* comes from a file or the older environment names only.

    *solidity_url* is for a node of one's own, which serves ``/walletsolidity`` on
    another port (8091 by default). *grpc_url* (50051 by default) and
    *grpc_solidity_url* (50061 there) let blocks, receipts and heads come by gRPC; an
    ``http://`` one gets the key only on this machine or with *grpc_plaintext_key*.
    *operator* is who runs it, by default its host's registrable name: two endpoints of
    one operator are one source. Of requests per second and per (UTC) day 0 is no bound.
    A URL may be secret: some providers put the key in.
    """

    url: str
    solidity_url: str = ""
    grpc_url: str = ""
    grpc_solidity_url: str = ""
    grpc_plaintext_key: bool = False
    operator: str = ""
    api_key_file: str = ""
    requests_per_second: float = 0.0
    requests_per_day: int = 0
    api_key: msgspec.UnsetType | str = msgspec.UNSET

    def __repr__(self) -> str:
        return "EndpointConfig(...)"


class TokenConfig(_Section, frozen=True):
    """A TRC-20 contract that the operator vouches for.

    *fee_on_transfer*: it keeps a part of what is moved, so its logs may say less than
    the calls that made them. *exact*: a plain transfer of it that succeeds moves
    exactly its amount, whatever its maker does, so its call proves it.
    """

    address: str
    symbol: str
    decimals: int
    name: str = ""
    fee_on_transfer: bool = False
    exact: bool = False


class NetworkConfig(_Section, frozen=True):
    name: NetworkName
    genesis_id: str
    timeout_s: float
    block_time_s: float
    witnesses: int
    devnet_tokens: tuple[str, ...]
    endpoints: tuple[EndpointConfig, ...]
    producers: tuple[str, ...]
    producers_from_endpoints: bool
    tokens: tuple[TokenConfig, ...]


class RetryConfig(_Section, frozen=True):
    max_retries: int
    backoff: float
    initial_delay_s: float
    max_connection_retries: int
    jitter: bool


class KeystoreConfig(_Section, frozen=True):
    auto_lock_s: float


class ChainConfig(_Section, frozen=True):
    """*large_credit*: whole units of an exact token from which on a credit is proven
    only after a check of its own; 0 is each. *unproven*: whether rows of blocks whose
    transaction root does not fit are final from one source; empty is ``wait`` on public
    networks, else ``announce``."""

    unproven: Literal["", "wait", "announce"]
    large_credit: int


class LedgerConfig(_Section, frozen=True):
    """*reconcile_per_minute*: balances compared with the ledger; 0 is none."""

    reconcile_per_minute: int


class SendingConfig(_Section, frozen=True):
    """What a payment may cost when its caller does not say.

    *approve_queued*: what was not accepted while the keystore was unlocked is signed
    only once it is approved. *restore_wait_s*: how long a transaction may be in flight,
    so also one that a state lost which was restored from a copy. *foreign*: whether
    transactions that the journal does not know stop their wallet; *foreign_by_address*
    is the same for single addresses.
    """

    fee_limit_sun: int
    max_burn_sun: int
    approve_queued: bool
    restore_wait_s: int
    foreign: Literal["stop", "warn"]
    foreign_by_address: dict[str, Literal["stop", "warn"]]


class RpcConfig(_Section, frozen=True):
    socket: str
    max_connections: int
    max_batch: int
    grace_s: float


class HttpConfig(_Section, frozen=True):
    """*hosts* and *origins* are let in beside our own names and pages."""

    enabled: bool
    host: str
    port: int
    allow_public: bool
    hosts: tuple[str, ...]
    origins: tuple[str, ...]
    max_connections: int


class AccessConfig(_Section, frozen=True):
    group: str
    other_users: tuple[Class, ...]


class LogConfig(_Section, frozen=True):
    level: Literal["debug", "info", "warning", "error"]


class Config(_Section, frozen=True):
    """Everything the daemon is told. *plugins* maps names to their raw sections."""

    network: NetworkConfig
    retry: RetryConfig
    keystore: KeystoreConfig
    chain: ChainConfig
    ledger: LedgerConfig
    sending: SendingConfig
    rpc: RpcConfig
    http: HttpConfig
    access: AccessConfig
    log: LogConfig
    plugins: dict[str, dict[str, Any]]

    @property
    def waits_for_unproven(self) -> bool:
        """See `ChainConfig.unproven`."""
        default = "wait" if self.network.name in NETWORKS else "announce"
        return (self.chain.unproven or default) == "wait"

    @property
    def bounds_lifetimes(self) -> bool:
        """Whether `restore_wait_s` bounds every transaction's lifetime: on public
        networks. On other chains, where the money is the operator's own, it is his to
        set it as long as the longest that he asks for."""
        return self.network.name in NETWORKS


# The older Lucid service's names (its config.py and services/tron_client.py).
_ENVIRONMENT: Final[Mapping[str, tuple[str, str, type]]] = {
    "TRON_NETWORK": ("network", "name", str),
    "TRON_TIMEOUT": ("network", "timeout_s", float),
    "TRON_MAX_RETRIES": ("retry", "max_retries", int),
    "TRON_RETRY_BACKOFF": ("retry", "backoff", float),
    "TRON_INITIAL_RETRY_DELAY": ("retry", "initial_delay_s", float),
    "TRON_MAX_CONNECTION_RETRIES": ("retry", "max_connection_retries", int),
    "LOG_LEVEL": ("log", "level", str),
    "SERVICE_HOST": ("http", "host", str),
    "SERVICE_PORT": ("http", "port", int),
}
_API_KEYS: Final = ("TRON_API_KEY", "TRONGRID_API_KEY")

BOUNDS: Final[Mapping[tuple[str, str], tuple[float, float | None]]] = {
    ("network", "timeout_s"): (0.1, None),
    ("network", "block_time_s"): (0, None),
    ("network", "witnesses"): (1, None),
    ("retry", "max_retries"): (0, None),
    ("retry", "backoff"): (1, None),
    ("retry", "initial_delay_s"): (0, None),
    ("retry", "max_connection_retries"): (0, None),
    ("keystore", "auto_lock_s"): (0, None),
    ("chain", "large_credit"): (0, None),
    ("ledger", "reconcile_per_minute"): (0, None),
    ("sending", "fee_limit_sun"): (0, None),
    ("sending", "max_burn_sun"): (0, None),
    ("sending", "restore_wait_s"): (12, 86_400),
    ("rpc", "max_connections"): (1, None),
    ("rpc", "max_batch"): (1, 1000),
    ("rpc", "grace_s"): (0, None),
    ("http", "port"): (0, 65535),
    ("http", "max_connections"): (1, None),
}
"""Outside these a number makes no sense: section and key, least and greatest."""


def load_config(
    *,
    file: Path | None,
    environ: Mapping[str, str],
    flags: Mapping[str, Mapping[str, Any]],
) -> Config:
    """Read all layers; *flags* is ``{section: {key: value}}``, None values are unset.

    Raises:
        ConfigError: the text lists what is wrong where.
    """
    merged = tomllib.loads(
        resources.files("lucidtrond.daemon").joinpath("defaults.toml").read_text()
    )
    if file is not None or SYSTEM_FILE.exists():
        path = file or SYSTEM_FILE
        _overlay(merged, _read(path), str(path))
    _overlay(merged, _from_environment(environ), "environment")
    given = {
        section: {key: value for key, value in keys.items() if value is not None}
        for section, keys in flags.items()
    }
    _overlay(merged, given, "command line")
    try:
        config = msgspec.convert(merged, Config)
    except msgspec.ValidationError as exc:
        raise ConfigError(f"configuration: {exc}") from None
    return _checked(config)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except OSError as exc:
        raise ConfigError(f"{path}: can't be read ({exc.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path}: {exc}") from None


def _overlay(base: dict[str, Any], over: Mapping[str, Any], origin: str) -> None:
    for section, keys in over.items():
        if section not in base:
            sections = ", ".join(sorted(base))
            raise ConfigError(
                f"{origin}: unknown section [{section}]; there are {sections}"
            )
        if not isinstance(keys, dict):
            raise ConfigError(f"{origin}: [{section}] must be a table")
        if section == "plugins":
            for name, table in keys.items():
                if not isinstance(table, dict):
                    raise ConfigError(f"{origin}: [plugins.{name}] must be a table")
                base["plugins"].setdefault(name, {}).update(table)
            continue
        _check_keys(base[section], keys, section=section, origin=origin)
        base[section].update(keys)


def _check_keys(
    declared: Mapping[str, Any], keys: Mapping[str, Any], *, section: str, origin: str
) -> None:
    for key, value in keys.items():
        where = f"{origin}: [{section}] {key}"
        if key not in declared:
            there = ", ".join(sorted(declared))
            raise ConfigError(f"{where}: unknown key; there are {there}")
        wanted = type(declared[key])
        if wanted is float and type(value) is int:
            continue
        if type(value) is not wanted:
            kind = type(value).__name__
            raise ConfigError(f"{where}: expected {wanted.__name__}, got {kind}")


def _from_environment(environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    settings: dict[str, dict[str, Any]] = {}
    for name, (section, key, kind) in _ENVIRONMENT.items():
        text = environ.get(name)
        if text is None or not text.strip():
            continue
        try:
            value = kind(text.strip())
        except ValueError:
            raise ConfigError(
                f"environment: {name}: expected {kind.__name__}, got {text[:40]!r}"
            ) from None
        if kind is str:
            value = value.lower()
        settings.setdefault(section, {})[key] = value
    if usdt := environ.get("USDT_CONTRACT_ADDRESS", "").strip():
        settings.setdefault("network", {})["tokens"] = [
            {"address": usdt, "symbol": "USDT", "decimals": USDT_DECIMALS}
        ]
    if urls := environ.get("TRON_HTTP_ENDPOINT"):
        secret = next((environ[name] for name in _API_KEYS if environ.get(name)), None)
        settings.setdefault("network", {})["endpoints"] = [
            {"url": url.strip()} | ({"api_key": secret} if secret else {})
            for url in urls.split(",")
            if url.strip()
        ]
    return settings


def _checked(config: Config) -> Config:
    for (section, key), (least, greatest) in BOUNDS.items():
        value = getattr(getattr(config, section), key)
        if not least <= value < float("inf"):  # NaN fails too
            raise ConfigError(f"[{section}] {key}: expected >= {least}, got {value}")
        if greatest is not None and value > greatest:
            raise ConfigError(f"[{section}] {key}: expected <= {greatest}, got {value}")
    network = config.network
    _check_lists(network)
    for address in config.sending.foreign_by_address:
        _check_address(address, where="[sending] foreign_by_address")
    if network.name == "private":
        if len(network.genesis_id) != 64 or not network.endpoints:
            raise ConfigError(
                "[network] name = 'private' needs genesis_id (64 hex digits) and "
                "at least one endpoint"
            )
    elif network.genesis_id:
        raise ConfigError("[network] genesis_id belongs to name = 'private' only")
    _check_producers(network)
    if network.name == "devnet" and network.endpoints:
        raise ConfigError(
            "[network] the devnet is embedded and takes no endpoints; use name = "
            "'private' for a devnet that runs elsewhere"
        )
    return config


def pinned_producers(network: NetworkConfig) -> dict[Address, Address]:
    """Each pinned producer with the key that it signs with: its own unless told.

    Raises:
        ConfigError: no addresses, or a producer that is there twice.
    """
    keys: dict[Address, Address] = {}
    for text in network.producers:
        producer, _, key = text.partition("=")
        try:
            address = Address.from_base58(producer.strip())
            signer = Address.from_base58(key.strip()) if key else address
        except InvalidAddress as exc:
            raise ConfigError(f"[network] producers: {text[:80]!r}: {exc}") from None
        if address in keys:
            raise ConfigError(f"[network] producers: {address.base58} is there twice")
        keys[address] = signer
    return keys


def _check_producers(network: NetworkConfig) -> None:
    pinned_producers(network)
    if network.producers and network.name == "devnet":
        raise ConfigError(
            "[network] producers: the devnet's own definition names them; leave it out"
        )

    if network.producers_from_endpoints and (
        network.producers or network.name in ("devnet", "mainnet")
    ):
        raise ConfigError(
            "[network] producers_from_endpoints: the producers are known already; it is"
            " for other networks without [network] producers"
        )


def _check_lists(network: NetworkConfig) -> None:
    for endpoint in network.endpoints:
        _check_urls(endpoint)
        _check_budget(endpoint)
    for token in network.tokens:
        _check_token(token)


def _check_urls(endpoint: EndpointConfig) -> None:
    for url in filter(None, (endpoint.url, endpoint.solidity_url)):
        scheme = url.partition("://")[0]
        if scheme not in ("http", "https"):
            raise ConfigError(
                "[network] endpoints: expected http:// or https://, got "
                f"{scheme[:20]!r}"
            )
    has_key = bool(endpoint.api_key_file) or isinstance(endpoint.api_key, str)
    if endpoint.grpc_solidity_url and not endpoint.grpc_url:
        raise ConfigError("[network] endpoints: grpc_solidity_url without grpc_url")
    for url in filter(None, (endpoint.grpc_url, endpoint.grpc_solidity_url)):
        check_grpc_url(url, has_key=has_key, plaintext_key=endpoint.grpc_plaintext_key)


def _check_budget(endpoint: EndpointConfig) -> None:
    per_second, per_day = endpoint.requests_per_second, endpoint.requests_per_day
    if not (per_second == 0 or 0.01 <= per_second < float("inf")):
        raise ConfigError(
            "[network] endpoints: requests_per_second: expected 0 (no bound) or"
            f" >= 0.01, got {per_second}"
        )
    if per_day < 0:
        raise ConfigError(
            "[network] endpoints: requests_per_day: expected 0 (no bound) or more,"
            f" got {per_day}"
        )


def _check_address(text: str, *, where: str) -> None:
    try:
        Address.from_base58(text)
    except InvalidAddress as exc:
        raise ConfigError(f"{where}: {exc}") from None


def _check_token(token: TokenConfig) -> None:
    where = f"[network] tokens: {token.symbol[:20]!r}"
    _check_address(token.address, where=f"{where}: address")
    if not SYMBOL.fullmatch(token.symbol):
        raise ConfigError(
            f"{where}: symbol: expected 1 to 20 letters, digits or ._-+, a letter first"
        )
    if token.exact and token.fee_on_transfer:
        raise ConfigError(f"{where}: exact and fee_on_transfer exclude each other")
    if not 0 <= token.decimals <= MAX_DECIMALS:
        raise ConfigError(
            f"{where}: decimals: expected 0 to {MAX_DECIMALS}, got {token.decimals}"
        )
