"""All layers together over loopback HTTP: blocks on demand, deaths at will."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import trio
from attrs import define

from lucidtrond.chain.follower import Follower
from lucidtrond.chain.ledger import Ledger
from lucidtrond.composition import Parts, VaultOptions, connect, migrate_store
from lucidtrond.devnet.server import Devnet, DevnetConfig, open_devnet
from lucidtrond.errors import AnotherChain, InsufficientFunds
from lucidtrond.events.types import LedgerEntry, Payment
from lucidtrond.keystore.vault import Vault
from lucidtrond.node.cache import CachedNode
from lucidtrond.node.endpoint import Endpoint
from lucidtrond.node.pool import open_pool
from lucidtrond.orders import PaymentOrder
from lucidtrond.sending.sender import Sender
from lucidtrond.store.database import open_store
from lucidtrond.tron.address import Address
from lucidtrond.tron.contracts import Transfer
from lucidtrond.tron.transaction import decode_raw
from lucidtrond.tron.units import Sun
from tests.chain.model import Crash, CrashingStore
from tests.keystore.vaults import CHEAP, PASSPHRASE
from tests.sending.model import Ticking, drive

TRX = 1_000_000
WITNESSES = 5
LAG = 5
"""5 witnesses solidify 3 blocks behind the head; the solidity side shows it 2 later."""


class WallClock(Ticking):
    """The devnet dates blocks by it; in 2024, and it moves a little."""

    def now_ms(self) -> int:
        return 1_720_000_000_000 + super().now_ms()


@define
class Gateway:
    """What one process makes of a database and a node."""

    devnet: Devnet
    store: CrashingStore
    vault: Vault
    ledger: Ledger
    sender: Sender
    follower: Follower
    fresh: bool = True

    async def turn(self) -> None:
        await self.follower._turn()
        await drive(self.sender, everything=self.fresh)
        self.fresh = False

    async def mine(self, count: int = 1) -> None:
        for _ in range(count):
            await self.devnet.mine(1)
            await self.turn()

    async def new_address(self) -> Address:
        def make(tx: object) -> Address:
            [made] = self.vault.allocate(tx, 1)  # type: ignore[arg-type]  # a Tx
            self.ledger.watch(tx, made.address)  # type: ignore[arg-type]  # a Tx
            return made.address

        return await self.store.write(make)

    async def pay(self, key: str, owner: Address, to: Address, amount: int) -> Payment:
        order = PaymentOrder(key=key, owner=owner, to=to, asset="TRX", amount=amount)
        return await self.sender.send(order)


@asynccontextmanager
async def chain(*tokens: str) -> AsyncIterator[Devnet]:
    config = DevnetConfig(block_time_s=0, witnesses=WITNESSES, tokens=tokens)
    with trio.fail_after(60):
        async with open_devnet(config, clock=WallClock()) as devnet:
            yield devnet


@asynccontextmanager
async def open_gateway(devnet: Devnet, path: Path) -> AsyncIterator[Gateway]:
    async with AsyncExitStack() as stack:
        store = CrashingStore(await stack.enter_async_context(open_store(path)))
        await migrate_store(store)
        pool = await stack.enter_async_context(
            open_pool([Endpoint(devnet.url)], genesis_id=devnet.genesis_id)
        )
        services = connect(
            Parts(
                store=store,
                node=CachedNode(pool),
                clock=WallClock(),
                genesis_id=devnet.genesis_id,
                vault=VaultOptions(scrypt=CHEAP),
            )
        )
        await services.sender.begin()
        await services.follower._load()
        await services.follower._turn()
        yield Gateway(
            devnet,
            store,
            services.vault,
            services.ledger,
            services.sender,
            services.follower,
        )


@asynccontextmanager
async def shop(path: Path, *tokens: str) -> AsyncIterator[tuple[Gateway, Address]]:
    """A gateway with one funded wallet, on a chain with odd *tokens*."""
    async with chain(*tokens) as devnet, open_gateway(devnet, path) as made:
        await made.vault.init(PASSPHRASE)
        wallet = await made.new_address()
        await devnet.fund(wallet, Sun(5000 * TRX))
        await made.mine()
        yield made, wallet


def transfers_to(devnet: Devnet, recipient: Address) -> list[int]:
    """Amounts of the chain's own record."""
    found: list[int] = []
    for number in range(1, devnet.head_number + 1):
        row = devnet.chain.block(number)
        assert row is not None
        for each in row.block.transactions:
            contract = decode_raw(each.transaction.raw).contract
            if isinstance(contract, Transfer) and contract.to == recipient:
                found.append(contract.amount)
    return found


