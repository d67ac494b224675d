"""Numbers that a header may hold, whoever signed it."""

import json

import msgspec
import pytest

from lucidtrond.node.questions import translate, wire
from lucidtrond.node.questions.translate import InvalidAnswer
from tests.node.nodes import forged


@pytest.mark.parametrize(
    ("number", "timestamp", "fits"),
    [
        (7, 2**53 - 1, True),
        (2**53 - 1, 3000, True),
        (7, 2**53, False),
        (7, 2**63 - 1, False),
        (2**53, 3000, False),
        (2**63 - 1, 3000, False),
    ],
)
def test_a_signed_header_leaves_room_to_count_on(
    number: int, timestamp: int, *, fits: bool
) -> None:
    """Anybody signs a header; an expiration after it must not leave 64 bits."""
    printed = forged(number, "00" * 32, timestamp=timestamp)
    answer = msgspec.json.decode(json.dumps(printed), type=wire.BlockJson)
    if fits:
        assert translate.read_header(answer).timestamp == timestamp
        return
    with pytest.raises(InvalidAnswer, match="beyond"):
        translate.read_header(answer)
