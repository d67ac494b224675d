"""Forms that an answer should not have and can't be misread in."""

import json
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given

from lucidtrond.node.questions import translate, wire
from lucidtrond.node.questions.translate import Contradiction, InvalidAnswer
from lucidtrond.tron.address import Address
from lucidtrond.tron.base58 import encode_check
from lucidtrond.tron.block import BlockTransaction
from lucidtrond.tron.transaction import TxId
from tests import mainnet
from tests.tron import test_contract_forms as contract_forms
from tests.tron.strategies import addresses


def account_of(text: str, address: Address) -> None:
    translate.read_account(wire.AccountJson(address=text), address)


@given(addresses)
def test_an_address_may_come_in_base58_though_hex_was_asked_for(
    address: Address,
) -> None:
    for text in (
        address.hex,
        address.hex[2:],
        address.base58,
        encode_check(address.raw[1:]),  # logs of a simulated call, when visible
    ):
        account_of(text, address)
    other = "1" if address.base58[-1] != "1" else "2"
    for text in (
        address.base58[:-1] + other,
        address.base58 + "1",
        address.hex + "00",
        " " + address.hex[1:],
        address.hex[:-2] + " 0",
        "",
    ):
        with pytest.raises(InvalidAnswer):
            account_of(text, address)


def test_an_address_of_a_million_letters_is_refused_at_once() -> None:
    text = "T" * 1_000_000
    began = time.process_time()
    answer = msgspec.json.decode(b'{"address":"%s"}' % text.encode(), type=wire.LogJson)
    with pytest.raises(InvalidAnswer):
        translate.read_receipt(wire.InfoJson(id="00" * 32, log=(answer,)))
    assert time.process_time() - began < 1


FORMS = [form for form in contract_forms.FORMS if form["moves"]]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form["what"])
def test_a_printed_amount_is_compared_in_any_form(form: dict[str, Any]) -> None:
    printed = mainnet.transaction_json(
        {"raw_data_hex": form["raw_data_hex"], "signature": [], "ret_hex": ["1801"]}
    )
    txid = TxId(printed["txID"])

    def read(amount: int | None) -> BlockTransaction:
        value = printed["raw_data"]["contract"][0]["parameter"]["value"]
        value["amount"] = amount
        answer = msgspec.json.decode(json.dumps(printed), type=wire.TransactionJson)
        return translate.read_transaction(answer, txid)

    moved = form["moves"]["amount"]
    for good in (moved, None):
        assert read(good).transaction.raw.hex() == form["raw_data_hex"]
    with pytest.raises(Contradiction, match="is printed for"):
        read(moved + 1)