async def test_a_wallet_is_funded_pays_and_has_both_in_its_ledger(
    tmp_path: Path,
) -> None:
    async with shop(tmp_path / "db") as (made, wallet):
        recipient = await made.new_address()
        sent = await made.pay("k", wallet, recipient, 1500)
        assert (sent.state, sent.broadcast_code) == ("pending", "SUCCESS")
        await made.mine()
        included = await made.sender.find(key="k")
        assert included is not None
        assert included.state == "included"
        assert included.fee_sun == "1100000"  # it brought the recipient to life
        await made.mine(LAG)
        settled = await made.sender.wait(sent.payment_id, until="solidified")
        assert settled.state == "solidified"
        entries, _, total = await made.ledger.entries(wallet)
        assert total == 2
        assert [_shape(entry) for entry in entries] == [
            (wallet.base58, recipient.base58, "1500", True, True),
            (entries[1].from_address, wallet.base58, str(5000 * TRX), True, True),
        ]
        position = made.ledger.position()
        assert position.synced
        assert position.head is not None
        assert position.head.number == made.devnet.head_number


def _shape(entry: LedgerEntry) -> tuple[str, str, str, bool, bool]:
    return (
        entry.from_address,
        entry.to_address,
        entry.amount,
        entry.success,
        entry.solidified,
    )


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", ["accept", "sign", "answer"])
@pytest.mark.parametrize("unlocked", [False, True], ids=["locked", "unlocked"])
async def test_killed_at_any_write_of_a_payment_it_is_on_the_chain_exactly_once(
    tmp_path: Path, step: str, *, after: bool, unlocked: bool
) -> None:
    path = tmp_path / "db"
    async with shop(path) as (made, wallet):
        recipient = await made.new_address()
        made.store.nth = ["accept", "sign", "answer"].index(step)
        made.store.after = after
        with pytest.raises(Crash):
            await made.pay("k", wallet, recipient, 7)
        # Nothing of that process is used again; its database is.
        async with open_gateway(made.devnet, path) as again:
            if unlocked:
                await again.vault.unlock(PASSPHRASE, for_s=None)
            await again.mine(2)
            signed = (step, after) >= ("sign", True) if step != "answer" else True
            signed = step == "answer" or (step == "sign" and after)
            assert transfers_to(made.devnet, recipient) == (
                [7]
                if signed or (unlocked and (step, after) != ("accept", False))
                else []
            )
            await again.vault.unlock(PASSPHRASE, for_s=None)
            await again.pay("k", wallet, recipient, 7)
            await again.mine(2 + LAG)
            assert transfers_to(made.devnet, recipient) == [7]
            settled = await again.sender.find(key="k")
            assert settled is not None
            assert settled.state == "solidified"


async def test_a_hundred_equal_payments_at_once_are_a_hundred(tmp_path: Path) -> None:
    async with shop(tmp_path / "db") as (made, wallet):
        recipient = await made.new_address()
        await made.pay("first", wallet, recipient, 1)
        await made.mine()
        async with trio.open_nursery() as nursery:
            for number in range(100):
                nursery.start_soon(made.pay, f"{number}", wallet, recipient, 3)
        await made.mine(LAG + 1)
        assert sorted(transfers_to(made.devnet, recipient)) == [1, *[3] * 100]
        unresolved, _ = await made.sender.payments(unresolved=True)
        assert unresolved == []
        _, _, total = await made.ledger.entries(recipient)
        assert total == 101


async def test_what_the_balance_does_not_cover_is_refused_before_signing(
    tmp_path: Path,
) -> None:
    async with shop(tmp_path / "db") as (made, wallet):
        recipient = await made.new_address()
        with pytest.raises(InsufficientFunds) as refused:
            await made.pay("k", wallet, recipient, 5000 * TRX - 1_099_999)
        assert refused.value.data["needed_sun"] == str(5000 * TRX + 1)
        await made.pay("k", wallet, recipient, 5000 * TRX - 1_100_000)
        await made.mine(LAG + 1)
        assert transfers_to(made.devnet, recipient) == [5000 * TRX - 1_100_000]


async def test_a_chain_begun_anew_under_the_same_genesis_stops_the_follower(
    tmp_path: Path,
) -> None:
    async with shop(tmp_path / "db") as (made, _):
        await made.mine(10)
        genesis = made.devnet.genesis_id
    async with chain() as other:
        assert other.genesis_id == genesis
        await other.mine(30)
        with pytest.raises(AnotherChain):
            async with open_gateway(other, tmp_path / "db"):
                pass
