"""Opening all that the daemon holds: database, embedded chain, connections to nodes.

Leaving `open_daemon` closes it in reverse. Nothing of it runs yet.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Final

from attrs import frozen

from lucidtrond.chain.exact import ExactPolicy
from lucidtrond.composition import (
    Parts,
    Services,
    VaultOptions,
    bind_plugins,
    connected,
    migrate_store,
)
from lucidtrond.daemon.config import Config, NetworkConfig, SendingConfig
from lucidtrond.daemon.first_set import first_set
from lucidtrond.daemon.identity import identity_of
from lucidtrond.daemon.network import check_state, known_tokens, open_network
from lucidtrond.daemon.options import RunOptions
from lucidtrond.devnet.server import Devnet, DevnetConfig, open_devnet
from lucidtrond.node.cache import CachedNode
from lucidtrond.pluginhost import PluginHost
from lucidtrond.ports import Clock
from lucidtrond.rpc import audit
from lucidtrond.sending.foreign import ForeignPolicy
from lucidtrond.sending.limits import Limits
from lucidtrond.sending.restore import STALE_MS, RestoreTerms
from lucidtrond.store.database import Database, open_store
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BLOCK_INTERVAL_MS
from lucidtrond.tron.units import Sun, UnixMillis

DATABASE: Final = "lucidtrond.sqlite"
DEVNET_DIR: Final = "devnet"


@frozen(kw_only=True, eq=False)
class OpenDaemon:
    """A daemon that may serve. *instance* names this run of it."""

    instance: str
    started_ms: int
    config: Config
    services: Services[Database, CachedNode]
    devnet: Devnet | None
    host: PluginHost


@contextlib.asynccontextmanager
async def open_daemon(
    config: Config,
    options: RunOptions,
    *,
    clock: Clock,
    host: PluginHost,
    instance: str,
    started_ms: int,
) -> AsyncIterator[OpenDaemon]:
    """Open everything, in order, and connect it.

    Raises:
        OperatorError: something can't be opened; the text says why.
    """
    async with (
        open_store(database := options.state_dir / DATABASE) as store,
        _open_devnet(config.network, options, clock) as devnet,
    ):
        await migrate_store(store, [*audit.MIGRATIONS, *host.migrations()])
        await check_state(store, config.network, devnet, state_dir=options.state_dir)
        async with open_network(config, devnet, clock) as (node, genesis_id):
            parts = Parts(
                store=store,
                node=node,
                clock=clock,
                genesis_id=genesis_id,
                tokens=known_tokens(config.network, devnet),
                exact=ExactPolicy(large_credit=config.chain.large_credit),
                wait_unproven=config.waits_for_unproven,
                vault=VaultOptions(auto_lock_s=config.keystore.auto_lock_s),
                limits=Limits(
                    fee_limit=Sun(config.sending.fee_limit_sun),
                    max_burn=Sun(config.sending.max_burn_sun),
                ),
                approve_queued=config.sending.approve_queued,
                restore=restore_terms(
                    config,
                    identity=identity_of(database),
                    head_at_start=None if devnet is None else devnet.opened_at,
                ),
                foreign=_foreign_policy(config.sending),
                poll_s=_block_time_s(config.network),
                producers=_producers(devnet),
                first_set=first_set(config.network, devnet),
                asks_producers=config.network.producers_from_endpoints,
                wait_recovered=node.wait_recovered,
                node_services=[node.watch],
            )
            with connected(parts) as services:
                bind_plugins(host, services, network=config.network.name, devnet=devnet)
                yield OpenDaemon(
                    instance=instance,
                    started_ms=started_ms,
                    config=config,
                    services=services,
                    devnet=devnet,
                    host=host,
                )


def _producers(devnet: Devnet | None) -> Mapping[Address, Address] | None:
    """Who makes blocks, with the keys of the beginning, where the definition tells.

    The devnet's schedule never changes.
    """
    return None if devnet is None else devnet.chain.genesis.producers


def _foreign_policy(sending: SendingConfig) -> ForeignPolicy:
    of = sending.foreign_by_address
    by_address = {Address.from_base58(text): policy for text, policy in of.items()}
    return ForeignPolicy(sending.foreign, by_address)


def restore_terms(
    config: Config, *, identity: str, head_at_start: UnixMillis | None
) -> RestoreTerms:
    """What judges whether this start is one on an old copy of the state."""
    return RestoreTerms(
        identity=identity,
        wait_ms=config.sending.restore_wait_s * 1000,
        stale_ms=_chain_ms(STALE_MS, config.network),
        bounds_lifetimes=config.bounds_lifetimes,
        head_at_start=head_at_start,
    )


def _chain_ms(real_ms: int, network: NetworkConfig) -> int:
    """Chain time that passes in *real_ms*: on a chain whose blocks come faster than
    every 3 s, each of them still counts 3 s."""
    return round(real_ms * BLOCK_INTERVAL_MS / 1000 / _block_time_s(network))


def _block_time_s(network: NetworkConfig) -> float:
    """How often there is a block, in seconds; at least every 3."""
    block_s = BLOCK_INTERVAL_MS / 1000
    if network.name in ("devnet", "private"):
        return min(network.block_time_s or block_s, block_s)
    return block_s


@contextlib.asynccontextmanager
async def _open_devnet(
    network: NetworkConfig, options: RunOptions, clock: Clock
) -> AsyncIterator[Devnet | None]:
    if network.name != "devnet":
        yield None
        return
    config = DevnetConfig(
        block_time_s=network.block_time_s,
        witnesses=network.witnesses,
        tokens=network.devnet_tokens,
        state_dir=options.state_dir / DEVNET_DIR,
    )
    async with open_devnet(config, clock=clock) as devnet:
        yield devnet
