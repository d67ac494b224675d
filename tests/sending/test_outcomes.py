"""What blocks say of payments: included, taken back, final, or dead."""

import pytest

from lucidtrond.sending.tag import EXPIRATION_STEP_MS
from lucidtrond.tron.contracts import Transfer
from lucidtrond.tron.transaction import decode_raw
from lucidtrond.tron.units import Sun
from tests.chain.model import transfer
from tests.sending.model import (
    OWNERS,
    TO,
    drive,
    must_find,
    pay,
    process,
    states,
)


async def test_a_payment_goes_from_queued_to_solidified_with_an_event_each() -> None:
    async with process() as made:
        sent = await pay(made, memo=b"rent")
        assert (sent.state, sent.broadcast_code) == ("pending", "SUCCESS")
        assert sent.in_flight_until_ms == sent.expiration_ms
        assert sent.expiration_ms is not None
        early = made.head_time() + 120_000 - sent.expiration_ms
        assert 0 <= early < EXPIRATION_STEP_MS
        await made.mine()
        included = await must_find(made)
        assert (included.state, included.block_number) == ("included", 1)
        assert included.fee_sun == "1000"
        await made.mine(19)
        settled = await must_find(made)
        assert (settled.state, settled.safe_to_retry) == ("solidified", False)
        assert await states(made) == [
            "queued",
            "signed",
            "pending",
            "included",
            "solidified",
        ]
        [each] = made.chain.blocks[1].transactions
        raw = decode_raw(each.transaction.raw)
        assert raw.contract == Transfer(OWNERS[0], TO, Sun(5))
        assert raw.memo == b"rent"
        assert made.chain.broadcasts == [sent.txid]


@pytest.mark.parametrize(
    "code", ["SIGERROR", "CONTRACT_VALIDATE_ERROR", "TOO_BIG_TRANSACTION_ERROR"]
)
async def test_a_refusal_is_no_verdict_until_solid_time_passes_expiration(
    code: str,
) -> None:
    async with process() as made:
        made.chain.reply = lambda _: code
        sent = await pay(made)
        made.chain.pool.clear()
        assert (sent.state, sent.broadcast_code) == ("pending", code)
        assert sent.reason is not None
        assert code in sent.reason
        blocks = 0
        while (payment := await must_find(made)).state != "expired":
            assert not payment.safe_to_retry
            made.chain.pool.clear()
            await made.mine()
            blocks += 1
            assert blocks < 100
        # 120 s are 40 blocks, and the solid head is 19 behind.
        assert blocks == 59
        assert payment.safe_to_retry
        assert payment.in_flight_until_ms is None
        assert payment.reason is not None
        assert "proven dead" in payment.reason
        assert len(made.chain.broadcasts) <= 5


async def test_the_wall_clock_and_the_head_alone_prove_no_death() -> None:
    async with process() as made:
        made.chain.reply = lambda _: "drop"
        await pay(made)
        made.clock.now = 2**50
        for _ in range(80):
            made.chain.grow()  # solid stays at 0
        await made.level()
        assert (await must_find(made)).state == "pending"
        made.chain.solidify(39)
        await made.level()
        assert (await must_find(made)).state == "pending"
        made.chain.solidify(40)
        await made.level()
        assert (await must_find(made)).state == "expired"


async def test_what_a_fork_took_back_is_said_and_sent_again() -> None:
    async with process() as made:
        sent = await pay(made)
        await made.mine()
        made.chain.fork_and_repool(1, salt=1, forget=True)
        await made.follower._turn()
        assert (await must_find(made)).state == "reverted"
        await drive(made.sender, everything=False)
        assert (await must_find(made)).state == "pending"
        await made.mine(25)
        assert (await must_find(made)).state == "solidified"
        assert made.chain.included() == [sent.txid]
        assert await states(made) == [
            "queued",
            "signed",
            "pending",
            "included",
            "reverted",
            "pending",
            "included",
            "solidified",
        ]


async def test_a_stranger_with_our_memo_is_no_payment_of_ours() -> None:
    async with process() as made:
        made.chain.grow(transfer(owner=OWNERS[0], to=TO, amount=5))
        await made.level()
        assert await made.sender.payments() == ([], None)
