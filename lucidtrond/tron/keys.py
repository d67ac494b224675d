"""secp256k1 keys: addresses, signatures over 32-byte digests, recovery."""

from typing import Final, Self

import coincurve

from lucidtrond.tron.address import PREFIX, Address
from lucidtrond.tron.hashing import keccak256

SECRET_SIZE: Final = 32
SIGNATURE_SIZE: Final = 65
# ECKey.signatureToKeyBytes: 27 is added to a smaller v; 31..34 say "compressed" and
# name the same four points as 27..30.
_V_BASE: Final = 27
_V_COMPRESSED: Final = 31
_V_LAST: Final = 34


class BadSignature(ValueError):
    """The signature has a wrong size or recovers no key."""


class PrivateKey:
    """A secret; shows nothing of itself in repr, errors or pickles."""

    __slots__ = ("_key",)

    def __init__(self, secret: bytes) -> None:
        """Raises ValueError unless it is 32 bytes in the curve's range."""
        if len(secret) != SECRET_SIZE:  # the library would pad a shorter one
            raise ValueError(f"a private key has 32 bytes, not {len(secret)}")
        self._key = coincurve.PrivateKey(secret)

    @classmethod
    def from_hex(cls, text: str) -> Self:
        """Raises ValueError unless it is 64 hex digits in the curve's range."""
        try:
            secret = bytes.fromhex(text)
            if len(text) == 2 * SECRET_SIZE:  # fromhex skips blanks
                return cls(secret)
        except ValueError:
            pass
        raise ValueError("not a private key of 64 hex digits")

    @property
    def secret(self) -> bytes:
        """The 32 bytes; for `keystore` and `devnet` only."""
        return self._key.secret

    @property
    def public_key(self) -> bytes:
        """64 bytes x || y."""
        return self._key.public_key.format(compressed=False)[1:]

    @property
    def address(self) -> Address:
        """The address that this key controls."""
        return address_of(self.public_key)

    def sign(self, digest: bytes) -> bytes:
        """65 bytes r || s || v with v 0 or 1: RFC 6979, low s, no further hashing."""
        return self._key.sign_recoverable(digest, hasher=None)

    def __repr__(self) -> str:
        return "PrivateKey(...)"

    def __reduce__(self) -> str:
        raise TypeError("a private key is not pickled")


def address_of(public_key: bytes) -> Address:
    """The address of a public key of 64 bytes x || y (of none: java's of infinity)."""
    return Address(bytes([PREFIX]) + keccak256(public_key)[12:])


def recover(digest: bytes, signature: bytes) -> Address:
    """Say who signed *digest*; v may be 0/1 or 27/28, as the node takes both.

    High s passes too: anybody can turn one valid signature into the other, which is
    why a transaction is known by its txid and never by its signatures.

    Raises:
        BadSignature: a wrong size, or no key fits.
    """
    return address_of(recover_public_key(digest, signature))


def recover_public_key(digest: bytes, signature: bytes) -> bytes:
    """Give the signer's public key, 64 bytes x || y.

    Raises:
        BadSignature: a wrong size, or no key fits.
    """
    if len(signature) != SIGNATURE_SIZE:
        raise BadSignature(f"expected 65 bytes, got {len(signature)}")
    v = signature[64]
    if v < _V_BASE:
        v += _V_BASE
    if v > _V_LAST:
        raise BadSignature(f"header byte out of range: {v}")
    point = v - (_V_COMPRESSED if v >= _V_COMPRESSED else _V_BASE)
    try:
        key = coincurve.PublicKey.from_signature_and_message(
            signature[:64] + bytes([point]), digest, hasher=None
        )
    except Exception:  # noqa: BLE001 - coincurve raises bare Exception and ValueError
        raise BadSignature("no public key fits this signature") from None
    return key.format(compressed=False)[1:]
