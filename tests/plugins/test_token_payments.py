"""Paying with a token through the methods, on the chain's own InteropToken."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from attrs import frozen
from trio.testing import MockClock

from lucidtrond.api import (
    FailedOnChain,
    InsufficientFunds,
    InvalidInput,
    LimitTooLow,
    NodeUnavailable,
    RecipientRefused,
    TooLarge,
)
from lucidtrond.testing import Workbench
from lucidtrond.tron import trc20
from lucidtrond.tron.address import PREFIX, Address
from lucidtrond.tron.contracts_smart import Trigger
from lucidtrond.tron.transaction import RawData, Reference, Transaction
from lucidtrond.tron.units import Sun, UnixMillis
from tests.plugins.bench import STRANGER, make_shop, open_shipped

HELD = 5_000_000
NOBODY = Address(bytes([PREFIX, *bytes(20)])).base58
ENERGY_PRICE = 100
BYTE_PRICE = 1000


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
            "asset": "IUSD",
            "amount_raw": "2000000",
            "idempotency_key": "invoice-1",
            **changes,
        }
        return {key: value for key, value in params.items() if value is not None}

    async def pay(self, **changes: Any) -> Any:
        return await self.bench.call("transfer.send", self.payment(**changes))

    async def held(self, address: str) -> int:
        asked = {"token": self.token, "address": address}
        return int((await self.bench.call("token.balance", asked)).balance_raw)

    async def trx(self) -> int:
        asked = {"wallet": self.wallet_id}
        return int((await self.bench.call("wallet.balance", asked)).balance_sun)


@asynccontextmanager
async def open_shop() -> AsyncIterator[Shop]:
    """A wallet with 100 TRX and some of the token."""
    async with open_shipped() as bench:
        made = await make_shop(bench)
        [token] = bench.ledger.tokens
        address = Address.from_base58(made.address)
        await bench.node.fund_token(address, token.address, HELD)
        await bench.settle()
        yield Shop(bench, made.wallet_id, made.address, token.address.base58)


async def test_a_token_payment_moves_what_it_says_and_costs_what_was_estimated(
    autojump_clock: MockClock,
) -> None:
    async with open_shop() as shop:
        asked = shop.payment(idempotency_key=None)
        estimate = await shop.bench.call("transfer.estimate", asked)
        assert (estimate.symbol, estimate.decimals) == ("IUSD", 6)
        assert estimate.asset == shop.token
        before = await shop.trx()
        sent = await shop.pay()
        assert (sent.state, sent.asset) == ("pending", shop.token)
        assert sent.fee_limit_sun == estimate.cost.fee_limit_sun
        await shop.bench.settle()
        paid = await shop.pay()
        assert (paid.state, paid.txid) == ("solidified", sent.txid)
        assert await shop.held(STRANGER) == 2_000_000
        assert await shop.held(shop.address) == HELD - 2_000_000
        burned = before - await shop.trx()
        assert burned == int(estimate.cost.total_burn_sun) == int(paid.fee_sun)
        assert burned == int(estimate.cost.energy_burn_sun) > 0
        listed = await shop.bench.call("wallet.history", {"wallet": shop.wallet_id})
        entry = listed.entries[0]
        assert entry.energy_used == estimate.cost.energy
        assert entry.bandwidth_used == estimate.cost.bandwidth_bytes
        limit = int(estimate.cost.fee_limit_sun)
        assert limit == burned * 120 // 100


async def test_a_dry_run_says_what_it_would_cost_and_does_nothing(
    autojump_clock: MockClock,
) -> None:
    async with open_shop() as shop:
        checked = await shop.pay(check=True, wait="solidified")
        assert (checked.state, checked.txid) == ("checked", None)
        energy = int(checked.fee_limit_sun) // ENERGY_PRICE * ENERGY_PRICE
        asked = shop.payment(idempotency_key=None)
        size = (await shop.bench.call("transfer.estimate", asked)).cost.bandwidth_bytes
        assert int(checked.burn_sun) == energy + size * BYTE_PRICE
        assert (await shop.bench.call("transfer.list")).payments == []
        with pytest.raises(InsufficientFunds):
            await shop.pay(check=True, amount_raw=str(HELD + 1))
        sent = await shop.pay()
        assert sent.payment_id == checked.payment_id
        assert (await shop.pay(check=True)).txid == sent.txid


@pytest.mark.parametrize(
    ("changes", "error", "problem"),
    [
        ({"amount_raw": str(HELD + 1)}, InsufficientFunds, "token balance"),
        (
            {"fee_limit_sun": "1000"},
            LimitTooLow,
            r"needs a fee limit of \d+ sun.* 1000",
        ),
        ({"max_burn_sun": "1000"}, LimitTooLow, r"could burn \d+ sun.* burn 1000"),
        ({"asset": NOBODY}, InvalidInput, "asset: there is no TRC-20 token at"),
        ({"asset": "USDX"}, InvalidInput, r"known symbol \(IUSD\), got 'USDX'"),
        ({"amount_sun": "1", "amount_raw": None}, InvalidInput, "takes amount_raw"),
        ({"asset": "TRX"}, InvalidInput, "TRX takes amount_sun"),
        ({"amount_raw": str(2**256)}, InvalidInput, "amount_raw: expected at most"),
    ],
)
async def test_what_the_token_or_a_limit_would_refuse_is_refused_before_signing(
    changes: dict[str, Any],
    error: type[Exception],
    problem: str,
    autojump_clock: MockClock,
) -> None:
    async with open_shop() as shop:
        with pytest.raises(error, match=problem):
            await shop.pay(**changes)
        assert (await shop.bench.call("transfer.list")).payments == []


async def test_a_limit_that_is_too_low_is_told_with_both_figures(
    autojump_clock: MockClock,
) -> None:
    async with open_shop() as shop:
        with pytest.raises(LimitTooLow) as caught:
            await shop.pay(fee_limit_sun="1000")
        data = caught.value.data
        assert data["fee_limit_sun"] == "1000"
        paid = await shop.pay(fee_limit_sun=data["needed_sun"])
        assert paid.fee_limit_sun == data["needed_sun"]
        await shop.bench.settle()
        assert (await shop.pay(fee_limit_sun=data["needed_sun"])).state == "solidified"


async def test_neither_a_token_nor_any_contract_is_paid_by_mistake(
    autojump_clock: MockClock,
) -> None:
    async with open_shop() as shop:
        with pytest.raises(RecipientRefused, match="the contract of IUSD"):
            await shop.pay(to=shop.token)
        with pytest.raises(RecipientRefused, match="itself"):
            await shop.pay(to=shop.address)
        trx = {"asset": "TRX", "amount_raw": None, "amount_sun": "1"}
        with pytest.raises(RecipientRefused, match="the contract of IUSD"):
            await shop.pay(to=shop.token, **trx)


async def test_a_memo_too_long_for_a_new_account_is_refused_before_signing(
    autojump_clock: MockClock,
) -> None:
    async with open_shop() as shop:
        trx = {"asset": "TRX", "amount_raw": None, "amount_sun": "1"}
        with pytest.raises(TooLarge, match="may have 1000 bytes; this has") as caught:
            await shop.pay(memo="x" * 1000, **trx)
        fits = 1000 - (caught.value.data["bytes"] - 1000)
        with pytest.raises(TooLarge):
            await shop.pay(memo="x" * (fits + 1), **trx)
        sent = await shop.pay(memo="x" * fits, **trx)
        assert (sent.state, sent.broadcast_code) == ("pending", "SUCCESS")


async def test_who_has_the_token_but_no_trx_is_told_what_is_missing(
    autojump_clock: MockClock,
) -> None:
    async with open_shop() as shop:
        poor = await shop.bench.call("wallet.create", {"label": "poor"})
        await shop.pay(to=poor.address)
        await shop.bench.settle()
        await shop.bench.fund(poor.address, 1)
        with pytest.raises(InsufficientFunds) as caught:
            await shop.pay(**{"from": poor.wallet_id, "idempotency_key": "x"})
        data = caught.value.data
        assert (data["available_sun"], data["needed_sun"]) == ("1", data["burned_sun"])


async def test_a_payment_that_reverts_in_its_block_ends_as_failed_with_reason_and_cost(
    autojump_clock: MockClock,
) -> None:
    async with open_shop() as shop:
        node = shop.bench.node
        node.trouble_with_broadcasts = NodeUnavailable("local", 1)
        assert (await shop.pay(amount_raw=str(HELD))).state == "pending"
        node.trouble_with_broadcasts = None
        # The wallet's tokens leave by a transaction that no journal knows of.
        owner = Address.from_base58(shop.address)
        data = trc20.transfer(Address.from_base58(STRANGER), 1)
        head = await node.fetch_head()
        raw = RawData(
            Trigger(owner, Address.from_base58(shop.token), data),
            Reference.to_block(head.id),
            expiration=UnixMillis(head.timestamp + 60_000),
            timestamp=head.timestamp,
            fee_limit=Sun(10_000_000),
        ).encode()
        digest = Transaction(raw).digest
        signature = await shop.bench.vault.sign(owner, digest)
        answer = await node.broadcast(Transaction(raw, (signature,)))
        assert answer.code == "SUCCESS"
        await shop.bench.mine(4)
        await shop.bench.handled()
        await shop.bench.settle()
        await shop.bench.sender.acknowledge([answer.txid])
        failed = await shop.pay(amount_raw=str(HELD))
        assert (failed.state, failed.safe_to_retry) == ("failed", True)
        assert "REVERT" in failed.reason
        assert int(failed.fee_sun) > 0
        assert await shop.held(shop.address) == HELD - 1
        events = await shop.bench.events("transaction")
        states = [json.loads(event.payload)["payment"]["state"] for event in events]
        assert states[-2:] == ["included", "failed"]
        with pytest.raises(InsufficientFunds, match="token balance"):
            await shop.pay(amount_raw=str(HELD), idempotency_key="again")
        again = {"txid": failed.txid}
        with pytest.raises(FailedOnChain, match=f"cost {failed.fee_sun} sun") as caught:
            await shop.bench.call("tx.retry", again)
        assert caught.value.data["fee_sun"] == failed.fee_sun
        again["pay_again"] = True
        with pytest.raises(InsufficientFunds, match="token balance"):
            await shop.bench.call("tx.retry", again)
        token = Address.from_base58(shop.token)
        await node.fund_token(owner, token, 1)
        await shop.bench.settle()
        renewed = await shop.bench.call("tx.retry", again)
        assert (renewed.original_txid, renewed.action) == (failed.txid, "paid_anew")
        assert renewed.txid != failed.txid
        assert renewed.payment.payment_id == failed.payment_id
        assert renewed.payment.attempt == 2
        await shop.bench.settle()
        assert (await shop.pay(amount_raw=str(HELD))).state == "solidified"
        assert await shop.held(shop.address) == 0


async def test_all_of_a_token_may_leave_in_two_payments_at_once(
    autojump_clock: MockClock,
) -> None:
    """The first is in the pool, so in the balance, and under way: not taken twice."""
    async with open_shop() as shop:
        half = {"amount_raw": str(HELD // 2)}
        await shop.pay(**half)
        await shop.pay(**half, idempotency_key="b")
        with pytest.raises(InsufficientFunds):
            await shop.pay(amount_raw="1", idempotency_key="c")
        await shop.bench.settle()
        assert await shop.held(STRANGER) == HELD


async def test_many_payments_at_once_take_no_more_than_there_is_fees_included(
    autojump_clock: MockClock,
) -> None:
    async with open_shop() as shop:
        accepted: list[Any] = []
        left: list[int] = []
        trx = {"asset": "TRX", "amount_raw": None, "amount_sun": "10000000"}

        async def pay(number: int) -> None:
            to = Address(bytes([PREFIX, number]) + bytes(19)).base58
            try:
                paid = await shop.pay(**trx, to=to, idempotency_key=f"{number}")
            except InsufficientFunds as error:
                left.append(int(error.data["available_sun"]))
            else:
                accepted.append(paid)

        async with trio.open_nursery() as nursery:
            for number in range(1, 21):
                nursery.start_soon(pay, number)
        assert len(accepted) == 9  # of 11.1 TRX each, out of a hundred
        assert set(left) == {100_000}
        assert {sent.broadcast_code for sent in accepted} == {"SUCCESS"}
        await shop.bench.settle()
        listed = (await shop.bench.call("transfer.list", {"limit": 100})).payments
        assert [listed_payment.state for listed_payment in listed] == ["solidified"] * 9
