"""Signed messages (TIP-191, "V2"): proof of an address without a transaction.

The prefix keeps a message from ever being a transaction, whose digest is a sha256.
"""

from typing import Final

from lucidtrond.tron.address import Address
from lucidtrond.tron.hashing import keccak256
from lucidtrond.tron.keys import PrivateKey, recover

PREFIX: Final = b"\x19TRON Signed Message:\n"
_V_BASE: Final = 27


def message_digest(message: bytes) -> bytes:
    """What is signed: keccak-256 of prefix, decimal length in bytes, message."""
    return keccak256(PREFIX + str(len(message)).encode() + message)


def sign_message(key: PrivateKey, message: bytes) -> bytes:
    """65 bytes r || s || v with v 27 or 28, as TronWeb's signMessageV2 and tronpy."""
    return with_ethereum_v(key.sign(message_digest(message)))


def with_ethereum_v(signature: bytes) -> bytes:
    """The same signature with v 27 or 28 in place of 0 or 1."""
    v = signature[64]
    return signature[:64] + bytes([v + _V_BASE if v < _V_BASE else v])


def recover_message_signer(message: bytes, signature: bytes) -> Address:
    """Say who signed *message*.

    Raises:
        BadSignature: a wrong size, or no key fits.
    """
    return recover(message_digest(message), signature)
