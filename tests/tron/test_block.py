import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.block import (
    EMPTY_ROOT,
    BadBlock,
    Block,
    BlockHeader,
    BlockId,
    BlockTransaction,
    RootMismatch,
    check_block,
    merkle_root,
    tx_trie_root,
)
from lucidtrond.tron.contracts import Transfer
from lucidtrond.tron.hashing import sha256
from lucidtrond.tron.keys import BadSignature, PrivateKey
from lucidtrond.tron.transaction import RawData, Reference, Transaction
from lucidtrond.tron.units import Sun, UnixMillis
from lucidtrond.tron.wirebytes import length_field
from tests.tron.strategies import N, digests, unknown_fields

KEY = PrivateKey(b"\x11" * 32)
HEADER = BlockHeader(
    number=5,
    timestamp=UnixMillis(1_800_000_000_000),
    parent_id=BlockId("00" * 7 + "04" + "ab" * 24),
    tx_trie_root=EMPTY_ROOT,
    witness=KEY.address.raw,
    version=32,
)


def signed(header: BlockHeader) -> BlockHeader:
    return attrs.evolve(header, witness_signature=KEY.sign(header.digest))


def payment(number: int) -> BlockTransaction:
    raw = RawData(
        Transfer(KEY.address, KEY.address, Sun(number)),
        Reference(b"", b""),
        expiration=UnixMillis(0),
        timestamp=UnixMillis(0),
    ).encode()
    return BlockTransaction.with_code(Transaction(raw, (KEY.sign(sha256(raw)),)), 1)


def block_of(*transactions: BlockTransaction) -> Block:
    root = tx_trie_root(transactions)
    return Block(signed(attrs.evolve(HEADER, tx_trie_root=root)), transactions)


def reference_root(leaves: list[bytes]) -> bytes:
    """Level by level, the last one of an odd level going up as it is."""
    if not leaves:
        return bytes(32)
    while len(leaves) > 1:
        above = []
        for at in range(0, len(leaves), 2):
            pair = leaves[at : at + 2]
            above.append(sha256(b"".join(pair)) if len(pair) == 2 else pair[0])
        leaves = above
    return leaves[0]


@given(st.lists(digests, max_size=40))
def test_the_root_agrees_with_its_definition(leaves: list[bytes]) -> None:
    assert merkle_root(leaves) == reference_root(leaves)


@given(st.lists(digests, min_size=1, max_size=20, unique=True), st.data())
def test_no_leaf_can_be_repeated_or_dropped(
    leaves: list[bytes], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(leaves) - 1))
    assert merkle_root([*leaves, leaves[at]]) != merkle_root(leaves)
    if len(leaves) > 1:
        assert merkle_root(leaves[:at] + leaves[at + 1 :]) != merkle_root(leaves)


def test_a_signed_block_checks() -> None:
    for count in (0, 1, 2, 3):
        block = block_of(*(payment(number) for number in range(count)))
        assert check_block(block) == block.header.id
        assert check_block(block, expected_id=block.header.id) == block.header.id


def test_the_id_starts_with_the_number() -> None:
    assert HEADER.id.startswith("0000000000000005")
    assert HEADER.id[16:] == HEADER.digest.hex()[16:]


def test_another_id_than_stated_is_bad() -> None:
    with pytest.raises(BadBlock, match="stated"):
        check_block(block_of(), expected_id=BlockId("00" * 32))


def test_a_block_says_whose_key_signed_it_and_any_key_may() -> None:
    key = PrivateKey(b"\x12" * 32)
    header = attrs.evolve(HEADER, witness_signature=key.sign(HEADER.digest))
    assert check_block(Block(header, ())) == HEADER.id
    assert header.signer() == key.address
    assert header.signer().raw != header.witness


@pytest.mark.parametrize("signature", [b"", bytes(65), b"\xff" * 65, b"\1" * 64])
def test_nobodys_signature_is_bad(signature: bytes) -> None:
    header = attrs.evolve(HEADER, witness_signature=signature)
    with pytest.raises(BadBlock, match="nobody"):
        check_block(Block(header, ()))
    with pytest.raises(BadSignature):
        header.signer()


