"""A payment can be cancelled anywhere, and is found again."""

from collections.abc import Callable

import trio
import trio.testing

from lucidtrond.tron.transaction import Transaction
from tests.sending.model import (
    must_find,
    pay,
    process,
)


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
