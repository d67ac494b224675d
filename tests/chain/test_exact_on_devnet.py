"""A devnet's token is exact until its owner changes it; followed over HTTP."""

from pathlib import Path

import pytest
from attrs import define

from lucidtrond.chain.exact import ExactPolicy
from lucidtrond.chain.exact_checker import ExactChecker
from lucidtrond.chain.follower import Follower
from lucidtrond.chain.ledger import MIGRATIONS, Ledger
from lucidtrond.devnet.describe import tokens_of
from lucidtrond.devnet.server import Devnet, DevnetConfig, open_devnet
from lucidtrond.node.cache import CachedNode
from lucidtrond.node.pool import Endpoint, open_pool
from lucidtrond.store.database import open_store
from lucidtrond.store.migrate import migrate
from lucidtrond.testing.clocks import ManualClock
from lucidtrond.tron import abi, trc20
from lucidtrond.tron.address import Address
from lucidtrond.tron.contracts import Trigger
from lucidtrond.tron.tokens import KnownTokens
from lucidtrond.tron.transaction import RawData, Reference
from lucidtrond.tron.units import Sun, UnixMillis
from tests.chain.model import OUTBOX, emit
from tests.devnet.making import BOB, WHALE, Lab, sign

FINAL = 8
"""Blocks after which five witnesses have made one final."""


@define
class Chain:
    devnet: Devnet
    nonce: int = 0

    async def call(self, token: Address, data: bytes) -> None:
        """A call of the tokens' owner, in a final block."""
        self.nonce += 1
        head = self.devnet.chain.head.globals
        raw = RawData(
            Trigger(WHALE.address, token, data),
            Reference.to_block(head.block_id.hex()),
            expiration=UnixMillis(head.timestamp + 60_000),
            timestamp=UnixMillis(head.timestamp + self.nonce),
            fee_limit=Sun(100_000_000),
        )
        lab = Lab()
        lab.chain = self.devnet.chain
        lab.send(sign(raw, WHALE))
        await self.devnet.mine(FINAL)


@pytest.mark.parametrize(
    ("symbol", "change"),
    [
        ("TETHER", abi.encode_call("setParams(uint256,uint256)", (10, 1))),
        ("TETHER", abi.encode_call("deprecate(address)", (BOB.address,))),
        ("IUSD", None),
        ("FEE", None),
        ("ZERO", None),
    ],
    ids=["fee set", "deprecated", "plain", "fee", "unknown"],
)
async def test_deposits_are_proven_while_the_token_is_exact(
    tmp_path: Path, symbol: str, change: bytes | None
) -> None:
    sorts = ("tether", "fee", "zero")
    config = DevnetConfig(block_time_s=0, witnesses=5, tokens=sorts)
    async with (
        open_devnet(config, clock=ManualClock()) as devnet,
        open_pool([Endpoint(devnet.url)], genesis_id=devnet.genesis_id) as pool,
        open_store(tmp_path / "db") as store,
    ):
        await migrate(store, [*MIGRATIONS, OUTBOX])
        await devnet.mine(FINAL)
        tokens = KnownTokens(tokens_of(devnet.chain))
        token = next(known.address for known in tokens if known.symbol == symbol)
        node, chain = CachedNode(pool), Chain(devnet)
        ledger = Ledger(store, tokens=tokens, exact=ExactPolicy(large_credit=1))
        follower = Follower(
            node, store, ledger=ledger, emit=emit, genesis_id=devnet.genesis_id
        )
        await store.write(lambda tx: ledger.watch(tx, BOB.address))
        await follower._load()
        checker = ExactChecker(node, store, ledger=ledger, emit=emit)

        async def proofs() -> list[str]:
            for _ in range(3):
                await follower._turn()
            await checker.turn()
            rows, _, _ = await ledger.entries(BOB.address)
            return [row.proof for row in rows]

        assert await proofs() == []
        await chain.call(token, trc20.transfer(BOB.address, 5))
        is_exact = symbol in ("TETHER", "IUSD")
        proven = "signatures" if is_exact else "one_source"
        assert await proofs() == [proven]
        if change is None:
            return
        await chain.call(token, change)
        await chain.call(token, trc20.transfer(BOB.address, 6))
        large = trc20.transfer(BOB.address, 2_000_000)  # asks for a check
        await chain.call(token, large)
        # The first one too: it is above the last good check.
        assert set(await proofs()) == {"one_source"}
        assert ledger.problems["not_exact"] == 1
