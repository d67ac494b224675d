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
        address(text): account.get("balance", 0)
        for text, account in load()["accounts"].items()
    }


def tokens() -> KnownTokens:
    return KnownTokens(
        KnownToken(address(token), f"T{at}", "", 6)
        for at, token in enumerate(load()["token_balances"])
    )


def owners() -> set[Address]:
    """Who own a transaction, by what the node prints of it."""
    owners: set[Address] = set()
    for block in load()["blocks"][1:]:
        for transaction in block.get("transactions", ()):
            [contract] = transaction["raw_data"]["contract"]
            owners.add(address(contract["parameter"]["value"]["owner_address"]))
    return owners


async def follow(node: RecordedNode, store: Database, *, nodes: int) -> Ledger:
    """Everything from genesis on, every account of the end watched."""
    nodes_asked = [
        node,
        *[RecordedNode(node.head, node.solid) for _ in range(nodes - 1)],
    ]
    async with open_nodes(*nodes_asked) as pool:
        ledger, cached = Ledger(store, tokens=tokens()), CachedNode(pool)
        follower = Follower(
            cached,
            store,
            ledger=ledger,
            emit=emit,
            genesis_id=GENESIS_ID,
        )

        def watch(tx: Tx) -> None:
            for account in accounts():
                ledger.watch(tx, account)

        await store.write(watch)
        await follower._load()
        await follower._turn()
        for recorded in nodes_asked:
            recorded.head = recorded.solid = LAST
        for _ in range(LAST // 100 + 3):
            await follower._turn()
    assert ledger.position().synced
    assert ledger.position().complete_from == 0
    return ledger


async def rows(ledger: Ledger) -> list[LedgerEntry]:
    entries: list[LedgerEntry] = []
    cursor: str | None = None
    while True:
        page, cursor, _ = await ledger.entries(limit=1000, cursor=cursor)
        entries += page
        if cursor is None:
            return entries


def net(entries: list[LedgerEntry]) -> dict[Key, int]:
    sums: dict[Key, int] = defaultdict(int)
    for entry in entries:
        if entry.success:
            sums[entry.from_address, entry.asset] -= int(entry.amount)
            sums[entry.to_address, entry.asset] += int(entry.amount)
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
        address(
            transaction["raw_data"]["contract"][0]["parameter"]["value"]["to_address"]
        )
        for transaction in load()["blocks"][0]["transactions"]
    }
    for account, balance in accounts().items():
        if account not in spent and account not in begun:
            assert sums[account.base58, "TRX"] == balance
            compared += 1
    assert compared > 10
    for token, held in load()["token_balances"].items():
        asset = address(token).base58
        for account, amount in held.items():
            if account == NOBODY:  # tokens are made from its and burnt to it
                continue
            assert sums[address(account).base58, asset] == int(amount)
            compared += 1
    assert compared > 20
    proofs = {"trc20": "one_source", "internal": "one_source"}
    for entry in entries:
        assert entry.proof == proofs.get(entry.kind, "signatures")


async def test_with_two_endpoints_all_of_it_has_two_sources() -> None:
    async with open_store(None) as store:
        await migrate(store, [*MIGRATIONS, OUTBOX])
        node = RecordedNode(head=0, solid=0)
        entries = await rows(await follow(node, store, nodes=2))
    from_receipts = [entry for entry in entries if entry.kind in ("trc20", "internal")]
    assert {entry.proof for entry in from_receipts} == {"two_sources"}
    costly = {entry.cost_proof for entry in entries if entry.block_number > 0}
    assert costly == {"two_sources"}


def test_each_block_names_who_pays_for_it() -> None:
    for printed in load()["blocks"]:
        block = make_block(printed)
        if block.header.number == 0:
            assert read_block(block, ()).owners == frozenset()
            continue
        expected = {
            address(
                transaction["raw_data"]["contract"][0]["parameter"]["value"][
                    "owner_address"
                ]
            )
            for transaction in printed.get("transactions", ())
        }
        assert read_block(block, receipts_of(block)).owners == expected
