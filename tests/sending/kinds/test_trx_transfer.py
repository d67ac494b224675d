"""A transfer of TRX: what is refused, what it asks for, and what it proves."""

import pytest
from msgspec.structs import replace

from lucidtrond.errors import InvalidInput, LucidError, RecipientRefused, TooLarge
from lucidtrond.sending.intent import TRX_TRANSFER, Intent
from lucidtrond.sending.kinds.trx_transfer import TrxTransfer
from lucidtrond.sending.reserved import Spending
from lucidtrond.tron.contracts import Transfer
from lucidtrond.tron.units import MAX_SUN, Sun
from tests.sending.model import OWNERS, TO, TOKEN, pay, process

KIND = TrxTransfer()
INTENT = Intent(TRX_TRANSFER, "k", OWNERS[0], TO, "TRX", 5)


@pytest.mark.parametrize(
    ("intent", "error"),
    [
        (replace(INTENT, amount=0), InvalidInput),
        (replace(INTENT, amount=MAX_SUN + 1), InvalidInput),
        (replace(INTENT, fee_limit=Sun(1)), InvalidInput),
        (replace(INTENT, asset=TOKEN.base58), InvalidInput),
        (replace(INTENT, details=b"x"), InvalidInput),
        (replace(INTENT, to=OWNERS[0]), RecipientRefused),
    ],
)
def test_what_is_no_transfer_is_refused(
    intent: Intent, error: type[LucidError]
) -> None:
    with pytest.raises(error):
        KIND.check(intent)


def test_it_asks_for_what_it_spends() -> None:
    for amount in (1, MAX_SUN):
        intent = replace(INTENT, amount=amount)
        KIND.check(intent)
        assert KIND.contract(intent) == Transfer(OWNERS[0], TO, Sun(amount))
        assert KIND.spending(intent) == Spending(trx=Sun(amount))


async def test_no_account_is_made_by_a_transaction_that_is_too_big() -> None:
    async with process() as made:
        made.chain.activated = False
        with pytest.raises(TooLarge) as caught:
            await pay(made, memo=bytes(900))
        assert caught.value.data["most_bytes"] == 1000
        made.chain.activated = True
        assert (await pay(made, memo=bytes(900))).state == "pending"
