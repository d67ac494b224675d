"""The sender over a real database and a model chain: nothing is paid twice."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from lucidtrond.errors import (
    AlreadyFinal,
    CommitUnknown,
    Conflict,
    Expired,
    InDoubt,
    InsufficientFunds,
    InvalidInput,
    KeystoreLocked,
    LimitTooLow,
    LucidError,
    NodeError,
    NoSuchKey,
    NotFound,
    RecipientRefused,
    StoreError,
    WouldFail,
)
from lucidtrond.events.types import Payment
from lucidtrond.tron import trc20
from lucidtrond.tron.account import Resources
from lucidtrond.tron.contracts import Transfer
from lucidtrond.tron.contracts_smart import Trigger
from lucidtrond.tron.transaction import Transaction, TxId, decode_raw
from lucidtrond.tron.units import Sun
from tests.chain.model import Crash, address, emitted, transfer
from tests.sending.model import OWNERS, TO, TOKEN, Process, drive, pay, process


async def must_find(made: Process, key: str = "a") -> Payment:
    payment = await made.sender.find(key=key)
    assert payment is not None
    return payment


async def states(made: Process) -> list[str]:
    events = await made.store.read(lambda tx: emitted(tx, "transaction"))
    return [event["payment"]["state"] for event in events]


async def test_a_payment_goes_from_queued_to_solidified_with_an_event_each() -> None:
    async with process() as made:
        sent = await pay(made, memo=b"rent")
        assert (sent.state, sent.broadcast_code) == ("pending", "SUCCESS")
        assert sent.in_flight_until_ms == sent.expiration_ms
        assert sent.expiration_ms == made.head_time() + 120_000
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


async def test_a_lost_reply_leaves_it_pending_and_the_same_bytes_are_sent_again() -> (
    None
):
    async with process() as made:
        made.chain.reply = lambda _: "lost request"
        sent = await pay(made)
        assert (sent.state, sent.broadcast_code) == ("pending", None)
        assert sent.reason is not None
        assert not sent.safe_to_retry
        made.chain.reply = lambda _: "take"
        await made.mine(2)
        assert made.chain.included() == [sent.txid]
        assert set(made.chain.broadcasts) == {sent.txid}


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


async def test_bytes_are_sent_again_after_a_while_but_not_every_block() -> None:
    async with process() as made:
        made.chain.reply = lambda _: "drop"
        await pay(made)
        for _ in range(38):
            made.chain.grow()
            await made.level()
            await made.turn()
        # 114 s: at once, after 20 s, after 60 s, after another 60 s not yet.
        assert len(made.chain.broadcasts) == 3


async def test_after_a_restart_what_was_signed_is_sent_again_though_locked() -> None:
    async with process() as made:
        made.chain.reply = lambda _: "drop"
        sent = await pay(made)
        made.signer.locked = True
        await made.start()
        await made.turn()
        await made.mine()
        assert made.chain.included() == [sent.txid]


async def test_bytes_that_no_block_can_take_any_more_are_not_sent() -> None:
    async with process() as made:
        made.chain.reply = lambda _: "drop"
        sent = await pay(made)
        for _ in range(40):
            made.chain.grow()
        await made.level()
        assert sent.expiration_ms == made.head_time()
        made.chain.broadcasts.clear()
        await made.start()
        await made.turn()
        await made.turn()
        assert (await must_find(made)).state == "pending"
        assert made.chain.broadcasts == []


async def test_what_was_accepted_but_not_signed_waits_for_the_keystore() -> None:
    async with process() as made:
        made.signer.locks_first = True
        sent = await pay(made)
        assert (sent.state, sent.txid is not None) == ("queued", True)
        await made.mine(2)
        assert made.chain.broadcasts == []
        made.signer.locked = False
        await made.mine(2)
        assert made.chain.included() == [sent.txid]


async def test_a_store_that_refuses_stops_nothing_but_an_unknown_commit_does() -> None:
    async with process() as made:
        made.chain.reply = lambda _: "lost request"
        sent = await pay(made)
        made.chain.grow()
        await made.follower._turn()
        made.store.nth, made.store.error = 0, StoreError
        await drive(made.sender, everything=True)
        made.chain.grow()
        await made.follower._turn()
        made.chain.reply = lambda _: "take"
        made.store.nth, made.store.error, made.store.after = 0, CommitUnknown, True
        with pytest.RaisesGroup(CommitUnknown):
            await drive(made.sender, everything=True)
        await made.mine(25)
        assert made.chain.included() == [sent.txid]


async def test_when_the_first_byte_leaves_the_journal_holds_it(tmp_path: Path) -> None:
    async with process(tmp_path / "db") as made:
        held: list[bytes] = []

        def look(transaction: Transaction) -> str:
            with closing(sqlite3.connect(tmp_path / "db")) as other:
                rows = other.execute(
                    "SELECT raw, signature FROM sending_attempt WHERE txid = ?",
                    (transaction.digest,),
                ).fetchall()
            held.extend(
                Transaction(raw, (signature,)).encode() for raw, signature in rows
            )
            assert held[-1] == transaction.encode()
            return "take"

        made.chain.reply = look
        await pay(made)
        assert len(held) == 1


async def test_what_is_never_signed_expires() -> None:
    async with process() as made:
        made.store.nth = 1  # the signature's write
        with pytest.raises(Crash):
            await pay(made)
        made.signer.locked = True
        await made.start()
        await made.mine(60)
        assert (await must_find(made)).state == "expired"
        made.signer.locked = False
        await made.mine(5)
        assert made.chain.broadcasts == []


async def test_waiting_ends_at_the_goal_or_at_an_end_that_is_none() -> None:
    async with process() as made:
        first = await pay(made, "lands")
        made.chain.reply = lambda _: "drop"
        second = await pay(made, "never lands")
        ended: dict[tuple[str, str], str] = {}

        async def wait(payment: Payment, until: str) -> None:
            done = await made.sender.wait(payment.payment_id, until=until)
            ended[payment.idempotency_key, until] = done.state

        async with trio.open_nursery() as nursery:
            for payment in (first, second):
                for until in ("included", "solidified"):
                    nursery.start_soon(wait, payment, until)
            await made.mine()
            await trio.testing.wait_all_tasks_blocked(0.01)
            assert ended == {("lands", "included"): "included"}
            made.chain.reply = lambda _: "drop"
            await made.mine(70)
        assert ended == {
            ("lands", "included"): "included",
            ("lands", "solidified"): "solidified",
            ("never lands", "included"): "expired",
            ("never lands", "solidified"): "expired",
        }
        with pytest.raises(NotFound):
            await made.sender.wait("nothing", until="included")
        with pytest.raises(InvalidInput):
            await made.sender.wait(first.payment_id, until="tomorrow")
        assert made.sender.outcomes._recorder._changed == {}


async def test_rebroadcasting_by_hand_sends_the_same_bytes_or_says_why_not() -> None:
    async with process() as made:
        made.chain.reply = lambda _: "drop"
        lost = await pay(made, "lost")
        assert lost.txid is not None
        again = await made.sender.rebroadcast(TxId(lost.txid))
        assert again.txid == lost.txid
        assert made.chain.broadcasts == [lost.txid] * 2
        with pytest.raises(NotFound):
            await made.sender.rebroadcast(TxId("00" * 32))
        with pytest.raises(NotFound):
            await made.sender.rebroadcast(TxId("no txid"))
        made.chain.reply = lambda _: "take"
        good = await pay(made, "good")
        assert good.txid is not None
        made.chain.pool.pop(TxId(lost.txid), None)
        await made.mine()
        included = await made.sender.rebroadcast(TxId(good.txid))
        assert included.state == "included"
        made.chain.reply = lambda _: "drop"
        await made.mine(70)
        with pytest.raises(AlreadyFinal):
            await made.sender.rebroadcast(TxId(good.txid))
        with pytest.raises(Expired):
            await made.sender.rebroadcast(TxId(lost.txid))


async def test_what_waits_for_its_signature_is_signed_when_asked_for_again() -> None:
    async with process() as made:
        made.signer.locks_first = True
        waiting = await pay(made, "waiting")
        assert waiting.state == "queued"
        assert waiting.txid is not None
        with pytest.raises(KeystoreLocked):
            await made.sender.rebroadcast(TxId(waiting.txid))
        made.signer.locked = False
        sent = await made.sender.rebroadcast(TxId(waiting.txid))
        assert (sent.state, sent.txid) == ("pending", waiting.txid)
        assert made.chain.broadcasts == [waiting.txid]


async def test_what_no_block_can_take_is_not_sent_and_not_called_dead() -> None:
    async with process() as made:
        made.chain.reply = lambda _: "drop"
        lost = await pay(made, "lost", lifetime_ms=12_000)
        assert lost.txid is not None
        await made.mine(5)
        sent = len(made.chain.broadcasts)
        with pytest.raises(InDoubt) as caught:
            await made.sender.rebroadcast(TxId(lost.txid))
        assert caught.value.data["safe_to_retry"] is False
        assert caught.value.data["in_flight_until_ms"] == lost.expiration_ms
        assert len(made.chain.broadcasts) == sent


async def test_pages_of_payments() -> None:
    async with process() as made:
        for number in range(7):
            await pay(made, str(number), owner=OWNERS[number % 2])
        await made.mine(25)
        await pay(made, "open")
        keys: list[str] = []
        cursor = None
        while True:
            page, cursor = await made.sender.payments(limit=4, cursor=cursor)
            assert len(page) == 4
            keys += [payment.idempotency_key for payment in page]
            if cursor is None:
                break
        assert keys == ["open", "6", "5", "4", "3", "2", "1", "0"]
        unresolved, _ = await made.sender.payments(unresolved=True)
        assert [payment.idempotency_key for payment in unresolved] == ["open"]
        others, _ = await made.sender.payments(owner=OWNERS[1])
        assert [payment.idempotency_key for payment in others] == ["5", "3", "1"]
        found = await made.sender.find(payment_id=unresolved[0].payment_id)
        assert found == unresolved[0]
        assert await made.sender.find(txid=found.txid) == found
        assert await made.sender.find(key="nothing") is None
        with pytest.raises(InvalidInput):
            await made.sender.find(key="open", txid=found.txid)


async def test_sending_can_be_cancelled_anywhere_and_is_found_again() -> None:
    for checkpoint in range(1, 12):
        async with process() as made:
            with trio.CancelScope() as scope:
                if checkpoint > 8:
                    made.chain.reply = cancelling(scope, "take")
                made.store.cancel_at(checkpoint, scope)
                await pay(made)
            made.store.stop_cancelling()
            await made.start()
            await made.turn()
            await pay(made)
            await made.mine(25)
            assert len(made.chain.included()) == 1
            assert (await must_find(made)).state == "solidified"


def cancelling(scope: trio.CancelScope, what: str) -> Callable[[Transaction], str]:
    def reply(_: Transaction) -> str:
        scope.cancel()
        return what

    return reply


async def test_a_stranger_with_our_memo_is_no_payment_of_ours() -> None:
    async with process() as made:
        made.chain.grow(transfer(owner=OWNERS[0], to=TO, amount=5))
        await made.level()
        assert await made.sender.payments() == ([], None)
