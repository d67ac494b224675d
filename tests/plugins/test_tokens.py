"""Tokens: known by address, asked at their contract."""

import subprocess
import sys
from typing import Any

import msgspec
import pytest
import trio

from lucidtrond.api import (
    CallNotRun,
    InvalidInput,
    NodeError,
    NodeRefused,
    NodeUnavailable,
    NotFound,
    TransferSeen,
)
from lucidtrond.testing import Workbench
from lucidtrond.testing.node import LocalNode
from lucidtrond.tron import trc20
from lucidtrond.tron.abi import encode, encode_call
from lucidtrond.tron.address import Address
from lucidtrond.tron.receipt import ConstantResult
from lucidtrond.tron.tokens import NO_TOKENS
from tests.plugins.bench import STRANGER, make_shop, open_shipped

SUPPLY = 10**12


async def only_token(bench: Workbench) -> str:
    [token] = (await bench.call("token.list")).tokens
    assert (token.symbol, token.decimals) == ("IUSD", 6)
    return str(token.token)


async def test_a_known_token_is_the_same_by_symbol_and_by_address() -> None:
    async with open_shipped() as bench:
        token = await only_token(bench)
        for text in ("IUSD", "iusd", token, Address.from_base58(token).hex):
            shown = await bench.call("token.info", {"token": text})
            assert (shown.token, shown.known, shown.imitates) == (token, True, None)
            assert (shown.name, shown.symbol) == ("Interop Dollar", "IUSD")
            assert (shown.decimals, shown.total_supply_raw) == (6, str(SUPPLY))


async def test_balances_add_up_to_the_supply() -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        accounts = [account["address"] for account in bench.node.info()["accounts"]]
        balances = [
            await bench.call("token.balance", {"token": "IUSD", "address": holder})
            for holder in [*accounts, shop.address]
        ]
        assert sum(int(balance.balance_raw) for balance in balances) == SUPPLY
        of_wallet = await bench.call(
            "token.balance", {"token": "IUSD", "address": shop.wallet_id}
        )
        assert of_wallet == balances[-1]
        assert (of_wallet.symbol, of_wallet.decimals) == ("IUSD", 6)


async def test_nothing_is_allowed_that_nobody_approved() -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        shown = await bench.call(
            "token.allowance",
            {"token": "IUSD", "owner": shop.wallet_id, "spender": STRANGER},
        )
        assert (shown.owner, shown.spender) == (shop.address, STRANGER)
        assert shown.allowance_raw == "0"


@pytest.mark.parametrize("method", ["token.info", "token.balance"])
async def test_an_address_without_a_contract_is_not_found(method: str) -> None:
    async with open_shipped() as bench:
        params = {"token": STRANGER}
        if method == "token.balance":
            params["address"] = STRANGER
        with pytest.raises(NotFound, match="no contract answers at"):
            await bench.call(method, params)


async def test_an_unknown_symbol_is_told_the_known_ones() -> None:
    async with open_shipped() as bench:
        with pytest.raises(InvalidInput, match=r"token: .*\(IUSD\), got 'USDT'"):
            await bench.call("token.info", {"token": "USDT"})


async def deposit(bench: Workbench, amount: int) -> tuple[Any, str]:
    """A wallet that got tokens: (the wallet, the txid)."""
    shop = await bench.call("wallet.create", {"label": "shop"})
    [token] = bench.node.info()["tokens"]
    to, contract = (Address.from_base58(e) for e in (shop.address, token["address"]))
    txid = await bench.node.fund_token(to, contract, amount)
    await bench.settle()
    return shop, txid


