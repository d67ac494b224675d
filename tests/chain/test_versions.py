"""What versions of a block that several endpoints show say of its rows."""

import pytest
from attrs import evolve

from lucidtrond.chain.read import read_block
from lucidtrond.chain.versions import MovementKey, judge
from lucidtrond.node.questions.shown import Shown
from lucidtrond.tron.block import Block
from lucidtrond.tron.receipt import Log
from tests.chain.model import SUCCESS, receipts_of, transfer
from tests.chain.test_committed import TOKEN
from tests.chain.test_read import A, B, block_with, call, transfer_log

PAID = transfer(owner=A, to=B, nonce=1)
CALLED = call()
LOG = transfer_log(A, B, 5, token=TOKEN)
OTHER_LOG = transfer_log(A, B, 6, token=TOKEN)
FAILED = 2


def version(
    operator: str,
    *,
    proven: bool = False,
    result: int = SUCCESS,
    log: Log = LOG,
    only_call: bool = False,
) -> Shown:
    made = [CALLED] if only_call else [PAID, CALLED]
    block = block_with(*made, results=[*[result] * (len(made) - 1), SUCCESS])
    *plain, called = receipts_of(block)
    receipts = (*plain, evolve(called, logs=(log,)))
    return Shown(operator, evolve(block, root_proven=proven), receipts)


def rows() -> tuple[MovementKey, MovementKey]:
    shown = version("ours")
    first, second = [
        MovementKey(
            txid=movement.txid,
            kind=movement.kind,
            index=movement.index,
            sender=movement.sender.raw,
            recipient=movement.recipient.raw,
            asset=str(movement.asset),
            amount=movement.amount,
            success=movement.success,
        )
        for movement in read_block(shown.block, shown.receipts).movements
    ]
    assert (first.kind, second.kind) == ("trx", "trc20")
    return first, second


@pytest.mark.parametrize(
    ("shown", "of_trx", "of_log"),
    [
        ([], None, None),
        ([version("a")], None, None),
        ([version("a"), version("a")], None, None),
        ([version("a"), version("b")], "two_sources", "two_sources"),
        ([version("a"), version("b", log=OTHER_LOG)], "two_sources", None),
        ([version("a"), version("b", result=FAILED)], None, "two_sources"),
        ([version("a", proven=True)], "signatures", None),
        ([version("a"), version("b", proven=True)], "signatures", "two_sources"),
        (
            [version("a"), version("b"), version("c", proven=True, result=FAILED)],
            "gone",
            "two_sources",
        ),
        (
            [version("a"), version("b", proven=True, only_call=True)],
            "gone",
            "two_sources",
        ),
    ],
)
def test_the_verdict_is_of_a_proven_version_else_of_two_operators(
    shown: list[Shown], of_trx: str | None, of_log: str | None
) -> None:
    trx, log = rows()
    verdicts = judge([trx, log], shown)
    assert (verdicts.get(trx), verdicts.get(log)) == (of_trx, of_log)


def test_receipts_of_another_block_say_nothing() -> None:
    trx, log = rows()
    odd = version("b")
    bare = Shown("b", odd.block, odd.receipts[:1])
    assert judge([trx, log], [version("a"), bare]) == {}
    assert judge([trx, log], [version("a"), Shown("b", odd.block, ())]) == {}


def test_a_block_without_the_transaction_does_not_show_it() -> None:
    trx, _ = rows()
    block = version("a").block
    empty = Block(block.header, (), root_proven=False)
    assert judge([trx], [version("a"), Shown("b", empty, ())]) == {}
