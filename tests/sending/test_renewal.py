"""A dead transaction may be followed by another one: for the same payment, and once."""

from itertools import groupby
from typing import Any

import pytest
import trio

from lucidtrond.errors import (
    AlreadyFinal,
    InDoubt,
    InsufficientFunds,
    InvalidInput,
    KeystoreLocked,
    LucidError,
    NodeUnavailable,
    NotFound,
)
from lucidtrond.events.types import Payment
from lucidtrond.node.health.agreement import Sighting
from lucidtrond.ports import Tx
from lucidtrond.sending.tag import EXPIRATION_STEP_MS
from lucidtrond.tron.transaction import Transaction, TxId
from tests.chain.model import address, emitted
from tests.sending.model import OWNERS, PayingChain, Process, pay, process

DEATH = 62
"""Blocks until a transaction of 120 s is proven dead: 40, 19 for finality, and some."""


def drop(_: Transaction) -> str:
    return "drop"


async def now(made: Process, key: str = "a") -> Payment:
    payment = await made.sender.find(key=key)
    assert payment is not None
    return payment


def txid_of(payment: Payment) -> TxId:
    assert payment.txid is not None
    return TxId(payment.txid)


async def dead(made: Process, **more: Any) -> Payment:
    """A payment whose first transaction nobody ever took, proven dead."""
    made.chain.reply = drop
    first = await pay(made, **more)
    await made.mine(DEATH)
    return first


async def test_a_dead_transaction_is_followed_by_another_which_pays() -> None:
    async with process() as made:
        first = await dead(made, attempts=2, memo=b"rent")
        second = await now(made)
        assert (second.payment_id, second.attempt) == (first.payment_id, 2)
        assert second.txid != first.txid
        assert (second.state, second.attempts_left) == ("pending", 0)
        made.chain.reply = lambda _: "take"
        await made.mine(30)
        paid = await now(made)
        assert (paid.state, paid.txid) == ("solidified", second.txid)
        assert made.chain.included() == [second.txid]
        assert await made.sender.find(txid=first.txid) == paid
        assert await made.sender.payments() == ([paid], None)
        assert await pay(made, attempts=2, memo=b"rent") == paid
        events = await made.store.read(lambda tx: emitted(tx, "transaction"))
        told = [each["payment"] for each in events]
        steps = [(each["attempt"], each["state"]) for each in told]
        assert [step for step, _ in groupby(steps)] == [
            (1, "queued"),
            (1, "signed"),
            (1, "pending"),
            (1, "expired"),
            (2, "queued"),
            (2, "signed"),
            (2, "pending"),
            (2, "included"),
            (2, "solidified"),
        ]
        assert not any(each["safe_to_retry"] for each in told)
        # Each time the bytes are sent is told.
        sent = [each["broadcasts"] for each in told if each["state"] == "pending"]
        first_sent = steps.count((1, "pending"))
        assert sent[:first_sent] == [*range(1, first_sent + 1)]
        assert sent[first_sent:] == [*range(1, len(sent) - first_sent + 1)]
        assert first_sent > 1


async def test_after_the_last_attempt_it_is_safe_to_pay_anew() -> None:
    async with process() as made:
        await dead(made, attempts=2)
        assert (await now(made)).attempt == 2
        await made.mine(DEATH)
        last = await now(made)
        assert (last.state, last.attempt, last.safe_to_retry) == ("expired", 2, True)
        assert await made.sender.payments(unresolved=True) == ([], None)
        assert made.chain.included() == []


async def test_no_transaction_outlives_the_time_that_a_payment_was_given() -> None:
    async with process() as made:
        begun = made.head_time()
        await dead(made, attempts=100, give_up_ms=280_000)
        second = await now(made)
        assert second.attempt == 2
        assert second.expiration_ms is not None
        assert 0 <= begun + 280_000 - second.expiration_ms < EXPIRATION_STEP_MS
        await made.mine(DEATH)
        last = await now(made)
        assert (last.attempt, last.state, last.safe_to_retry) == (2, "expired", True)
        assert last.reason is not None
        assert last.reason.endswith("given up: the time it was given is over")


async def test_what_can_not_be_paid_any_more_is_given_up_with_the_reason() -> None:
    async with process() as made:
        made.chain.reply = drop
        await pay(made, attempts=3)
        made.chain.balance = 3
        await made.mine(DEATH)
        last = await now(made)
        assert (last.attempt, last.state, last.safe_to_retry) == (1, "expired", True)
        assert last.reason is not None
        assert "given up: the balance does not cover" in last.reason
        made.chain.balance = 10**9
        await made.mine(5)
        assert await now(made) == last