@pytest.mark.parametrize("listed", [True, False])
async def test_a_deposit_is_booked_whether_anybody_knows_the_token(
    *, listed: bool
) -> None:
    tokens = None if listed else NO_TOKENS
    async with open_shipped(tokens=tokens) as bench:
        shop, txid = await deposit(bench, 12_500_000)
        [entry] = (await bench.call("history.list", {"address": shop.address})).entries
        [token] = bench.node.info()["tokens"]
        assert (entry.txid, entry.kind, entry.index) == (txid, "trc20", 0)
        assert (entry.asset, entry.amount) == (token["address"], "12500000")
        assert (entry.to_address, entry.solidified) == (shop.address, True)
        assert entry.unknown_token is not listed
        events = [
            msgspec.json.decode(event.payload, type=TransferSeen)
            for event in await bench.events("transfer")
        ]
        assert [event.change for event in events] == ["included", "solidified"]
        assert {event.entry.unknown_token for event in events} == {not listed}

        receipt = await bench.call("tx.receipt", {"txid": txid})
        [moved] = receipt.token_transfers
        assert (moved.token, moved.known) == (token["address"], listed)
        assert (moved.to_address, moved.amount_raw) == (shop.address, "12500000")
        assert moved.symbol == ("IUSD" if listed else None)
        sent = await bench.call("tx.get", {"txid": txid})
        assert sent.token_call is not None
        assert sent.token_call.to_address == shop.address


async def test_an_accounts_balance_names_the_tokens_that_were_asked_for() -> None:
    async with open_shipped() as bench:
        shop, _ = await deposit(bench, 12_500_000)
        asked = {"address": shop.address, "tokens": ["iusd"]}
        shown = await bench.call("account.balance", asked)
        [held] = shown.tokens
        assert (held.symbol, held.balance_raw, held.known) == ("IUSD", "12500000", True)
        assert (shown.balance_sun, shown.activated) == ("0", False)
        with pytest.raises(InvalidInput, match="token: "):
            await bench.call("account.balance", {**asked, "tokens": ["USDT"]})


async def test_history_can_be_asked_by_a_tokens_symbol() -> None:
    async with open_shipped() as bench:
        shop, txid = await deposit(bench, 5)
        await bench.fund(shop.address, 7)
        asked = {"address": shop.address, "asset": "iusd"}
        page = await bench.call("history.list", asked)
        assert [(entry.txid, entry.amount) for entry in page.entries] == [(txid, "5")]


class Impostor(LocalNode):
    """A node with a contract at STRANGER that answers as the test says."""

    answers: dict[bytes, ConstantResult | NodeError]

    async def call_constant(
        self, *, owner: Address, contract: Address, data: bytes, solid: bool = False
    ) -> ConstantResult:
        if contract.base58 != STRANGER:
            return await super().call_constant(
                owner=owner, contract=contract, data=data, solid=solid
            )
        await trio.lowlevel.checkpoint()
        none = ConstantResult(b"", 1, reverted=True, reason="REVERT opcode executed")
        answer = self.answers.get(data[:4], none)
        if isinstance(answer, NodeError):
            raise answer
        return answer


def answer(kind: str, value: object) -> ConstantResult:
    return ConstantResult(encode([kind], [value]), 1)


def selector(function: str) -> bytes:
    return encode_call(function, ())[:4]


def impostor(**answers: ConstantResult | NodeError) -> LocalNode:
    node = Impostor()
    functions = {"supply": trc20.TOTAL_SUPPLY, "symbol": trc20.SYMBOL}
    functions |= {"name": trc20.NAME, "decimals": trc20.DECIMALS}
    node.answers = {
        selector(functions[name]): answer for name, answer in answers.items()
    }
    return node


async def test_a_contract_with_a_known_symbol_is_called_an_imitation() -> None:
    node = impostor(
        supply=answer("uint256", 7),
        symbol=answer("string", "iUSD"),
        decimals=answer("uint256", 6),
    )
    async with open_shipped(node=node) as bench:
        shown = await bench.call("token.info", {"token": STRANGER})
        assert (shown.known, shown.imitates) == (False, await only_token(bench))
        assert (shown.symbol, shown.name, shown.decimals) == ("iUSD", None, 6)


