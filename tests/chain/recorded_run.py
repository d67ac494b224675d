"""The run of 201 watched wallets (`fixtures/runs`), behind the real client and pool.

`RunNode` answers as the recorded java-tron did, from its blocks, receipts, accounts and
balances at the end; ``balanceOf`` is answered from the recorded balances, and whoever
is not among them has none. *solid* moves the chain on; *strip* drops internal
transactions, as a node without ``vm.saveInternalTx`` does.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import httpx
from attrs import Factory, define

from lucidtrond.chain.follower import Follower
from lucidtrond.chain.ledger import MIGRATIONS, Ledger
from lucidtrond.chain.reconcile import Reconciler
from lucidtrond.node.cache import CachedNode
from lucidtrond.node.health.policy import RetryPolicy
from lucidtrond.node.pool import Endpoint, open_pool
from lucidtrond.ports import Tx
from lucidtrond.store.database import Database, open_store
from lucidtrond.store.migrate import migrate
from lucidtrond.tron import trc20
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.tokens import KnownToken, KnownTokens
from tests import recorded
from tests.chain.model import OUTBOX, emit

Json = Any


@cache
def load() -> Mapping[str, Json]:
    run: Mapping[str, Json] = recorded.read_json(
        recorded.RUNS / "acceptance-run.json.gz"
    )
    return run


@cache
def genesis() -> Json:
    chain = recorded.read_json(recorded.FOLDER / "fixtures" / "chain.json")
    return chain["genesis_block"]


def wallets() -> list[Address]:
    return [Address.from_base58(wallet["address"]) for wallet in load()["wallets"]]


def tokens() -> KnownTokens:
    """Those whose balances were recorded, as if somebody vouched for them."""
    names = {address: name for name, address in load()["contracts"].items()}
    return KnownTokens(
        KnownToken(Address.from_base58(token), names[token], "", 6)
        for token in load()["token_balances"]
    )


@define(eq=False)
class RunNode:
    """Has the blocks up to *solid*, all of them final."""

    solid: int
    strip: bool = False
    live: Callable[[str, str, int], int] | None = None
    """Gives the balance of (wallet, asset) after a block, in place of the recorded one
    at the end."""
    asked: list[str] = Factory(list)

    async def handle(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.split("/")[-1]
        self.asked.append(name)
        answer = getattr(self, f"_{name}")(json.loads(request.content))
        return httpx.Response(200, content=json.dumps(answer))

    def _block(self, number: int) -> Json:
        if number == 0:
            return genesis()
        run = load()
        index = number - run["start"]
        return run["blocks"][index] if index >= 0 and number <= self.solid else {}

    def _getblock(self, question: Json) -> Json:
        block = dict(self._block(int(question.get("id_or_num", self.solid))))
        block.pop("transactions", None)
        return block

    def _getblockbylimitnext(self, question: Json) -> Json:
        numbers = range(question["startNum"], question["endNum"])
        return {"block": [block for block in map(self._block, numbers) if block]}

    def _gettransactioninfobyblocknum(self, question: Json) -> Json:
        infos = load()["receipts"].get(str(question["num"]), [])
        if not self.strip:
            return infos
        return [
            {
                key: value
                for key, value in info.items()
                if not key.startswith("internal")
            }
            for info in infos
        ]

    def _getaccount(self, question: Json) -> Json:
        owner = Address(bytes.fromhex(question["address"])).base58
        recorded_account = load()["accounts"].get(owner, {})
        if self.live is None or not recorded_account:
            return recorded_account
        head = self._block(self.solid)["block_header"]["raw_data"]["timestamp"]
        if recorded_account["create_time"] >= head:
            return {}
        return recorded_account | {"balance": self.live(owner, "TRX", self.solid)}

    def _triggerconstantcontract(self, question: Json) -> Json:
        owner = Address(bytes.fromhex(question["owner_address"]))
        assert question["data"] == trc20.balance_of(owner).hex()
        token = Address(bytes.fromhex(question["contract_address"])).base58
        held = load()["token_balances"][token].get(owner.base58, 0)
        if self.live is not None:
            held = self.live(owner.base58, token, self.solid)
        return {
            "result": {"result": True},
            "constant_result": [held.to_bytes(32, "big").hex()],
        }


@define(eq=False)
class Run:
    node: RunNode
    store: Database
    ledger: Ledger
    follower: Follower
    reconciler: Reconciler

    async def follow(self, turns: int = 12) -> None:
        """Until nothing new comes."""
        for _ in range(turns):
            await self.follower._turn()
        assert self.ledger.position().synced


@asynccontextmanager
async def following(*, strip: bool = False) -> AsyncIterator[Run]:
    """A follower that began with the run's first block and watches its wallets."""
    node = RunNode(load()["start"], strip=strip)
    genesis_id = BlockId(genesis()["blockID"])
    async with (
        open_pool(
            [Endpoint("http://node")],
            genesis_id=genesis_id,
            policy=RetryPolicy(max_retries=0),
            http=httpx.MockTransport(node.handle),
        ) as pool,
        open_store(None) as store,
    ):
        await migrate(store, [*MIGRATIONS, OUTBOX])
        ledger, cached = Ledger(store, tokens=tokens()), CachedNode(pool)
        follower = Follower(
            cached,
            store,
            ledger=ledger,
            emit=emit,
            genesis_id=genesis_id,
        )

        def watch(tx: Tx) -> None:
            for wallet in wallets():
                ledger.watch(tx, wallet)

        await store.write(watch)
        await follower._load()
        await follower._turn()
        node.solid = load()["solid"]
        yield Run(
            node,
            store,
            ledger,
            follower,
            Reconciler(
                cached,
                store,
                ledger=ledger,
                emit=emit,
                per_minute=10,
            ),
        )
