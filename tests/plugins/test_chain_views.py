"""What the plugins network, accounts and devnet show of the chain."""

from typing import Any

import pytest
from attrs import evolve
from trio.testing import MockClock

from lucidtrond.api import (
    InsufficientFunds,
    InvalidInput,
    NodeUnavailable,
    NotFound,
    PluginDisabled,
)
from lucidtrond.devnet.funding import token_balance
from lucidtrond.tron.address import parse_address
from lucidtrond.tron.block import ChainPosition, FinalityStatus
from lucidtrond.tron.unproven import UnprovenSummary
from lucidtrond_network import _endpoint_warnings, _unproven_warnings
from tests.plugins.bench import (
    FUNDS,
    NO_TXID,
    STRANGER,
    make_shop,
    open_shipped,
    payment,
)


async def test_the_status_says_where_we_stand(autojump_clock: MockClock) -> None:
    async with open_shipped() as bench:
        head = await bench.mine(2)
        status = await bench.call("network.status")
        chain = bench.node.chain
        assert (status.network, status.synced) == ("devnet", True)
        assert (status.head_number, status.head_id) == (
            head,
            chain.head.globals.block_id.hex(),
        )
        assert status.head_timestamp_ms == chain.head.globals.timestamp
        assert status.solid_number == chain.solid.globals.number < head
        assert status.solid_id == chain.solid.globals.block_id.hex()
        assert status.solid_timestamp_ms == chain.solid.globals.timestamp
        assert status.complete_from is not None
        assert status.complete_from <= status.solid_number
        assert (status.finality, status.finality_behind) == ("signatures", 0)


async def test_the_status_warns_when_nothing_becomes_final(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        await bench.mine(2)
        stalled = FinalityStatus("signatures", 90, "18 of 27 producers")
        bench.ledger.set_finality(stalled)
        status = await bench.call("network.status")
        assert status.finality_behind == 90
        assert status.warnings == ["nothing becomes final: 18 of 27 producers"]
        bench.ledger.set_finality(FinalityStatus())
        assert (await bench.call("network.status")).finality == "nodes"


async def test_before_the_first_answer_the_status_is_honest(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        bench.node.trouble = NodeUnavailable("local", 1)
        [endpoint] = (await bench.call("network.endpoints")).endpoints
        assert endpoint.endpoint == "local"
        assert endpoint.state == "failing"
        status = await bench.call("network.status")
        assert any("endpoint local: failing" in warning for warning in status.warnings)
        bench.node.trouble = None
        assert (await bench.call("network.status")).warnings == []


def test_an_unproven_root_has_a_remedy_and_it_is_named() -> None:
    position = ChainPosition(None, None, None, synced=True)
    assert _unproven_warnings(position) == []
    unproven = UnprovenSummary(2, (7, 9))
    [warning] = _unproven_warnings(evolve(position, unproven=unproven))
    assert "2 blocks, the newest 9" in warning
    assert "grpc_url" in warning


def test_grpc_that_fails_is_a_warning() -> None:
    well = {"endpoint": "n", "state": "ok", "grpc": "ok"}
    assert _endpoint_warnings([well, {**well, "grpc": None}]) == []
    [warning] = _endpoint_warnings([{**well, "grpc": "failing"}])
    assert warning == "endpoint n: gRPC fails, blocks come by HTTP"


async def test_a_block_is_found_by_number_and_id(autojump_clock: MockClock) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        sent = await bench.call("transfer.send", payment(shop))
        number = await bench.mine()
        block = await bench.call("block.get", {"number": number})
        assert block.txids == [sent.txid]
        assert not block.solidified
        assert block == await bench.call("block.get", {"id": "0x" + block.block_id})
        assert block == await bench.call("block.latest")
        parent = await bench.call("block.get", {"id": block.parent_id.upper()})
        assert parent.number == number - 1
        await bench.settle()
        assert (await bench.call("block.get", {"number": number})).solidified
        assert block.witness in bench.node.info()["witnesses"]


async def test_the_genesis_block_has_no_witness(autojump_clock: MockClock) -> None:
    async with open_shipped() as bench:
        genesis = await bench.call("block.get", {"number": 0})
        assert (genesis.number, genesis.solidified) == (0, True)
        assert genesis.block_id == bench.node.chain.genesis.id


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({}, "exactly one of number and id, got none"),
        ({"number": 1, "id": NO_TXID}, "exactly one of number and id, got both"),
        ({"number": -1}, r"Expected `int` >= 0 - at `\$.number`"),
        ({"number": 2**63}, r"Expected `int` <= 9223372036854775807 - at `\$.number`"),
        ({"id": "ab"}, "id: expected 64 hex digits, got 'ab'"),
        ({"id": "zz" * 32}, "id: expected 64 hex digits"),
    ],
)
async def test_an_impossible_block_is_refused(
    params: dict[str, Any], problem: str, autojump_clock: MockClock
) -> None:
    async with open_shipped() as bench:
        with pytest.raises(InvalidInput, match=problem):
            await bench.call("block.get", params)


