"""The sender with the real vault and the real outbox, over the model chain."""

import pytest
import trio
import trio.testing

from lucidtrond.chain.follower import Follower
from lucidtrond.chain.ledger import MIGRATIONS as CHAIN_MIGRATIONS
from lucidtrond.chain.ledger import Ledger
from lucidtrond.errors import KeystoreLocked, KeystoreMissing, NoSuchKey
from lucidtrond.events import outbox
from lucidtrond.events.bus import Bus
from lucidtrond.events.types import Payment
from lucidtrond.keystore import vault as vaults
from lucidtrond.keystore.vault import Vault
from lucidtrond.orders import PaymentOrder
from lucidtrond.sending.sender import MIGRATIONS, Sender
from lucidtrond.store.database import open_store
from lucidtrond.store.migrate import migrate
from lucidtrond.tron.address import Address
from tests.chain.model import address
from tests.keystore.vaults import CHEAP
from tests.sending.model import PayingChain, Ticking


async def test_a_wallet_pays_once_its_keystore_is_there_and_open(
    autojump_clock: trio.testing.MockClock,
) -> None:
    autojump_clock.autojump_threshold = 0.02  # store threads take real time
    chain, clock = PayingChain(), Ticking()
    async with open_store(None) as store, trio.open_nursery() as nursery:
        steps = [
            *vaults.MIGRATIONS,
            *outbox.MIGRATIONS,
            *CHAIN_MIGRATIONS,
            *MIGRATIONS,
        ]
        await migrate(store, steps)
        bus = Bus(store, clock=clock)
        await nursery.start(bus.run)
        vault = Vault(store, clock=clock, scrypt=CHEAP)
        ledger = Ledger(store)
        sender = Sender(
            store,
            chain,
            signer=vault,
            position=ledger.position,
            emit=bus.emitter(),
            clock=clock,
        )
        follower = Follower(
            chain,
            store,
            ledger=ledger,
            emit=bus.emitter(),
            genesis_id=chain.blocks[0].header.id,
            observers=[sender],
        )
        await nursery.start(follower.run)
        await nursery.start(sender.run)

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
    chain, clock = PayingChain(), Ticking()
    async with open_store(None) as store:
        await migrate(store, [*vaults.MIGRATIONS, *outbox.MIGRATIONS, *MIGRATIONS])
        vault = Vault(store, clock=clock, scrypt=CHEAP)
        bus = Bus(store, clock=clock)
        sender = Sender(
            store,
            chain,
            signer=vault,
            position=Ledger(store).position,
            emit=bus.emitter(),
            clock=clock,
        )
        with pytest.raises(KeystoreMissing):
            await sender._desk.check_open()
