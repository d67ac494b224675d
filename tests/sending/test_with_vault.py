"""The sender with the real vault and the real outbox, over the model chain."""

import pytest
import trio
import trio.testing

from lucidtrond.composition import (
    Parts,
    Services,
    VaultOptions,
    connect,
    migrate_store,
)
from lucidtrond.errors import KeystoreLocked, KeystoreMissing, NoSuchKey
from lucidtrond.events import outbox
from lucidtrond.events.types import Payment
from lucidtrond.orders import PaymentOrder
from lucidtrond.sending.acceptance import check_unlocked
from lucidtrond.store.database import Database, open_store
from lucidtrond.tron.address import Address
from tests.chain.model import address
from tests.keystore.vaults import CHEAP
from tests.sending.model import PayingChain, Ticking


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
