"""Reading blocks: what moved, who was touched, and receipts that don't fit."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.chain.read import (
    ReceiptsMismatch,
    read_block,
)
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block
from lucidtrond.tron.contracts import Contract, RawContract, TransferAsset, Trigger
from lucidtrond.tron.receipt import InternalTransfer, Log, Receipt
from lucidtrond.tron.transaction import RawData, Reference, Transaction
from lucidtrond.tron.trc20 import TRANSFER_TOPIC
from lucidtrond.tron.units import Sun, UnixMillis
from tests.chain.model import address, make_block, receipts_of, transfer

REVERT = 2
TOKEN, A, B, C = map(address, (100, 1, 2, 3))


def call(*, value: int = 0, contract: Contract | None = None) -> Transaction:
    raw = RawData(
        contract or Trigger(A, TOKEN, b"\xa9\x05\x9c\xbb", call_value=Sun(value)),
        Reference(b"\0\0", bytes(8)),
        expiration=UnixMillis(1),
        timestamp=UnixMillis(2),
        memo=b"hello",
    )
    return Transaction(raw.encode())


def block_with(*transactions: Transaction, results: list[int] | None = None) -> Block:
    parent = make_block(None).header
    return make_block(parent, transactions, results=results)


def word(of: Address) -> bytes:
    return bytes(12) + of.raw[1:]


def transfer_log(
    sender: Address, recipient: Address, amount: int, *, token: Address = TOKEN
) -> Log:
    return Log(
        token,
        (TRANSFER_TOPIC, word(sender), word(recipient)),
        amount.to_bytes(32, "big"),
    )


def receipt(
    block: Block,
    *,
    logs: tuple[Log, ...] = (),
    internal: tuple[InternalTransfer, ...] = (),
) -> Receipt:
    [plain] = receipts_of(block)
    return evolve(plain, logs=logs, internal=internal)


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))))
def test_each_transfer_is_read_once_from_its_raw_bytes(
    payments: list[tuple[int, int, int]],
) -> None:
    transactions = [
        transfer(owner=address(owner), to=address(to), amount=amount, nonce=nonce)
        for nonce, (owner, to, amount) in enumerate(payments)
    ]
    block = block_with(*transactions)
    read = read_block(block, receipts_of(block))
    assert [
        (
            movement.sender,
            movement.recipient,
            movement.amount,
            movement.txid,
            movement.success,
            movement.place,
        )
        for movement in read.movements
    ] == [
        (address(owner), address(to), amount, transaction.txid, True, place)
        for place, ((owner, to, amount), transaction) in enumerate(
            zip(payments, transactions, strict=True)
        )
    ]
    assert {movement.proof for movement in read.movements} <= {"signatures"}
    assert [movement.fee for movement in read.movements] == [
        1000 + at for at in range(len(payments))
    ]


def test_what_a_contract_moved_is_read_from_logs_and_internal_transactions() -> None:
    block = block_with(call(value=5))
    read = read_block(
        block,
        [
            receipt(
                block,
                logs=(
                    Log(TOKEN, (bytes(32),), b""),
                    transfer_log(A, B, 2**255),
                    transfer_log(B, C, 0),
                ),
                internal=(
                    InternalTransfer(
                        "00", TOKEN, C, ((7, ""),), "call", rejected=False
                    ),
                    InternalTransfer("01", TOKEN, B, ((3, ""),), "call", rejected=True),
                    InternalTransfer(
                        "02", TOKEN, B, ((9, "1001"),), "call", rejected=False
                    ),
                    InternalTransfer("03", TOKEN, B, (), "call", rejected=False),
                    InternalTransfer(
                        "04", TOKEN, B, ((8, ""),), "freezeForEnergy", rejected=False
                    ),
                ),
            )
        ],
    )
    moved = [
        (
            movement.kind,
            movement.index,
            movement.sender,
            movement.recipient,
            movement.amount,
            movement.success,
        )
        for movement in read.movements
    ]
    assert moved == [
        ("trx", 0, A, TOKEN, 5, True),
        ("trc20", 1, A, B, 2**255, True),
        ("trc20", 2, B, C, 0, True),
        ("internal", 0, TOKEN, C, 7, True),
        ("internal", 1, TOKEN, B, 3, False),
    ]
    assert [movement.proof for movement in read.movements] == [
        "signatures",
        *["one_source"] * 4,
    ]
    assert {movement.memo for movement in read.movements} == {b"hello"}
    assert read.touched == {A, B, C, TOKEN}


def test_a_failed_call_moves_nothing_whatever_its_receipt_says() -> None:
    block = block_with(call(value=5), results=[REVERT])
    read = read_block(block, [receipt(block, logs=(transfer_log(A, B, 1),))])
    assert [(movement.kind, movement.success) for movement in read.movements] == [
        ("trx", False)
    ]


@pytest.mark.parametrize(
    "log",
    [
        Log(TOKEN, (TRANSFER_TOPIC, word(A), word(B), bytes(32)), b""),  # TRC-721
        Log(TOKEN, (TRANSFER_TOPIC, word(A)), bytes(32)),
        Log(TOKEN, (TRANSFER_TOPIC, word(A), word(B)), bytes(31)),
        Log(TOKEN, (bytes(32), word(A), word(B)), bytes(32)),
    ],
)
def test_a_log_that_is_no_token_transfer_is_none(log: Log) -> None:
    block = block_with(call())
    assert read_block(block, [receipt(block, logs=(log,))]).movements == ()


@pytest.mark.parametrize("indexed", [0, 1, 2])
def test_a_transfer_is_booked_however_its_log_is_written(indexed: int) -> None:
    values = (word(A), b"\1" * 12 + B.raw[1:], (5).to_bytes(32, "big"))
    data = b"".join(values[indexed:]) + b"more"
    log = Log(TOKEN, (TRANSFER_TOPIC, *values[:indexed]), data)
    block = block_with(call())
    [moved] = read_block(block, [receipt(block, logs=(log,))]).movements
    assert (moved.sender, moved.recipient, moved.amount) == (A, B, 5)


def test_receipts_of_another_block_or_order_or_number_are_refused() -> None:
    first, second = (transfer(owner=A, to=B, nonce=nonce) for nonce in (1, 2))
    block = block_with(first, second)
    good = receipts_of(block)
    fork = make_block(block.header, [first, second])
    for bad in ((), good[:1], good[::-1], (*good, good[0]), receipts_of(fork)):
        with pytest.raises(ReceiptsMismatch):
            read_block(block, bad)
    with pytest.raises(ReceiptsMismatch):
        read_block(make_block(None, [first]), good[:1])
    assert len(read_block(make_block(None, [first]), ()).movements) == 1


@pytest.mark.parametrize(
    "contract",
    [
        RawContract(99, "type", b"\x0a\x15" + A.raw + b"\x22\x15" + B.raw),
        TransferAsset(A, B, b"1000001", 9),
    ],
)
def test_all_addresses_that_a_contract_names_are_touched(contract: Contract) -> None:
    block = block_with(call(contract=contract))
    assert read_block(block, receipts_of(block)).touched == {A, B}


def test_a_trc10_transfer_is_read_under_its_id() -> None:
    block = block_with(call(contract=TransferAsset(A, B, b"1000001", 9)))
    [moved] = read_block(block, receipts_of(block)).movements
    assert (moved.kind, moved.asset, moved.amount) == ("trc10", "1000001", 9)
    assert moved.proof == "signatures"


def test_several_tokens_in_one_transaction_are_booked_each_by_its_log() -> None:
    """Minted, moved and burned by two contracts, with a log of a third kind between."""
    nobody, other = Address(b"\x41" + bytes(20)), C

    def log(token: Address, sender: Address, recipient: Address, amount: int) -> Log:
        topics = (TRANSFER_TOPIC, word(sender), word(recipient))
        return Log(token, topics, amount.to_bytes(32, "big"))

    logs = (
        log(TOKEN, nobody, A, 9),
        Log(other, (bytes(32),), b""),
        log(other, A, B, 3),
        log(TOKEN, A, nobody, 4),
    )
    block = block_with(call())
    moved = read_block(block, [receipt(block, logs=logs)]).movements
    assert [(e.index, e.asset, e.sender, e.recipient, e.amount) for e in moved] == [
        (0, TOKEN, nobody, A, 9),
        (2, other, A, B, 3),
        (3, TOKEN, A, nobody, 4),
    ]
