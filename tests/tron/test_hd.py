import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.tron.hd import (
    ACCOUNT_PATH,
    HARDENED,
    PrivateNode,
    format_path,
    parse_path,
)
from tests.tron import secp256k1

indexes = st.integers(0, 2 * HARDENED - 1)
seeds = st.binary(min_size=16, max_size=64)


def compressed(public: bytes) -> bytes:
    return bytes([2 + (public[63] & 1)]) + public[:32]


def reference_child(key: bytes, code: bytes, index: int) -> tuple[bytes, bytes]:
    """CKDpriv, word for word from BIP-32."""
    hardened = index >= HARDENED
    data = b"\0" + key if hardened else compressed(secp256k1.public_key(key))
    digest = hmac.new(code, data + index.to_bytes(4, "big"), hashlib.sha512).digest()
    tweak = int.from_bytes(digest[:32], "big")
    child = (tweak + int.from_bytes(key, "big")) % secp256k1.N
    return child.to_bytes(32, "big"), digest[32:]


@settings(max_examples=15, deadline=None)
@given(seeds, st.lists(indexes, max_size=3))
def test_derivation_agrees_with_bip_32(seed: bytes, path: list[int]) -> None:
    node = PrivateNode.from_seed(seed).descend(tuple(path))
    digest = hmac.new(b"Bitcoin seed", seed, hashlib.sha512).digest()
    key, code = digest[:32], digest[32:]
    for index in path:
        key, code = reference_child(key, code, index)
    assert (node.key, node.chain_code) == (key, code)


@given(seeds, st.integers(0, HARDENED - 1))
def test_a_public_node_makes_the_addresses_of_the_private_one(
    seed: bytes, index: int
) -> None:
    account = PrivateNode.from_seed(seed).descend(ACCOUNT_PATH)
    address = account.child(index).private_key().address
    assert account.public().child_address(index) == address


@given(st.lists(indexes, max_size=6))
def test_paths_read_back(path: list[int]) -> None:
    assert parse_path(format_path(tuple(path))) == tuple(path)


def test_the_account_path_is_bip_44s_for_tron() -> None:
    assert parse_path("m/44'/195'/0'/0") == ACCOUNT_PATH
    assert parse_path("m/44h/195H/0'/0") == ACCOUNT_PATH
    assert format_path(ACCOUNT_PATH) == "m/44'/195'/0'/0"


@pytest.mark.parametrize(
    "text",
    ["", "44'", "/0", "m/", "m//0", "m/-1", "m/0''", "m/2147483648", "M/0", "m/x"],
)
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="path"):
        parse_path(text)


def test_indexes_outside_their_range_are_refused() -> None:
    node = PrivateNode.from_seed(bytes(64))
    for index in (-1, 2 * HARDENED):
        with pytest.raises(ValueError, match="index"):
            node.child(index)
    for index in (-1, HARDENED):
        with pytest.raises(ValueError, match="index"):
            node.public().child_address(index)


def test_bip_32_test_vector_1() -> None:
    """https://github.com/bitcoin/bips/blob/master/bip-0032.mediawiki, chain m/0'/1."""
    seed = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
    node = PrivateNode.from_seed(seed).descend(parse_path("m/0'/1"))
    assert node.chain_code.hex() == (
        "2a7857631386ba23dacac34180dd1983734e444fdbf774041578e9b6adb37c19"
    )
    assert node.key.hex() == (
        "3c6cb8d0f6a264c91ea8b5030fadaa8e538b020f0a387421a12de9319dc93368"
    )


def test_a_private_node_shows_nothing_of_itself() -> None:
    node = PrivateNode.from_seed(b"\x07" * 32)
    assert node.key.hex() not in repr(node)
    assert repr(node.key)[2:-1] not in repr(node)
    assert repr(node.chain_code)[2:-1] not in repr(node)