@pytest.mark.parametrize("spelling", [0, 4, 27, 31])
@pytest.mark.parametrize("more", [b"", bytes(3), b"\x17"])
def test_a_block_takes_each_spelling_of_a_signature_that_the_network_takes(
    spelling: int, more: bytes
) -> None:
    """BlockCapsule.validateSignature reads as TransactionCapsule does."""
    header = signed(HEADER)
    made = header.witness_signature
    spelt = made[:64] + bytes([made[64] + spelling]) + more
    again = attrs.evolve(header, witness_signature=spelt)
    assert check_block(Block(again, ())) == HEADER.id
    assert again.signer() == header.signer()


@pytest.mark.parametrize("v", [8, 26, 35, 127, 128, 229, 255])
def test_another_header_byte_is_nobodys(v: int) -> None:
    header = signed(HEADER)
    spelt = header.witness_signature[:64] + bytes([v])
    with pytest.raises(BadBlock, match="nobody"):
        check_block(Block(attrs.evolve(header, witness_signature=spelt), ()))


def test_a_signature_that_counts_modulo_n_is_its_witnesss() -> None:
    """Whoever makes a block may write s + n where that fits 32 bytes: libsecp256k1
    refuses it, the network doesn't."""
    n = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
    # By r = R's x and s = 1 some key signed; so it did by s = 1 + n.
    point = PrivateKey(b"\x05" * 32).public_key
    small, large = (
        attrs.evolve(
            HEADER, witness_signature=point[:32] + s.to_bytes(32, "big") + b"\0"
        )
        for s in (1, 1 + n)
    )
    assert check_block(Block(large, ())) == check_block(Block(small, ()))
    assert large.signer() == small.signer()


def test_block_0_is_unsigned() -> None:
    genesis = attrs.evolve(HEADER, number=0)
    check_block(Block(genesis, ()))
    with pytest.raises(BadBlock, match="block 0"):
        check_block(Block(signed(genesis), ()))


def test_a_header_that_can_not_be_written_is_bad() -> None:
    for odd in (
        attrs.evolve(HEADER, number=-1),
        attrs.evolve(HEADER, number=2**64),
        attrs.evolve(HEADER, timestamp=UnixMillis(2**63)),
        attrs.evolve(HEADER, parent_id=BlockId("x")),
        attrs.evolve(HEADER, version=2**31),
    ):
        with pytest.raises(BadBlock, match="can't be written"):
            check_block(Block(odd, ()))


def test_two_hashes_are_no_transaction() -> None:
    """The tree alone can't tell a node of it from a transaction of 64 bytes."""
    left, right = payment(1), payment(2)
    node = sha256(left.encode()) + sha256(right.encode())
    root = merkle_root([sha256(left.encode()), sha256(right.encode())])
    assert sha256(node) == root
    # Somebody who found hashes that start as a transaction does would get this far.
    forged = BlockTransaction(Transaction(node[2:]))
    header = signed(attrs.evolve(HEADER, tx_trie_root=tx_trie_root([forged])))
    with pytest.raises(BadBlock, match="no transaction"):
        check_block(Block(header, (forged,)))


SMALLEST = b"\x5a\x02\x08\x01"
"""Raw data that is one contract and nothing else."""


@pytest.mark.parametrize("size", [8, 63, 64, 65, 66])
def test_a_leaf_is_longer_than_a_node(size: int) -> None:
    """Whatever it says: only then are the two told apart by their length."""
    bare = Transaction(SMALLEST)
    padding = size - len(bare.encode()) - 2
    signatures = (bytes(padding),) if padding >= 0 else ()
    leaf = BlockTransaction(Transaction(SMALLEST, signatures))
    block = block_of(leaf)
    if size > 64:
        assert len(leaf.encode()) == size
        assert check_block(block) == block.header.id
        return
    with pytest.raises(BadBlock, match=f"a transaction of {len(leaf.encode())} bytes"):
        check_block(block)
    genesis = attrs.evolve(block.header, number=0, witness_signature=b"")
    assert check_block(Block(genesis, (leaf,)))


