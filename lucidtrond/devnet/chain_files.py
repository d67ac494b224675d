"""The small files beside a chain's log: its checkpoint, its distance, its lock.

Each is replaced as a whole, so that it is there as it was or as it is to be.
"""

import contextlib
import fcntl
import logging
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from lucidtrond.devnet.state.world import WorldRows
from lucidtrond.errors import AlreadyRunning, StoreError

log = logging.getLogger(__name__)

_CHECKPOINT: Final = "chain.checkpoint"
_BEHIND: Final = "chain.behind"


class Checkpoint(msgspec.Struct, frozen=True, array_like=True):
    """*base* is the state of an earlier block than *number*, up to which the indexes
    of blocks and of transactions reach; the log was *log_bytes* long then."""

    base: WorldRows
    number: int
    log_bytes: int
    transactions: bytes


def encode_checkpoint(checkpoint: Checkpoint) -> bytes:
    """The content of its file: CRC-32, then the payload."""
    payload = msgspec.msgpack.encode(checkpoint)
    return zlib.crc32(payload).to_bytes(4, "big") + payload


def _decode_checkpoint(data: bytes) -> Checkpoint:
    stated, payload = data[:4], data[4:]
    if zlib.crc32(payload).to_bytes(4, "big") != stated:
        raise msgspec.DecodeError("checksum")
    return msgspec.msgpack.decode(payload, type=Checkpoint)


class ChainFiles:
    """Those of one chain; *durable* ones outlive a power cut."""

    def __init__(self, directory: Path, *, durable: bool) -> None:
        self._directory = directory
        self._durable = durable

    def read_checkpoint(self) -> Checkpoint | None:
        """The one that was stored last; None without one that can be read."""
        try:
            return _decode_checkpoint((self._directory / _CHECKPOINT).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            log.warning("checkpoint not used", extra={"reason": str(error)})
            return None

    def store_checkpoint(self, data: bytes) -> None:
        """Write what `encode_checkpoint` gave. Raises OSError: the one before stays."""
        self._replace(_CHECKPOINT, data)

    def remove_checkpoint(self) -> None:
        """Raises OSError."""
        (self._directory / _CHECKPOINT).unlink(missing_ok=True)

    def store_behind(self, behind_ms: int) -> None:
        """Keep how far the chain's time is behind the clock.

        Raises:
            StoreError: it is not kept.
        """
        try:
            self._replace(_BEHIND, b"%d\n" % behind_ms)
            if self._durable:
                _sync_directory(self._directory)
        except OSError as error:
            raise StoreError(f"{_BEHIND}: {error.strerror}") from error

    def read_behind(self) -> int | None:
        """What `store_behind` kept; None for a chain that was made before it was.

        Raises:
            StoreError: it can't be read, or is no such number.
        """
        path = self._directory / _BEHIND
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror}") from error
        if re.fullmatch(rb"\d{1,15}\n", text) is None:
            raise StoreError(f"{path}: expected milliseconds, got {text[:20]!r}")
        return int(text)

    def _replace(self, name: str, data: bytes) -> None:
        fresh = self._directory / f"{name}.new"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        with os.fdopen(os.open(fresh, flags, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            if self._durable:
                os.fsync(file.fileno())
        fresh.replace(self._directory / name)


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a chain's lock file. Raises AlreadyRunning."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(f"{path.parent}: the chain is in use") from None
        yield
    finally:
        os.close(lock)