async def test_a_node_that_still_knows_the_dead_one_stops_the_next() -> None:
    async with process() as made:
        made.chain.reply = drop
        first = await pay(made, attempts=2)
        made.chain.ghosts.add(txid_of(first))
        await made.mine(DEATH)
        still = await now(made)
        assert (still.attempt, still.txid, still.state) == (1, first.txid, "expired")
        assert not still.safe_to_retry
        with pytest.raises(InDoubt, match="model still knows it"):
            await made.sender.renew(txid_of(first))
        made.chain.ghosts.clear()
        await made.mine()
        assert (await now(made)).attempt == 2


@pytest.mark.parametrize("attempts", [1, 2])
async def test_where_there_are_two_nodes_both_must_agree_on_the_death(
    attempts: int,
) -> None:
    async with process() as made:
        made.chain.sources = 2
        await dead(made, attempts=attempts)
        alone = await now(made)
        assert (alone.attempt, alone.state) == (1, "expired")
        assert not alone.safe_to_retry
        assert await made.sender.payments(unresolved=True) == ([alone], None)
        made.chain.others = ("another",)
        await made.mine()
        agreed = await now(made)
        assert agreed.attempt == attempts
        assert agreed.safe_to_retry == (attempts == 1)


async def test_without_a_node_or_the_key_the_next_one_waits() -> None:
    async with process() as made:
        made.chain.reply = drop
        await pay(made, attempts=2)
        made.signer.locked = True
        await made.mine(DEATH)
        waiting = await now(made)
        assert (waiting.attempt, waiting.state) == (1, "expired")
        assert not waiting.safe_to_retry
        made.signer.locked = False

        def fail(what: str) -> None:
            if what == "agreement":
                raise NodeUnavailable("model", 1)

        made.chain.before_answer = fail
        await made.mine()
        assert (await now(made)).attempt == 1
        made.chain.before_answer = lambda _: None
        await made.mine()
        assert (await now(made)).attempt == 2


@pytest.mark.parametrize(
    "terms",
    [{"attempts": 0}, {"attempts": 101}, {"attempts": 2, "give_up_ms": 119_999}],
)
async def test_terms_that_make_no_sense_are_refused(terms: dict[str, Any]) -> None:
    async with process() as made:
        with pytest.raises(InvalidInput):
            await pay(made, **terms)


# By hand


async def test_a_dead_payment_is_renewed_by_hand_once_and_not_while_locked() -> None:
    async with process() as made:
        first = await dead(made)
        made.signer.locked = True
        with pytest.raises(KeystoreLocked):
            await made.sender.renew(txid_of(first))
        made.signer.locked = False
        made.chain.reply = lambda _: "take"
        second = await made.sender.renew(txid_of(first))
        assert (second.attempt, second.state) == (2, "pending")
        assert second.payment_id == first.payment_id
        for known in (first, second):
            with pytest.raises(InDoubt) as caught:
                await made.sender.renew(txid_of(known))
            assert caught.value.data["txid"] == second.txid
            assert caught.value.data["in_flight_until_ms"] == second.expiration_ms
        await made.mine(30)
        with pytest.raises(AlreadyFinal):
            await made.sender.renew(txid_of(first))
        assert made.chain.included() == [second.txid]
        with pytest.raises(NotFound):
            await made.sender.renew(TxId("ab" * 32))


async def test_renewing_what_is_too_dear_now_is_refused_and_changes_nothing() -> None:
    async with process() as made:
        first = await dead(made)
        before = await now(made)
        made.chain.balance = 3
        with pytest.raises(InsufficientFunds):
            await made.sender.renew(txid_of(first))
        assert await now(made) == before


async def test_only_one_of_many_renewals_at_once_makes_a_transaction() -> None:
    async with process() as made:
        first = await dead(made)
        refused: list[LucidError] = []

        async def renew() -> None:
            try:
                await made.sender.renew(txid_of(first))
            except (AlreadyFinal, InDoubt) as refusal:
                refused.append(refusal)

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(renew)
        assert len(refused) == 19
        made.chain.reply = lambda _: "take"
        await made.mine(60)
        assert len(made.chain.included()) == 1


# Rows that were edited


async def edit_state(made: Process, sql: str) -> None:
    changed = "UPDATE sending_attempt SET due_ms = NULL, unresolved = 1, " + sql
    await made.store.write(lambda tx: tx.execute(changed))


