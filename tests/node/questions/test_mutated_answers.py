"""Answers with anything in them changed: read, or a documented error, never else.

What is still taken for an answer goes through all that is done with one: it is booked,
held against receipts, shown to callers. A node that lies must not stop us there either.
"""

import contextlib
import copy
import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.chain.committed import expected_logs, missing_logs
from lucidtrond.chain.compare import compare
from lucidtrond.chain.internals import InternalsOf
from lucidtrond.chain.producers import Signed
from lucidtrond.chain.read import read_block, unreadable_logs
from lucidtrond.errors import NodeError
from lucidtrond.node.questions.client import NodeClient
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockHeader, BlockTransaction, ChainPosition
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.tokens import KnownToken, KnownTokens
from lucidtrond.tron.transaction import MalformedTransaction, TxId
from lucidtrond_receipts.views import view_receipt, view_transaction
from tests.node.nodes import (
    Json,
    RecordedNode,
    answer,
    answering,
    block_json,
    infos_json,
    open_client,
    rich,
)
from tests.node.questions.test_client import QUESTIONS, SIGNED
from tests.tron.chainrun import make_block

RICH = rich()
NUMBER = 300
TXID = TxId(block_json(NUMBER)["transactions"][0]["txID"])
ASKED = Address(b"A" + b"\x11" * 20)
TOKENS = KnownTokens([KnownToken(ASKED, "T", "T", 6)])
POSITION = ChainPosition(None, None, None, synced=False)

Ask = Callable[[NodeClient], Awaitable[object]]


def is_busy(number: int) -> bool:
    """Whether contracts pay in it and a call fails."""
    printed = infos_json(number)
    wanted = ("internal_transactions", "resMessage", "log")
    return all(any(name in info for info in printed) for name in wanted)


BUSY = next(filter(is_busy, range(1, 900)))
RECEIPT = RICH["receipt"] | {
    "id": TXID,
    "blockNumber": NUMBER,
    "blockTimeStamp": block_json(NUMBER)["block_header"]["raw_data"]["timestamp"],
}
BROADCAST = {
    "code": "CONTRACT_VALIDATE_ERROR",
    "txid": SIGNED.txid,
    "message": "436f6e7472616374",
    "transaction": "{}",
}
WHOLE = make_block(block_json(BUSY))


async def ask_constant(node: NodeClient) -> object:
    return await node.call_constant(owner=ASKED, contract=ASKED, data=b"")


QUESTIONS_OF: dict[str, tuple[Ask, Json]] = {
    "fetch_head": (QUESTIONS["fetch_head"], block_json(NUMBER)),
    "fetch_solid_id": (lambda node: node.fetch_solid_id(NUMBER), block_json(NUMBER)),
    "fetch_block": (lambda node: node.fetch_block(BUSY), block_json(BUSY)),
    "fetch_blocks": (
        lambda node: node.fetch_blocks(BUSY, BUSY + 2),
        {"block": [block_json(BUSY), block_json(BUSY + 1)]},
    ),
    "fetch_transaction": (
        lambda node: node.fetch_transaction(TXID),
        block_json(NUMBER)["transactions"][0],
    ),
    "fetch_receipt": (lambda node: node.fetch_receipt(TXID), RECEIPT),
    "fetch_receipts": (lambda node: node.fetch_receipts(WHOLE), infos_json(BUSY)),
    "fetch_account": (lambda node: node.fetch_account(ASKED), RICH["account"]),
    "fetch_contract": (lambda node: node.fetch_contract(ASKED), RICH["contract"]),
    "call_constant": (ask_constant, RICH["constant"]),
    "broadcast": (QUESTIONS["broadcast"], BROADCAST),
}

HOSTILE: list[Json] = [
    None,
    True,
    "",
    "0",
    "41" + "00" * 20,
    "00" * 20,
    "00" * 32,
    "zz",
    " 00",
    "T" * 34,
    "T" * 100_000,
    "\u0661" * 40,
    "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
    "\0\n\u202e",
    "UNKNOWN_ENUM_VALUE_contractResult_99",
    "A_COMING_CODE",
    "REVERT",
    0,
    -1,
    1,
    2**31,
    2**63 - 1,
    -(2**63),
    2**64,
    1.5,
    [],
    {},
    [[[[{}]]]],
    [{}],
    {"key": {}},
]
"""Of every type, and at the edges of what stands in an answer."""


