"""No payment is dead because of blocks that too few producers signed."""

import pytest

from lucidtrond.chain.finality import ProducerSet
from lucidtrond.chain.finality_tables import FirstSet
from tests.chain.model import producer_key
from tests.sending.model import pay, process

FIRST_SET = FirstSet(
    ProducerSet(
        5, {producer_key(n).address: producer_key(n).address for n in range(5)}
    ),
    "pin",
)
FAR_AHEAD = 100_000


@pytest.mark.parametrize(
    ("signing", "first_set", "dies"),
    [(3, FIRST_SET, False), (5, FIRST_SET, True), (3, None, True)],
)
async def test_a_death_needs_as_many_producers_as_a_final_block(
    signing: int, first_set: FirstSet | None, *, dies: bool
) -> None:
    """A node drops a payment, and calls blocks final that are dated far ahead."""
    async with process(first_set=first_set) as made:
        made.chain.reply = lambda _: "drop"
        await pay(made)
        for number in range(30):
            made.chain.grow(salt=number % signing, missed=FAR_AHEAD * (number == 0))
            made.chain.solidify(made.chain.head - 1)
            await made.turn()
            await made.turn()
        payment = await made.sender.find(key="a")
        assert payment is not None
        assert payment.safe_to_retry is dies
        assert (payment.state == "expired") is dies
        solid = made.ledger.position().solid
        assert solid is not None
        assert (solid.number > 20) is dies


async def test_one_endpoint_that_differs_holds_no_death_up_that_is_proven() -> None:
    async with process(first_set=FIRST_SET) as made:
        made.chain.reply = lambda _: "drop"
        made.chain.sources, made.chain.differing = 2, ("liar",)
        await pay(made)
        for number in range(30):
            made.chain.grow(salt=number % 5, missed=FAR_AHEAD * (number == 0))
            made.chain.solidify(made.chain.head - 1)
            await made.turn()
            await made.turn()
        payment = await made.sender.find(key="a")
        assert payment is not None
        assert (payment.state, payment.safe_to_retry) == ("expired", True)


async def test_it_holds_it_up_where_nodes_say_what_is_final() -> None:
    async with process() as made:
        made.chain.reply = lambda _: "drop"
        made.chain.sources, made.chain.differing = 2, ("liar",)
        await pay(made)
        for number in range(30):
            made.chain.grow(salt=number % 5, missed=FAR_AHEAD * (number == 0))
            made.chain.solidify(made.chain.head - 1)
            await made.turn()
            await made.turn()
        payment = await made.sender.find(key="a")
        assert payment is not None
        assert not payment.safe_to_retry
