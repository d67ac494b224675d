import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.block import BlockTransaction
from lucidtrond.tron.contracts import RawContract, Transfer
from lucidtrond.tron.hashing import sha256
from lucidtrond.tron.transaction import (
    MalformedTransaction,
    RawData,
    Reference,
    Transaction,
    _read_by_field,
    bandwidth_bytes,
    decode_raw,
    read_canonical,
    read_stored,
)
from lucidtrond.tron.units import Sun, UnixMillis
from lucidtrond.tron.wirebytes import length_field, varint
from tests.tron.strategies import (
    addresses,
    blobs,
    int32s,
    int64s,
    suns,
    unknown_fields,
)

references = st.builds(
    Reference, st.binary(min_size=2, max_size=2), st.binary(min_size=8, max_size=8)
)
raw_datas = st.builds(
    RawData,
    contract=st.builds(Transfer, addresses, addresses, suns),
    reference=references,
    expiration=int64s.map(UnixMillis),
    timestamp=int64s.map(UnixMillis),
    fee_limit=suns,
    memo=blobs,
    permission_id=int32s,
)
signatures = st.lists(st.binary(min_size=65, max_size=68), max_size=5).map(tuple)


@given(raw_datas)
def test_raw_data_read_back(data: RawData) -> None:
    assert decode_raw(data.encode()) == data


@given(raw_datas)
def test_raw_data_are_what_protobuf_reads(data: RawData) -> None:
    message = pb.Transaction.raw.FromString(data.encode())
    assert message.ref_block_bytes == data.reference.block_bytes
    assert message.ref_block_hash == data.reference.block_hash
    assert message.expiration == data.expiration
    assert message.timestamp == data.timestamp
    assert message.fee_limit == data.fee_limit
    assert message.data == data.memo
    [contract] = message.contract
    assert contract.type == 1
    assert contract.Permission_id == data.permission_id
    assert message.SerializeToString(deterministic=True) == data.encode()


@given(raw_datas, signatures)
def test_a_transaction_is_what_protobuf_writes(
    data: RawData, signed: tuple[bytes, ...]
) -> None:
    transaction = Transaction(data.encode(), signed)
    message = pb.Transaction(signature=signed)
    message.raw_data.ParseFromString(transaction.raw)
    assert transaction.encode() == message.SerializeToString(deterministic=True)
    assert Transaction.from_bytes(transaction.encode()) == transaction


@given(raw_datas, signatures, st.integers(0, 15))
def test_a_stored_transaction_is_what_protobuf_writes(
    data: RawData, signed: tuple[bytes, ...], result: int
) -> None:
    stored = BlockTransaction.with_code(Transaction(data.encode(), signed), result)
    message = pb.Transaction(signature=signed)
    message.raw_data.ParseFromString(data.encode())
    message.ret.add().contractRet = result  # type: ignore[assignment] # stubs want names
    assert stored.encode() == message.SerializeToString(deterministic=True)
    assert Transaction.from_bytes(stored.encode()) == stored.transaction


@given(raw_datas, blobs)
def test_foreign_bytes_stay_as_they_are(data: RawData, extra: bytes) -> None:
    """Unknown fields, odd orders, whatever: the txid is over what came."""
    unknown = b"\xfa\x3f" + bytes([len(extra)]) + extra  # field 1023
    raw = data.encode() + unknown
    assert Transaction.from_bytes(Transaction(raw).encode()).raw == raw
    swapped = unknown + data.encode()
    assert Transaction.from_bytes(Transaction(swapped).encode()).raw == swapped
    assert Transaction(raw).txid == sha256(raw).hex()


@given(raw_datas, signatures, unknown_fields(), unknown_fields())
def test_fields_of_a_coming_version_stay_and_are_part_of_the_leaf(
    data: RawData, signed: tuple[bytes, ...], beside: bytes, inside: bytes
) -> None:
    """A post-quantum signature is being tried upstream as field 6."""
    stored = BlockTransaction(
        Transaction(data.encode(), signed, beside), (b"\x18\x01" + inside,)
    )
    assert BlockTransaction.from_bytes(stored.encode()) == stored
    message = pb.Transaction.FromString(stored.encode())
    assert message.SerializeToString(deterministic=True) == stored.encode()
    assert stored.contract_ret == 1
    bare = BlockTransaction.with_code(Transaction(data.encode(), signed), 1)
    assert (stored.encode() == bare.encode()) == (not beside + inside)
    assert stored.transaction.txid == bare.transaction.txid
    # Wherever they came, they are written behind all others, as java-tron does.
    moved = Transaction.from_bytes(beside + Transaction(data.encode(), signed).encode())
    assert moved == stored.transaction
    assert moved.with_signature(b"").unknown == beside


