"""Keys of questions: one for equal questions, another for any other."""

import pytest

from lucidtrond.node.questions.question_key import QuestionKey
from lucidtrond.tron.questions import NodeQuestions
from tests.node.questions.translate.answers import BLOCKS

RECEIPT = QuestionKey(NodeQuestions.fetch_receipt)
TXID = BLOCKS[300]["transactions"][0]["txID"]


def test_a_question_has_one_key_however_it_is_written() -> None:
    key = RECEIPT.of_call(TXID)
    assert key == RECEIPT.of_call(TXID, solid=False)
    assert key == RECEIPT.of_call(txid=TXID)
    assert key == RECEIPT.of_call(solid=False, txid=TXID)
    assert hash(key) == hash(RECEIPT.of_call(txid=TXID))


def test_other_arguments_and_other_questions_have_other_keys() -> None:
    transaction = QuestionKey(NodeQuestions.fetch_transaction)
    keys = {
        RECEIPT.of_call(TXID),
        RECEIPT.of_call(TXID, solid=True),
        RECEIPT.of_call(TXID[::-1]),
        transaction.of_call(TXID),
    }
    assert len(keys) == 4


def test_a_key_has_all_arguments_in_their_order() -> None:
    call = QuestionKey(NodeQuestions.call_constant)
    given = {"data": b"", "owner": "a", "contract": "b"}
    assert call.of_call(**given) == ("call_constant", "a", "b", b"", False)
    assert call.of_call(**given, solid=True)[call.place_of("solid")] is True
    assert QuestionKey(NodeQuestions.fetch_info).of_call() == ("fetch_info",)


def test_a_call_without_a_necessary_argument_has_no_key() -> None:
    with pytest.raises(KeyError):
        RECEIPT.of_call()