@st.composite
def mutations(draw: st.DrawFn, printed: Json) -> Json:
    """*printed* with up to four places of any depth changed, dropped or doubled."""
    changed = copy.deepcopy(printed)
    for _ in range(draw(st.integers(1, 4))):
        inner: Any = changed
        while inner:
            keys = [*inner] if isinstance(inner, dict) else [*range(len(inner))]
            key: Any = draw(st.sampled_from(keys))
            below = inner[key]
            if isinstance(below, dict | list) and below and draw(st.integers(0, 5)):
                inner = below
                continue
            match draw(
                st.sampled_from(["set", "set", "set", "drop", "double", "edit"])
            ):
                case "drop":
                    del inner[key]
                case "double" if isinstance(inner, list):
                    inner.append(copy.deepcopy(below))
                case "edit" if isinstance(below, str) and below:
                    at = draw(st.integers(0, len(below) - 1))
                    put = draw(st.sampled_from("0f8gT\u00e9"))
                    inner[key] = below[:at] + put + below[at + 1 :]
                case "edit" if isinstance(below, int):
                    inner[key] = below + draw(st.sampled_from([-1, 1, 2**62, -(2**62)]))
                case _:
                    inner[key] = copy.deepcopy(draw(st.sampled_from(HOSTILE)))
            break
    return changed


def use(answer: object) -> None:
    """Do with an answer all that is done with it without asking anybody."""
    match answer:
        case list() | tuple():
            for included in answer:
                use(included)
        case BlockHeader():
            with contextlib.suppress(ValueError):  # of a producer that is no address
                Signed.of(answer)
        case Block():
            use(answer.header)
            for included in answer.transactions:
                use(included)
            expected = expected_logs(answer, TOKENS)
            assert missing_logs(expected, ()) == expected
        case BlockTransaction():
            with contextlib.suppress(MalformedTransaction):
                encoded(view_transaction(answer.transaction, TOKENS))
            assert isinstance(answer.contract_ret, int | None)
        case Receipt():
            encoded(view_receipt(answer, POSITION, TOKENS, solidified=True))
            InternalsOf().note([answer])
            assert not compare([answer], [answer]).differing
        case _:
            pass


def encoded(view: object) -> None:
    """What callers are sent can be written."""
    assert json.loads(msgspec.json.encode(view))


async def asked(name: str, printed: Json) -> object:
    """What a question gives when it gets this answer; None where it is refused."""
    ask, _ = QUESTIONS_OF[name]
    node = RecordedNode()
    async with open_client(node) as client:
        await client.fetch_head()
        node.fault = answering(answer(json.dumps(printed)))
        try:
            return await ask(client)
        except NodeError as error:
            assert len(str(error)) < 1000  # noqa: PT017 - what matters is the text
            assert str(error).isprintable()  # noqa: PT017
            return None


@pytest.mark.parametrize("name", QUESTIONS_OF)
def test_unchanged_each_is_an_answer(name: str) -> None:
    _, printed = QUESTIONS_OF[name]
    answer = trio.run(asked, name, printed)
    assert answer is not None
    use(answer)


@pytest.mark.parametrize("name", QUESTIONS_OF)
@given(data=st.data())
@settings(max_examples=60)
def test_changed_anywhere_it_is_an_answer_or_a_documented_error(
    name: str, data: st.DataObject
) -> None:
    _, printed = QUESTIONS_OF[name]
    use(trio.run(asked, name, data.draw(mutations(printed))))


@given(data=st.data())
@settings(max_examples=60)
def test_a_changed_block_with_its_changed_receipts_is_booked_or_refused(
    data: st.DataObject,
) -> None:
    block = trio.run(asked, "fetch_block", data.draw(mutations(block_json(BUSY))))
    if not isinstance(block, Block):
        block = WHOLE
    infos = data.draw(mutations(infos_json(BUSY)))
    receipts = trio.run(asked, "fetch_receipts", infos)
    if not isinstance(receipts, tuple) or block != WHOLE:
        receipts = trio.run(asked, "fetch_receipts", infos_json(BUSY))
    assert isinstance(receipts, tuple)
    if [included.transaction.txid for included in block.transactions] == [
        receipt.txid for receipt in receipts
    ]:
        unreadable_logs(block, receipts, TOKENS)
        for moved in read_block(block, receipts).movements:
            assert 0 <= moved.amount < 2**256
