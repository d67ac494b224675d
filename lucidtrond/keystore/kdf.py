"""Stretch a passphrase in a thread, one at a time.

`hashlib.scrypt` (OpenSSL) rather than pycryptodome's: both let other threads run and
give their 32 MiB back, and pycryptodome's costs 5 MiB more for its imports, for ever.
One at a time bounds the memory; who waits is bounded too.
"""

import hashlib
from functools import partial
from typing import Final

import trio

from lucidtrond.errors import TooBusy
from lucidtrond.keystore.format import KEY_SIZE, KdfHeader

WAITING: Final = 8
"""Tries in line; one more is refused with `TooBusy`."""
_SLACK_BYTES: Final = 1 << 20


class Kdf:
    """Owns the line in front of the one KDF thread."""

    def __init__(self) -> None:
        self._limiter = trio.CapacityLimiter(1)

    async def derive(self, passphrase: bytes, header: KdfHeader) -> bytes:
        """Give the wrapping key: the same work for every passphrase.

        Raises:
            TooBusy: too many tries are waiting.
        """
        if self._limiter.statistics().tasks_waiting >= WAITING:
            raise TooBusy("too many passphrases are being tried", retryable=True)
        return await trio.to_thread.run_sync(
            partial(stretch, passphrase, header), limiter=self._limiter
        )


def stretch(passphrase: bytes, header: KdfHeader) -> bytes:
    """scrypt (RFC 7914)."""
    scrypt = header.parameters
    return hashlib.scrypt(
        passphrase,
        salt=header.salt,
        n=scrypt.n,
        r=scrypt.r,
        p=scrypt.p,
        maxmem=scrypt.memory_bytes + 128 * scrypt.r * scrypt.p + _SLACK_BYTES,
        dklen=KEY_SIZE,
    )
