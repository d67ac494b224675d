"""Call data and logs of tokens as public networks hold them.

`tests/data/tokens.json` has one of each class, with txids; the tests marked mainnet
run all that is recorded.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

import pytest

from lucidtrond.tron import trc20
from lucidtrond.tron.address import Address
from lucidtrond.tron.receipt import Log
from tests import recorded
from tests.tron.vectors import DATA

USDT: Final = Address.from_base58("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t")
OURS: Final[dict[str, Any]] = json.loads((DATA / "tokens.json").read_text())


def recordings(part: str) -> list[dict[str, Any]]:
    everything = recorded.read_json(recorded.MAINNET / "trc20.json.gz")
    vectors: list[dict[str, Any]] = everything[part]
    return vectors


def check_calls(calls: Sequence[dict[str, Any]]) -> None:
    for call in calls:
        means = call["means"]
        sender, recipient = (
            None if means[end] is None else Address.from_hex(means[end])
            for end in ("sender", "recipient")
        )
        assert recipient is not None
        amount = int(means["amount"])
        expected: Any = trc20.TransferCall(sender, recipient, amount)
        if means["kind"] == "ApproveCall":
            expected = trc20.ApproveCall(recipient, amount)
        assert trc20.parse_call(bytes.fromhex(call["data"])) == expected, call["txid"]


def check_logs(logs: Sequence[dict[str, Any]]) -> set[tuple[bool, bytes]]:
    """Give what transfers returned that moved something, and whether of USDT."""
    returned: set[tuple[bool, bytes]] = set()
    for recorded_log in logs:
        topics = tuple(bytes.fromhex(topic) for topic in recorded_log["topics"])
        token = Address.from_hex(recorded_log["address"])
        log = Log(token, topics, bytes.fromhex(recorded_log["data"]))
        read = trc20.classify_log(log)
        standard = topics[0] in (trc20.TRANSFER_TOPIC, trc20.APPROVAL_TOPIC)
        assert (read is not None) == standard, recorded_log["txid"]
        assert not isinstance(read, trc20.UnreadableLog), recorded_log["txid"]
        if isinstance(read, trc20.TransferLog):
            moved = trc20.amount_moved(
                [log], token=token, sender=read.sender, recipient=read.recipient
            )
            assert read.amount == moved == int(recorded_log["data"], 16), recorded_log[
                "txid"
            ]
            returned.add((token == USDT, bytes.fromhex(recorded_log["return_value"])))
    return returned


def test_calls_of_each_class_mean_what_is_recorded() -> None:
    check_calls(OURS["calls"])
    assert len(OURS["calls"]) == 4


def test_logs_of_each_class_are_read_whatever_the_call_returned() -> None:
    returned = check_logs(OURS["logs"])
    assert {(True, bytes(32)), (False, b"")} <= returned


@pytest.mark.mainnet
def test_every_recorded_call_means_what_is_recorded() -> None:
    calls = recordings("calls")
    check_calls(calls)
    # The prefix 41 in the upper bytes of an address word is half of what there is.
    assert sum(call["prefix_in_address_word"] for call in calls) > 100
    assert len(calls) > 300


@pytest.mark.mainnet
def test_every_recorded_log_is_read_whatever_its_call_returned() -> None:
    logs = recordings("logs")
    assert {(True, bytes(32)), (False, b"")} <= check_logs(logs)
    assert len(logs) > 100