@pytest.mark.parametrize("by_hand", [False, True])
async def test_a_payment_in_flight_is_not_dead_because_its_row_says_so(
    by_hand: bool,  # noqa: FBT001 - both ways to a renewal
) -> None:
    async with process() as made:
        made.chain.reply = drop
        first = await pay(made, attempts=3)
        await edit_state(made, "state = 'expired'")
        await made.mine(3)
        if by_hand:
            with pytest.raises(InDoubt, match="a death that our blocks prove"):
                await made.sender.renew(txid_of(first))
        assert (await now(made)).attempt == 1
        [fault] = made.sender.set_aside
        assert (fault.txid, fault.field) == (first.txid, "state")
        # Once it is dead indeed, it goes on.
        made.chain.reply = lambda _: "take"
        await made.mine(DEATH + 5)
        assert (await now(made)).attempt == 2
        assert made.sender.set_aside == ()


@pytest.mark.parametrize("watched", [True, False])
async def test_a_paid_payment_is_not_paid_again_because_its_row_says_expired(
    watched: bool,  # noqa: FBT001 - by our ledger, or by the nodes
) -> None:
    async with process() as made:
        if watched:
            await made.store.write(lambda tx: made.ledger.watch(tx, OWNERS[0]))
        first = await pay(made, attempts=3)
        await made.mine(DEATH)
        assert (await now(made)).state == "solidified"
        await edit_state(
            made,
            "state = 'expired', block_number = NULL, block_id = NULL,"
            " block_timestamp_ms = NULL, contract_ret = NULL, fee_sun = NULL",
        )
        await made.mine(3)
        with pytest.raises(InDoubt):
            await made.sender.renew(txid_of(first))
        assert (await now(made)).attempt == 1
        assert made.chain.included() == [first.txid]
        assert len(made.sender.set_aside) == watched


async def test_a_paid_payment_is_not_paid_again_because_its_row_says_failed() -> None:
    async with process() as made:
        first = await pay(made)
        await made.mine(DEATH)
        await edit_state(made, "state = 'failed'")
        for check in (True, False):
            with pytest.raises(InDoubt, match="a receipt shows its success"):
                await made.sender.renew(txid_of(first), even_failed=True, check=check)
        assert made.chain.included() == [first.txid]


async def test_a_row_that_is_edited_while_the_nodes_are_asked_is_not_renewed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with process() as made:
        first = await dead(made)
        stranger = address(123).raw
        ask = made.chain.look_for

        async def edit_then_look(txid: TxId) -> list[Sighting]:
            sql = "UPDATE sending_payment SET recipient = ?"
            await made.store.write(lambda tx: tx.execute(sql, (stranger,)))
            return await ask(txid)

        monkeypatch.setattr(
            PayingChain, "look_for", lambda _, txid: edit_then_look(txid)
        )
        with pytest.raises(InDoubt, match="was edited or is damaged"):
            await made.sender.renew(txid_of(first))
        assert (await now(made)).attempt == 1


async def test_without_a_node_that_can_be_asked_for_it_it_is_not_dead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with process() as made:
        first = await dead(made)

        async def fail(_: PayingChain, txid: TxId) -> list[Sighting]:
            return [Sighting("model", txid, error="timeout")]

        monkeypatch.setattr(PayingChain, "look_for", fail)
        with pytest.raises(InDoubt, match="no node could be asked"):
            await made.sender.renew(txid_of(first))
        assert made.sender.set_aside == ()


@pytest.mark.parametrize(
    "more", ["", "number = 99, ", "number = 0, "], ids=["latest", "above", "below"]
)
async def test_a_dead_attempt_that_another_followed_is_not_renewed_again(
    more: str,
) -> None:
    async with process() as made:
        first = await dead(made)
        made.chain.reply = lambda _: "take"
        second = await made.sender.renew(txid_of(first))
        await made.mine(DEATH)
        assert (await now(made)).state == "solidified"

        def edit(tx: Tx) -> None:
            tx.execute(
                f"UPDATE sending_attempt SET {more} latest = 0 WHERE txid = ?",
                (bytes.fromhex(txid_of(second)),),
            )
            tx.execute(
                "UPDATE sending_attempt SET latest = 1 WHERE txid = ?",
                (bytes.fromhex(txid_of(first)),),
            )

        await made.store.write(edit)
        shown = await now(made)
        assert (shown.txid, shown.safe_to_retry) == (first.txid, True)
        for check in (True, False):
            with pytest.raises(InDoubt, match="number: expected the last of"):
                await made.sender.renew(txid_of(first), check=check)
        await made.mine(3)
        assert made.chain.included() == [second.txid]
