"""Accounts and resources, from recorded answers."""

import json

import msgspec
import pytest

from lucidtrond.node.questions import translate, wire
from lucidtrond.tron.account import Resources
from lucidtrond.tron.address import Address
from tests.node.nodes import Json
from tests.tron.chainrun import load


def test_all_recorded_accounts_are_read() -> None:
    contracts = 0
    for text, printed in load()["accounts"].items():
        if not printed:
            continue
        address = Address.from_hex(text)
        data = json.dumps(printed).encode()
        answer = msgspec.json.decode(data, type=wire.AccountJson)
        account = translate.read_account(answer, address)
        assert account.activated
        assert account.balance == printed.get("balance", 0)
        assert account.is_contract == (printed.get("type") == "Contract")
        contracts += account.is_contract
        stakes = {
            stake.get("type", "BANDWIDTH"): stake.get("amount", 0)
            for stake in printed["frozenV2"]
        }
        assert account.staked_bandwidth == stakes["BANDWIDTH"]
        assert account.staked_energy == stakes["ENERGY"]
    assert contracts


def test_stakes_of_both_generations_count() -> None:
    printed = {
        "address": "41" + "00" * 20,
        "frozen": [{"frozen_balance": 1}, {"frozen_balance": 2}],
        "frozenV2": [{"amount": 10}, {"type": "ENERGY"}, {"type": "TRON_POWER"}],
        "account_resource": {"frozen_balance_for_energy": {"frozen_balance": 100}},
    }
    answer = msgspec.json.decode(json.dumps(printed), type=wire.AccountJson)
    account = translate.read_account(answer, Address.from_hex("41" + "00" * 20))
    assert (account.staked_bandwidth, account.staked_energy) == (13, 100)


def test_what_is_left_out_of_resources_is_zero() -> None:
    answer = msgspec.convert({"TotalNetLimit": 1}, wire.ResourcesJson)
    assert translate.read_resources(answer) == Resources()


@pytest.mark.parametrize(
    ("balance", "fits"),
    [
        (2**63 - 1, True),
        (-(2**63), True),  # the burn account at the beginning
        (2**53 + 1, True),
        (2**63, False),
        (-(2**63) - 1, False),
        (1.5, False),
        ("1", False),
    ],
)
def test_numbers_are_whole_and_fit_the_protocol(balance: Json, *, fits: bool) -> None:
    printed = {"address": "41" + "00" * 20, "balance": balance}
    data = json.dumps(printed)
    if not fits:
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(data, type=wire.AccountJson)
        return
    answer = msgspec.json.decode(data, type=wire.AccountJson)
    account = translate.read_account(answer, Address.from_hex("41" + "00" * 20))
    assert account.balance == balance
