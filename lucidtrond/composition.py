"""The daemon's services, connected in one place.

The daemon, the workbench for plugins' tests and the models of our own tests differ in
their `Parts` only: another store, node or clock, cheaper key derivation. The rest is
here: which tables there are, what is made of what, in which order services start, what
a plugin gets and where its events come from.
"""

import logging
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, Generic, Protocol, TypeVar

import trio
from attrs import frozen
from msgspec import Struct

from lucidtrond.api import Context, DevnetControl
from lucidtrond.api import Node as PluginNode
from lucidtrond.chain import absence
from lucidtrond.chain import ledger as chain_ledger
from lucidtrond.chain import tables as chain_tables
from lucidtrond.chain.exact import ExactPolicy
from lucidtrond.chain.finality_tables import FirstSet
from lucidtrond.chain.follower import BlockSource, Follower
from lucidtrond.chain.ledger import Ledger
from lucidtrond.events import outbox
from lucidtrond.events.bus import Bus
from lucidtrond.events.types import Emit
from lucidtrond.keystore import vault as keystore_vault
from lucidtrond.keystore.format import ScryptParameters
from lucidtrond.keystore.kdf import Kdf
from lucidtrond.keystore.vault import Vault
from lucidtrond.pluginhost import PluginHost
from lucidtrond.ports import Clock, Migration, Store, Tx
from lucidtrond.sending import sender as sending_sender
from lucidtrond.sending.foreign import ForeignPolicy
from lucidtrond.sending.limits import Limits
from lucidtrond.sending.protocols import PaymentNode, Signer
from lucidtrond.sending.restore import RestoreTerms
from lucidtrond.sending.sender import Sender
from lucidtrond.store.migrate import migrate
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BLOCK_INTERVAL_MS, BlockId
from lucidtrond.tron.tokens import NO_TOKENS, KnownTokens

EVENTS_PAGE: Final = 256
"""Events that a plugin's handler is given at once, at most."""

Service = Callable[..., Awaitable[object]]
"""For `trio.Nursery.start`: takes ``task_status``, runs until it is cancelled."""


class ChainNode(BlockSource, PaymentNode, Protocol):
    """What the follower and the sender ask of a node."""


class DaemonNode(ChainNode, PluginNode, Protocol):
    """The same, and what plugins ask of it."""


StoreT_co = TypeVar("StoreT_co", bound=Store, covariant=True)
NodeT_co = TypeVar("NodeT_co", bound=ChainNode, covariant=True)


class VaultOptions(Struct, frozen=True, kw_only=True):
    """How the vault derives keys and when it locks itself: see `Vault`."""

    scrypt: ScryptParameters = ScryptParameters()
    auto_lock_s: float = 0.0
    random_bytes: Callable[[int], bytes] = os.urandom
    kdf: Kdf | None = None


@frozen(kw_only=True)
class Parts(Generic[StoreT_co, NodeT_co]):
    """What compositions differ in.

    *poll_s*, *producers*, *first_set*, *asks_producers* and *wait_recovered*: see
    `Follower`.
    """

    store: StoreT_co
    """Its tables are made already: see `migrate_store`."""
    node: NodeT_co
    clock: Clock
    genesis_id: BlockId
    """Of the network that is followed."""
    tokens: KnownTokens = NO_TOKENS
    exact: ExactPolicy = ExactPolicy()
    wait_unproven: bool = False
    """See `Ledger`."""
    vault: VaultOptions = VaultOptions()
    limits: Limits = Limits()
    approve_queued: bool = True
    """See `Sender`."""
    restore: RestoreTerms = RestoreTerms()
    foreign: ForeignPolicy = ForeignPolicy()
    poll_s: float = BLOCK_INTERVAL_MS / 1000
    producers: Mapping[Address, Address] | None = None
    first_set: FirstSet | None = None
    asks_producers: bool = False
    wait_recovered: Callable[[float], Awaitable[None]] = trio.sleep
    node_services: Sequence[Service] = ()
    """What the node itself runs."""
    signer: Signer | None = None
    """Instead of the vault."""
    emit: Emit | None = None
    """Instead of the bus's emitter."""


