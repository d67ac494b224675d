"""A new order is journaled once for its key, or refused before the journal."""

from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from lucidtrond.errors import (
    Conflict,
    InsufficientFunds,
    InvalidInput,
    KeystoreLocked,
    LimitTooLow,
    LucidError,
    NodeError,
    NoSuchKey,
    RecipientRefused,
    WouldFail,
)
from lucidtrond.events.types import Payment
from lucidtrond.tron import trc20
from lucidtrond.tron.account import Resources
from lucidtrond.tron.contracts_smart import Trigger
from lucidtrond.tron.transaction import decode_raw
from lucidtrond.tron.units import Sun
from tests.chain.model import address
from tests.sending.model import (
    OWNERS,
    TO,
    TOKEN,
    pay,
    process,
)


async def test_the_same_key_finds_the_same_payment_whatever_the_balance_is() -> None:
    async with process() as made:
        first = await pay(made)
        made.chain.balance = 0
        made.signer.locked = True
        assert await pay(made) == first
        with pytest.raises(Conflict):
            await pay(made, amount=6)
        with pytest.raises(Conflict):
            await pay(made, memo=b"x")
        with pytest.raises(Conflict):
            await pay(made, to=address(78))
        await made.mine(25)
        assert (await pay(made)).state == "solidified"
        assert made.chain.included() == [first.txid]


async def test_a_thousand_equal_intents_with_different_keys_are_a_thousand_payments(
    tmp_path: Path,
) -> None:
    async with process(tmp_path / "db") as made:
        payments: list[Payment] = []

        async def one(number: int) -> None:
            payments.append(await pay(made, str(number)))

        async with trio.open_nursery() as nursery:
            for number in range(1000):
                nursery.start_soon(one, number)
        assert {payment.state for payment in payments} == {"pending"}
        await made.mine(25)
        assert len(set(made.chain.included())) == len(made.chain.included()) == 1000
        page, _ = await made.sender.payments(limit=1000)
        assert {payment.state for payment in page} == {"solidified"}


async def test_a_thousand_intents_with_one_key_are_one_payment() -> None:
    async with process() as made:
        async with trio.open_nursery() as nursery:
            for _ in range(1000):
                nursery.start_soon(pay, made)
        await made.mine(25)
        assert len(made.chain.included()) == 1
        assert made.signer.signatures == 1


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        ({"owner": address(5)}, NoSuchKey),
        ({"to": OWNERS[0]}, RecipientRefused),
        ({"amount": 0}, InvalidInput),
        ({"amount": 2**63}, InvalidInput),
        ({"asset": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"}, InvalidInput),
        ({"lifetime_ms": 1}, InvalidInput),
        ({"lifetime_ms": 86_400_001}, InvalidInput),
        ({"fee_limit": Sun(1)}, InvalidInput),
        ({"key": ""}, InvalidInput),
        ({"amount": 10**15}, InsufficientFunds),
        ({"max_burn": Sun(999_999), "memo": b"x"}, LimitTooLow),
    ],
)
async def test_what_can_not_be_paid_is_refused_and_nothing_is_journaled(
    spoil: dict[str, Any], error: type[LucidError]
) -> None:
    async with process() as made:
        made.chain.resources = Resources()
        with pytest.raises(error):
            await pay(made, **spoil)
        assert await made.sender.payments() == ([], None)
        assert made.chain.broadcasts == []


@pytest.mark.parametrize(
    ("chain", "spoil", "error", "words"),
    [
        ({"refuses": "blacklisted"}, {}, WouldFail, "refuses .*: blacklisted"),
        ({"simulated": 0}, {}, WouldFail, "no Transfer log"),
        ({"tokens": 4}, {}, InsufficientFunds, "token balance"),
        ({"balance": 2_999_999}, {}, InsufficientFunds, "burns"),
        ({"energy": 300_001}, {}, LimitTooLow, "30000100 sun, .* 30000000"),
        ({}, {"fee_limit": Sun(2_999_999)}, LimitTooLow, "3000000 sun, .* 2999999"),
        ({}, {"max_burn": Sun(3_599_999)}, LimitTooLow, "burn 3600000 sun"),
        ({}, {"to": TOKEN}, RecipientRefused, "own contract"),
        ({}, {"asset": OWNERS[1].base58}, InvalidInput, "no TRC-20"),
        ({}, {"asset": "USDT"}, InvalidInput, "expected TRX or the address"),
        ({"contracts": (TO,)}, {"asset": "TRX"}, RecipientRefused, "contract"),
    ],
)
async def test_a_token_payment_that_would_go_wrong_is_refused_before_the_journal(
    chain: dict[str, Any], spoil: dict[str, Any], error: type[LucidError], words: str
) -> None:
    async with process() as made:
        for name, value in chain.items():
            setattr(made.chain, name, value)
        asked = {"asset": TOKEN.base58, **spoil}
        with pytest.raises(error, match=words):
            await pay(made, **asked)
        assert await made.sender.payments() == ([], None)
        assert made.signer.signatures == 0


async def test_a_token_payment_calls_the_contract_with_a_limit_and_a_margin() -> None:
    async with process() as made:
        made.chain.balance = 3_000_000  # just what it takes, without the margin
        sent = await pay(made, asset=TOKEN.base58)
        assert (sent.fee_limit_sun, sent.burn_sun) == ("3600000", "3945000")
        await made.mine()
        [each] = made.chain.blocks[1].transactions
        raw = decode_raw(each.transaction.raw)
        assert raw.contract == Trigger(OWNERS[0], TOKEN, trc20.transfer(TO, 5))
        assert raw.fee_limit == 3_600_000
        with pytest.raises(Conflict):
            await pay(made, asset=TOKEN.base58, fee_limit=Sun(3_600_000))


async def test_a_locked_keystore_is_said_and_nothing_is_journaled() -> None:
    async with process() as made:
        made.signer.locked = True
        with pytest.raises(KeystoreLocked):
            await pay(made)
        assert await made.sender.payments() == ([], None)
        made.signer.locked = False
        assert (await pay(made)).state == "pending"


async def test_the_funds_check_counts_activation_memo_and_bandwidth() -> None:
    async with process() as made:
        chain = made.chain
        chain.activated = False
        cases = [
            # balance, resources, memo, what else is needed
            (1_100_004, Resources(free_net_limit=600), b"", 1_100_000),
            (1_000_004, Resources(net_limit=600), b"", 1_000_000),
            (2_100_004, Resources(free_net_limit=600), b"x", 2_100_000),
        ]
        for balance, resources, memo, burn in cases:
            chain.balance, chain.resources = balance, resources
            with pytest.raises(InsufficientFunds) as raised:
                await pay(made, memo=memo)
            assert raised.value.data == {
                "needed_sun": str(5 + burn),
                "available_sun": str(balance),
                "burned_sun": str(burn),
            }
            chain.balance += 1
            assert (await pay(made, str(balance), memo=memo)).state == "pending"
            await made.mine(20)
        chain.activated = True
        chain.resources = Resources(free_net_limit=264)
        chain.balance = 5
        with pytest.raises(InsufficientFunds) as raised:
            await pay(made)
        assert raised.value.data["burned_sun"] == "265000"
        chain.resources = Resources(free_net_limit=265)
        assert (await pay(made)).state == "pending"


async def test_no_node_means_an_error_and_nothing_journaled() -> None:
    async with process() as made:
        made.ledger.set_synced(synced=False)

        def fail(_: str) -> None:
            raise NodeError("down")

        made.chain.before_answer = fail
        with pytest.raises(NodeError):
            await pay(made)
        assert await made.sender.payments() == ([], None)
