"""A transaction as bytes: what a node keeps, hashes, counts, executes and shows."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.devnet.http.printing import print_row
from lucidtrond.devnet.log import BlockLog
from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.javaproto import BadProtobuf
from lucidtrond.devnet.state.received import receive, unpack
from lucidtrond.devnet.state.rejections import Refused
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.block import check_block
from lucidtrond.tron.contracts import TYPE_URL_PREFIX
from lucidtrond.tron.transaction import RESULT_ALLOWANCE_BYTES, Transaction
from lucidtrond.tron.wirebytes import length_field, varint
from tests.devnet.making import ALICE, BOB, FIVE, Lab, raw_transfer, sign
from tests.devnet.sending import raw_contract
from tests.devnet.test_log import DEFINITION, reopen

TRANSFER = pb.TransferContract(
    owner_address=ALICE.address.raw, to_address=BOB.address.raw, amount=7
).SerializeToString()
UNKNOWN = varint(99 << 3) + b"\x05"


@pytest.fixture(name="lab")
def _lab() -> Lab:
    lab = Lab()
    lab.mine(3)
    return lab


def of_contract(number: int, type_url: str, value: bytes) -> pb.Transaction.Contract:
    parameter = pb.Any(type_url=type_url, value=value)
    return pb.Transaction.Contract(type=number, parameter=parameter)  # type: ignore[arg-type] # stubs want names


@pytest.mark.parametrize(
    "type_url",
    [
        TYPE_URL_PREFIX + "TransferContract",
        "/protocol.TransferContract",
        "a/b//protocol.TransferContract",
    ],
)
def test_what_follows_the_last_slash_names_the_contract(type_url: str) -> None:
    parsed = unpack(of_contract(1, type_url, TRANSFER))
    assert parsed is not None
    assert parsed.encode() == TRANSFER


@pytest.mark.parametrize(
    ("number", "type_url", "value"),
    [
        (1, "protocol.TransferContract", TRANSFER),
        (1, TYPE_URL_PREFIX + "VoteWitnessContract", TRANSFER),
        (1, TYPE_URL_PREFIX + "transfercontract", TRANSFER),
        (1, TYPE_URL_PREFIX + "TransferContract/", TRANSFER),
        (1, "", TRANSFER),
        (4, TYPE_URL_PREFIX + "TransferContract", TRANSFER),
        (3, TYPE_URL_PREFIX + "VoteAssetContract", b""),  # has no class
        (20, TYPE_URL_PREFIX + "CustomContract", b""),
        (999, TYPE_URL_PREFIX + "TransferContract", TRANSFER),
        (-1, TYPE_URL_PREFIX + "TransferContract", TRANSFER),
        (1, TYPE_URL_PREFIX + "TransferContract", TRANSFER[:-1]),
        (1, TYPE_URL_PREFIX + "TransferContract", TRANSFER + b"\x00"),
        (1, TYPE_URL_PREFIX + "TransferContract", TRANSFER + b"\x0c"),
    ],
)
def test_what_does_not_unpack_has_no_owner_and_ends_at_the_signature(
    lab: Lab, number: int, type_url: str, value: bytes
) -> None:
    contract = of_contract(number, type_url, value)
    assert unpack(contract) is None
    raw = pb.Transaction.raw.FromString(
        raw_transfer(lab.chain, ALICE.address, BOB.address, 7).encode()
    )
    raw.contract[0].CopyFrom(contract)
    raw.ref_block_hash = b"12345678"  # wrong too, and not looked at before
    transaction = Transaction(raw.SerializeToString(deterministic=True))
    signed = transaction.with_signature(ALICE.sign(transaction.digest))
    assert Candidate.read(signed).owner == b""
    with pytest.raises(Refused, match="is not contained of permission") as caught:
        lab.send(signed)
    assert caught.value.code == "SIGERROR"


@given(st.binary(max_size=80))
def test_bytes_are_a_transaction_with_one_id_or_none(data: bytes) -> None:
    try:
        transaction, message = receive(data)
    except BadProtobuf:
        return
    again, known_again = receive(transaction.encode())
    assert again == transaction
    assert pb.Transaction.FromString(known_again).raw_data == (
        pb.Transaction.FromString(message).raw_data
    )


def test_the_id_is_of_what_the_node_writes(lab: Lab) -> None:
    canonical = raw_transfer(lab.chain, ALICE.address, BOB.address, 7).encode()
    as_given = varint(18 << 3) + b"\x00" + UNKNOWN + canonical
    transaction, _ = receive(length_field(1, as_given))
    assert transaction.raw == canonical + UNKNOWN
    with pytest.raises(Refused, match="is not contained of permission"):
        lab.send(transaction.with_signature(ALICE.sign(Transaction(as_given).digest)))
    before = lab.balance(BOB.address)
    lab.send(transaction.with_signature(ALICE.sign(transaction.digest)))
    assert lab.balance(BOB.address) == before + 7


def test_unknown_fields_count_in_size_and_root_and_outlive_a_restart(
    tmp_path: Path,
) -> None:
    with BlockLog.open(tmp_path, DEFINITION, durable=False) as blocks:
        assert list(blocks.replay()) == []
        lab = Lab(FIVE, blocks)
        lab.mine(3)
        raw = raw_contract(
            lab,
            "TransferContract",
            owner_address=ALICE.address.raw,
            to_address=BOB.address.raw,
            amount=7,
            behind=UNKNOWN,
        )
        signed = sign(raw, ALICE)
        transaction, _ = receive(signed.encode() + UNKNOWN)
        assert transaction.unknown == UNKNOWN
        lab.send(transaction)
        lab.mine()
        row = lab.chain.block(4)
        assert row is not None
        check_block(row.block)
        [inside] = row.block.transactions
        assert inside.encode().endswith(UNKNOWN)
        size = len(signed.encode()) + len(UNKNOWN) + RESULT_ALLOWANCE_BYTES
        assert row.transactions[0].receipt.net_usage == size
    chain, rows = reopen(tmp_path)
    assert chain.head.globals.number == 4
    assert rows[-1].transactions[0].transaction == transaction
    shown = print_row(rows[-1].transactions[0], visible=False)
    assert "99" not in shown
    [contract] = shown["raw_data"]["contract"]
    assert set(contract["parameter"]["value"]) == {
        "owner_address",
        "to_address",
        "amount",
    }
