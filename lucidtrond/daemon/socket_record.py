"""Which socket the daemon of a state directory serves, recorded in that directory.

The file `socket.json` holds the socket's path, an instance id that is new at each start
and the process id. It is written when the socket is bound and removed when the daemon
stops; after a kill it is stale until the next start overwrites it. A client therefore
compares the instance id with the one in `daemon.info`: a stale record can name a path
that another daemon serves by now.

Standard library only: the client imports this and starts in under 100 ms.
"""

import contextlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

RECORD: Final = "socket.json"
_MAX_BYTES: Final = 8192
"""PATH_MAX is 4096, and JSON may escape each byte."""


class SocketRecord(NamedTuple):
    """What `socket.json` says. *pid* is for messages only."""

    path: Path
    instance: str
    pid: int


class BadRecord(ValueError):
    """`socket.json` is not a record; the text says why."""


@contextlib.contextmanager
def record_socket(state: Path, path: Path, *, instance: str) -> Iterator[None]:
    """Record *path* in *state* (mode 0600) while the block runs.

    The caller holds the state directory, so nobody else writes there.

    Raises:
        OSError: it can't be written.
    """
    record = state / RECORD
    fields = {
        "socket": str(path.absolute()),
        "instance": instance,
        "pid": os.getpid(),
    }
    draft = record.with_name(RECORD + ".new")
    with contextlib.suppress(FileNotFoundError):
        draft.unlink()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(draft, flags, 0o600), "wb") as stream:  # noqa: PTH123
        stream.write(json.dumps(fields).encode() + b"\n")
    draft.replace(record)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            record.unlink()


def read_record(state: Path) -> SocketRecord | None:
    """Read the record of a state directory; None where there is none.

    Raises:
        BadRecord: the file is no record.
        OSError: it can't be read, as with another user's state directory.
    """
    try:
        # Not blocking: somebody may have put a pipe there.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(state / RECORD, flags)
    except FileNotFoundError:
        return None
    with open(descriptor, "rb") as stream:  # noqa: PTH123 - a descriptor
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise BadRecord(f"{state / RECORD}: expected a regular file")
        data = stream.read(_MAX_BYTES + 1)
    return _parse(data, name=str(state / RECORD))


def _parse(data: bytes, *, name: str) -> SocketRecord:
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError):  # ValueError: also bytes that are no UTF-8
        fields = None
    match fields:
        case {"socket": str(path), "instance": str(instance), "pid": int(pid)} if (
            path.startswith("/") and "\0" not in path and instance and pid > 0
        ):
            return SocketRecord(Path(path), instance, pid)
    raise BadRecord(
        f"{name}: expected a JSON object with socket (an absolute path), instance and"
        f" pid, got {len(data)} other bytes"
    )