@pytest.mark.parametrize(
    ("symbol", "name", "whom"),
    [
        ("IUSD ", None, "token"),
        ("\uff29USD", None, "token"),
        ("\u0406USD", None, "token"),
        ("IU\u200bSD", None, "token"),
        ("\U0001f4b0", "{name}", "token"),  # the name, under another symbol
        ("{name}", None, "token"),
        ("ABC", "iusd", "token"),
        ("TRX", None, "TRX"),
        ("ABC", "\u0422ron", "TRX"),
        ("ABC", "Some Coin", None),
        ("", "", None),
    ],
)
async def test_what_reads_like_a_known_token_is_called_an_imitation(
    symbol: str, name: str | None, whom: str | None
) -> None:
    async with open_shipped() as bench:
        [listed] = (await bench.call("token.list")).tokens
    answers = {"symbol": symbol.format(name=listed.name)}
    if name is not None:
        answers["name"] = name.format(name=listed.name.upper())
    texts = {key: answer("string", text) for key, text in answers.items()}
    node = impostor(supply=answer("uint256", 7), **texts)
    async with open_shipped(node=node) as bench:
        shown = await bench.call("token.info", {"token": STRANGER})
        [token] = (await bench.call("token.list")).tokens
    assert shown.imitates == (token.token if whom == "token" else whom)


def test_the_tables_of_look_alikes_are_not_loaded_at_start() -> None:
    """They take 8 ms and 110 KB."""
    code = (
        "import sys, lucidtrond.daemon.main, lucidtrond_tokens;"
        "print([m for m in sys.modules if 'imitation' in m or 'confusables' in m])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


async def test_claims_that_make_no_sense_are_left_out() -> None:
    node = impostor(
        supply=answer("uint256", 0),
        symbol=ConstantResult(b"\1\2\3", 1),
        name=answer("string", "a\nb\u202e"),
        decimals=answer("uint256", 256),
    )
    async with open_shipped(node=node) as bench:
        shown = await bench.call("token.info", {"token": STRANGER})
        assert (shown.symbol, shown.decimals, shown.total_supply_raw) == (
            None,
            None,
            "0",
        )
        assert shown.name == "a\ufffdb\ufffd"


@pytest.mark.parametrize(
    ("supply", "complaint"),
    [
        (ConstantResult(b"", 1), r"totalSupply\(\) gave 0 bytes"),
        (ConstantResult(b"", 1, reverted=True), r"totalSupply\(\) failed"),
    ],
)
async def test_a_contract_that_is_no_token_says_so(
    supply: ConstantResult, complaint: str
) -> None:
    async with open_shipped(node=impostor(supply=supply)) as bench:
        with pytest.raises(NotFound, match=f"is no TRC-20 token: {complaint}"):
            await bench.call("token.info", {"token": STRANGER})


async def test_a_node_that_is_silent_is_not_a_token_that_is_missing() -> None:
    async with open_shipped() as bench:
        bench.node.trouble = NodeUnavailable("local", 1)
        with pytest.raises(NodeUnavailable):
            await bench.call("token.info", {"token": "IUSD"})


@pytest.mark.parametrize(
    ("raised", "seen"),
    [
        (NodeRefused("local", "this node does not support constant"), NodeRefused),
        (CallNotRun("local", "Smart contract is not exist."), NotFound),
    ],
)
async def test_a_node_that_can_not_simulate_is_not_a_missing_contract(
    raised: NodeRefused, seen: type[Exception]
) -> None:
    class Refusing(LocalNode):
        async def call_constant(self, **_: Any) -> ConstantResult:
            await trio.lowlevel.checkpoint()
            raise raised

    async with open_shipped(node=Refusing()) as bench:
        with pytest.raises(seen, match=raised.reason):
            await bench.call("token.info", {"token": STRANGER})


async def test_a_getter_that_the_machine_stops_is_a_claim_left_out() -> None:
    node = impostor(
        supply=answer("uint256", 7),
        name=CallNotRun("local", "Invalid operation code: opCode[fe];"),
    )
    async with open_shipped(node=node) as bench:
        shown = await bench.call("token.info", {"token": STRANGER})
        assert (shown.name, shown.total_supply_raw) == (None, "7")
