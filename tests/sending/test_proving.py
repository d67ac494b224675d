"""Receipts of unproven payments are asked for again: seldom, for ever, of all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from lucidtrond.errors import AlreadyFinal, CommitUnknown, InDoubt, NodeUnavailable
from lucidtrond.sending.proving import ANSWER_WITHIN_S, LONGEST_WAIT_S, ROUND
from lucidtrond.tron.transaction import TxId
from tests.sending.model import TOKEN, Process, pay, process
from tests.sending.test_renewal import now

LAG = 22


@asynccontextmanager
async def unproven(count: int = 1) -> AsyncIterator[Process]:
    """So many payments of 5 in final blocks, whose receipts show no log."""
    async with process() as made:
        made.chain.moved = 0
        for number in range(count):
            await pay(made, f"{number}", asset=TOKEN.base58)
        await made.mine(LAG)
        assert (await now(made, "0")).state == "unproven"
        yield made


def count_questions(made: Process) -> list[float]:
    """When receipts were asked for, from now on."""
    asked: list[float] = []

    def note(question: str) -> None:
        if question == "receipt of all":
            asked.append(trio.current_time())

    made.chain.before_answer = note
    return asked


async def test_a_receipt_that_shows_the_log_proves_the_payment() -> None:
    async with unproven() as made:
        await made.sender._proving.ask_due()
        assert (await now(made, "0")).state == "unproven"
        assert made.sender.unproven == 1
        made.chain.moved = 4
        found = await now(made, "0")
        assert found.txid is not None
        with pytest.raises(AlreadyFinal):
            await made.sender.renew(TxId(found.txid), even_failed=True)
        found = await now(made, "0")
        assert (found.state, found.arrived_raw) == ("solidified", "4")
        assert found.reason is None
        assert (await made.sender.payments(unresolved=True))[0] == []
        assert made.signer.signatures == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"block_number": 2},  # it is in block 1
        {"failed": True},
        {"vm_result": "REVERT"},
        {"txid": TxId("00" * 32)},
        {"logs": ()},
    ],
    ids=str,
)
async def test_a_receipt_of_something_else_proves_nothing(
    changes: dict[str, Any],
) -> None:
    async with unproven() as made:
        made.chain.moved = None
        made.chain.spoil = lambda receipt: evolve(receipt, **changes)
        await made.sender._proving.ask_due()
        assert (await now(made, "0")).state == "unproven"


async def test_a_dry_run_of_a_retry_asks_nobody() -> None:
    async with unproven() as made:
        asked = count_questions(made)
        found = await now(made, "0")
        assert found.txid is not None
        with pytest.raises(InDoubt, match="may or may not"):
            await made.sender.renew(TxId(found.txid), check=True)
        assert asked == []


async def test_it_is_asked_for_ever_less_often_and_never_given_up(
    autojump_clock: MockClock,
) -> None:
    async with unproven() as made, trio.open_nursery() as nursery:
        asked = count_questions(made)
        await nursery.start(made.sender._proving.run)
        await trio.sleep(3 * LONGEST_WAIT_S)
        gaps = [after - before for before, after in pairwise(asked)]
        assert gaps[:5] == [60, 120, 240, 480, 960]
        assert gaps[-1] == LONGEST_WAIT_S
        assert len(asked) < 16
        made.chain.moved = None
        await trio.sleep(LONGEST_WAIT_S + 60)
        assert (await now(made, "0")).state == "solidified"
        await trio.sleep(120)
        assert made.sender.unproven == 0
        assert made.sender._proving._schedules == {}
        nursery.cancel_scope.cancel()


async def test_a_round_asks_about_a_few_and_each_has_its_turn(
    autojump_clock: MockClock,
) -> None:
    async with unproven(ROUND + 5) as made:
        asked = count_questions(made)
        await made.sender._proving.ask_due()
        assert len(asked) == ROUND
        await made.sender._proving.ask_due()
        assert len(asked) == ROUND + 5
        await made.sender._proving.ask_due()
        assert len(asked) == ROUND + 5


@pytest.mark.parametrize("how", ["silent", "failing"])
async def test_who_gives_no_answer_ends_and_delays_nothing(
    how: str, autojump_clock: MockClock
) -> None:
    async with unproven() as made:
        if how == "failing":

            def fail(question: str) -> None:
                if question == "receipt of all":
                    raise NodeUnavailable("model", 1)

            made.chain.before_answer = fail
        else:
            made.chain.delay_s = 10 * ANSWER_WITHIN_S
        before = trio.current_time()
        await made.sender._proving.ask_due()
        assert trio.current_time() - before <= ANSWER_WITHIN_S
        assert (await now(made, "0")).state == "unproven"


async def test_a_write_of_unknown_outcome_stops_the_task() -> None:
    async with unproven() as made:
        made.chain.moved = None
        made.store.nth, made.store.error = 0, CommitUnknown
        with pytest.raises(CommitUnknown):
            await made.sender._proving.run()
