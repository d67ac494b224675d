"""A node that shows one branch of printed blocks, behind the real client and pool."""

import copy
import json
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from attrs import Factory, define, field

from lucidtrond.chain.finality_tables import FirstSet
from lucidtrond.chain.follower import Follower
from lucidtrond.chain.ledger import MIGRATIONS, Ledger
from lucidtrond.node.cache import CachedNode
from lucidtrond.node.health.policy import RetryPolicy
from lucidtrond.node.pool import Endpoint, NodePool, open_pool
from lucidtrond.ports import Tx
from lucidtrond.store.database import Database, open_store
from lucidtrond.store.migrate import migrate
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.keys import PrivateKey
from tests.chain.model import OUTBOX, emit, emitted
from tests.tron.chainrun import make_block

Json = Any


def number_of(printed: Json) -> int:
    return int(printed["block_header"]["raw_data"].get("number", 0))


def signed_by(printed: Json, key: PrivateKey) -> Json:
    """The same block with another signature; its id does not cover that."""
    forged = copy.deepcopy(printed)
    digest = make_block(printed).header.digest
    forged["block_header"]["witness_signature"] = key.sign(digest).hex()
    return forged


def bare_account(address: str, _number: int) -> Json:
    """An account without permissions, as a genesis account has none."""
    return {"address": address}


@define(eq=False)
class BranchNode:
    """Answers as of *head* and *solid*; *account* gives one as of a block."""

    blocks: dict[int, Json]
    head: int
    solid: int
    receipts: Mapping[str, Json] = field(factory=dict)
    account: Callable[[str, int], Json] = bare_account
    active: Collection[str] = ()
    """Addresses of producers that take turns."""
    asked: list[tuple[str, Json]] = Factory(list)

    async def handle(self, request: httpx.Request) -> httpx.Response:
        view, name = request.url.path.split("/")[-2:]
        question = json.loads(request.content)
        self.asked.append((f"{view}/{name}", question))
        top = self.solid if view == "walletsolidity" else self.head
        answer = getattr(self, f"_{name}")(top, question)
        return httpx.Response(200, content=json.dumps(answer))

    def _getblock(self, top: int, question: Json) -> Json:
        block = dict(self.blocks[int(question.get("id_or_num", top))])
        block.pop("transactions", None)
        return block

    def _getblockbylimitnext(self, top: int, question: Json) -> Json:
        numbers = range(question["startNum"], min(question["endNum"], top + 1))
        return {"block": [self.blocks[number] for number in numbers]}

    def _getblockbyid(self, top: int, question: Json) -> Json:
        number = int(question["value"][:16], 16)
        printed = self.blocks.get(number, {}) if number <= top else {}
        return printed if printed.get("blockID") == question["value"] else {}

    def _gettransactioninfobyblocknum(self, top: int, question: Json) -> Json:
        number = question["num"]
        return self.receipts.get(str(number), []) if number <= top else []

    def _listwitnesses(self, top: int, question: Json) -> Json:  # noqa: ARG002 - as all
        return {
            "witnesses": [{"address": each, "isJobs": True} for each in self.active]
            + [{"address": "41" + "00" * 20}]
        }

    def _getaccount(self, top: int, question: Json) -> Json:
        return self.account(question["address"], top)

    def count(self, name: str) -> int:
        return sum(path == name for path, _ in self.asked)


@define(eq=False)
class Following:
    """A real follower over real clients of `BranchNode`s."""

    pool: NodePool
    store: Database
    ledger: Ledger
    follower: Follower

    @property
    def head(self) -> int:
        head = self.ledger.position().head
        return -1 if head is None else head.number

    async def turn(self, times: int = 1) -> None:
        for _ in range(times):
            await self.follower._turn()

    async def emitted(self, topic: str) -> list[dict[str, Any]]:
        return await self.store.read(lambda tx: emitted(tx, topic))

    async def keys_of(self, producer: Address) -> list[tuple[int, str, str]]:
        """Stored rows of a producer: (from block, key, origin)."""
        rows = await self.store.read(
            lambda tx: tx.execute(
                "SELECT from_block, key_address, origin FROM producer_key"
                " WHERE producer = ? ORDER BY from_block",
                (producer.raw,),
            )
        )
        return [(number, Address(key).base58, origin) for number, key, origin in rows]


@asynccontextmanager
async def following(
    *nodes: BranchNode,
    watched: Collection[Address] = (),
    first_set: FirstSet | None = None,
    asks_producers: bool = False,
    path: Path | None = None,
) -> AsyncIterator[Following]:
    """Nodes are named node0, node1 and so on; each has the genesis block."""
    genesis_id = BlockId(nodes[0].blocks[0]["blockID"])

    async def handle(request: httpx.Request) -> httpx.Response:
        return await nodes[int(request.url.host.removeprefix("node"))].handle(request)

    async with (
        open_pool(
            [Endpoint(f"http://node{index}") for index in range(len(nodes))],
            genesis_id=genesis_id,
            policy=RetryPolicy(max_retries=0),
            http=httpx.MockTransport(handle),
        ) as pool,
        open_store(path) as store,
    ):
        await migrate(store, [*MIGRATIONS, OUTBOX])
        ledger = Ledger(store)
        follower = Follower(
            CachedNode(pool),
            store,
            ledger=ledger,
            emit=emit,
            genesis_id=genesis_id,
            first_set=first_set,
            asks_producers=asks_producers,
        )

        def watch(tx: Tx) -> None:
            for address in watched:
                ledger.watch(tx, address)

        await store.write(watch)
        await follower._load()
        yield Following(pool, store, ledger, follower)
