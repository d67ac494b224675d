"""A witness of the devnet changes its key; the follower reads it over HTTP."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from lucidtrond.chain.follower import Follower
from lucidtrond.chain.ledger import MIGRATIONS, Ledger
from lucidtrond.devnet.server import Devnet, DevnetConfig, open_devnet
from lucidtrond.node.cache import CachedNode
from lucidtrond.node.pool import Endpoint, open_pool
from lucidtrond.store.database import open_store
from lucidtrond.store.migrate import migrate
from lucidtrond.testing.clocks import ManualClock
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.address import Address
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.units import Sun
from tests.chain.branch_node import Following
from tests.chain.model import OUTBOX, emit
from tests.devnet.making import BOB, Lab
from tests.devnet.test_permitting import active, keys, owner, update


@asynccontextmanager
async def chain() -> AsyncIterator[Devnet]:
    config = DevnetConfig(block_time_s=0, witnesses=5)
    with trio.fail_after(60):
        async with open_devnet(config, clock=ManualClock()) as devnet:
            yield devnet


@asynccontextmanager
async def following(
    devnet: Devnet, path: Path, *, producers: Mapping[Address, Address] | None
) -> AsyncIterator[Following]:
    async with (
        open_pool([Endpoint(devnet.url)], genesis_id=devnet.genesis_id) as pool,
        open_store(path) as store,
    ):
        await migrate(store, [*MIGRATIONS, OUTBOX])
        ledger = Ledger(store)
        follower = Follower(
            CachedNode(pool),
            store,
            ledger=ledger,
            emit=emit,
            genesis_id=devnet.genesis_id,
            producers=producers,
        )
        await follower._load()
        yield Following(pool, store, ledger, follower)


async def change_key(devnet: Devnet, witness: PrivateKey, key: PrivateKey) -> int:
    """Let *key* sign for *witness*; gives the block that holds the change."""
    await devnet.fund(witness.address, Sun(200_000_000))
    await devnet.mine(1)
    lab = Lab()
    lab.chain = devnet.chain
    change = update(
        lab,
        witness,
        owner=owner(keys=keys((witness, 1))),
        witness=pb.Permission(type="Witness", threshold=1, keys=keys((key, 1))),
        actives=[active(threshold=1, keys=keys((witness, 1)))],
    )
    lab.send(change)
    number = await devnet.mine(1)
    assert devnet.chain.find(change.digest) is not None
    return number


def witness_of(devnet: Devnet, place: int) -> PrivateKey:
    genesis = devnet.chain.genesis
    return genesis.witness_keys[genesis.schedule[place]]


@pytest.mark.parametrize("named", [True, False], ids=["named", "looked up"])
async def test_a_witness_that_changes_its_key_is_followed(
    tmp_path: Path, *, named: bool
) -> None:
    async with chain() as devnet:
        producers = devnet.chain.genesis.producers if named else None
        async with following(devnet, tmp_path / "db", producers=producers) as made:
            await made.turn()
            await devnet.mine(6)
            await made.turn()
            witness = witness_of(devnet, 2)
            changed = await change_key(devnet, witness, BOB)
            await devnet.mine(12)
            await made.turn()
            assert made.head == changed + 12
            last = (await made.keys_of(witness.address))[-1]
            assert last == (changed + 1, BOB.address.base58, "block")
            special = witness_of(devnet, 1).address
            [(_, key, origin)] = await made.keys_of(special)
            assert origin == ("genesis" if named else "node")
            assert key == devnet.chain.genesis.producers[special].base58


async def test_a_change_from_before_the_database_was_made_is_looked_up(
    tmp_path: Path,
) -> None:
    """The definition names the key of the beginning: a row that is too old."""
    async with chain() as devnet:
        witness = witness_of(devnet, 2)
        changed = await change_key(devnet, witness, BOB)
        await devnet.mine(20)
        producers = devnet.chain.genesis.producers
        async with following(devnet, tmp_path / "db", producers=producers) as made:
            await made.turn()
            await devnet.mine(10)
            await made.turn(2)
            assert made.head == devnet.head_number
            rows = await made.keys_of(witness.address)
            assert [row[1:] for row in rows] == [
                (witness.address.base58, "genesis"),
                (BOB.address.base58, "node"),
            ]
            assert rows[-1][0] > changed
