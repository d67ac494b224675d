"""Blocks on disk: an append-only log, and what makes it quick to start from.

`chain.log`         a magic line, then records: length, CRC-32, payload. The first holds
                    the chain's definition, the others one block each.
`chain.index`       8 bytes per block: where its record begins.
`chain.checkpoint`  state of a solidified block, the index of transactions, and how far
                    both files were when it was written (and synced).
`chain.behind`      how far the chain's time is behind the clock, ms as decimal digits:
                    written before the first block, and never again.
`chain.lock`        held while the chain is open.

Only the log is truth. Index and checkpoint are remade from it when they do not fit.

A block is written to the log before anybody can see it, so killing the process loses
none (the kernel has the bytes); `sync` makes it outlive a power cut. A record that is
not whole at the log's end was never shown and is cut off.
"""

import contextlib
import logging
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

import msgspec

from lucidtrond.devnet.chain_files import (
    ChainFiles,
    Checkpoint,
    encode_checkpoint,
    locked,
)
from lucidtrond.devnet.state.blocks import BlockRow
from lucidtrond.devnet.state.world import WorldRows
from lucidtrond.devnet.txindex import TxIndex
from lucidtrond.errors import StoreError

log = logging.getLogger(__name__)

MAGIC: Final = b"lucidtrond chain 1\n"
HEAD_BYTES: Final = 8
MAX_RECORD_BYTES: Final = 64 << 20
OFFSET_BYTES: Final = 8
RECENT_BLOCKS: Final = 64
RECENT_BYTES: Final = 16 << 10
_READ_AHEAD: Final = 1 << 20


