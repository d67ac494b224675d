"""The composition is the only place where services are made, and their order holds."""

import ast
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import pytest
import trio
from attrs import evolve

from lucidtrond.composition import (
    Parts,
    VaultOptions,
    connect,
    connected,
    migrate_store,
)
from lucidtrond.errors import ShuttingDown
from lucidtrond.events import outbox
from lucidtrond.events.types import Event
from lucidtrond.keystore.vault import Vault
from lucidtrond.ports import Migration, Tx
from lucidtrond.store.database import Database, open_store
from lucidtrond.testing.clocks import ManualClock
from lucidtrond.testing.node import LocalNode
from tests.chain.model import Crash
from tests.keystore.vaults import CHEAP, PASSPHRASE

ROOT: Final = Path(__file__).parents[1]
SERVICES: Final = {"Bus", "Follower", "Ledger", "Sender", "Vault"}
"""Classes of which a process has one each."""


@asynccontextmanager
async def make_parts() -> AsyncIterator[Parts[Database, LocalNode]]:
    node = LocalNode()
    async with open_store(None) as store:
        await migrate_store(store)
        yield Parts(
            store=store,
            node=node,
            clock=ManualClock(),
            genesis_id=node.chain.genesis.id,
            vault=VaultOptions(scrypt=CHEAP),
        )


def _made(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in SERVICES:
                yield name


def test_services_are_made_in_one_place() -> None:
    makers = {
        str(path.relative_to(ROOT)): names
        for path in (ROOT / "lucidtrond").rglob("*.py")
        if (names := set(_made(path)))
    }
    assert makers == {"lucidtrond/composition.py": SERVICES}


async def test_migrations_of_others_are_applied_with_the_services_own() -> None:
    step = Migration("other", 1, "CREATE TABLE other_row (seq SERIAL)")
    async with open_store(None) as store:
        await migrate_store(store, [step])
        rows = await store.read(
            lambda tx: tx.execute("SELECT DISTINCT owner FROM store_migration")
        )
    owners = {owner for (owner,) in rows}
    assert owners > {"other", "sending"}


async def test_the_follower_starts_after_all_that_hears_of_blocks() -> None:
    has_position: list[bool] = []

    async def node_service(
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        has_position.append(services.ledger.position().head is not None)
        task_status.started()

    async with make_parts() as parts, trio.open_nursery() as nursery:
        services = connect(evolve(parts, node_services=[node_service]))
        for service in services.in_starting_order():
            await nursery.start(service)
        has_position.append(services.ledger.position().head is not None)
        nursery.cancel_scope.cancel()
    assert has_position == [False, True]


async def unlock_and_crash(parts: Parts[Database, LocalNode]) -> Vault:
    with suppress(Crash), connected(parts) as services:
        await services.vault.init(PASSPHRASE)
        assert not services.vault.is_locked
        raise Crash
    return services.vault


async def test_a_vault_is_wiped_however_its_process_ends() -> None:
    async with make_parts() as parts:
        vault = await unlock_and_crash(parts)
        assert vault.is_locked
        with pytest.raises(ShuttingDown):
            await vault.unlock(PASSPHRASE, for_s=None)


async def test_events_go_to_the_outbox_unless_the_parts_say_otherwise() -> None:
    topics: list[str] = []

    def emit(tx: Tx, event: Event) -> int:
        topics.append(event.topic)
        return len(topics)

    async with make_parts() as parts:
        follower = connect(evolve(parts, emit=emit)).follower
        await follower._load()
        await follower._turn()
        assert topics
        assert await parts.store.read(outbox.last_seq) == 0
        await parts.node.mine(1)
        follower = connect(parts).follower
        await follower._load()
        before = len(topics)
        await follower._turn()
        assert len(topics) == before
        assert await parts.store.read(outbox.last_seq) > 0
