"""Which file on which machine a database is: a copy of it is another one.

Inode, time of birth where the file system keeps one (statx; not in Python 3.11), and
the machine's id. What can't be read counts as unchanged.
"""

import ctypes
import os
import struct
import sys
from pathlib import Path
from typing import Final

MACHINE_ID: Final = Path("/etc/machine-id")
# linux/stat.h and fcntl.h: struct statx has 256 bytes, the mask first, stx_btime at 80.
_AT_FDCWD: Final = -100
_STATX_BTIME: Final = 0x800
_STATX_SIZE: Final = 256
_BTIME: Final = struct.Struct("=qI")
_BTIME_AT: Final = 80


def identity_of(database: Path, *, machine_id: Path = MACHINE_ID) -> str:
    """Name the file and the machine. The file is there."""
    try:
        machine = machine_id.read_text().strip()
    except OSError:
        machine = ""
    inode = database.stat().st_ino
    return f"inode {inode} born {birth_of(database)} machine {machine}"


def birth_of(path: Path) -> str:
    """Seconds and nanoseconds of the file's birth; empty where nobody knows."""
    try:
        statx = ctypes.CDLL(None, use_errno=True).statx
    except (OSError, AttributeError):  # a C library of before 2018
        return ""
    buffer = ctypes.create_string_buffer(_STATX_SIZE)
    if statx(_AT_FDCWD, os.fsencode(path), 0, _STATX_BTIME, buffer):
        return ""
    mask = int.from_bytes(buffer.raw[:4], sys.byteorder)
    if not mask & _STATX_BTIME:
        return ""
    seconds, nanoseconds = _BTIME.unpack_from(buffer.raw, _BTIME_AT)
    return f"{seconds}.{nanoseconds:09}"
