"""A fork of a real java-tron chain (`fixtures/runs`), followed through both branches.

The node was killed at head 197 and came back at 193 with other blocks from 194 on.
Whatever is asked about a block of either branch is answered from what it answered.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lucidtrond.tron.address import Address
from tests import recorded
from tests.chain.branch_node import BranchNode, following, number_of

pytestmark = pytest.mark.mainnet

FIRST = 190
"""The first block that was recorded whole."""
FORKED = 194
KILLED_AT, SOLID_THEN = 197, 193
LAST = 213
LANDED_AGAIN = 199


def run() -> Any:
    return recorded.read_json(recorded.RUNS / "real-fork.json.gz")


def answers(path: str) -> Iterator[tuple[Any, Any]]:
    """Questions to *path* with their answers, in the order of time."""
    for exchange in run()["exchanges"]:
        if exchange["path"] == path and exchange["a"].strip():
            yield json.loads(exchange["q"]), json.loads(exchange["a"])


def branches() -> tuple[dict[int, Any], dict[int, Any]]:
    """Blocks by number as they were before the node was killed, and afterwards."""
    before: dict[int, Any] = {}
    after: dict[int, Any] = {}
    for _, answer in answers("/wallet/getblockbylimitnext"):
        for block in answer["block"]:
            number = number_of(block)
            seen = before.get(number)
            if number <= KILLED_AT and seen is None:
                before[number] = block
            elif seen is None or seen["blockID"] != block["blockID"]:
                after[number] = block
    shared = {number: before[number] for number in range(FIRST, FORKED)}
    return before, {**shared, **after}


def receipts() -> tuple[dict[str, Any], dict[str, Any]]:
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for question, answer in answers("/wallet/gettransactioninfobyblocknum"):
        number = question["num"]
        side = before if number <= KILLED_AT else after
        side[str(number)] = answer
    return before, {**{n: before[n] for n in before if int(n) < FORKED}, **after}


def genesis() -> Any:
    chain = recorded.read_json(recorded.FOLDER / "fixtures" / "chain.json")
    return {0: chain["genesis_block"]}


def txids(block: Any) -> list[str]:
    return [transaction["txID"] for transaction in block.get("transactions", ())]


def test_both_branches_are_whole() -> None:
    before, after = branches()
    assert sorted(before) == list(range(FIRST, KILLED_AT + 1))
    assert sorted(after) == list(range(FIRST, LAST + 1))
    for branch in (before, after):
        for number in list(branch)[1:]:
            parent = branch[number]["block_header"]["raw_data"]["parentHash"]
            assert parent == branch[number - 1]["blockID"]
    assert all(before[n]["blockID"] != after[n]["blockID"] for n in range(194, 198))


async def test_what_the_fork_reverted_is_reverted_and_what_landed_again_counts() -> (
    None
):
    before, after = branches()
    receipts_before, receipts_after = receipts()
    node = BranchNode(
        {**genesis(), **before}, head=FIRST, solid=FIRST, receipts=receipts_before
    )
    wallets = [Address.from_base58(wallet["address"]) for wallet in run()["wallets"]]
    async with following(node, watched=wallets) as made:
        for head in range(FIRST, KILLED_AT + 1):
            node.head, node.solid = head, max(FIRST, head - 4)
            await made.turn()
        assert made.head == KILLED_AT
        deposits = txids(before[KILLED_AT])
        payments = [txid for n in (194, 195, 196) for txid in txids(before[n])]
        entries, _, _ = await made.ledger.entries(limit=1000)
        seen = {entry.txid: entry for entry in entries}
        assert {*deposits, *payments} <= set(seen)
        assert not any(seen[txid].solidified for txid in (*deposits, *payments))

        # Killed: it is back at its final block, and for a while has nothing new.
        node.blocks, node.receipts = {**genesis(), **after}, receipts_after
        node.head = node.solid = SOLID_THEN
        await made.turn(2)
        assert made.head == KILLED_AT
        for head, solid in (
            (198, 193),
            (199, 195),
            *((n, n - 5) for n in range(200, LAST + 1)),
        ):
            node.head, node.solid = head, max(solid, node.solid)
            await made.turn()
            assert made.head == head
        assert made.ledger.position().synced

        reverted = await made.emitted("reverted")
        assert [event["number"] for event in reverted] == [197, 196, 195, 194]
        entries, _, _ = await made.ledger.entries(limit=1000)
        final = {entry.txid: entry for entry in entries}
        assert not set(deposits) & set(final)
        for txid in payments:
            assert final[txid].block_number == LANDED_AGAIN
            assert final[txid].block_id == after[LANDED_AGAIN]["blockID"]
            assert final[txid].solidified
        assert sorted(payments) == sorted(txids(after[LANDED_AGAIN]))
        changes: dict[str, list[str]] = {}
        for event in await made.emitted("transfer"):
            changes.setdefault(event["entry"]["txid"], []).append(event["change"])
        for txid in payments:
            assert changes[txid] == ["included", "reverted", "included", "solidified"]
        for txid in deposits:
            assert changes[txid] == ["included", "reverted"]
