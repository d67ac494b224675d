"""The sender with the real vault and the real outbox, over the model chain."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing
from attrs import define

from lucidtrond.composition import (
    Parts,
    Services,
    VaultOptions,
    connect,
    migrate_store,
)
from lucidtrond.errors import (
    ForeignTransaction,
    KeystoreLocked,
    KeystoreMissing,
    NoSuchKey,
)
from lucidtrond.events import outbox
from lucidtrond.events.types import Payment
from lucidtrond.orders import PaymentOrder
from lucidtrond.sending.acceptance import check_unlocked
from lucidtrond.store.database import Database, open_store
from lucidtrond.tron.address import Address
from tests.chain.model import address
from tests.keystore.vaults import CHEAP
from tests.sending.model import TO, PayingChain, Ticking, drive


def connect_with_vault(
    store: Database, chain: PayingChain
) -> Services[Database, PayingChain]:
    return connect(
        Parts(
            store=store,
            node=chain,
            clock=Ticking(),
            genesis_id=chain.blocks[0].header.id,
            vault=VaultOptions(scrypt=CHEAP),
        )
    )


async def test_a_wallet_pays_once_its_keystore_is_there_and_open(
    autojump_clock: trio.testing.MockClock,
) -> None:
    autojump_clock.autojump_threshold = 0.02  # store threads take real time
    chain = PayingChain()
    async with open_store(None) as store, trio.open_nursery() as nursery:
        await migrate_store(store)
        services = connect_with_vault(store, chain)
        bus, vault, sender = services.bus, services.vault, services.sender
        for service in (bus.run, services.follower.run, sender.run):
            await nursery.start(service)

        async def pay(owner: Address) -> Payment:
            to = address(5)
            order = PaymentOrder(key="k", owner=owner, to=to, asset="TRX", amount=7)
            return await sender.send(order)

        with pytest.raises(NoSuchKey):
            await pay(address(6))
        await vault.init("correct horse battery staple")
        [made] = await store.write(lambda tx: vault.allocate(tx, 1))
        vault.lock()
        with pytest.raises(KeystoreLocked):
            await pay(made.address)
        await vault.unlock("correct horse battery staple", for_s=None)
        sent = await pay(made.address)
        assert sent.broadcast_code == "SUCCESS"
        for _ in range(22):
            chain.mine()
            chain.solidify(chain.head - 19)
        settled = await sender.wait(sent.payment_id, until="solidified")
        assert settled.state == "solidified"
        stored = await store.read(
            lambda tx: outbox.read_since(tx, 0, limit=99, topics=["transaction"])
        )
        assert len(stored) == 5
        last = await bus.wait_beyond(stored[-1].seq - 1)
        assert last >= stored[-1].seq
        nursery.cancel_scope.cancel()


async def test_without_a_keystore_it_is_said_that_there_is_none() -> None:
    async with open_store(None) as store:
        await migrate_store(store)
        vault = connect_with_vault(store, PayingChain()).vault
        with pytest.raises(KeystoreMissing):
            await check_unlocked(vault)


@define
class Life:
    """The services over one database, driven by hand."""

    services: Services[Database, PayingChain]
    chain: PayingChain

    async def mine(self, count: int) -> None:
        for _ in range(count):
            self.chain.mine()
            self.chain.solidify(self.chain.head - 19)
            await self.follow()

    async def follow(self) -> None:
        while self.services.ledger.position().head != self.chain.blocks[-1].header:
            await self.services.follower._turn()
        await self.services.follower._turn()
        await drive(self.services.sender, everything=True)

    async def make_wallet(self) -> Address:
        vault = self.services.vault
        [made] = await self.services.store.write(lambda tx: vault.allocate(tx, 1))
        return made.address

    async def pay(self, owner: Address, key: str) -> Payment:
        order = PaymentOrder(key=key, owner=owner, to=TO, asset="TRX", amount=7)
        return await self.services.sender.send(order)


@asynccontextmanager
async def life(path: Path, chain: PayingChain) -> AsyncIterator[Life]:
    async with open_store(path) as store:
        await migrate_store(store)
        made = Life(connect_with_vault(store, chain), chain)
        await made.services.sender.begin()
        await made.services.follower._load()
        yield made


async def test_a_wallet_that_the_copy_lacks_pays_nothing_twice(tmp_path: Path) -> None:
    chain = PayingChain()
    passphrase = "correct horse battery staple"
    async with life(tmp_path / "db", chain) as lost:
        await lost.services.vault.init(passphrase)
        await lost.mine(1)
        for suffix in ("", "-wal"):
            shutil.copy(tmp_path / f"db{suffix}", tmp_path / f"copy{suffix}")
        owner = await lost.make_wallet()
        paid = await lost.pay(owner, "lost")
        await lost.mine(25)
    async with life(tmp_path / "copy", chain) as restored:
        await restored.follow()
        assert dict(restored.services.sender.stopped) == {owner: 1}
        await restored.services.vault.unlock(passphrase, for_s=None)
        assert await restored.make_wallet() == owner
        other = await restored.make_wallet()
        await restored.services.sender.acknowledge_restore()
        with pytest.raises(ForeignTransaction):
            await restored.pay(owner, "new")
        found = await restored.pay(owner, "lost")
        assert (found.txid, found.adopted) == (paid.txid, True)
        await restored.pay(other, "new")
        await restored.mine(25)
    assert len(chain.included()) == 2


async def test_a_wallet_not_made_again_stops_no_other(tmp_path: Path) -> None:
    chain = PayingChain()
    passphrase = "correct horse battery staple"
    async with life(tmp_path / "db", chain) as lost:
        await lost.services.vault.init(passphrase)
        first = await lost.make_wallet()
        await lost.mine(1)
        for suffix in ("", "-wal"):
            shutil.copy(tmp_path / f"db{suffix}", tmp_path / f"copy{suffix}")
        await lost.pay(await lost.make_wallet(), "lost")
        await lost.mine(25)
    async with life(tmp_path / "copy", chain) as restored:
        await restored.follow()
        await restored.services.vault.unlock(passphrase, for_s=None)
        await restored.services.sender.acknowledge_restore()
        assert (await restored.pay(first, "new")).state == "pending"