class BlockLog:
    """The blocks of one chain; satisfies `state.blocks.Archive`.

    Not safe for two threads at once, but for `sync` and `store_checkpoint`.
    """

    def __init__(self, directory: Path, *, durable: bool) -> None:
        self.files = ChainFiles(directory, durable=durable)
        self._directory = directory
        self._durable = durable
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(BlockRow)
        self._recent: dict[int, BlockRow] = {}
        self._transactions = TxIndex()
        self._count = 0
        self._end = 0
        self._log = self._index = -1
        self.definition = b""
        """What the chain was made from (`state.genesis`)."""
        self.base: WorldRows | None = None
        """The state to start from; None is the genesis block's."""

    @classmethod
    @contextlib.contextmanager
    def open(
        cls, directory: Path, definition: bytes, *, durable: bool = True
    ) -> Iterator[Self]:
        """Open the chain in *directory*, or begin one made from *definition*.

        Consume `replay` before anything else is asked of it.

        Raises:
            AlreadyRunning: another process has it open.
            StoreError: it can't be opened, or is no chain of ours.
        """
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        blocks = cls(directory, durable=durable)
        with locked(directory / "chain.lock"):
            try:
                blocks._open_files(definition)
                yield blocks
            finally:
                for file in (blocks._log, blocks._index):
                    if file >= 0:
                        os.close(file)

    # Archive

    def append(self, row: BlockRow) -> None:
        """Write a block; it is in the kernel's hands when this returns.

        Raises:
            StoreError: nothing of it stays; try again later.
        """
        if row.number != self._count + 1:
            raise AssertionError("blocks come in order")
        record = _record(self._encoder.encode(row))
        try:
            _write_at(self._log, record, self._end)
            _write_at(self._index, _offset(self._end), self._count * OFFSET_BYTES)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._log, self._end)
            raise StoreError(f"chain log: {error.strerror}") from error
        self._note(row, self._end, len(record))

    def read(self, number: int) -> BlockRow | None:
        recent = self._recent.get(number)
        if recent is not None or not 1 <= number <= self._count:
            return recent
        where = os.pread(self._index, OFFSET_BYTES, (number - 1) * OFFSET_BYTES)
        offset = int.from_bytes(where, "big")
        size = int.from_bytes(os.pread(self._log, 4, offset), "big")
        payload = os.pread(self._log, size, offset + HEAD_BYTES)
        try:
            return self._decoder.decode(payload)
        except msgspec.DecodeError as error:
            raise StoreError(f"chain log: block {number} is unreadable") from error

    def find(self, txid: bytes) -> tuple[int, int] | None:
        for number, place in self._transactions.find(txid):
            # An entry may be of a block that was reverted: look.
            row = self.read(number)
            if row is None or place >= len(row.transactions):
                continue
            if row.transactions[place].transaction.digest == txid:
                return number, place
        return None

    def truncate(self, number: int) -> None:
        """Forget the blocks above *number*, and the checkpoint, which may count them.

        Raises:
            StoreError: they may or may not be forgotten.
        """
        if number >= self._count:
            return
        where = os.pread(self._index, OFFSET_BYTES, number * OFFSET_BYTES)
        end = int.from_bytes(where, "big")
        try:
            self.files.remove_checkpoint()
            os.ftruncate(self._log, end)
            os.ftruncate(self._index, number * OFFSET_BYTES)
        except OSError as error:
            raise StoreError(f"chain log: {error.strerror}") from error
        for gone in range(number + 1, self._count + 1):
            self._recent.pop(gone, None)
        self._count, self._end = number, end

    # Starting

    def replay(self) -> Iterator[BlockRow]:
        """Blocks above `base`, in order; cuts off a torn end of the log."""
        offset, number = self._start
        for payload, at, length in self._records(offset):
            number += 1
            try:
                row = self._decoder.decode(payload)
            except msgspec.DecodeError as error:
                raise StoreError(f"chain log: block {number}: {error}") from error
            if number > self._count:
                where = self._count * OFFSET_BYTES
                _write_at(self._index, _offset(at), where)
                self._note(row, at, length)
            yield row
        if number < self._count:
            raise StoreError(f"chain log: block {number + 1} is unreadable")
        torn = os.fstat(self._log).st_size - self._end
        if torn:
            log.warning("torn end of the chain's log cut off", extra={"bytes": torn})
            os.ftruncate(self._log, self._end)
        os.ftruncate(self._index, self._count * OFFSET_BYTES)

    def _open_files(self, definition: bytes) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            self._log = os.open(self._directory / "chain.log", flags, 0o600)
            self._index = os.open(self._directory / "chain.index", flags, 0o600)
            head = os.pread(self._log, len(MAGIC), 0)
            whole = next(self._records(len(MAGIC)), None) if head == MAGIC else None
            if whole is None:
                whole = self._begin(head, definition)
        except OSError as error:
            raise StoreError(f"chain log: {error.strerror}") from error
        self.definition, at, length = whole
        self._end = at + length
        self._start = (self._end, 0)
        self._load_checkpoint()

    def _begin(self, head: bytes, definition: bytes) -> tuple[bytes, int, int]:
        # A first start that was cut short wrote no block: begin again.
        if not MAGIC.startswith(head) or os.fstat(self._log).st_size > 2 * len(
            _record(definition)
        ):
            raise StoreError(f"{self._directory / 'chain.log'}: not a chain of ours")
        record = _record(definition)
        os.ftruncate(self._log, 0)
        _write_at(self._log, MAGIC + record, 0)
        self.sync()
        return definition, len(MAGIC), len(record)

    def _load_checkpoint(self) -> None:
        kept = self._read_checkpoint()
        if kept is None:
            return
        self._count, self._end = kept.number, kept.log_bytes
        above = kept.base.globals.number
        if above == kept.number:
            self._start = (self._end, above)
        else:
            where = os.pread(self._index, OFFSET_BYTES, above * OFFSET_BYTES)
            self._start = (int.from_bytes(where, "big"), above)
        self._transactions = TxIndex.load(kept.transactions)
        self.base = kept.base

    def _read_checkpoint(self) -> Checkpoint | None:
        """The kept one, unless the files have become shorter since."""
        kept = self.files.read_checkpoint()
        enough = kept is not None and (
            os.fstat(self._log).st_size >= kept.log_bytes
            and os.fstat(self._index).st_size >= kept.number * OFFSET_BYTES
        )
        return kept if enough else None

    def _records(self, offset: int) -> Iterator[tuple[bytes, int, int]]:
        """Whole records from *offset* on: (payload, place, length with the head)."""
        buffer, start = b"", offset
        while True:
            head = offset - start
            size = int.from_bytes(buffer[head : head + 4], "big")
            need = HEAD_BYTES + size
            if len(buffer) - head < max(need, HEAD_BYTES):
                more = max(_READ_AHEAD, min(need, MAX_RECORD_BYTES))
                fresh = os.pread(self._log, more, offset)
                if len(fresh) <= len(buffer) - head:
                    return  # the file ends in the middle of a record
                buffer, start = fresh, offset
                continue
            payload = buffer[head + HEAD_BYTES : head + need]
            stated = buffer[head + 4 : head + HEAD_BYTES]
            if zlib.crc32(payload).to_bytes(4, "big") != stated or not size:
                return
            yield payload, offset, need
            offset += need

    def _note(self, row: BlockRow, at: int, length: int) -> None:
        self._count = row.number
        self._end = at + length
        for place, included in enumerate(row.transactions):
            self._transactions.add(included.transaction.digest, row.number, place)
        if length <= RECENT_BYTES:
            self._recent[row.number] = row
        self._recent.pop(row.number - RECENT_BLOCKS, None)

    # Lasting

    def sync(self) -> None:
        """Wait until the log is on the disk; blocks, so call it in a thread.

        Raises:
            StoreError: what is on the disk is unknown from now on.
        """
        if not self._durable:
            return
        try:
            os.fdatasync(self._log)
        except OSError as error:
            raise StoreError(f"chain log: {error.strerror}") from error

    def checkpoint(self, base: WorldRows) -> bytes:
        """Encode a checkpoint, for `store_checkpoint`."""
        transactions = self._transactions.dump()
        return encode_checkpoint(Checkpoint(base, self._count, self._end, transactions))

    def store_checkpoint(self, data: bytes) -> None:
        """Write it, after what it counts on; blocks, so call it in a thread.

        Raises:
            StoreError: the one before stays.
        """
        try:
            if self._durable:
                os.fdatasync(self._log)
                os.fdatasync(self._index)
            self.files.store_checkpoint(data)
        except OSError as error:
            raise StoreError(f"checkpoint: {error.strerror}") from error


def _record(payload: bytes) -> bytes:
    checksum = zlib.crc32(payload)
    return len(payload).to_bytes(4, "big") + checksum.to_bytes(4, "big") + payload


def _offset(value: int) -> bytes:
    return value.to_bytes(OFFSET_BYTES, "big")


def _write_at(file: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, offset)
        view, offset = view[written:], offset + written
