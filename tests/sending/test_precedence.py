"""What pays for another payment is sent before it."""

import pytest
from attrs import evolve
from hypothesis import strategies as st

from lucidtrond.events.types import Payment
from lucidtrond.sending.intent import TRX_TRANSFER, Intent
from lucidtrond.sending.journal.entry import Entry, Stored
from lucidtrond.sending.plan import Attempt
from lucidtrond.sending.precedence import pays_for
from lucidtrond.tron.transaction import Transaction
from lucidtrond.tron.units import UnixMillis
from tests.chain.model import Crash
from tests.sending.model import OWNERS, TO, pay, process

names = st.sampled_from("ABCD")


def entry(seq: int, source: str, to: str, sent: int) -> Entry:
    payment = Payment(
        payment_id=f"{seq}",
        idempotency_key=f"{seq}",
        state="signed",
        from_address=source,
        to_address=to,
        asset="TRX",
        amount="1",
    )
    attempt = Attempt("signed", UnixMillis(0), reference_number=0, sent=sent)
    intent = Intent(TRX_TRANSFER, f"{seq}", OWNERS[0], TO, "TRX", 1)
    return Entry(seq, intent, attempt, Transaction(b""), payment, Stored({}, {}))


def test_only_what_is_earlier_and_unsent_is_waited_for() -> None:
    first, second = entry(1, "A", "B", 0), entry(2, "B", "C", 0)
    assert pays_for(first, second)
    assert not pays_for(second, first)
    assert not pays_for(evolve(first, payment_seq=3), second)
    assert not pays_for(entry(1, "A", "B", 1), second)
    assert not pays_for(entry(1, "A", "C", 0), second)


async def test_after_an_unlock_payments_are_sent_in_the_order_they_build_on() -> None:
    async with process() as made:
        sent = []
        for number in range(8):
            made.signer.locked = False
            made.signer.locks_first = True
            there, back = OWNERS[number % 2], OWNERS[(number + 1) % 2]
            sent.append(await pay(made, f"{number}", owner=there, to=back))
        assert {each.state for each in sent} == {"queued"}
        made.signer.locked = False
        await made.start()
        await made.turn()
        assert made.chain.broadcasts == [each.txid for each in sent]


async def test_after_a_restart_what_was_signed_is_sent_in_that_order_too() -> None:
    async with process() as made:
        for turn in range(8):  # trio starts tasks in order or in reverse, by chance
            del made.chain.broadcasts[:]
            for number in range(4):
                made.chain.reply = lambda _: "die before"
                there, back = OWNERS[number % 2], OWNERS[(number + 1) % 2]
                with pytest.raises(Crash):
                    await pay(made, f"{turn} {number}", owner=there, to=back)
            tried = list(made.chain.broadcasts)
            await made.start()
            await made.turn()
            assert made.chain.broadcasts == [*tried, *tried]
            await made.mine()
