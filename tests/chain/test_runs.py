"""A whole recorded run, followed by the real follower: the ledger is the balances.

Expected values come from the recording's JSON, read here in another way than our own
readers do: logs as hex, contracts by the names that the node prints.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
import trio
import trio.testing

from lucidtrond.events.types import LedgerEntry
from lucidtrond.tron.address import Address
from tests.chain import recorded_run
from tests.chain.model import emitted
from tests.chain.recorded_run import Run, following, load

pytestmark = pytest.mark.mainnet

TRANSFER = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
Key = tuple[str, str]
"""A wallet and an asset, in base58."""


def base58(evm_or_tron: str) -> str:
    return Address(bytes.fromhex("41" + evm_or_tron[-40:])).base58


def moves(up_to: int = 9999) -> Iterator[tuple[str, str, str, int]]:
    """(asset, from, to, amount) of all that moved, as the node's JSON tells it."""
    for block in load()["blocks"]:
        number = str(block["block_header"]["raw_data"]["number"])
        if int(number) > up_to:
            return
        infos = {
            receipt["id"]: receipt for receipt in load()["receipts"].get(number, ())
        }
        for transaction in block.get("transactions", ()):
            [contract] = transaction["raw_data"]["contract"]
            value = contract["parameter"]["value"]
            if transaction["ret"][0].get("contractRet", "SUCCESS") != "SUCCESS":
                continue
            owner = base58(value["owner_address"])
            if contract["type"] == "TransferContract":
                yield "TRX", owner, base58(value["to_address"]), value["amount"]
            if value.get("call_value") and contract["type"] == "TriggerSmartContract":
                to = base58(value["contract_address"])
                yield "TRX", owner, to, value["call_value"]
            yield from _moved_by(infos[transaction["txID"]])


def _moved_by(info: Mapping[str, Any]) -> Iterator[tuple[str, str, str, int]]:
    for log in info.get("log", ()):
        topics, data = log.get("topics", []), log.get("data", "")
        words = "".join(topics[1:]) + data
        if topics[:1] == [TRANSFER] and len(topics) < 4 and len(words) >= 192:
            ends = base58(words[:64]), base58(words[64:128])
            yield base58(log["address"]), *ends, int(words[128:192], 16)
    for inner in info.get("internal_transactions", ()):
        note = bytes.fromhex(inner["note"]).decode()
        amount = sum(
            value.get("callValue", 0)
            for value in inner.get("callValueInfo", ())
            if "tokenId" not in value
        )
        if note in ("call", "create", "suicide") and not inner.get("rejected"):
            ends = base58(inner["caller_address"]), base58(inner["transferTo_address"])
            yield "TRX", *ends, amount


@cache
def sums(up_to: int = 9999) -> dict[Key, int]:
    """What moved to each until after block *up_to*; not to be changed."""
    net: dict[Key, int] = defaultdict(int)
    for asset, sender, recipient, amount in moves(up_to):
        net[sender, asset] -= amount
        net[recipient, asset] += amount
    return net


def owners() -> set[str]:
    return {
        base58(
            transaction["raw_data"]["contract"][0]["parameter"]["value"][
                "owner_address"
            ]
        )
        for block in load()["blocks"]
        for transaction in block.get("transactions", ())
    }


def stated() -> dict[Key, int]:
    """Balances at the end: TRX of all wallets, tokens of those that were recorded."""
    balances: dict[Key, int] = {
        (wallet, "TRX"): account.get("balance", 0)
        for wallet, account in load()["accounts"].items()
    }
    for token, held in load()["token_balances"].items():
        balances.update({(wallet, token): amount for wallet, amount in held.items()})
    return balances


async def entries(run: Run) -> list[LedgerEntry]:
    entries_read: list[LedgerEntry] = []
    cursor: str | None = None
    while True:
        page, cursor, _ = await run.ledger.entries(limit=1000, cursor=cursor)
        entries_read += page
        if cursor is None:
            return entries_read


async def ledger_sums(run: Run) -> dict[Key, int]:
    net: dict[Key, int] = defaultdict(int)
    for entry in await entries(run):
        if entry.success:
            net[entry.from_address, entry.asset] -= int(entry.amount)
            net[entry.to_address, entry.asset] += int(entry.amount)
    return net


