import copy
import pickle
import traceback

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lucidtrond.tron.address import Address
from lucidtrond.tron.hashing import keccak256
from lucidtrond.tron.keys import (
    BadSignature,
    PrivateKey,
    address_of,
    recover,
    recover_public_key,
)
from lucidtrond.tron.recovery import recover_signer
from tests.tron import secp256k1
from tests.tron.strategies import N, digests, keys, secrets

few = settings(max_examples=20, deadline=None)


@few
@given(secrets)
def test_public_keys_agree_with_the_definition(secret: bytes) -> None:
    key = PrivateKey(secret)
    assert key.public_key == secp256k1.public_key(secret)
    assert key.address.raw == b"\x41" + keccak256(key.public_key)[12:]
    assert address_of(key.public_key) == key.address


@few
@given(secrets, digests)
def test_signatures_agree_with_rfc_6979(secret: bytes, digest: bytes) -> None:
    assert PrivateKey(secret).sign(digest) == secp256k1.sign(secret, digest)


@few
@given(digests, st.binary(min_size=64, max_size=64), st.integers(0, 3))
def test_recovery_agrees_with_the_definition(digest: bytes, rs: bytes, v: int) -> None:
    signature = rs + bytes([v])
    expected = secp256k1.recover(digest, signature)
    if expected is None:
        with pytest.raises(BadSignature):
            recover(digest, signature)
    else:
        assert recover_public_key(digest, signature) == expected
        assert recover(digest, signature) == address_of(expected)


@given(keys, digests, st.binary(max_size=5))
def test_of_a_signature_on_the_chain_the_first_65_bytes_count(
    key: PrivateKey, digest: bytes, more: bytes
) -> None:
    signature = key.sign(digest)
    assert recover_signer(digest, signature + more) == key.address
    with pytest.raises(BadSignature):
        recover_signer(digest, signature[:64])
    if more:  # of a message's all bytes do
        with pytest.raises(BadSignature):
            recover(digest, signature + more)


NOBODY = Address.from_hex("41dcc703c0e500b653ca82273b7bfad8045d85a470")
"""keccak256 of nothing."""


@few
@given(secrets, digests, st.sampled_from([0, 4, 27, 31]))
def test_the_point_at_infinity_is_an_address_as_java_has_it(
    nonce: bytes, digest: bytes, spelling: int
) -> None:
    """With s = e / k the two parts of the recovered key cancel each other out."""
    s = int.from_bytes(digest, "big") * pow(int.from_bytes(nonce, "big"), -1, N) % N
    point = PrivateKey(nonce).public_key
    assume(s > 0 and int.from_bytes(point[:32], "big") < N)
    v = point[63] % 2 + spelling
    signature = point[:32] + s.to_bytes(32, "big") + bytes([v])
    assert recover_signer(digest, signature) == NOBODY
    assert recover_signer(digest, signature + bytes(3)) == NOBODY
    with pytest.raises(BadSignature):
        recover(digest, signature)
    for wrong in (2, 3, 8, 26, 35, 255):
        with pytest.raises(BadSignature):
            recover_signer(digest, signature[:64] + bytes([wrong]))
    other = (s % (N - 1) + 1).to_bytes(32, "big")
    assert signer_or_none(digest, point[:32] + other + bytes([v])) != NOBODY


@given(digests, st.binary(max_size=70) | st.sampled_from([bytes(65), b"\xff" * 65]))
def test_any_bytes_are_somebodys_signature_or_a_bad_one(
    digest: bytes, signature: bytes
) -> None:
    signer_or_none(digest, signature)


@pytest.mark.parametrize("digest", [bytes(32), N.to_bytes(32, "big"), b"\xff" * 32])
def test_digests_at_the_edges_raise_nothing_else(digest: bytes) -> None:
    for rs in (bytes(64), b"\xff" * 64, PrivateKey(b"\1" * 32).public_key):
        signer_or_none(digest, rs + b"\0")


def signer_or_none(digest: bytes, signature: bytes) -> Address | None:
    try:
        return recover_signer(digest, signature)
    except BadSignature:
        return None


@given(keys, digests)
def test_the_signer_is_recovered_whatever_spelling_v_has(
    key: PrivateKey, digest: bytes
) -> None:
    signature = key.sign(digest)
    assert len(signature) == 65
    assert signature[64] in (0, 1)
    for spelling in (0, 4, 27, 31):  # as it is, compressed, and both plus 27
        spelt = signature[:64] + bytes([signature[64] + spelling])
        assert recover(digest, spelt) == key.address


@given(keys, digests)
def test_s_is_low_and_the_high_twin_recovers_too(
    key: PrivateKey, digest: bytes
) -> None:
    signature = key.sign(digest)
    s = int.from_bytes(signature[32:64], "big")
    assert 0 < s <= N // 2
    twin = signature[:32] + (N - s).to_bytes(32, "big") + bytes([signature[64] ^ 1])
    assert recover(digest, twin) == key.address


@given(digests, st.binary(max_size=70))
def test_any_bytes_recover_somebody_or_are_bad(digest: bytes, signature: bytes) -> None:
    try:
        recover(digest, signature)
    except BadSignature:
        return
    assert len(signature) == 65


headers = st.integers(8, 26) | st.integers(35, 255)


@given(keys, digests, headers)
def test_a_header_byte_outside_java_trons_range_is_bad(
    key: PrivateKey, digest: bytes, v: int
) -> None:
    with pytest.raises(BadSignature, match="header byte"):
        recover(digest, key.sign(digest)[:64] + bytes([v]))


@pytest.mark.parametrize(
    "secret", [b"", b"\x01", bytes(32), N.to_bytes(32, "big"), b"\xff" * 32, bytes(33)]
)
def test_what_is_no_secret_makes_no_key(secret: bytes) -> None:
    with pytest.raises(ValueError, match=r"32 bytes|[Ss]ecret"):
        PrivateKey(secret)


@pytest.mark.parametrize(
    "text", ["", "01", "0x" + "11" * 32, "11 " * 32, "gg" * 32, "00" * 32, "11" * 33]
)
def test_what_is_no_64_hex_digits_makes_no_key(text: str) -> None:
    with pytest.raises(ValueError, match="not a private key of 64 hex digits"):
        PrivateKey.from_hex(text)


@given(secrets)
def test_hex_and_secret_are_the_same_key(secret: bytes) -> None:
    key = PrivateKey.from_hex(secret.hex())
    assert key.secret == secret
    assert PrivateKey.from_hex(secret.hex().upper()).address == key.address


def test_a_key_shows_nothing_of_itself() -> None:
    key = PrivateKey(b"\x13" * 32)
    shown = [repr(key), str(key), f"{key}", repr([key])]
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError) as caught:
            copied(key)
        shown += traceback.format_exception(caught.value)
    with pytest.raises(ValueError, match="not a private key") as bad:
        PrivateKey.from_hex("13" * 31 + "1x")
    shown += traceback.format_exception(bad.value, chain=True)
    for text in shown:
        assert "1313" not in text.replace('"13" * 31', "")


def test_only_32_bytes_are_signed() -> None:
    with pytest.raises(ValueError, match="32"):
        PrivateKey(b"\x01" * 32).sign(b"short")