@frozen(kw_only=True, eq=False)
class Services(Generic[StoreT_co, NodeT_co]):
    """What `connect` makes of the parts; none of it runs yet."""

    store: StoreT_co
    node: NodeT_co
    clock: Clock
    bus: Bus
    emit: Emit
    vault: Vault
    ledger: Ledger
    sender: Sender
    follower: Follower
    node_services: Sequence[Service]

    def in_starting_order(self) -> tuple[Service, ...]:
        """Each is ready before the next is started.

        The follower is the last: what blocks tell, all others are ready to hear.
        """
        return (
            self.bus.run,
            self.vault.run,
            self.sender.run,
            *self.node_services,
            self.follower.run,
        )


async def migrate_store(store: Store, more: Iterable[Migration] = ()) -> None:
    """Bring the services' tables up to date, and those of *more*.

    Raises:
        StoreError: see `migrate`.
    """
    await migrate(
        store,
        [
            *outbox.MIGRATIONS,
            *keystore_vault.MIGRATIONS,
            *chain_ledger.MIGRATIONS,
            *sending_sender.MIGRATIONS,
            *more,
        ],
    )


def connect(parts: Parts[StoreT_co, NodeT_co]) -> Services[StoreT_co, NodeT_co]:
    """Make the services of a process; whoever calls this wipes the vault at the end."""
    store, node, clock = parts.store, parts.node, parts.clock
    bus = Bus(store, clock=clock)
    emit = bus.emitter() if parts.emit is None else parts.emit
    ledger = Ledger(
        store,
        tokens=parts.tokens,
        exact=parts.exact,
        wait_unproven=parts.wait_unproven,
        now_ms=clock.now_ms,
    )
    vault = Vault(
        store,
        clock=clock,
        scrypt=parts.vault.scrypt,
        auto_lock_s=parts.vault.auto_lock_s,
        random_bytes=parts.vault.random_bytes,
        kdf=parts.vault.kdf,
    )
    sender = Sender(
        store,
        node,
        signer=vault if parts.signer is None else parts.signer,
        position=ledger.position,
        absence=absence.find_doubt,
        emit=emit,
        clock=clock,
        newest_block=chain_tables.newest_time,
        limits=parts.limits,
        approve_queued=parts.approve_queued,
        restore=parts.restore,
        foreign=parts.foreign,
    )
    follower = Follower(
        node,
        store,
        ledger=ledger,
        emit=emit,
        genesis_id=parts.genesis_id,
        observers=[sender.outcomes],
        poll_s=parts.poll_s,
        producers=parts.producers,
        first_set=parts.first_set,
        asks_producers=parts.asks_producers,
        wait_recovered=parts.wait_recovered,
    )
    return Services(
        store=store,
        node=node,
        clock=clock,
        bus=bus,
        emit=emit,
        vault=vault,
        ledger=ledger,
        sender=sender,
        follower=follower,
        node_services=parts.node_services,
    )


@contextmanager
def connected(
    parts: Parts[StoreT_co, NodeT_co],
) -> Iterator[Services[StoreT_co, NodeT_co]]:
    """`connect`, and wipe the vault when the block is left."""
    services = connect(parts)
    try:
        yield services
    finally:
        services.vault.wipe()


def bind_plugins(
    host: PluginHost,
    services: Services[Store, DaemonNode],
    *,
    network: str,
    devnet: DevnetControl | None,
) -> None:
    """Give each plugin what it may touch, and what its section grants beyond that."""

    def make_context(*, name: str, config: Any, grants: frozenset[str]) -> Context[Any]:
        return Context(
            name=name,
            config=config,
            network=network,
            clock=services.clock,
            log=logging.getLogger(f"lucidtrond.plugins.{name}"),
            node=services.node,
            store=services.store,
            ledger=services.ledger,
            tokens=services.ledger.tokens,
            sender=services.sender,
            keys=services.vault,
            emit=services.emit,
            call=host.call,
            keystore=services.vault if "keystore" in grants else None,
            devnet=devnet if "devnet" in grants else None,
        )

    host.bind(make_context)


async def run_plugins(
    host: PluginHost,
    services: Services[Store, DaemonNode],
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run the plugins; their handlers get events from the outbox, page by page.

    A handler that never ran before gets those after the newest of now.
    """

    async def wait_events(after: int) -> Sequence[tuple[int, str, bytes]]:
        await services.bus.wait_beyond(after)

        def read(tx: Tx) -> list[tuple[int, str, bytes]]:
            events = outbox.read_since(tx, after, limit=EVENTS_PAGE)
            return [(event.seq, event.topic, event.payload) for event in events]

        return await services.store.read(read)

    newest = await services.store.read(outbox.last_seq)
    await host.run(wait_events, since=newest, task_status=task_status)
