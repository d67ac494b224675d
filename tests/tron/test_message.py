from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.tron.hashing import keccak256
from lucidtrond.tron.keys import BadSignature, PrivateKey
from lucidtrond.tron.message import (
    message_digest,
    recover_message_signer,
    sign_message,
    with_ethereum_v,
)
from tests.tron.strategies import keys

contents = st.binary(max_size=200)


@given(keys, contents)
def test_the_signer_of_a_message_is_recovered(key: PrivateKey, content: bytes) -> None:
    signature = sign_message(key, content)
    assert signature[64] in (27, 28)
    assert recover_message_signer(content, signature) == key.address


@given(keys, contents, contents)
def test_another_message_has_another_signer(
    key: PrivateKey, content: bytes, other: bytes
) -> None:
    if content == other:
        return
    signature = sign_message(key, content)
    with suppress(BadSignature):
        assert recover_message_signer(other, signature) != key.address


@given(contents)
def test_the_digest_counts_bytes_in_decimal(content: bytes) -> None:
    head = b"\x19TRON Signed Message:\n%d" % len(content)
    assert message_digest(content) == keccak256(head + content)


def test_v_is_moved_once_only() -> None:
    for v, moved in ((0, 27), (1, 28), (27, 27), (28, 28)):
        assert with_ethereum_v(bytes(64) + bytes([v]))[64] == moved


def test_a_signature_of_another_size_is_bad() -> None:
    with pytest.raises(BadSignature):
        recover_message_signer(b"", bytes(64))
