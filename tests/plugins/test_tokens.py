"""Tokens: known by address, asked at their contract."""

import pytest
import trio

from lucidtrond.api import InvalidInput, NodeUnavailable, NotFound
from lucidtrond.testing import Workbench
from lucidtrond.testing.node import LocalNode
from lucidtrond.tron import trc20
from lucidtrond.tron.abi import encode, encode_call
from lucidtrond.tron.address import Address
from lucidtrond.tron.receipt import ConstantResult
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
        accounts = [each["address"] for each in bench.node.info()["accounts"]]
        balances = [
            await bench.call("token.balance", {"token": "IUSD", "address": each})
            for each in [*accounts, shop.address]
        ]
        assert sum(int(each.balance_raw) for each in balances) == SUPPLY
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


class Impostor(LocalNode):
    """A node with a contract at STRANGER that answers as the test says."""

    answers: dict[bytes, ConstantResult]

    async def call_constant(
        self, *, owner: Address, contract: Address, data: bytes
    ) -> ConstantResult:
        if contract.base58 != STRANGER:
            return await super().call_constant(
                owner=owner, contract=contract, data=data
            )
        await trio.lowlevel.checkpoint()
        none = ConstantResult(b"", 1, reverted=True, reason="REVERT opcode executed")
        return self.answers.get(data[:4], none)


def answer(kind: str, value: object) -> ConstantResult:
    return ConstantResult(encode([kind], [value]), 1)


def selector(function: str) -> bytes:
    return encode_call(function, ())[:4]


def impostor(**answers: ConstantResult) -> LocalNode:
    node = Impostor()
    functions = {"supply": trc20.TOTAL_SUPPLY, "symbol": trc20.SYMBOL}
    functions |= {"name": trc20.NAME, "decimals": trc20.DECIMALS}
    node.answers = {selector(functions[name]): each for name, each in answers.items()}
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
