"""A node that keeps no internal transactions is told by receipts that lack theirs."""

from collections.abc import Sequence

import msgspec
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.chain.internals import EVIDENCE, InternalsOf, evidence
from lucidtrond.node import translate, wire
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


@given(st.lists(st.sampled_from([SHOWN, LACKING, *SILENT]), max_size=30))
def test_so_many_in_a_row_decide_and_none_less(receipts: list[Receipt]) -> None:
    seen = InternalsOf()
    kind: list[Receipt] = []
    for each in receipts:
        before = seen.keeping
        changed = seen.note([each])
        assert changed == (seen.keeping != before)
        if each in (SHOWN, LACKING):
            kind.append(each)
        newest = kind[-EVIDENCE:]
        if newest == [LACKING] * EVIDENCE:
            assert seen.keeping == "missing"
        elif newest == [SHOWN] * EVIDENCE:
            assert seen.keeping == "kept"
        if changed and seen.keeping == "missing":
            assert newest == [LACKING] * EVIDENCE


def _translated(infos: Sequence[object]) -> list[Receipt]:
    return [
        translate.read_receipt(msgspec.convert(each, wire.InfoJson)) for each in infos
    ]


def test_a_recorded_node_that_keeps_them_never_lacks_one() -> None:
    infos = [each for of_block in load()["infos"].values() for each in of_block]
    shown, lacking = evidence(_translated(infos))
    assert shown > EVIDENCE
    assert lacking == 0
    stripped = [
        {key: value for key, value in each.items() if key != "internal_transactions"}
        for each in infos
    ]
    shown, lacking = evidence(_translated(stripped))
    assert shown == 0
    assert lacking > EVIDENCE


@pytest.mark.mainnet
def test_mainnet_receipts_of_a_node_that_keeps_them_never_lack_one() -> None:
    block = recorded.read_json(recorded.MAINNET / "blocks" / "mainnet-54886487.json.gz")
    shown, lacking = evidence(_translated(block["receipts"]))
    assert shown >= EVIDENCE
    assert lacking == 0