async def test_a_block_that_is_not_there_is_not_found(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        for params in ({"number": 10**9}, {"id": "00" * 7 + "01" + "ab" * 24}):
            with pytest.raises(NotFound, match="no block"):
                await bench.call("block.get", params)


async def test_an_account_is_shown_with_its_resources(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        of = {"address": shop.address}
        account = await bench.call("account.get", of)
        assert (account.activated, account.balance_sun) == (True, str(FUNDS))
        assert account.created_ms is not None
        assert (await bench.call("account.balance", of)).bandwidth_left == 600
        await bench.call("transfer.send", payment(shop, to=bench_payee(bench)))
        await bench.settle()
        left = await bench.call("account.resources", of)
        assert 0 < left.free_bandwidth_left < left.free_bandwidth_limit == 600
        summary = await bench.call("account.balance", of)
        assert summary.bandwidth_left == left.free_bandwidth_left
        assert int(summary.balance_sun) == FUNDS - 1_000_000


def bench_payee(bench: Any) -> str:
    """Somebody with an account, so that paying costs bandwidth only."""
    return str(bench.node.info()["accounts"][0]["address"])


async def test_an_account_that_was_never_activated_is_no_error(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        of = {"address": STRANGER}
        account = await bench.call("account.get", of)
        assert (account.activated, account.balance_sun) == (False, "0")
        assert account.created_ms is None
        assert (await bench.call("account.balance", of)).bandwidth_left == 0
        bench.node.trouble = NodeUnavailable("local", 1)
        for verb in ("get", "balance", "resources"):
            with pytest.raises(NodeUnavailable):
                await bench.call(f"account.{verb}", of)
        bench.node.trouble = None


async def test_the_devnet_funds_mines_and_tells(autojump_clock: MockClock) -> None:
    async with open_shipped() as bench:
        fund = {"address": STRANGER, "amount_sun": "7000000"}
        first = await bench.call("devnet.fund", fund)
        second = await bench.call("devnet.fund", fund)
        assert first.txid != second.txid
        before = bench.node.chain.head.globals.number
        mined = await bench.call("devnet.mine", {"count": 3})
        assert mined.head_number == before + 3
        balance = await bench.call("account.get", {"address": STRANGER})
        assert balance.balance_sun == "14000000"
        info = await bench.call("devnet.info")
        assert info.head.number == mined.head_number
        assert info.accounts[0].address in {
            account["address"] for account in bench.node.info()["accounts"]
        }
        with pytest.raises(InsufficientFunds):
            await bench.call("devnet.fund", {**fund, "amount_sun": str(2**62)})
        with pytest.raises(InvalidInput, match="count"):
            await bench.call("devnet.mine", {"count": 10_001})


async def test_the_devnet_hands_out_tokens_too(autojump_clock: MockClock) -> None:
    async with open_shipped() as bench:
        (token,) = (await bench.call("devnet.info")).tokens
        assert (token.symbol, token.decimals) == ("IUSD", 6)
        fund = {"address": STRANGER, "amount_raw": "2500000", "asset": "iusd"}
        one = await bench.call("devnet.fund", fund)
        two = await bench.call("devnet.fund", {**fund, "asset": token.address})
        await bench.settle()
        receipts = [
            await bench.node.fetch_receipt(funded.txid) for funded in (one, two)
        ]
        assert [receipt.succeeded for receipt in receipts if receipt] == [True, True]
        assert token_balance(
            bench.node.chain, parse_address(token.address), parse_address(STRANGER)
        ) == (5_000_000)
        with pytest.raises(InsufficientFunds, match="the most is 999995000000"):
            await bench.call("devnet.fund", {**fund, "amount_raw": str(10**12)})


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "expected amount_sun"),
        ({"amount_raw": "1"}, "expected amount_sun"),
        ({"amount_sun": "1", "amount_raw": "1"}, "expected amount_sun"),
        ({"asset": "IUSD", "amount_sun": "1"}, "IUSD: expected amount_raw"),
        ({"asset": "IUSD"}, "IUSD: expected amount_raw"),
        ({"asset": "USDX", "amount_raw": "1"}, "expected TRX, IUSD or a known"),
    ],
)
async def test_test_money_is_named_in_its_own_unit(
    autojump_clock: MockClock, given: dict[str, str], complaint: str
) -> None:
    async with open_shipped() as bench:
        with pytest.raises(InvalidInput, match=complaint):
            await bench.call("devnet.fund", {"address": STRANGER, **given})


async def test_elsewhere_there_is_no_devnet(autojump_clock: MockClock) -> None:
    async with open_shipped(network="nile") as bench:
        names = {method.name for method in bench.host.methods()}
        assert not any(name.startswith("devnet.") for name in names)
        with pytest.raises(PluginDisabled):
            await bench.call("devnet.mine")
