"""Who signed, where java-tron's arithmetic goes on and libsecp256k1 gives up."""

import coincurve
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.devnet.state.recovery import recover_signer
from lucidtrond.devnet.state.rejections import BadSignature
from lucidtrond.tron.keys import PrivateKey, address_of
from tests.devnet.making import ALICE

N = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
P = 2**256 - 2**32 - 977
DIGEST = bytes(range(32))
scalars = st.integers(1, N - 1)
digests = st.binary(min_size=32, max_size=32)


def nonce_point(nonce: int) -> tuple[int, int]:
    """r, and the recovery number of an R with that nonce."""
    point = coincurve.PrivateKey(nonce.to_bytes(32)).public_key.format(compressed=True)
    return int.from_bytes(point[1:]), point[0] - 2


def signature(r: int, s: int, v: int) -> bytes:
    return r.to_bytes(32) + s.to_bytes(32) + bytes([v])


def address_of_secret(secret: int) -> object:
    """Whose key it is; 0 is the point at infinity, of which Java makes one too."""
    if not secret:
        return address_of(b"")
    return PrivateKey(secret.to_bytes(32)).address


@given(nonce=scalars, s=st.integers(0, 2**256 - 1), digest=digests)
def test_any_s_recovers_the_key_that_it_would_take(
    nonce: int, s: int, digest: bytes
) -> None:
    r, recovery = nonce_point(nonce)
    if r >= N:
        return
    secret = (s * nonce - int.from_bytes(digest)) * pow(r, -1, N) % N
    assert recover_signer(digest, signature(r, s, recovery)) == address_of_secret(
        secret
    )


@pytest.mark.parametrize("s", [0, N, N + 1, N + 5, 2**256 - 1])
def test_s_counts_modulo_n(s: int) -> None:
    r, recovery = nonce_point(12345)
    secret = (s * 12345 - int.from_bytes(DIGEST)) * pow(r, -1, N) % N
    for v in (recovery, recovery + 27, recovery + 31):
        assert recover_signer(DIGEST, signature(r, s, v)) == address_of_secret(secret)


def test_a_sum_that_is_infinity_is_an_address_too() -> None:
    nonce = 777
    r, recovery = nonce_point(nonce)
    s = int.from_bytes(DIGEST) * pow(nonce, -1, N) % N
    nobody = recover_signer(DIGEST, signature(r, s, recovery))
    assert nobody == address_of(b"")
    zero = bytes(32)
    assert recover_signer(zero, signature(r, 0, recovery)) == nobody


@given(digest=digests, more=st.binary(max_size=5), v27=st.sampled_from([0, 27, 31]))
def test_a_keys_own_signature_is_its(digest: bytes, more: bytes, v27: int) -> None:
    made = ALICE.sign(digest)
    spelled = made[:64] + bytes([made[64] + v27]) + more
    assert recover_signer(digest, spelled) == ALICE.address


LOST = "SignatureException: Could not recover public key from signature"


@pytest.mark.parametrize(
    ("r", "s", "v", "words"),
    [
        (1, 1, 35, "SignatureException: Header byte out of range: 35"),
        (1, 1, 8, "SignatureException: Header byte out of range: 35"),
        (1, 1, 0x7F, "SignatureException: Header byte out of range: 127"),
        (1, 1, 0x80, "SignatureException: Header byte out of range: -101"),
        (1, 1, 0xE5, "SignatureException: Header byte out of range: 0"),
        (1, 1, 0xFF, "SignatureException: Header byte out of range: 26"),
        (0, 1, 0, "IllegalArgumentException: Invalid point compression"),
        (5, 1, 1, "IllegalArgumentException: Invalid point compression"),
        (0, 1, 2, "ArithmeticException: BigInteger not invertible."),
        (N, 1, 0, "ArithmeticException: BigInteger not invertible."),
        (P, 1, 0, LOST),
        (
            P - N,
            1,
            2,
            "SignatureException: Could not recover public key from signature",
        ),
        (
            2**255,
            1,
            3,
            "SignatureException: Could not recover public key from signature",
        ),
    ],
)
def test_what_recovers_nothing_is_told_in_javas_words(
    r: int, s: int, v: int, words: str
) -> None:
    with pytest.raises(BadSignature) as caught:
        recover_signer(DIGEST, signature(r, s, v))
    assert caught.value.reason.removeprefix("java.lang.") in (
        words,
        f"java.security.{words}",
    )


def test_a_short_one_is_told_by_its_size() -> None:
    for size in (0, 1, 64):
        with pytest.raises(BadSignature) as caught:
            recover_signer(DIGEST, bytes(size))
        assert caught.value.reason == f"Signature size is {size}"


@given(signed=st.binary(min_size=65, max_size=66), digest=digests)
def test_any_bytes_recover_somebody_or_are_told(signed: bytes, digest: bytes) -> None:
    refused = ""
    try:
        recover_signer(digest, signed)
    except BadSignature as refusal:
        refused = refusal.reason
    assert not refused or refused.startswith("java.")
