"""Paying through the method: what is refused, what waits, what the key finds."""

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from lucidtrond.api import (
    Conflict,
    InDoubt,
    InsufficientFunds,
    InvalidInput,
    KeystoreLocked,
    NoSuchKey,
    NotFound,
    RecipientRefused,
)
from lucidtrond_transfers import MEMO_BYTES, PATIENCE_S, TIMEOUT_S
from tests.plugins.bench import (
    ACTIVATION_BURN,
    FUNDS,
    NO_TXID,
    STRANGER,
    make_shop,
    open_shipped,
    payment,
)


async def test_one_key_pays_once_and_always_finds_the_same(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        first = await bench.call("transfer.send", payment(shop))
        again = await bench.call("transfer.send", payment(shop))
        assert again.txid == first.txid
        by_address = {**payment(shop), "from": shop.address}
        assert (await bench.call("transfer.send", by_address)).txid == first.txid
        await bench.settle()
        final = await bench.call("transfer.send", payment(shop, wait="solidified"))
        assert (final.state, final.txid) == ("solidified", first.txid)
        left = await bench.call("wallet.balance", {"wallet": shop.wallet_id})
        assert int(left.balance_sun) == FUNDS - 1_000_000 - ACTIVATION_BURN
        with pytest.raises(Conflict):
            await bench.call("transfer.send", payment(shop, amount_sun="1000001"))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"amount_sun": 1_000_000}, r"Expected `str . null`, got `int` - at .*amount"),
        ({"amount_sun": 1.5}, r"Expected `str . null`, got `float` - at .*amount_sun"),
        ({"amount_sun": "1.5"}, "amount_sun: expected a string of digits .*'1.5'"),
        ({"amount_sun": "0"}, "amount_sun: expected more than 0, got '0'"),
        ({"amount_sun": "-1"}, "amount_sun: expected a string of digits"),
        (
            {"amount_sun": str(2**63)},
            "amount_sun: expected at most 9223372036854775807",
        ),
        ({"amount_sun": None}, "exactly one of amount_sun and amount_raw, got none"),
        ({"amount_raw": "5"}, "exactly one of amount_sun and amount_raw, got both"),
        (
            {"amount_sun": None, "amount_raw": "5"},
            "amount_raw belongs to a token; TRX takes amount_sun",
        ),
        (
            {"asset": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"},
            "amount_sun belongs to TRX; a token takes amount_raw",
        ),
        ({"to": STRANGER[:-1] + "x"}, "to: base58: the checksum does not fit"),
        ({"to": "shop"}, "to: expected base58"),
        ({"from": "shop"}, "from: expected base58"),
        ({"idempotency_key": ""}, "idempotency_key"),
        ({"idempotency_key": "k" * 201}, "idempotency_key"),
        ({"idempotency_key": None}, "missing required field `idempotency_key`"),
        ({"memo": "x" * 1025}, "memo"),
        ({"memo": "é" * 513}, "memo: expected at most 1024 bytes, got 1026"),
        ({"expires_s": 0}, "expires_s"),
        ({"expires_s": 10}, r"Expected `float` >= 12.0 - at `\$.expires_s`"),
        ({"give_up_s": 100}, "give_up_s: expected at least .* lifetime .120 s., got"),
        ({"wait": "final"}, "wait"),
        ({"fee_limit_sun": "1000"}, "TRX payments use no energy"),
        ({"max_burn_sun": "0"}, "max_burn_sun: expected more than 0"),
        ({"password": "x"}, "unknown field `password`"),
    ],
)
async def test_what_can_be_no_payment_is_refused_and_nothing_is_kept(
    changes: dict[str, Any], problem: str, autojump_clock: MockClock
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        with pytest.raises(InvalidInput, match=problem):
            await bench.call("transfer.send", payment(shop, **changes))
        assert (await bench.call("transfer.list")).payments == []


async def test_who_can_not_pay_is_told_why(autojump_clock: MockClock) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        with pytest.raises(NotFound, match="no wallet w_0"):
            await bench.call("transfer.send", payment(shop, **{"from": "w_0"}))
        foreign = {"from": STRANGER, "to": shop.address}
        with pytest.raises(NoSuchKey):
            await bench.call("transfer.send", payment(shop, **foreign))
        with pytest.raises(RecipientRefused):
            await bench.call("transfer.send", payment(shop, to=shop.address))
        with pytest.raises(InsufficientFunds) as caught:
            await bench.call("transfer.send", payment(shop, amount_sun=str(FUNDS)))
        assert caught.value.data["available_sun"] == str(FUNDS)
        await bench.call("keystore.lock")
        with pytest.raises(KeystoreLocked):
            await bench.call("transfer.send", payment(shop))
        assert (await bench.call("transfer.list")).payments == []


@pytest.mark.parametrize("until", ["included", "solidified"])
async def test_waiting_ends_with_what_was_waited_for(
    until: str, autojump_clock: MockClock
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        async with trio.open_nursery() as nursery:
            done: list[Any] = []

            async def pay() -> None:
                params = payment(shop, wait=until)
                done.append(await bench.call("transfer.send", params))

            nursery.start_soon(pay)
            await bench.handled()
            assert done == []
            await bench.mine()
            await bench.handled()
            assert [sent.state for sent in done] == ["included"] * (until == "included")
            await bench.settle()
        assert [sent.state for sent in done] == [until]


async def test_a_caller_that_goes_away_cancels_only_its_waiting(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        with trio.move_on_after(1):
            await bench.call("transfer.send", payment(shop, wait="solidified"))
        await bench.settle()
        shown = await bench.call("transfer.status", {"idempotency_key": "invoice-1"})
        assert shown.state == "solidified"


async def test_who_waits_too_long_hears_what_to_ask_later(
    autojump_clock: MockClock,
) -> None:
    assert PATIENCE_S < TIMEOUT_S, "its own answer comes before the dispatcher's"
    async with open_shipped(poll_s=5) as bench:
        shop = await make_shop(bench)
        with pytest.raises(InDoubt, match="the same idempotency key") as caught:
            await bench.call("transfer.send", payment(shop, wait="included"))
        data = caught.value.data
        waited = await bench.call("transfer.status", {"payment_id": data["payment_id"]})
        assert (waited.txid, waited.state) == (data["txid"], "pending")
        assert data["in_flight_until_ms"] == waited.expiration_ms


async def test_a_payment_is_found_by_each_of_its_names(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        sent = await bench.call("transfer.send", payment(shop))
        for name in ("payment_id", "txid", "idempotency_key"):
            shown = await bench.call("transfer.status", {name: getattr(sent, name)})
            assert shown == sent
        with pytest.raises(InvalidInput, match=r"exactly one of .*, got 0"):
            await bench.call("transfer.status")
        with pytest.raises(InvalidInput, match=r"exactly one of .*, got 2"):
            await bench.call(
                "transfer.status", {"txid": sent.txid, "payment_id": sent.payment_id}
            )
        with pytest.raises(NotFound):
            await bench.call("transfer.status", {"txid": NO_TXID})


async def test_the_list_is_newest_first_and_can_be_narrowed(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop, other = await make_shop(bench), await make_shop(bench)
        for number in range(3):
            key = f"k{number}"
            await bench.call("transfer.send", payment(shop, idempotency_key=key))
        await bench.settle()
        await bench.call("transfer.send", payment(other, idempotency_key="k3"))
        keys: list[str] = []
        cursor = None
        while True:
            page = await bench.call("transfer.list", {"limit": 3, "cursor": cursor})
            keys += [payment.idempotency_key for payment in page.payments]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert keys == ["k3", "k2", "k1", "k0"]
        mine = await bench.call("transfer.list", {"from": shop.wallet_id})
        assert [payment.idempotency_key for payment in mine.payments] == [
            "k2",
            "k1",
            "k0",
        ]
        open_ones = await bench.call("transfer.list", {"unresolved": True})
        assert [payment.idempotency_key for payment in open_ones.payments] == ["k3"]


async def test_a_payment_may_be_in_flight_as_long_as_was_asked(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        head = bench.ledger.position().head
        assert head is not None
        sent = await bench.call("transfer.send", payment(shop, expires_s=12.5))
        assert sent.expiration_ms is not None
        # A tag of the key is in its low bits.
        assert 0 <= head.timestamp + 12_500 - sent.expiration_ms < 1024


async def test_the_longest_memo_fits(autojump_clock: MockClock) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        memo = "é" * (MEMO_BYTES // 2)
        # To somebody with an account: one that makes it may have 1,000 bytes only
        # (getMaxCreateAccountTxSize).
        recipient = bench.node.info()["accounts"][0]["address"]
        sent = await bench.call("transfer.send", payment(shop, to=recipient, memo=memo))
        await bench.settle()
        shown = await bench.call("tx.get", {"txid": sent.txid})
        assert bytes.fromhex(shown.memo_hex).decode() == memo


async def test_a_memo_is_paid_for_and_shown(autojump_clock: MockClock) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        sent = await bench.call("transfer.send", payment(shop, memo="für Öl"))
        await bench.settle()
        assert bytes.fromhex(sent.memo_hex).decode() == "für Öl"
        [entry, _] = (
            await bench.call("history.list", {"address": shop.address})
        ).entries
        assert entry.memo_hex == sent.memo_hex
        assert int(entry.fee_sun) == ACTIVATION_BURN + 1_000_000