@given(st.lists(st.integers(-(2**31), 2**31 - 1) | st.none(), max_size=3))
def test_the_first_result_tells_what_became_of_it(codes: list[int | None]) -> None:
    """A result may also hold what its sender wrote there, code or not."""
    results = [
        pb.Transaction.Result(
            fee=7 if code is None else 0,
            contractRet=code or 0,  # type: ignore[arg-type] # stubs want names
        ).SerializeToString()
        for code in codes
    ]
    stored = BlockTransaction(Transaction(b"raw"), tuple(results))
    assert stored.contract_ret == ((codes[0] or 0) if codes else None)
    assert BlockTransaction.from_bytes(stored.encode()) == stored


@pytest.mark.parametrize("result", ["18", "7201ff", "fa3f"])
def test_a_result_that_is_no_message_is_malformed(result: str) -> None:
    stored = BlockTransaction(Transaction(b""), (bytes.fromhex(result),))
    with pytest.raises(MalformedTransaction, match="result"):
        BlockTransaction.from_bytes(stored.encode())


@given(st.binary(max_size=80))
def test_any_bytes_are_a_transaction_or_malformed(data: bytes) -> None:
    try:
        transaction = Transaction.from_bytes(data)
    except MalformedTransaction:
        return
    again = Transaction.from_bytes(transaction.encode())
    assert again == transaction


@given(st.binary(max_size=80))
def test_any_raw_bytes_decode_or_are_malformed(data: bytes) -> None:
    try:
        decode_raw(data)
    except MalformedTransaction:
        return
    assert len(pb.Transaction.raw.FromString(data).contract) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no raw data"),
        ("1200", "no raw data"),
        ("0a000a00", "raw data twice"),
        ("0800", "no raw data"),  # a number where a message belongs
        ("0d01020304", "no raw data"),
        ("0a05", "not a protobuf"),
        ("0a0033", "not a protobuf"),
    ],
)
def test_what_is_no_transaction_is_refused(text: str, said: str) -> None:
    with pytest.raises(MalformedTransaction, match=said):
        Transaction.from_bytes(bytes.fromhex(text))


@given(raw_datas)
def test_a_signature_changes_bytes_but_not_the_txid(data: RawData) -> None:
    transaction = Transaction(data.encode())
    signed = transaction.with_signature(b"\1" * 65)
    assert signed.txid == transaction.txid
    assert signed.signatures == (b"\1" * 65,)
    assert signed.encode() != transaction.encode()


@given(raw_datas, st.lists(st.binary(min_size=65, max_size=65), max_size=5))
def test_bandwidth_is_size_plus_64(data: RawData, ours: list[bytes]) -> None:
    raw, signed = data.encode(), tuple(ours)
    size = len(Transaction(raw, signed).encode()) + 64
    assert bandwidth_bytes(raw, len(signed)) == size


def test_a_reference_is_cut_from_the_block_id() -> None:
    reference = Reference.to_block(bytes(range(32)).hex())
    assert reference.block_bytes == bytes([6, 7])
    assert reference.block_hash == bytes(range(8, 16))


def test_numbers_that_do_not_fit_are_refused_not_wrapped() -> None:
    data = RawData(
        RawContract(0, "", b""),
        Reference(b"", b""),
        expiration=UnixMillis(0),
        timestamp=UnixMillis(0),
    )
    for wrong in (
        attrs.evolve(data, expiration=UnixMillis(2**63)),
        attrs.evolve(data, timestamp=UnixMillis(-(2**63) - 1)),
        attrs.evolve(data, fee_limit=Sun(2**63)),
        attrs.evolve(data, permission_id=2**31),
    ):
        with pytest.raises(ValueError, match="out of range"):
            wrong.encode()


def test_two_contracts_or_none_are_malformed() -> None:
    for count in (0, 2):
        raw = pb.Transaction.raw()
        for _ in range(count):
            raw.contract.add()
        with pytest.raises(MalformedTransaction, match=f"got {count}"):
            decode_raw(raw.SerializeToString())


parts = st.lists(
    st.one_of(
        st.builds(
            length_field, st.sampled_from([1, 2, 5, 7, 99]), st.binary(max_size=6)
        ),
        st.builds(
            lambda number, value: varint(number << 3) + varint(value),
            st.sampled_from([1, 2, 5, 99]),
            st.integers(0, 300),
        ),
    ),
    max_size=6,
)


@given(st.one_of(parts.map(b"".join), st.binary(max_size=20)))
def test_what_is_read_at_once_is_what_is_read_field_by_field(data: bytes) -> None:
    try:
        expected = _read_by_field(data)
    except MalformedTransaction:
        assert read_canonical(data) is None
        with pytest.raises(MalformedTransaction):
            read_stored(data)
        return
    assert read_stored(data) == expected
    transaction, results = expected
    is_canonical = read_canonical(data) is not None
    assert is_canonical <= (transaction.encode(results) == data)
    assert is_canonical <= (not transaction.unknown)


def test_one_with_nothing_in_it_is_written_as_one() -> None:
    """Its raw data are there, and empty; proto3 would leave them out."""
    assert Transaction(b"", (b"s",)).encode([b""]) == bytes.fromhex("0a00 120173 2a00")
    assert read_stored(bytes.fromhex("0a00")) == (Transaction(b""), ())
    with pytest.raises(MalformedTransaction, match="no raw data"):
        read_stored(b"")