async def drifts(run: Run) -> dict[Key, int]:
    events = await run.store.read(lambda tx: emitted(tx, "ledger"))
    return {
        (event["address"], event["asset"]): int(event["drift"])
        for event in events
        if event["problem"] == "drift"
    }


async def reconcile(run: Run) -> int:
    asked = 0
    while count := await run.reconciler.turn(50):
        asked += count
    return asked


def lies() -> dict[Key, int]:
    """Where a token holds another amount for a wallet than its logs say."""
    net, spent = sums(), owners()
    return {
        key: amount - net[key]
        for key, amount in stated().items()
        if amount != net[key] and (key[1] != "TRX" or key[0] not in spent)
    }


async def test_the_ledger_ends_in_the_balances_and_drifts_where_a_token_lies() -> None:
    wallets = {wallet.base58 for wallet in recorded_run.wallets()}
    assert len(wallets) == 201
    async with following() as run:
        await run.follow()
        assert run.ledger.position().complete_from == load()["start"]
        net = await ledger_sums(run)
        truth = {key: amount for key, amount in sums().items() if key[0] in wallets}
        assert {key: net[key] for key in truth} == truth
        spent, lying = owners(), lies()
        compared = 0
        for key, amount in stated().items():
            if key[1] == "TRX" and key[0] in spent:
                continue
            assert net[key] + lying.get(key, 0) == amount
            compared += 1
        assert compared > 180
        # The token "odd" logs what it does not move, and moves what it does not log.
        assert {token for _, token in lying} == {load()["contracts"]["odd"]}
        assert set(lying.values()) == {-99, 1000}
        assert await reconcile(run) > 150
        assert await drifts(run) == lying
        assert run.ledger.health().drifting == len(lying)
        assert run.ledger.health().internals_seen
        assert run.ledger.health().without_internals == ()


async def test_rows_are_those_that_the_older_daemon_booked_and_those_it_missed() -> (
    None
):
    async with following() as run:
        await run.follow()
        ours = {
            (entry.txid, entry.kind, entry.index): (
                entry.from_address,
                entry.to_address,
                entry.asset,
                entry.amount,
                entry.success,
            )
            for entry in await entries(run)
        }
    for wallet in load()["history"].values():
        for old in wallet:
            key = old["txid"], old["kind"], old["index"]
            fields = ("from_address", "to_address", "asset", "amount", "success")
            assert ours[key] == tuple(old[field] for field in fields)


async def test_a_node_without_internal_transactions_is_recognised() -> None:
    async with following(strip=True) as run:
        await run.follow()
        health = run.ledger.health()
        assert health.without_internals == ("node",)
        assert any("vm.saveInternalTx = true" in warning for warning in health.warnings)
        # What contracts paid out is missing, and the balances say so.
        await reconcile(run)
        drifting = await drifts(run)
    paid_out = {
        key: amount
        for key, amount in sums().items()
        if key in drifting and key[1] == "TRX"
    }
    assert paid_out
    assert all(drifting[key] > 0 for key in paid_out)
    assert set(drifting) - set(lies()) == set(paid_out)


BLOCK_S = 3.0


@pytest.mark.slow
async def test_reconciling_along_the_way_raises_no_false_alarm_and_asks_little(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """A block each 3 s; balances are what moved until the solid block."""
    blocks = load()["solid"] - load()["start"]
    async with following() as run:
        node = run.node
        node.solid = load()["start"]
        node.live = lambda wallet, asset, number: sums(number)[wallet, asset]
        node.asked.clear()
        async with trio.open_nursery() as nursery:
            await nursery.start(run.follower.run)
            await nursery.start(run.reconciler.run)
            for _ in range(blocks):
                await trio.sleep(BLOCK_S)
                node.solid += 1
            await trio.sleep(600)
            nursery.cancel_scope.cancel()
        assert await drifts(run) == {}
        position = run.ledger.position()
    assert position.solid is not None
    assert position.solid.number == load()["solid"]
    asked = Counter(node.asked)
    balances = asked["getaccount"] + asked["triggerconstantcontract"]
    receipts = asked["gettransactioninfobyblocknum"]
    rounds = asked["getblockbylimitnext"]
    # The rest are heads: one with each round of the follower, two with each group.
    heads = asked["getblock"] - rounds
    assert balances > 150
    assert balances / (blocks * BLOCK_S / 60) <= 10
    assert heads <= 2 * balances
    assert receipts < blocks / 2  # of blocks with transactions only
    assert (balances + heads) / blocks < 0.7
