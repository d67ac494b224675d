"""A node that keeps no internal transactions is told by receipts that lack theirs."""

from collections.abc import Sequence

import msgspec
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.chain.internals import CALLS, RECOVERED, InternalsOf, evidence
from lucidtrond.node.questions import translate, wire
from lucidtrond.tron.receipt import InternalTransfer, Receipt
from tests import recorded
from tests.chain.model import address, receipts_of
from tests.chain.test_read import TOKEN, A, B, C, block_with, call, transfer_log
from tests.tron.chainrun import load

ROUTER = address(200)
INTERNAL = InternalTransfer("00", ROUTER, TOKEN, (), "call", rejected=False)


def _receipt(**fields: object) -> Receipt:
    [plain] = receipts_of(block_with(call()))
    return evolve(plain, **{"contract_address": ROUTER, **fields})  # type: ignore[arg-type] # any field


SHOWN = _receipt(internal=(INTERNAL,), logs=(transfer_log(A, B, 1),))
LACKING = _receipt(logs=(transfer_log(A, B, 1),))
SILENT = [
    _receipt(),
    _receipt(logs=(transfer_log(A, B, 1, token=ROUTER),)),
    _receipt(contract_address=None),
]


def test_a_log_of_another_contract_must_have_an_internal_transaction() -> None:
    assert evidence([SHOWN, LACKING, *SILENT]) == (1, 1)
    assert C != ROUTER


@given(st.lists(st.sampled_from([SHOWN, LACKING, *SILENT]), max_size=60))
def test_one_that_lacks_them_decides_and_many_with_them_revoke_it(
    receipts: list[Receipt],
) -> None:
    seen = InternalsOf()
    deciding: list[Receipt] = []
    for receipt in receipts:
        before = seen.keeping
        changed = seen.note([receipt])
        assert changed == (seen.keeping != before)
        if receipt in (SHOWN, LACKING):
            deciding.append(receipt)
        since = len(deciding)
        if LACKING in deciding:
            since = deciding[::-1].index(LACKING)
        if LACKING in deciding and since < RECOVERED:
            assert seen.keeping == "missing"
        else:
            assert seen.keeping == ("kept" if deciding else "unknown")


def test_income_that_no_row_explains_decides_only_where_calls_showed_none() -> None:
    few, many, kept = InternalsOf(), InternalsOf(), InternalsOf()
    few.note([SILENT[0]] * (CALLS - 1))
    many.note([SILENT[0]] * CALLS)
    kept.note([SILENT[0]] * CALLS + [SHOWN])
    assert [internals.note_unexplained_income() for internals in (few, many, kept)] == [
        False,
        True,
        False,
    ]
    assert [internals.keeping for internals in (few, many, kept)] == [
        "unknown",
        "missing",
        "kept",
    ]
    assert not many.note_unexplained_income()


def _translated(infos: Sequence[object]) -> list[Receipt]:
    return [
        translate.read_receipt(msgspec.convert(info, wire.InfoJson)) for info in infos
    ]


def test_a_recorded_node_that_keeps_them_never_lacks_one() -> None:
    infos = [info for of_block in load()["infos"].values() for info in of_block]
    shown, lacking = evidence(_translated(infos))
    assert shown > 20
    assert lacking == 0
    stripped = [
        {key: value for key, value in info.items() if key != "internal_transactions"}
        for info in infos
    ]
    shown, lacking = evidence(_translated(stripped))
    assert shown == 0
    assert lacking > 20


@pytest.mark.mainnet
def test_mainnet_receipts_of_a_node_that_keeps_them_never_lack_one() -> None:
    block = recorded.read_json(recorded.MAINNET / "blocks" / "mainnet-54886487.json.gz")
    shown, lacking = evidence(_translated(block["receipts"]))
    assert shown >= 3
    assert lacking == 0
