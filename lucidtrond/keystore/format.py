"""How secrets lie on disk. Pure: randomness is an argument, rows are bytes.

    passphrase ──scrypt(header)──▶ wrapping key ──opens──▶ data key ──opens──▶ seeds

The data key is random, so a new passphrase rewrites one row. A sealed record is

    version (1) | nonce (12) | ciphertext | GCM tag (16) | checksum (8)

AES-256-GCM authenticates the *identity* of the row along with the text: which keystore,
what kind, which name, and for seeds the public key that is stored beside them in clear.
A row moved to another place, or with an edited neighbour column, does not open.

The checksum is SHA-256 over identity and record and needs no key. It proves nothing; it
tells a damaged row from a wrong passphrase, which GCM alone can't.
"""

import hashlib
import struct
import unicodedata
from typing import Final, Self

from Crypto.Cipher import AES
from msgspec import Struct

from lucidtrond.errors import InvalidInput

VERSION: Final = 1
KEY_SIZE: Final = 32
NONCE_SIZE: Final = 12
SALT_SIZE: Final = 32
LONGEST_PASSPHRASE: Final = 1024
_TAG_SIZE: Final = 16
_CHECKSUM_SIZE: Final = 8
_OVERHEAD: Final = 1 + NONCE_SIZE + _TAG_SIZE + _CHECKSUM_SIZE
_DOMAIN: Final = b"lucidtrond keystore"


Key = bytes | bytearray


class Damaged(ValueError):
    """The record is not what was written, whatever the key."""


class NotOpened(ValueError):
    """The record is whole, and this key does not open it."""


class ScryptParameters(Struct, frozen=True):
    """The cost of one try; 2^15 and 8 take 32 MiB and about 0.1 s."""

    n: int = 2**15
    r: int = 8
    p: int = 1

    @property
    def memory_bytes(self) -> int:
        return 128 * self.n * self.r


LARGEST: Final = ScryptParameters(n=2**20, r=8, p=16)
"""Refuse more: a header is read before anything proves that it is ours."""


class KdfHeader(Struct, frozen=True):
    """What must be known, beside the passphrase, to find the wrapping key again."""

    parameters: ScryptParameters
    salt: bytes

    def encode(self) -> bytes:
        scrypt = self.parameters
        return struct.pack(">BIII", VERSION, scrypt.n, scrypt.r, scrypt.p) + self.salt

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raises Damaged."""
        if len(data) != 13 + SALT_SIZE:
            raise Damaged(f"header: expected {13 + SALT_SIZE} bytes, got {len(data)}")
        version, n, r, p = struct.unpack_from(">BIII", data)
        if version != VERSION:
            raise Damaged(f"header: expected version {VERSION}, got {version}")
        power_of_two = n > 1 and n & (n - 1) == 0
        if not (power_of_two and n <= LARGEST.n and 0 < r <= 8 and 0 < p <= LARGEST.p):
            raise Damaged(f"header: impossible scrypt cost {n} {r} {p}")
        return cls(ScryptParameters(n, r, p), data[13:])


class Identity(Struct, frozen=True):
    """Which row a record belongs to; no part is secret."""

    keystore_id: bytes
    kind: str
    parts: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        """Length-prefixed, so that no two identities read the same."""
        fields = (_DOMAIN, self.keystore_id, self.kind.encode(), *self.parts)
        return b"".join(len(part).to_bytes(4, "big") + part for part in fields)


def seal(key: Key, secret: bytes, identity: Identity, *, nonce: bytes) -> bytes:
    """Encrypt and authenticate; *nonce* is random and used once for a key."""
    if len(nonce) != NONCE_SIZE:
        raise ValueError(f"nonce: expected {NONCE_SIZE} bytes, got {len(nonce)}")
    cipher = AES.new(key, AES.MODE_GCM, nonce=nonce, mac_len=_TAG_SIZE)
    cipher.update(_authenticated(identity))
    ciphertext, tag = cipher.encrypt_and_digest(secret)
    record = bytes([VERSION]) + nonce + ciphertext + tag
    return record + _checksum(record, identity)


def unseal(key: Key, record: bytes, identity: Identity) -> bytes:
    """Give the secret that was sealed for *identity*.

    Raises:
        Damaged: bits differ, bytes are missing, or it is another row's.
        NotOpened: sealed under another key.
    """
    _check(record, identity)
    nonce = record[1 : 1 + NONCE_SIZE]
    body = record[1 + NONCE_SIZE : -_CHECKSUM_SIZE]
    cipher = AES.new(key, AES.MODE_GCM, nonce=nonce, mac_len=_TAG_SIZE)
    cipher.update(_authenticated(identity))
    try:
        return bytes(
            cipher.decrypt_and_verify(body[:-_TAG_SIZE], received_mac_tag=body[-16:])
        )
    except ValueError:
        raise NotOpened("sealed under another key") from None


def _check(record: bytes, identity: Identity) -> None:
    if len(record) < _OVERHEAD:
        raise Damaged(f"record: expected {_OVERHEAD} bytes or more, got {len(record)}")
    if record[-_CHECKSUM_SIZE:] != _checksum(record[:-_CHECKSUM_SIZE], identity):
        raise Damaged("record: the checksum does not fit this row")
    if record[0] != VERSION:
        raise Damaged(f"record: expected version {VERSION}, got {record[0]}")


def _authenticated(identity: Identity) -> bytes:
    return bytes([VERSION]) + identity.encode()


def _checksum(record: bytes, identity: Identity) -> bytes:
    return hashlib.sha256(identity.encode() + record).digest()[:_CHECKSUM_SIZE]


def passphrase_bytes(passphrase: str) -> bytes:
    """Normalise (NFKC) and encode, so that it works from any keyboard.

    Raises:
        InvalidInput: empty, too long or no text; says what was wanted, not what it got.
    """
    wanted = f"passphrase: expected 1 to {LONGEST_PASSPHRASE} bytes of UTF-8"
    if len(passphrase) > LONGEST_PASSPHRASE:
        raise InvalidInput(f"{wanted}, got more")
    try:
        data = unicodedata.normalize("NFKC", passphrase).encode()
    except UnicodeEncodeError:
        raise InvalidInput(f"{wanted}, got something else") from None
    if len(data) == 0:
        raise InvalidInput(f"{wanted}, got none")
    if len(data) > LONGEST_PASSPHRASE:
        raise InvalidInput(f"{wanted}, got more")
    return data
