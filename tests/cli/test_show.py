"""What people read of the daemon's answers."""

from typing import Any, get_args

import pytest

from lucidtrond.cli import show
from lucidtrond.cli.amounts import Assets
from lucidtrond.cli.connection import RpcFailure
from lucidtrond.cli.outcome import printable
from lucidtrond.errors import AlreadyFinal, CallError, FailedOnChain, InDoubt
from lucidtrond.events.types import PaymentState
from lucidtrond.rpc.codes import code_of

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
    base = {"safe_to_retry": False, "in_flight_until_ms": None, "dead": False}
    return {"payment": payment, **base, **changes}


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


DONE = {"original_txid": "aa", "txid": "bb", "broadcast_code": None}


@pytest.mark.parametrize(
    ("action", "did", "would"),
    [
        ("sent_again", "was sent again; it can't pay twice", "would be sent again"),
        ("paid_anew", "so a new transaction pays", "a new transaction would pay"),
        ("nothing", "nothing was done; wait", "nothing would be done"),
    ],
)
def test_asking_once_more_is_told_in_words(action: str, did: str, would: str) -> None:
    paid = {**row()["payment"], "broadcasts": 3}
    for checked, words in ((False, did), (True, would)):
        result = {**DONE, "action": action, "payment": paid, "checked": checked}
        text = show.retried(result, ASSETS)
        assert words in text
        assert "1.5 TRX" in text
        assert "3 times" in text
    foreign = {**DONE, "action": action, "payment": None, "checked": False}
    assert "bb" in show.retried(foreign, ASSETS)


@pytest.mark.parametrize(
    ("error", "data", "words"),
    [
        (AlreadyFinal, {}, "there is nothing to do"),
        (
            InDoubt,
            {"in_flight_until_ms": 1_700_000_000_000},
            "from 2023-11-14 22:13:20",
        ),
        (InDoubt, {}, "do not pay again, wait"),
        (InDoubt, {"state": "unproven"}, "do not pay again, compare balances"),
        (FailedOnChain, {"fee_sun": "345000"}, "cost 0.345 TRX"),
        (FailedOnChain, {"fee_sun": "345000"}, "--pay-again"),
    ],
)
def test_a_refusal_says_what_to_do_instead(
    error: type[CallError], data: dict[str, Any], words: str
) -> None:
    refused = RpcFailure(code_of(error("x")), "it failed", data)
    assert words in (show.retry_refused(refused) or "")


def test_what_is_in_a_final_block_is_not_said_to_land_yet() -> None:
    data = {"state": "unproven", "in_flight_until_ms": None}
    refused = RpcFailure(code_of(InDoubt("x")), "it may have paid: no log", data)
    words = show.retry_refused(refused) or ""
    assert "land" not in words
    assert "no log" in words  # the daemon's reason


def receipt(**changes: Any) -> dict[str, Any]:
    return {
        "txid": "aa",
        "success": True,
        "solidified": True,
        "contract_address": "TToken",
        "energy_usage_total": 3_297,
        "token_transfers": [],
        **changes,
    }


def test_success_of_a_call_that_logged_no_transfer_does_not_read_as_paid() -> None:
    assert "no Transfer log" in show.receipt(receipt(), ASSETS)
    moved = {
        "token": "TToken",
        "amount_raw": "5",
        "from_address": "TFrom",
        "to_address": "TTo",
    }
    for other in (
        receipt(token_transfers=[moved]),
        receipt(contract_address=None, energy_usage_total=0),
        receipt(success=False),
    ):
        assert "no Transfer log" not in show.receipt(other, ASSETS)


def test_another_refusal_speaks_for_itself() -> None:
    assert show.retry_refused(RpcFailure(400, "the keystore is locked", {})) is None


def test_nothing_pending_is_said() -> None:
    assert show.pending({"pending": []}, ASSETS) == "nothing is pending"


def test_events_have_units_times_and_txids() -> None:
    entry = {
        "txid": "ab" * 32,
        "from_address": "TFrom",
        "to_address": "TTo",
        "asset": "TRX",
        "amount": "100000000",
        "block_timestamp_ms": 1_700_000_000_000,
        "unknown_token": False,
    }
    body = {"seq": 7, "topic": "transfer"}

    def shown(**event: Any) -> str:
        return show.event({"params": {**body, "event": event}}, ASSETS)

    text = shown(change="included", entry=entry)
    assert "TFrom → TTo  100 TRX" in text
    assert "2023-11-14 22:13:20" in text
    assert "ab" * 32 in text
    token = {**entry, "asset": "TToken", "amount": "2500000"}
    assert "2.5 IUSD" in shown(change="included", entry=token)
    fake = {**entry, "asset": "TFake", "amount": "5", "unknown_token": True}
    assert "5 of TFake  (unknown token)" in shown(change="included", entry=fake)
    payment = {**row()["payment"], "txid": "cd", "updated_ms": 1_700_000_000_000}
    text = shown(payment=payment)
    assert "2023-11-14 22:13:20  p_1 pending  1.5 TRX to TTo  cd" in text
    text = shown(plugin="fuel", name="low", data={"low": True, "left": None})
    assert 'data={"low": true, "left": null}' in text


def test_what_a_terminal_would_obey_or_hide_is_escaped() -> None:
    plain = "café 💶 → x\ny"
    assert printable(plain) == plain
    assert printable("USD\u200bT\x1b[2J\u202e") == r"USD\u200bT\x1b[2J\u202e"


def test_status_says_since_when_and_why_it_is_not_synced_and_what_fails() -> None:
    network: dict[str, Any] = {"network": "nile", "synced": True, "warnings": []}
    result: dict[str, Any] = {
        "daemon": {"version": "1", "uptime_s": 3.0},
        "network": network,
        "keystore": {"exists": True, "locked": False},
        "health": {"problems": ["nothing new is paid"]},
    }
    assert "problem   nothing new is paid" in show.status(result).splitlines()
    assert "synced    yes" in show.status(result).splitlines()
    network |= {
        "synced": False,
        "since_ms": 1_700_000_000_000,
        "not_synced_reason": "endpoint a:1: no answer after 5 s",
        "warnings": ["endpoint b:2: failing: can't connect"],
    }
    shown = show.status(result)
    assert f"no, since {show.time(1_700_000_000_000)}: endpoint a:1: no ans" in shown
    assert "warning   endpoint b:2: failing: can't connect" in shown


def test_what_waits_for_approval_is_shown_with_totals_and_what_can_not_be() -> None:
    waiting = {
        "payments": [row()["payment"], row(asset="TToken")["payment"]],
        "totals": [{"asset": "TRX", "amount": "1500000", "payments": 1}],
        "set_aside": [
            {
                "payment_id": None,
                "txid": "ab",
                "field": "amount",
                "wanted": "5",
                "stored": "800",
            }
        ],
    }
    assert show.queued(waiting, ASSETS).splitlines() == [
        "p_1  1.5 TRX from TFrom to TTo",
        "p_1  1.5 IUSD from TFrom to TTo",
        "1 payments, 1.5 TRX",
        "set aside: ab: amount: expected 5, stored 800",
    ]
    nothing: dict[str, Any] = {"payments": [], "totals": [], "set_aside": []}
    assert show.queued(nothing, ASSETS) == "nothing waits for approval"
