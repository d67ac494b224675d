"""The two hashes of TRON."""

import hashlib

from Crypto.Hash import keccak


def sha256(data: bytes) -> bytes:
    """32 bytes; used for txids, block ids, Merkle nodes and base58check."""
    return hashlib.sha256(data).digest()


def keccak256(data: bytes) -> bytes:
    """32 bytes with the original padding (not SHA3-256); addresses, ABI, messages."""
    return keccak.new(digest_bits=256, data=data).digest()
