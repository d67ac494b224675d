"""Payments are found and listed, and waited for."""

import pytest
import trio
import trio.testing

from lucidtrond.errors import (
    InvalidInput,
    NotFound,
)
from lucidtrond.events.types import Payment
from tests.sending.model import (
    OWNERS,
    pay,
    process,
)


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
