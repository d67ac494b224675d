"""What people read of the daemon's answers."""

from typing import Any, get_args

import pytest

from lucidtrond.cli import show
from lucidtrond.cli.amounts import Assets
from lucidtrond.events.types import PaymentState

ASSETS = Assets([{"token": "TToken", "symbol": "IUSD", "decimals": 6}])


def row(**changes: Any) -> dict[str, Any]:
    payment = {
        "payment_id": "p_1",
        "state": changes.pop("state", "pending"),
        "asset": changes.pop("asset", "TRX"),
        "amount": "1500000",
        "from_address": "TFrom",
        "to_address": "TTo",
    }
    known = {"safe_to_retry": False, "in_flight_until_ms": None, "dead": False}
    return {"payment": payment, **known, **changes}


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({}, "do not pay again, wait"),
        ({"in_flight_until_ms": 1_700_000_000_000}, "until 2023-11-14 22:13:20"),
        ({"safe_to_retry": True, "state": "expired"}, "you may pay anew"),
        (
            {"safe_to_retry": True, "in_flight_until_ms": 1},
            "you may pay anew",
        ),
    ],
)
def test_a_pending_payment_comes_with_what_to_do(
    changes: dict[str, Any], advice: str
) -> None:
    text = show.pending({"pending": [row(**changes)]}, ASSETS)
    assert advice in text
    assert "1.5 TRX to TTo" in text
    assert ("pay anew" in text) == bool(changes.get("safe_to_retry"))


@pytest.mark.parametrize("state", get_args(PaymentState))
def test_every_state_has_words_and_the_amount_its_unit(state: str) -> None:
    payment = row(state=state, asset="TToken")["payment"]
    text = show.payment(payment, ASSETS)
    assert f"{state}: " in text
    assert "1.5 IUSD" in text


def test_nothing_pending_is_said() -> None:
    assert show.pending({"pending": []}, ASSETS) == "nothing is pending"
