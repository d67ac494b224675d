"""A transfer of a token: what is refused, what it asks for, and what proves it."""

import pytest
from msgspec.structs import replace

from lucidtrond.errors import InvalidInput, LucidError, RecipientRefused
from lucidtrond.sending.intent import TRC20_TRANSFER, Intent
from lucidtrond.sending.kinds.trc20_transfer import Trc20Transfer
from lucidtrond.sending.reserved import Spending
from lucidtrond.tron import trc20
from lucidtrond.tron.contracts_smart import Trigger
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.transaction import TxId
from lucidtrond.tron.units import Sun, UnixMillis
from tests.sending.model import OWNERS, TO, TOKEN, transfer_logs

KIND = Trc20Transfer()
INTENT = Intent(TRC20_TRANSFER, "k", OWNERS[0], TO, TOKEN.base58, 5)


@pytest.mark.parametrize(
    ("intent", "error"),
    [
        (replace(INTENT, amount=0), InvalidInput),
        (replace(INTENT, amount=trc20.MAX_AMOUNT + 1), InvalidInput),
        (replace(INTENT, asset="USDT"), InvalidInput),
        (replace(INTENT, asset="TRX"), InvalidInput),
        (replace(INTENT, details=b"x"), InvalidInput),
        (replace(INTENT, to=TOKEN), RecipientRefused),
        (replace(INTENT, to=OWNERS[0]), RecipientRefused),
    ],
)
def test_what_is_no_transfer_is_refused(
    intent: Intent, error: type[LucidError]
) -> None:
    with pytest.raises(error):
        KIND.check(intent)


def test_it_asks_for_what_it_spends() -> None:
    for amount in (1, trc20.MAX_AMOUNT):
        intent = replace(INTENT, amount=amount)
        KIND.check(intent)
        call = trc20.transfer(TO, amount)
        assert KIND.contract(intent) == Trigger(OWNERS[0], TOKEN, call)
        assert KIND.spending(intent) == Spending(
            token=TOKEN.base58, token_amount=amount
        )


@pytest.mark.parametrize(("moved", "arrived"), [(None, 5), (4, 4), (0, 0)])
def test_its_log_proves_what_arrived(moved: int | None, arrived: int) -> None:
    logs = transfer_logs(OWNERS[0], trc20.transfer(TO, 5), moved)
    receipt = Receipt(TxId("00" * 32), 1, UnixMillis(1), Sun(0), logs=logs)
    assert KIND.amount_arrived(INTENT, receipt) == arrived
    for other in (
        replace(INTENT, to=OWNERS[1]),
        replace(INTENT, owner=OWNERS[1]),
        replace(INTENT, asset=OWNERS[1].base58),
    ):
        assert KIND.amount_arrived(other, receipt) == 0
