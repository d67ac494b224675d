"""Authenticates what lies in the database in clear, while the keystore is unlocked.

    data key ──HMAC-SHA256(label)──▶ label's key ──HMAC-SHA256(message)──▶ MAC

The key is nowhere but in memory, between an unlock and the next lock: who can write the
database file, and has no passphrase, can make no MAC. Nothing keeps him from putting
back an older row with the MAC that it had.
"""

import hmac
from typing import Final

from lucidtrond.errors import KeystoreLocked

_HASH: Final = "sha256"


class Authenticator:
    """The key of one label; usable from any thread until it is wiped."""

    def __init__(self, data_key: bytes | bytearray, label: bytes) -> None:
        self._key = bytearray(hmac.digest(data_key, label, _HASH))
        self._is_wiped = False

    def mac(self, message: bytes) -> bytes:
        """32 bytes.

        Raises:
            KeystoreLocked: it was locked meanwhile.
        """
        key = bytes(self._key)
        # Looked at behind the copy: a key that was wiped before it is not used.
        if self._is_wiped:
            raise KeystoreLocked("the keystore was locked meanwhile")
        return hmac.digest(key, message, _HASH)

    def verify(self, message: bytes, mac: bytes) -> bool:
        """Whether *mac* was made of *message* by this key. Raises KeystoreLocked."""
        return hmac.compare_digest(self.mac(message), mac)

    def wipe(self) -> None:
        """Overwrite the key."""
        self._is_wiped = True
        self._key[:] = bytes(len(self._key))

    def __reduce__(self) -> str:
        raise TypeError("an authenticator is not pickled")
