"""Calls of known tokens against the logs of their receipts."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.chain.committed import ExpectedLog, expected_logs, missing_logs
from lucidtrond.chain.read import UNREAD, read_block
from lucidtrond.tron import trc20
from lucidtrond.tron.address import Address
from lucidtrond.tron.contracts import Trigger
from lucidtrond.tron.receipt import Log
from lucidtrond.tron.tokens import KnownToken, KnownTokens
from lucidtrond.tron.transaction import Transaction
from lucidtrond.tron.units import Sun
from tests.chain.model import SUCCESS, address, receipts_of
from tests.chain.test_read import A, B, C, block_with, call, transfer_log

TOKEN, TAXED, STRANGE = map(address, (100, 101, 102))
KNOWN = KnownTokens(
    [
        KnownToken(TOKEN, "XYZ", "", 6),
        KnownToken(TAXED, "TAX", "", 6, fee_on_transfer=True),
    ]
)


def asking(data: bytes, *, token: Address = TOKEN, value: int = 0) -> Transaction:
    return call(contract=Trigger(A, token, data, call_value=Sun(value)))


@given(
    st.integers(0, trc20.MAX_AMOUNT),
    st.sampled_from(["transfer", "transferFrom"]),
    st.integers(0, 3),
)
def test_a_receipt_without_the_log_of_a_committed_transfer_contradicts_it(
    amount: int, owner_pays: str, others: int
) -> None:
    sender = A if owner_pays == "transfer" else C
    data = (
        trc20.transfer(B, amount)
        if owner_pays == "transfer"
        else trc20.transfer_from(C, B, amount)
    )
    block = block_with(asking(data))
    txid = block.transactions[0].transaction.txid
    expected = expected_logs(block, KNOWN)
    assert expected == (ExpectedLog(txid, TOKEN, sender, B, amount),)
    [plain] = receipts_of(block)
    noise = tuple(transfer_log(sender, B, amount, token=STRANGE) for _ in range(others))
    assert missing_logs(expected, [evolve(plain, logs=noise)]) == expected
    assert missing_logs(expected, []) == expected
    good = transfer_log(sender, B, amount, token=TOKEN)
    assert missing_logs(expected, [evolve(plain, logs=(*noise, good))]) == ()


@pytest.mark.parametrize(
    "log",
    [
        transfer_log(A, B, 6, token=TOKEN),
        transfer_log(B, A, 5, token=TOKEN),
        transfer_log(A, C, 5, token=TOKEN),
        transfer_log(A, B, 5, token=TAXED),
    ],
)
def test_another_log_is_not_the_one_that_was_expected(log: Log) -> None:
    block = block_with(asking(trc20.transfer(B, 5)))
    [plain] = receipts_of(block)
    expected = expected_logs(block, KNOWN)
    assert missing_logs(expected, [evolve(plain, logs=(log,))]) == expected


@pytest.mark.parametrize(
    ("transaction", "result"),
    [
        (asking(trc20.transfer(B, 5)), 2),  # REVERT
        (asking(trc20.transfer(B, 5), value=1), SUCCESS),
        (asking(trc20.transfer(B, 5) + b"\0"), SUCCESS),
        (asking(trc20.transfer(B, 5)[:-1]), SUCCESS),
        (asking(trc20.transfer(B, 5).replace(bytes(11), b"\1" * 11, 1)), SUCCESS),
        (asking(trc20.approve(B, 5)), SUCCESS),
        (asking(b""), SUCCESS),
        (asking(trc20.transfer(B, 5), token=STRANGE), SUCCESS),
        (asking(trc20.transfer(B, 5), token=TAXED), SUCCESS),
        (Transaction(b"\xff"), SUCCESS),
    ],
)
def test_nothing_is_expected_of_other_calls(
    transaction: Transaction, result: int
) -> None:
    assert expected_logs(block_with(transaction, results=[result]), KNOWN) == ()


def test_what_is_contradicted_is_booked_as_neither_moved_nor_failed() -> None:
    block = block_with(asking(trc20.transfer(B, 5)))
    receipts = receipts_of(block)
    missing = missing_logs(expected_logs(block, KNOWN), receipts)
    [row] = read_block(block, receipts, missing=missing).movements
    assert (row.kind, row.index, row.asset, row.amount) == ("trc20", UNREAD, TOKEN, 5)
    assert (row.sender, row.recipient) == (A, B)
    assert (row.success, row.contradicted, row.proof) == (False, True, "one_source")
