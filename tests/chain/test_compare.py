"""What two endpoints' receipts agree on, and what that makes of a row's proof."""

from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.chain.compare import Agreed, compare
from lucidtrond.chain.read import read_block
from lucidtrond.tron.receipt import InternalTransfer, Receipt
from lucidtrond.tron.units import Sun
from tests.chain.model import address, receipts_of, transfer
from tests.chain.test_read import TOKEN, A, B, C, block_with, call, transfer_log

INTERNAL = InternalTransfer("00", TOKEN, C, ((7, ""),), "call", rejected=False)
parts = st.fixed_dictionaries(
    {},
    optional={
        "logs": st.just((transfer_log(A, B, 1),)),
        "internal": st.just((INTERNAL,)),
        "fee": st.just(Sun(5)),
    },
)


@given(st.lists(st.tuples(parts, parts), max_size=5))
def test_each_part_of_a_receipt_is_compared_for_itself(
    pairs: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    block = block_with(
        *[transfer(owner=A, to=B, nonce=nonce) for nonce in range(len(pairs))]
    )
    plain = receipts_of(block)
    first, second = (
        [evolve(one, **pair[side]) for one, pair in zip(plain, pairs, strict=True)]
        for side in (0, 1)
    )
    compared = compare(first, second)
    for ours, other, kept in zip(first, second, compared.receipts, strict=True):
        txid = ours.txid
        agreed = compared.agreed
        assert (txid in agreed.logs) == (ours.logs == other.logs)
        assert (txid in agreed.internal) == (ours.internal == other.internal)
        assert (txid in agreed.cost) == (ours.fee == other.fee)
        assert kept == evolve(ours, internal=ours.internal or other.internal)
        assert (txid in compared.differing) == (
            ours.logs != other.logs or ours.fee != other.fee
        )
    assert compare(first, first).differing == ()


def _one(**fields: Any) -> Receipt:
    [plain] = receipts_of(block_with(call()))
    return evolve(plain, **fields)


def test_logs_that_fit_the_committed_call_outweigh_those_that_do_not() -> None:
    bare, whole = _one(), _one(logs=(transfer_log(A, B, 1),))
    txid = bare.txid
    chosen = compare([bare], [whole], missing=[txid])
    assert chosen.receipts == (whole,)
    assert chosen.differing == (txid,)
    assert txid not in chosen.agreed.logs
    kept = compare([bare], [whole], missing=[txid], missing_in_second=[txid])
    assert kept.receipts == (bare,)


def test_two_sources_are_said_of_what_only_receipts_tell() -> None:
    block = block_with(call(value=5))
    [plain] = receipts_of(block)
    receipt = evolve(plain, logs=(transfer_log(A, B, 1),), internal=(INTERNAL,))
    txids = frozenset([receipt.txid])
    for agreed, proofs in (
        (Agreed(), ["signatures", "one_source", "one_source"]),
        (Agreed(logs=txids), ["signatures", "two_sources", "one_source"]),
        (Agreed(internal=txids), ["signatures", "one_source", "two_sources"]),
    ):
        read = read_block(block, [receipt], agreed=agreed)
        assert [movement.proof for movement in read.movements] == proofs
        assert {movement.cost_proof for movement in read.movements} == {"one_source"}
    agreed = Agreed(cost=txids)
    rows = read_block(block, [receipt], agreed=agreed).movements
    assert {row.cost_proof for row in rows} == {"two_sources"}


def test_a_block_whose_root_is_unproven_proves_nothing_by_signatures() -> None:
    block = evolve(block_with(call(value=5)), root_proven=False)
    rows = read_block(block, receipts_of(block)).movements
    assert [row.proof for row in rows] == ["one_source"]
    assert address(1) == rows[0].sender