def test_a_leaf_is_what_was_received() -> None:
    """Unknown fields may stand anywhere, as long as they are hashed there."""
    written = payment(1).encode()
    odd = b"\x9a\x06\x01x"  # field 99
    for data in (odd + written, written + odd):
        stored = BlockTransaction.from_bytes(data)
        assert stored.encode() == data
        assert stored.transaction.unknown == odd
        block = block_of(stored)
        assert block.header.tx_trie_root == sha256(data)
        assert check_block(block) == block.header.id
    assert BlockTransaction.from_bytes(written) == payment(1)


def test_a_root_alone_that_does_not_fit_is_told_from_all_else() -> None:
    """Unknown fields of a transaction count in the root; JSON does not show them."""
    stored = payment(1)
    hidden = attrs.evolve(stored, results=(b"\x18\x01\xd2\x3e\x01\x78",))
    block = block_of(hidden, payment(2))
    assert check_block(block) == block.header.id
    shown = Block(block.header, (stored, payment(2)))
    with pytest.raises(RootMismatch):
        check_block(shown)
    unsigned = attrs.evolve(block.header, witness_signature=bytes(65))
    for lie in (
        attrs.evolve(shown, header=unsigned),
        attrs.evolve(shown, transactions=()),
        attrs.evolve(shown, transactions=(stored, stored)),
        attrs.evolve(shown, transactions=(BlockTransaction(Transaction(b"")),)),
        attrs.evolve(block_of(), transactions=(stored,)),
    ):
        with pytest.raises(BadBlock) as caught:
            check_block(lie)
        assert caught.type is BadBlock
    with pytest.raises(BadBlock, match="stated"):
        check_block(shown, expected_id=BlockId("00" * 32))


def test_a_transaction_that_a_root_proves_may_stand_there_twice() -> None:
    """No chain makes such a block; if it did, its root would be the judge."""
    block = block_of(payment(1), payment(1))
    assert check_block(block) == block.header.id


@given(unknown_fields(), unknown_fields())
def test_fields_of_a_coming_header_stay_and_are_hashed_where_they_must(
    inside: bytes, beside: bytes
) -> None:
    """A post-quantum signature is being tried upstream as field 3."""
    made = signed(attrs.evolve(HEADER, raw_unknown=inside))
    made = attrs.evolve(made, unknown=beside)
    assert BlockHeader.from_bytes(made.encode()) == made
    message = pb.BlockHeader.FromString(made.encode())
    assert message.SerializeToString(deterministic=True) == made.encode()
    assert message.raw_data.SerializeToString(deterministic=True) == made.encode_raw()
    assert (made.id == HEADER.id) == (not inside)
    assert check_block(Block(made, ())) == made.id
    # Wherever they came, they are written behind all others.
    raw = inside + HEADER.encode_raw()
    moved = beside + length_field(1, raw) + length_field(2, made.witness_signature)
    assert BlockHeader.from_bytes(moved) == made


@given(st.binary(max_size=60))
def test_any_bytes_are_a_header_or_a_bad_block(data: bytes) -> None:
    try:
        header = BlockHeader.from_bytes(data)
    except BadBlock:
        return
    again = BlockHeader.from_bytes(header.encode())
    assert again == header
    assert again.encode() == header.encode()


@pytest.mark.parametrize("data", ["0a", "0a0108", "0a023301", "00"])
def test_bytes_that_are_no_header_are_a_bad_block(data: str) -> None:
    with pytest.raises(BadBlock, match="no message"):
        BlockHeader.from_bytes(bytes.fromhex(data))


def test_the_high_s_twin_of_a_witness_signature_is_the_only_other_one() -> None:
    header = signed(HEADER)
    r, v = header.witness_signature[:32], header.witness_signature[64]
    s = int.from_bytes(header.witness_signature[32:64], "big")
    twin = r + (N - s).to_bytes(32, "big") + bytes([v ^ 1])
    made = attrs.evolve(header, witness_signature=twin)
    assert check_block(Block(made, ())) == header.id
