"""Which nodes we ask, and how to tell that they are the right network's."""

import contextlib
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Final

from lucidtrond.chain import tables
from lucidtrond.daemon.config import Config, EndpointConfig, NetworkConfig
from lucidtrond.devnet.describe import tokens_of
from lucidtrond.devnet.server import Devnet
from lucidtrond.errors import AnotherChain, ConfigError
from lucidtrond.node.cache import CachedNode
from lucidtrond.node.health.policy import RetryPolicy
from lucidtrond.node.health.rate_limit import Budget
from lucidtrond.node.pool import Endpoint, open_pool
from lucidtrond.node.transport.line import BRIEF
from lucidtrond.ports import Clock, Store
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.networks import NETWORKS
from lucidtrond.tron.tokens import AmbiguousTokens, KnownToken, KnownTokens

log = logging.getLogger("lucidtrond.daemon")


@contextlib.asynccontextmanager
async def open_network(
    config: Config, devnet: Devnet | None, clock: Clock
) -> AsyncIterator[tuple[CachedNode, BlockId]]:
    """The nodes of the configured network and its genesis id.

    Raises:
        ConfigError: a key file can't be read.
        WrongNetwork: a node belongs to another network.
    """
    endpoints, genesis_id = _wanted(config.network, devnet)
    async with open_pool(
        endpoints,
        genesis_id=genesis_id,
        policy=RetryPolicy(
            max_retries=config.retry.max_retries,
            backoff=config.retry.backoff,
            initial_delay_s=config.retry.initial_delay_s,
            jitter=config.retry.jitter,
            within_s=config.network.timeout_s * BRIEF,
        ),
        timeout_s=config.network.timeout_s,
        now_ms=clock.now_ms,
        max_connection_retries=config.retry.max_connection_retries,
    ) as pool:
        yield CachedNode(pool), genesis_id


async def check_state(
    store: Store, network: NetworkConfig, devnet: Devnet | None, *, state_dir: Path
) -> None:
    """See that the database follows the configured network, before anybody is asked.

    Raises:
        AnotherChain: it follows another one; both are named.
    """
    cursor_row = await store.read(tables.read_cursor)
    if cursor_row is None:
        return
    _, held = cursor_row
    wanted = network_genesis(network, devnet)
    if held == wanted:
        return
    raise AnotherChain(
        f"state directory {state_dir} belongs to {_named(held)}, the configuration asks"
        f" for {_named(wanted, configured=network.name)}: use another --state-dir"
    )


def network_genesis(network: NetworkConfig, devnet: Devnet | None) -> BlockId:
    """The genesis id of the configured network."""
    if devnet is not None:
        return devnet.genesis_id
    if network.name == "private":
        return BlockId(network.genesis_id)
    return NETWORKS[network.name].genesis_id


_SHOWN_DIGITS: Final = 32


def _named(genesis_id: BlockId, *, configured: str | None = None) -> str:
    """A network by its name where the genesis block tells it."""
    public = [
        network.name
        for network in NETWORKS.values()
        if network.genesis_id == genesis_id
    ]
    name = configured or (public[0] if public else "a devnet or private network")
    # Its first 16 digits are the number of the block, 0.
    return f"{name} (genesis {genesis_id[:_SHOWN_DIGITS]}…)"


def _wanted(
    network: NetworkConfig, devnet: Devnet | None
) -> tuple[Sequence[Endpoint], BlockId]:
    genesis_id = network_genesis(network, devnet)
    if devnet is not None:
        return [Endpoint(devnet.url)], genesis_id
    if network.name == "private":
        return _endpoints(network), genesis_id
    public = NETWORKS[network.name]
    return _endpoints(network) or [Endpoint(public.endpoint)], genesis_id


def _endpoints(network: NetworkConfig) -> list[Endpoint]:
    return [
        Endpoint(
            endpoint.url,
            api_key=_api_key(endpoint),
            solidity_url=endpoint.solidity_url or None,
            grpc_url=endpoint.grpc_url or None,
            grpc_solidity_url=endpoint.grpc_solidity_url or None,
            grpc_plaintext_key=endpoint.grpc_plaintext_key,
            operator=endpoint.operator,
            budget=Budget(
                per_second=endpoint.requests_per_second or None,
                per_day=endpoint.requests_per_day or None,
            ),
        )
        for endpoint in network.endpoints
    ]


def _api_key(endpoint: EndpointConfig) -> str | None:
    if isinstance(endpoint.api_key, str):
        log.warning(
            "an api key came from the environment or the main file; a file of its own"
            " is safer"
        )
        return endpoint.api_key
    if not endpoint.api_key_file:
        return None
    try:
        return Path(endpoint.api_key_file).read_text().strip()
    except (OSError, UnicodeDecodeError):
        raise ConfigError(
            f"[network] endpoints: {endpoint.api_key_file} can't be read"
        ) from None


def known_tokens(network: NetworkConfig, devnet: Devnet | None) -> KnownTokens:
    """The configured ones; where they do not name it, the network's own USDT too.

    Raises:
        ConfigError: two of them can't be told apart.
    """
    shipped: Iterable[KnownToken] = ()
    if devnet is not None:
        shipped = tokens_of(devnet.chain)
    elif network.name in NETWORKS:
        shipped = NETWORKS[network.name].tokens
    checks = {token.address.base58: token.zero_while_exact for token in shipped}
    configured = [
        KnownToken(
            Address.from_base58(token.address),
            token.symbol,
            token.name or token.symbol,
            token.decimals,
            fee_on_transfer=token.fee_on_transfer,
            zero_while_exact=checks.get(token.address) or (() if token.exact else None),
        )
        for token in network.tokens
    ]
    named = {token.symbol.upper() for token in configured}
    placed = {token.address for token in configured}
    own = [
        token
        for token in shipped
        if token.symbol.upper() not in named and token.address not in placed
    ]
    try:
        return KnownTokens([*own, *configured])
    except AmbiguousTokens as exc:
        raise ConfigError(f"[network] tokens: {exc}") from None
