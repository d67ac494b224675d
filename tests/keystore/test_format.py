"""Records open for their own row under their own key, whole, or not at all."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.errors import InvalidInput
from lucidtrond.keystore.format import (
    Damaged,
    Identity,
    KdfHeader,
    NotOpened,
    ScryptParameters,
    passphrase_bytes,
    seal,
    unseal,
)
from lucidtrond.keystore.kdf import stretch

keys = st.binary(min_size=32, max_size=32)
nonces = st.binary(min_size=12, max_size=12)
secrets = st.binary(max_size=100)
identities = st.builds(
    Identity,
    st.binary(min_size=16, max_size=16),
    st.sampled_from(["seed", "data key"]),
    st.lists(st.binary(max_size=8), max_size=3).map(tuple),
)
KEY, NONCE = bytes(range(32)), bytes(range(12))
HERE = Identity(b"k" * 16, "seed", (b"main", b"path"))


def forged_checksum(record: bytes, identity: Identity) -> bytes:
    """What an attacker who can write the row would put behind it."""
    return record + hashlib.sha256(identity.encode() + record).digest()[:8]


@given(keys, secrets, identities, nonces)
def test_what_was_sealed_opens_again(
    key: bytes, secret: bytes, identity: Identity, nonce: bytes
) -> None:
    assert unseal(key, seal(key, secret, identity, nonce=nonce), identity) == secret


def test_any_flipped_bit_is_refused_also_with_a_checksum_to_match() -> None:
    record = seal(KEY, b"secret", HERE, nonce=NONCE)
    for place in range(len(record) * 8):
        flipped = bytearray(record)
        flipped[place // 8] ^= 1 << place % 8
        with pytest.raises(Damaged):
            unseal(KEY, bytes(flipped), HERE)
        if place < (len(record) - 8) * 8:
            forged = forged_checksum(bytes(flipped[:-8]), HERE)
            with pytest.raises((Damaged, NotOpened)):
                unseal(KEY, forged, HERE)


def test_any_shortened_or_lengthened_record_is_refused() -> None:
    record = seal(KEY, b"secret", HERE, nonce=NONCE)
    for size in range(len(record)):
        for wrong in (record[:size], record[len(record) - size :]):
            with pytest.raises(Damaged):
                unseal(KEY, wrong, HERE)
    with pytest.raises(Damaged):
        unseal(KEY, record + b"\0", HERE)


@given(identities, identities)
def test_a_record_does_not_open_in_another_row(a: Identity, b: Identity) -> None:
    record = seal(KEY, b"secret", a, nonce=NONCE)
    if a == b:
        assert unseal(KEY, record, b) == b"secret"
        return
    assert a.encode() != b.encode()
    with pytest.raises(Damaged):
        unseal(KEY, record, b)
    with pytest.raises(NotOpened):
        unseal(KEY, forged_checksum(record[:-8], b), b)


@given(keys)
def test_another_key_does_not_open_a_whole_record(key: bytes) -> None:
    record = seal(KEY, b"secret", HERE, nonce=NONCE)
    if key != KEY:
        with pytest.raises(NotOpened):
            unseal(key, record, HERE)


def test_a_record_shows_nothing_of_its_secret() -> None:
    assert b"secret" not in seal(KEY, b"secret" * 9, HERE, nonce=NONCE)


@given(st.binary(max_size=60))
def test_a_header_is_read_or_refused_as_damaged(data: bytes) -> None:
    try:
        header = KdfHeader.parse(data)
    except Damaged:
        return
    assert header.encode() == data


@pytest.mark.parametrize(
    "scrypt",
    [
        ScryptParameters(n=2**21, r=8, p=1),
        ScryptParameters(n=2**15 + 1, r=8, p=1),
        ScryptParameters(n=1, r=8, p=1),
        ScryptParameters(n=0, r=8, p=1),
        ScryptParameters(n=2**15, r=9, p=1),
        ScryptParameters(n=2**15, r=0, p=1),
        ScryptParameters(n=2**15, r=8, p=17),
    ],
)
def test_a_cost_that_would_stop_the_machine_is_refused(
    scrypt: ScryptParameters,
) -> None:
    with pytest.raises(Damaged):
        KdfHeader.parse(KdfHeader(scrypt, b"s" * 32).encode())


def test_the_default_cost_is_the_one_that_was_promised() -> None:
    header = KdfHeader(ScryptParameters(), b"s" * 32)
    assert (header.parameters.n, header.parameters.r, header.parameters.p) == (
        2**15,
        8,
        1,
    )
    assert KdfHeader.parse(header.encode()) == header


def test_stretching_is_scrypt_of_rfc_7914() -> None:
    # Section 12, third vector, with our 32 bytes of its 64: scrypt's last step is
    # PBKDF2-SHA256, whose first block does not depend on the length asked for.
    header = KdfHeader(ScryptParameters(n=16384, r=8, p=1), b"SodiumChloride")
    assert stretch(b"pleaseletmein", header).hex() == (
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    )


@given(st.text(min_size=1, max_size=300))
@settings(max_examples=50)
def test_a_passphrase_is_bytes_or_refused_without_being_quoted(text: str) -> None:
    said = ""
    try:
        assert 1 <= len(passphrase_bytes(text)) <= 1024
    except InvalidInput as error:
        said = str(error)
    assert len(text) < 5 or text not in said


def test_two_ways_to_type_one_passphrase_are_one() -> None:
    assert passphrase_bytes("e\u0301\ufb01") == passphrase_bytes("\u00e9fi")


@pytest.mark.parametrize(
    "passphrase", ["", "x" * 1025, "\u00e9" * 513, "\ud800", "\ufdfa" * 400]
)
def test_an_impossible_passphrase_says_what_was_wanted(passphrase: str) -> None:
    with pytest.raises(InvalidInput, match="expected 1 to 1024 bytes of UTF-8"):
        passphrase_bytes(passphrase)


def test_the_longest_passphrase_is_taken() -> None:
    assert len(passphrase_bytes("x" * 1024)) == 1024
