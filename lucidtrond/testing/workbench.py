"""`open_workbench`: plugins in a whole daemon without sockets, for tests.

Store (in memory), keystore, follower, sender, outbox and plugin host are the real ones;
the chain is the devnet's, in the same process (`LocalNode`). Everything runs under
trio's autojump clock as well as under the real one. Nothing is random: the first wallet
has the same address every time.

    async with open_workbench({"wallets": {}, "lowfuel": {...}}) as bench:
        wallet = await bench.call("wallet.create", {"label": "shop"})
        await bench.fund(wallet.address, 5_000_000)
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, Final

import msgspec
import trio
import trio.testing
from attrs import define

from lucidtrond import pluginhost
from lucidtrond.api import Event, Plugin
from lucidtrond.chain.finality import ProducerSet
from lucidtrond.chain.finality_tables import FirstSet
from lucidtrond.chain.ledger import Ledger
from lucidtrond.composition import (
    Parts,
    VaultOptions,
    bind_plugins,
    connected,
    migrate_store,
    run_plugins,
)
from lucidtrond.devnet.describe import tokens_of
from lucidtrond.events import outbox
from lucidtrond.events.bus import Bus
from lucidtrond.events.outbox import StoredEvent
from lucidtrond.keystore.format import KdfHeader, ScryptParameters
from lucidtrond.keystore.kdf import Kdf, stretch
from lucidtrond.keystore.vault import Vault
from lucidtrond.pluginhost import PluginHost
from lucidtrond.pluginhost.discover import PluginPoint
from lucidtrond.sending.restore import WAIT_MS, RestoreTerms
from lucidtrond.sending.sender import Sender
from lucidtrond.store.database import Database, open_store
from lucidtrond.testing.clocks import ManualClock
from lucidtrond.testing.node import LocalNode
from lucidtrond.tron.address import parse_address
from lucidtrond.tron.networks import NETWORKS
from lucidtrond.tron.tokens import KnownTokens
from lucidtrond.tron.units import Sun

PASSPHRASE: Final = "correct horse battery staple"  # noqa: S105 - of tests
POLL_S: Final = 0.02
_QUICK: Final = ScryptParameters(n=2)


@define
class _TestPlugin:
    """A plugin of the test itself, as if it were installed."""

    plugin: Plugin[Any]
    dist: None = None

    @property
    def name(self) -> str:
        return self.plugin.name

    @property
    def value(self) -> str:
        return "the test"

    def load(self) -> Plugin[Any]:
        return self.plugin


class _ThreadlessKdf(Kdf):
    """An autojump clock would let the day pass while a thread works."""

    async def derive(self, passphrase: bytes, header: KdfHeader) -> bytes:
        await trio.lowlevel.checkpoint()
        return stretch(passphrase, header)


@define(eq=False)
class Workbench:
    """Everything a test may look at or push."""

    host: PluginHost
    node: LocalNode
    clock: ManualClock
    store: Database
    ledger: Ledger
    sender: Sender
    vault: Vault
    bus: Bus

    async def call(
        self, method: str, params: msgspec.Struct | Mapping[str, Any] | None = None
    ) -> Any:
        """Call a method as another plugin would: result or `CallError`.

        Its result goes through JSON and is held against its type, as a client would.
        """
        result = await self.host.call(method, params)
        return msgspec.json.decode(msgspec.json.encode(result), type=type(result))

    async def mine(self, count: int = 1) -> int:
        """Make blocks and wait until the follower has them."""
        head = await self.node.mine(count)
        await self.ledger.wait_block_beyond(head - 1)
        return head

    async def fund(self, address: str, amount: int) -> str:
        """Give an address TRX, in a solidified block; gives the txid."""
        txid = await self.node.fund(parse_address(address), Sun(amount))
        await self.settle()
        return txid

    async def settle(self) -> None:
        """Make blocks until everything that is in one now, or in the pool, is final."""
        wanted = await self.mine(1)
        while (solid := self.ledger.position().solid) is None or solid.number < wanted:
            await self.mine(1)

    async def events(self, topic: str = "", *, since: int = 0) -> list[StoredEvent]:
        """What went through the outbox, oldest first."""
        topics = (topic,) if topic else ()
        return await self.store.read(
            lambda tx: outbox.read_since(tx, since, limit=10_000, topics=topics)
        )

    async def handled(self) -> None:
        """Wait until nothing moves: handlers and services have done what they can."""
        await trio.testing.wait_all_tasks_blocked()

    async def emit(self, event: Event) -> int:
        """Let an event happen; gives its sequence number."""
        return await self.store.write(lambda tx: self.bus.emitter()(tx, event))


def load_plugins(
    sections: Mapping[str, Mapping[str, Any]], plugins: Sequence[Plugin[Any]] = ()
) -> PluginHost:
    """Load installed plugins, and *plugins* of the test, as the daemon would.

    Raises:
        PluginError: lists all faults.
    """
    points: list[PluginPoint] = [*pluginhost.installed()]
    points += [_TestPlugin(plugin) for plugin in plugins]
    return pluginhost.load(sections, points)


@asynccontextmanager
async def open_workbench(
    sections: Mapping[str, Mapping[str, Any]],
    *,
    plugins: Sequence[Plugin[Any]] = (),
    network: str = "devnet",
    keystore: bool = True,
    node: LocalNode | None = None,
    store: Database | None = None,
    poll_s: float = POLL_S,
    tokens: KnownTokens | None = None,
    restore_wait_s: int = WAIT_MS // 1000,
) -> AsyncIterator[Workbench]:
    """Run the plugins that have a section; *keystore* makes one, unlocked.

    With the *node* and *store* of an earlier workbench it is a daemon that was started
    again (its keystore is locked then). *poll_s* is how often the follower looks for
    blocks: raise it where a test lets hours pass on the autojump clock. *tokens* are
    the known ones, else those of the chain. *restore_wait_s* is
    the setting in [sending].
    """
    host = load_plugins(sections, plugins)
    node = node or LocalNode()
    clock = ManualClock()
    producers = node.chain.genesis.producers
    async with _opened(store) as database:
        await migrate_store(database, host.migrations())
        parts = Parts(
            store=database,
            node=node,
            clock=clock,
            genesis_id=node.chain.genesis.id,
            tokens=KnownTokens(tokens_of(node.chain)) if tokens is None else tokens,
            vault=VaultOptions(
                scrypt=_QUICK, random_bytes=_unrandom(), kdf=_ThreadlessKdf()
            ),
            poll_s=poll_s,
            restore=RestoreTerms(
                wait_ms=restore_wait_s * 1000, bounds_lifetimes=network in NETWORKS
            ),
            first_set=FirstSet(ProducerSet(len(producers), producers), "genesis"),
        )
        with connected(parts) as services:
            devnet = node if network == "devnet" else None
            bind_plugins(host, services, network=network, devnet=devnet)
            if keystore and not (await services.vault.status()).exists:
                await services.vault.init(PASSPHRASE)
            async with trio.open_nursery() as nursery:
                for service in services.in_starting_order():
                    await nursery.start(service)
                async with trio.open_nursery() as running:
                    await running.start(run_plugins, host, services)
                    yield Workbench(
                        host=host,
                        node=node,
                        clock=clock,
                        store=database,
                        ledger=services.ledger,
                        sender=services.sender,
                        vault=services.vault,
                        bus=services.bus,
                    )
                    running.cancel_scope.cancel()
                nursery.cancel_scope.cancel()


@asynccontextmanager
async def _opened(store: Database | None) -> AsyncIterator[Database]:
    if store is not None:
        yield store
        return
    async with open_store(None) as fresh:
        yield fresh


def _unrandom() -> Callable[[int], bytes]:
    """The same bytes in the same order every time."""
    numbers = count()

    def take(size: int) -> bytes:
        return hashlib.shake_128(b"workbench %d" % next(numbers)).digest(size)

    return take
