"""What a node says of the keys that producers sign with."""

import copy
import json

import msgspec
import pytest

from lucidtrond.node.questions import translate, wire
from lucidtrond.node.questions.translate import InvalidAnswer
from lucidtrond.tron.account import Account
from lucidtrond.tron.address import Address
from tests.node.nodes import Json, block_json


def test_a_header_may_be_signed_by_another_key_than_its_producers_own() -> None:
    printed = copy.deepcopy(block_json(7))
    other = block_json(8)["block_header"]["witness_signature"]
    printed["block_header"]["witness_signature"] = other
    answer = msgspec.json.decode(json.dumps(printed), type=wire.BlockJson)
    header = translate.read_header(answer)
    assert header.signer().raw != header.witness


def test_a_witness_permission_has_one_key_or_there_is_none() -> None:
    owner, key = Address(b"\x41" + bytes(20)), Address(b"\x41" + b"\1" * 20)
    printed: Json = {"address": owner.hex, "witness_permission": {"keys": []}}

    def read() -> Account:
        answer = msgspec.json.decode(json.dumps(printed), type=wire.AccountJson)
        return translate.read_account(answer, owner)

    assert (read().witness_key, read().block_key) == (None, owner)
    one = {"address": key.hex, "weight": 1}
    printed["witness_permission"] = {"keys": [one]}
    assert (read().witness_key, read().block_key) == (key, key)
    printed["witness_permission"] = {"keys": [one, one]}
    with pytest.raises(InvalidAnswer, match="more than one key"):
        read()
