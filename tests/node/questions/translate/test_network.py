"""Parameters and answers to a broadcast."""

import json

import msgspec
import pytest

from lucidtrond.node.questions import translate, wire
from lucidtrond.node.questions.translate import InvalidAnswer
from lucidtrond.tron.transaction import TxId
from tests.node.nodes import Json, recorded


def test_recorded_parameters_are_read() -> None:
    data = json.dumps(recorded()["getchainparameters"])
    answer = msgspec.json.decode(data, type=wire.ParametersJson)
    prices = translate.read_parameters(answer)
    assert prices.transaction_fee == 1000
    assert prices.energy_fee == 100
    assert prices.create_account_fee == 100_000
    assert prices.activation_fee == 1_000_000
    assert prices.memo_fee == 1_000_000
    assert prices.multi_sign_fee == 1_000_000
    assert prices.max_fee_limit == 15_000_000_000
    assert prices.free_net_limit == 600
    assert prices.every["getRemoveThePowerOfTheGr"] == 0


@pytest.mark.parametrize(
    "key",
    [
        "getTransactionFee",
        "getEnergyFee",
        "getCreateAccountFee",
        "getCreateNewAccountFeeInSystemContract",
        "getMemoFee",
        "getMultiSignFee",
        "getMaxFeeLimit",
        "getFreeNetLimit",
    ],
)
def test_a_missing_or_negative_price_is_not_zero(key: str) -> None:
    every = recorded()["getchainparameters"]["chainParameter"]
    for changed in (
        [entry for entry in every if entry["key"] != key],
        [
            {"key": key, "value": -1} if entry["key"] == key else entry
            for entry in every
        ],
    ):
        data = json.dumps({"chainParameter": changed})
        answer = msgspec.json.decode(data, type=wire.ParametersJson)
        with pytest.raises(InvalidAnswer, match=key):
            translate.read_parameters(answer)


@pytest.mark.parametrize(
    ("printed", "says"),
    [
        ({"result": True, "txid": "11" * 32}, "another transaction"),
        ({"result": True}, "without txid"),
        ({"result": True, "code": "SIGERROR", "txid": "00" * 32}, "do not fit"),
        ({"result": False, "code": "SUCCESS", "txid": "00" * 32}, "do not fit"),
    ],
)
def test_broadcast_answers_that_contradict_themselves_are_caught(
    printed: Json, says: str
) -> None:
    answer = msgspec.json.decode(json.dumps(printed), type=wire.BroadcastJson)
    with pytest.raises(InvalidAnswer, match=says):
        translate.read_broadcast(answer, TxId("00" * 32), name="n")


@pytest.mark.parametrize(
    ("printed", "code", "message"),
    [
        ({"result": True, "txid": "00" * 32}, "SUCCESS", ""),
        ({"result": True, "code": "SUCCESS", "txid": "00" * 32}, "SUCCESS", ""),
        (
            {
                "code": "TAPOS_ERROR",
                "txid": "00" * 32,
                "message": "5461706f7320636865636b206572726f722e",
            },
            "TAPOS_ERROR",
            "Tapos check error.",
        ),
        (
            {
                "result": False,
                "code": "DUP_TRANSACTION_ERROR",
                "txid": "00" * 32,
                "message": "Dup transaction.",
            },
            "DUP_TRANSACTION_ERROR",
            "Dup transaction.",
        ),
    ],
)
def test_both_doors_answers_to_a_broadcast_are_read(
    printed: Json, code: str, message: str
) -> None:
    reply = msgspec.json.decode(json.dumps(printed), type=wire.BroadcastJson)
    answer = translate.read_broadcast(reply, TxId("00" * 32), name="n")
    assert (answer.code, answer.message, answer.endpoint) == (code, message, "n")
    assert answer.accepted == (code == "SUCCESS")
