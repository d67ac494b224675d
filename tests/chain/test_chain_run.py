"""The recorded chain of `tests/data`, from genesis on, through the real follower."""

from collections import defaultdict
from collections.abc import Mapping

from lucidtrond.chain.follower import Follower
from lucidtrond.chain.ledger import MIGRATIONS, Ledger
from lucidtrond.chain.read import read_block
from lucidtrond.events.types import LedgerEntry
from lucidtrond.node.cache import CachedNode
from lucidtrond.ports import Tx
from lucidtrond.store.database import Database, open_store
from lucidtrond.store.migrate import migrate
from lucidtrond.tron.address import Address
from lucidtrond.tron.tokens import KnownToken, KnownTokens
from tests.chain.model import OUTBOX, emit, receipts_of
from tests.node.nodes import GENESIS_ID, LAST, RecordedNode, open_nodes
from tests.tron.chainrun import load, make_block

Key = tuple[str, str]
NOBODY = "41" + "00" * 20


def address(text: str) -> Address:
    return Address(bytes.fromhex(text))


def accounts() -> Mapping[Address, int]:
    """Balances at the end, in sun."""
    return {
        address(each): account.get("balance", 0)
        for each, account in load()["accounts"].items()
    }


def tokens() -> KnownTokens:
    return KnownTokens(
        KnownToken(address(each), f"T{at}", "", 6)
        for at, each in enumerate(load()["token_balances"])
    )


def owners() -> set[Address]:
    """Who own a transaction, by what the node prints of it."""
    found: set[Address] = set()
    for block in load()["blocks"][1:]:
        for each in block.get("transactions", ()):
            [contract] = each["raw_data"]["contract"]
            found.add(address(contract["parameter"]["value"]["owner_address"]))
    return found


async def follow(node: RecordedNode, store: Database, *, nodes: int) -> Ledger:
    """Everything from genesis on, every account of the end watched."""
    known = [node, *[RecordedNode(node.head, node.solid) for _ in range(nodes - 1)]]
    async with open_nodes(*known) as pool:
        ledger, cached = Ledger(store, tokens=tokens()), CachedNode(pool)
        follower = Follower(
            cached,
            store,
            ledger=ledger,
            emit=emit,
            genesis_id=GENESIS_ID,
        )

        def watch(tx: Tx) -> None:
            for each in accounts():
                ledger.watch(tx, each)

        await store.write(watch)
        await follower._load()
        await follower._turn()
        for each in known:
            each.head = each.solid = LAST
        for _ in range(LAST // 100 + 3):
            await follower._turn()
    assert ledger.position().synced
    assert ledger.position().complete_from == 0
    return ledger


async def rows(ledger: Ledger) -> list[LedgerEntry]:
    found: list[LedgerEntry] = []
    cursor: str | None = None
    while True:
        page, cursor, _ = await ledger.entries(limit=1000, cursor=cursor)
        found += page
        if cursor is None:
            return found


def net(entries: list[LedgerEntry]) -> dict[Key, int]:
    sums: dict[Key, int] = defaultdict(int)
    for each in entries:
        if each.success:
            sums[each.from_address, each.asset] -= int(each.amount)
            sums[each.to_address, each.asset] += int(each.amount)
    return sums


async def test_the_ledger_of_a_whole_chain_ends_in_its_balances() -> None:
    async with open_store(None) as store:
        await migrate(store, [*MIGRATIONS, OUTBOX])
        ledger = await follow(RecordedNode(head=0, solid=0), store, nodes=1)
        entries = await rows(ledger)
        assert ledger.problems == {}, "no receipt of an honest node contradicts"
        assert ledger.health().internals_seen
    sums, spent = net(entries), owners()
    compared = 0
    # Block 0 gives from an owner that is no address, so these begin with something.
    begun = {
        address(each["raw_data"]["contract"][0]["parameter"]["value"]["to_address"])
        for each in load()["blocks"][0]["transactions"]
    }
    for each, balance in accounts().items():
        if each not in spent and each not in begun:
            assert sums[each.base58, "TRX"] == balance
            compared += 1
    assert compared > 10
    for token, held in load()["token_balances"].items():
        asset = address(token).base58
        for each, amount in held.items():
            if each == NOBODY:  # tokens are made from its and burnt to it
                continue
            assert sums[address(each).base58, asset] == int(amount)
            compared += 1
    assert compared > 20
    told = {"trc20": "one_source", "internal": "one_source"}
    for entry in entries:
        assert entry.proof == told.get(entry.kind, "signatures")


async def test_with_two_endpoints_all_of_it_has_two_sources() -> None:
    async with open_store(None) as store:
        await migrate(store, [*MIGRATIONS, OUTBOX])
        node = RecordedNode(head=0, solid=0)
        entries = await rows(await follow(node, store, nodes=2))
    told = [each for each in entries if each.kind in ("trc20", "internal")]
    assert {each.proof for each in told} == {"two_sources"}
    costly = {each.cost_proof for each in entries if each.block_number > 0}
    assert costly == {"two_sources"}


def test_each_block_names_who_pays_for_it() -> None:
    for printed in load()["blocks"]:
        block = make_block(printed)
        if block.header.number == 0:
            assert read_block(block, ()).owners == frozenset()
            continue
        expected = {
            address(
                each["raw_data"]["contract"][0]["parameter"]["value"]["owner_address"]
            )
            for each in printed.get("transactions", ())
        }
        assert read_block(block, receipts_of(block)).owners == expected
