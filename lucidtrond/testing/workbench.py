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
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, Final

import msgspec
import trio
import trio.testing
from attrs import define

from lucidtrond import pluginhost
from lucidtrond.api import Context, Event, Plugin
from lucidtrond.chain import ledger as chain_ledger
from lucidtrond.chain.follower import Follower
from lucidtrond.chain.ledger import Ledger
from lucidtrond.devnet.describe import tokens_of
from lucidtrond.events import outbox
from lucidtrond.events.bus import Bus
from lucidtrond.events.outbox import StoredEvent
from lucidtrond.keystore import vault as keystore_vault
from lucidtrond.keystore.format import KdfHeader, ScryptParameters
from lucidtrond.keystore.kdf import Kdf, stretch
from lucidtrond.keystore.vault import Vault
from lucidtrond.pluginhost import PluginHost
from lucidtrond.pluginhost.discover import PluginPoint
from lucidtrond.ports import Tx
from lucidtrond.sending import sender as sending_sender
from lucidtrond.sending.sender import Sender
from lucidtrond.store.database import Database, open_store
from lucidtrond.store.migrate import migrate
from lucidtrond.testing.clocks import ManualClock
from lucidtrond.testing.node import LocalNode
from lucidtrond.tron.address import parse_address
from lucidtrond.tron.tokens import KnownTokens
from lucidtrond.tron.units import Sun

PASSPHRASE: Final = "correct horse battery staple"  # noqa: S105 - of tests
POLL_S: Final = 0.02
_PAGE: Final = 256
_QUICK: Final = ScryptParameters(n=2)


@define
class _Given:
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
    points += [_Given(plugin) for plugin in plugins]
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
    known: KnownTokens | None = None,
) -> AsyncIterator[Workbench]:
    """Run the plugins that have a section; *keystore* makes one, unlocked.

    With the *node* and *store* of an earlier workbench it is a daemon that was started
    again (its keystore is locked then). *poll_s* is how often the follower looks for
    blocks: raise it where a test lets hours pass on the autojump clock. *known* are the
    known tokens, else those of the chain.
    """
    host = load_plugins(sections, plugins)
    node = node or LocalNode()
    clock = ManualClock()
    async with _opened(store) as database:
        await migrate(
            database,
            [
                *outbox.MIGRATIONS,
                *keystore_vault.MIGRATIONS,
                *chain_ledger.MIGRATIONS,
                *sending_sender.MIGRATIONS,
                *host.migrations(),
            ],
        )
        known = KnownTokens(tokens_of(node.chain)) if known is None else known
        bench = _furnish(host, node, clock=clock, store=database, known=known)
        host.bind(lambda **given: _context(bench, network, **given))
        if keystore and not (await bench.vault.status()).exists:
            await bench.vault.init(PASSPHRASE)
        try:
            async with trio.open_nursery() as floor:
                follower = _follower(bench, poll_s)
                for service in (bench.bus.run, bench.vault.run, bench.sender.run):
                    await floor.start(service)
                await floor.start(follower.run)
                async with trio.open_nursery() as running:
                    await running.start(_run_plugins, bench)
                    yield bench
                    running.cancel_scope.cancel()
                floor.cancel_scope.cancel()
        finally:
            bench.vault.wipe()


@asynccontextmanager
async def _opened(store: Database | None) -> AsyncIterator[Database]:
    if store is not None:
        yield store
        return
    async with open_store(None) as fresh:
        yield fresh


def _furnish(
    host: PluginHost,
    node: LocalNode,
    *,
    clock: ManualClock,
    store: Database,
    known: KnownTokens,
) -> Workbench:
    bus = Bus(store, clock=clock)
    ledger = Ledger(store, tokens=known)
    vault = Vault(
        store,
        clock=clock,
        scrypt=_QUICK,
        random_bytes=_unrandom(),
        kdf=_ThreadlessKdf(),
    )
    sender = Sender(
        store,
        node,
        signer=vault,
        position=ledger.position,
        emit=bus.emitter(),
        clock=clock,
    )
    return Workbench(host, node, clock, store, ledger, sender, vault, bus)


def _unrandom() -> Callable[[int], bytes]:
    """The same bytes in the same order every time."""
    numbers = count()

    def take(size: int) -> bytes:
        return hashlib.shake_128(b"workbench %d" % next(numbers)).digest(size)

    return take


def _follower(bench: Workbench, poll_s: float) -> Follower:
    return Follower(
        bench.node,
        bench.store,
        ledger=bench.ledger,
        emit=bench.bus.emitter(),
        genesis_id=bench.node.chain.genesis.id,
        observers=[bench.sender],
        poll_s=poll_s,
    )


def _context(
    bench: Workbench, network: str, *, name: str, config: Any, grants: frozenset[str]
) -> Context[Any]:
    return Context(
        name=name,
        config=config,
        network=network,
        clock=bench.clock,
        log=logging.getLogger(f"lucidtrond.plugins.{name}"),
        node=bench.node,
        store=bench.store,
        ledger=bench.ledger,
        tokens=bench.ledger.tokens,
        sender=bench.sender,
        keys=bench.vault,
        emit=bench.bus.emitter(),
        call=bench.host.call,
        keystore=bench.vault if "keystore" in grants else None,
        devnet=bench.node if "devnet" in grants and network == "devnet" else None,
    )


async def _run_plugins(
    bench: Workbench, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    since = await bench.store.read(outbox.last_seq)

    async def events(after: int) -> Sequence[tuple[int, str, bytes]]:
        await bench.bus.wait_beyond(after)

        def read(tx: Tx) -> list[tuple[int, str, bytes]]:
            stored = outbox.read_since(tx, after, limit=_PAGE)
            return [(each.seq, each.topic, each.payload) for each in stored]

        return await bench.store.read(read)

    await bench.host.run(events, since=since, task_status=task_status)
