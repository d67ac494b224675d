"""BIP-32 keys and BIP-44 paths; TRON is coin type 195 (SLIP-44). Words: `mnemonic`."""

import hashlib
import hmac
import re
from typing import Final, Self

import coincurve
from attrs import field, frozen
from msgspec import Struct

from lucidtrond.tron.address import Address
from lucidtrond.tron.keys import PrivateKey, address_of

ACCOUNT_PATH: Final = (0x80000000 + 44, 0x80000000 + 195, 0x80000000, 0)
"""m/44'/195'/0'/0: its children are our wallets' keys (TronLink's and Trust's way)."""
HARDENED: Final = 0x80000000
_STEP: Final = re.compile(r"([0-9]{1,10})(['hH]?)\Z", re.ASCII)


def parse_path(text: str) -> tuple[int, ...]:
    """Read ``m/44'/195'/0'/0/0``; ``'``, ``h`` and ``H`` say hardened.

    Raises:
        ValueError: another form, or an index of 2^31 and more.
    """
    head, *steps = text.split("/")
    if head != "m":
        raise ValueError("path: expected m/ in front")
    path = []
    for step in steps:
        match = _STEP.match(step)
        if match is None or int(match[1]) >= HARDENED:
            raise ValueError(f"path: {step[:20]!r} is no index below 2^31")
        path.append(int(match[1]) + (HARDENED if match[2] else 0))
    return tuple(path)


def format_path(path: tuple[int, ...]) -> str:
    """Undo `parse_path`, with ``'`` for hardened."""
    steps = (
        f"{index - HARDENED}'" if index >= HARDENED else str(index) for index in path
    )
    return "/".join(("m", *steps))


class DerivedAddress(Struct, frozen=True):
    """An address of ours and the index its key has below `ACCOUNT_PATH`."""

    address: Address
    index: int


class PublicNode(Struct, frozen=True):
    """An extended public key: makes addresses without any secret."""

    key: bytes
    """33 bytes, compressed."""
    chain_code: bytes

    def child_address(self, index: int) -> Address:
        """Address number *index* (not hardened)."""
        if not 0 <= index < HARDENED:
            raise ValueError(f"index: expected 0 to {HARDENED - 1}, got {index}")
        digest = _hmac(self.chain_code, self.key + index.to_bytes(4, "big"))
        point = coincurve.PublicKey(self.key).add(digest[:32])
        return address_of(point.format(compressed=False)[1:])


@frozen
class PrivateNode:
    """An extended private key; shows nothing of itself."""

    key: bytes = field(repr=False)
    chain_code: bytes = field(repr=False)

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """The master node (BIP-32)."""
        digest = _hmac(b"Bitcoin seed", seed)
        return cls(digest[:32], digest[32:])

    def child(self, index: int) -> "PrivateNode":
        """CKDpriv of BIP-32; indexes from `HARDENED` on are hardened."""
        if not 0 <= index < 2 * HARDENED:
            raise ValueError(f"index: expected 0 to {2 * HARDENED - 1}, got {index}")
        parent = coincurve.PrivateKey(self.key)
        head = b"\0" + self.key if index >= HARDENED else parent.public_key.format()
        digest = _hmac(self.chain_code, head + index.to_bytes(4, "big"))
        return PrivateNode(parent.add(digest[:32]).secret, digest[32:])

    def descend(self, path: tuple[int, ...]) -> "PrivateNode":
        """Follow *path* from here."""
        node = self
        for index in path:
            node = node.child(index)
        return node

    def public(self) -> PublicNode:
        """The public half."""
        return PublicNode(
            coincurve.PrivateKey(self.key).public_key.format(), self.chain_code
        )

    def private_key(self) -> PrivateKey:
        """The key of this node itself."""
        return PrivateKey(self.key)


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha512).digest()
