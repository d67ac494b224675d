"""Payments of every odd sort of token through the methods, on the devnet's chain."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from attrs import frozen

from lucidtrond.api import InDoubt, WouldFail
from lucidtrond.devnet.state.token_sorts import SORTS, EventForm, Moves, TokenSort
from lucidtrond.testing import Workbench
from lucidtrond.testing.node import LocalNode, new_chain
from lucidtrond.tron.address import Address
from tests.plugins.bench import STRANGER, make_shop, open_shipped

HELD = 5_000_000
PAID = 2_000_000
sorts = pytest.mark.parametrize("sort", SORTS.values(), ids=list(SORTS))


@frozen
class Shop:
    bench: Workbench
    wallet_id: str
    address: str
    token: str

    def payment(self, **changes: Any) -> dict[str, Any]:
        params = {
            "from": self.wallet_id,
            "to": STRANGER,
            "asset": self.token,
            "amount_raw": str(PAID),
            "idempotency_key": "invoice-1",
        }
        return {key: value for key, value in (params | changes).items() if value}

    async def pay(self, **changes: Any) -> Any:
        return await self.bench.call("transfer.send", self.payment(**changes))

    async def estimate(self) -> Any:
        asked = self.payment(idempotency_key=None)
        return (await self.bench.call("transfer.estimate", asked)).cost

    async def trx(self) -> int:
        asked = {"wallet": self.wallet_id}
        return int((await self.bench.call("wallet.balance", asked)).balance_sun)

    async def held(self, address: str) -> int:
        asked = {"token": self.token, "address": address}
        return int((await self.bench.call("token.balance", asked)).balance_raw)

    async def history(self, asset: str) -> list[Any]:
        asked = {"address": self.address, "asset": asset}
        page = await self.bench.call("history.list", asked)
        return list(page.entries)


@asynccontextmanager
async def open_shop(symbol: str) -> AsyncIterator[Shop]:
    """A wallet with 100 TRX and some of the token, all solidified."""
    node = LocalNode(new_chain(symbol))
    async with open_shipped(node=node) as bench:
        made = await make_shop(bench)
        token = bench.ledger.tokens.called(symbol)
        assert token is not None
        fee = SORTS[symbol].fee_percent
        await bench.node.fund_token(
            Address.from_base58(made.address), token.address, HELD * 100 // (100 - fee)
        )
        await bench.settle()
        yield Shop(bench, made.wallet_id, made.address, token.address.base58)


def expected_state(sort: TokenSort) -> str:
    if sort.moves is Moves.NEVER or sort.form is EventForm.FOUR_TOPICS:
        return "refused"
    return "solidified" if sort.moves is Moves.ALWAYS else "unproven"


@sorts
async def test_each_sort_of_token_is_judged_by_what_it_does(sort: TokenSort) -> None:
    state = expected_state(sort)
    async with open_shop(sort.symbol) as shop:
        if state == "refused":
            for ask in (shop.pay, shop.estimate):
                with pytest.raises(WouldFail, match="no Transfer log"):
                    await ask()
            assert (await shop.bench.call("transfer.list")).payments == []
            return
        estimate = await shop.estimate()
        arrives = PAID - PAID * sort.fee_percent // 100
        assert estimate.arrives_raw == str(arrives)
        before, had = await shop.trx(), await shop.held(shop.address)
        sent = await shop.pay()
        await shop.bench.settle()
        paid = await shop.pay()
        assert (paid.state, paid.txid) == (state, sent.txid)
        assert before - await shop.trx() == int(paid.fee_sun)
        if state == "unproven":
            assert paid.arrived_raw == "0"
            assert await shop.held(STRANGER) == 0
            assert await shop.held(shop.address) == had
            return
        assert paid.fee_sun == estimate.total_burn_sun
        assert paid.arrived_raw == str(arrives)
        assert await shop.held(STRANGER) == arrives
        assert await shop.held(shop.address) == had - PAID
        out = [e for e in await shop.history(shop.token) if e.txid == paid.txid]
        assert sum(int(entry.amount) for entry in out) == PAID
        assert all(entry.success and entry.solidified for entry in out)


@sorts
async def test_a_deposit_of_each_sort_is_booked_as_its_logs_say(
    sort: TokenSort,
) -> None:
    """Its owner pays: that always moves, whatever it does for others."""
    async with open_shop(sort.symbol) as shop:
        got = [e for e in await shop.history(shop.token) if e.success]
        if sort.form is EventForm.FOUR_TOPICS:
            assert got == []
        else:
            assert [int(entry.amount) for entry in got] == [
                await shop.held(shop.address)
            ]
            assert [entry.unknown_token for entry in got] == [False]


async def test_what_is_unproven_is_listed_and_never_paid_again() -> None:
    async with open_shop("FICKLE") as shop:
        await shop.pay()
        await shop.bench.settle()
        [row] = (await shop.bench.call("tx.pending")).pending
        assert row.payment.state == "unproven"
        assert (row.safe_to_retry, row.dead, row.in_flight_until_ms) == (
            False,
            False,
            None,
        )
        for changes in ({}, {"pay_again": True}, {"check": True}):
            asked = {"txid": row.payment.txid, **changes}
            with pytest.raises(InDoubt, match="may or may not have paid"):
                await shop.bench.call("tx.retry", asked)
        asked = {"payment_id": row.payment.payment_id}
        status = await shop.bench.call("transfer.status", asked)
        assert status.state == "unproven"
        waited = await shop.pay(wait="solidified")
        assert (waited.state, waited.txid) == ("unproven", row.payment.txid)


async def test_a_sponsored_call_is_quoted_at_the_callers_part() -> None:
    async with open_shop("SPONSOR") as shop:
        estimate = await shop.estimate()
        assert estimate.energy == 28_297
        assert estimate.origin_energy == 19_807
        assert estimate.energy_burn_sun == "849000"


async def test_what_odd_tokens_are_called_is_shown_or_left_out() -> None:
    async def claims(symbol: str) -> tuple[Any, Any, Any]:
        async with open_shop(symbol) as shop:
            shown = await shop.bench.call("token.info", {"token": shop.token})
            return shown.name, shown.symbol, shown.decimals

    assert await claims("BYTES32") == ("Devnet Bytes32", "BYTES32", 6)
    assert await claims("EMPTY") == ("", "", 0)
    assert await claims("ABSENT") == (None, None, None)
    name, symbol, decimals = await claims("ABSURD")
    assert name == symbol
    assert name.isprintable()
    assert (len(name), decimals) == (300, None)
