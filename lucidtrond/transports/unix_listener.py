"""A listening Unix socket that is ours alone: mode, stale files, second starters."""

import contextlib
import errno
import fcntl
import os
import socket
import stat
import struct
from pathlib import Path
from typing import Final

from attrs import define

from lucidtrond.errors import AlreadyRunning, ConfigError
from lucidtrond.rpc.access import Peer

MAX_PATH: Final = 107  # sockaddr_un.sun_path with its closing NUL
BACKLOG: Final = 1024
# linux/include/uapi/asm-generic/socket.h; Python's socket has no name for it.
_SO_PEERGROUPS: Final = 59
_UCRED: Final = struct.Struct("3i")
_MAX_GROUPS: Final = 65536  # NGROUPS_MAX


@define(eq=False)
class UnixListener:
    """Owns the socket, its file and the lock beside it; `close` gives them back."""

    sock: socket.socket
    path: Path
    _lock: int
    _identity: tuple[int, int]

    def listen(self) -> None:
        """Take connections from now on; until then each is refused."""
        self.sock.listen(BACKLOG)

    def is_in_place(self) -> bool:
        """Whether the file is there and still ours: others can connect."""
        try:
            return _identify(self.path) == self._identity
        except OSError:
            return False

    def close(self) -> None:
        """Remove the file if it is still ours; safe to call twice."""
        if self.sock.fileno() < 0:
            return
        self.sock.close()
        with contextlib.suppress(OSError):
            if _identify(self.path) == self._identity:
                self.path.unlink()
        # The lock's file stays: removing it would let two starters hold "the" lock.
        os.close(self._lock)


def open_unix_listener(
    path: Path, *, mode: int = 0o660, group: int | None = None
) -> UnixListener:
    """Listen at *path*: `bind_unix_listener`, then `UnixListener.listen`."""
    listener = bind_unix_listener(path, mode=mode, group=group)
    listener.listen()
    return listener


def bind_unix_listener(
    path: Path, *, mode: int = 0o660, group: int | None = None
) -> UnixListener:
    """Bind *path* without listening; a dead daemon's socket is replaced.

    The file gets *mode* and *group* before anybody can connect. The folder exists.
    Until `UnixListener.listen` is called connections are refused.

    Raises:
        AlreadyRunning: somebody listens there, or is about to.
        ConfigError: the path can't be a socket's.
        OSError: the folder is missing or not ours.
    """
    if len(os.fsencode(path)) > MAX_PATH:
        raise ConfigError(f"socket path over {MAX_PATH} bytes: {path}")
    lock = _take_lock(path)
    try:
        _clear_way(path)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(0)
            # The file takes over the mode of the unbound socket, so that it is never
            # wider than asked; the umask may narrow it, hence the second step.
            os.fchmod(sock.fileno(), stat.S_IMODE(mode) & 0o600)
            sock.bind(os.fspath(path))
            if group is not None and path.lstat().st_gid != group:
                os.chown(path, -1, group)  # a sandbox may forbid even a needless one
            path.chmod(mode)
            identity = _identify(path)
        except BaseException:
            sock.close()
            raise
    except BaseException:
        os.close(lock)
        raise
    return UnixListener(sock, path, lock, identity)


def _take_lock(path: Path) -> int:
    """Hold a lock for as long as we listen, so that two starters can't both win."""
    name = path.with_name(path.name + ".lock")
    lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise AlreadyRunning(_taken(path)) from None
    return lock


def _taken(path: Path) -> str:
    return (
        f"another daemon serves {path}: stop it, or give this one another path with"
        " --socket (and another [http] port)"
    )


def _clear_way(path: Path) -> None:
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise ConfigError(f"{path} exists and is no socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0)
        result = probe.connect_ex(os.fspath(path))
    if result == errno.ECONNREFUSED:
        path.unlink(missing_ok=True)
    elif result in (0, errno.EAGAIN):  # EAGAIN: alive, with a full queue
        raise AlreadyRunning(_taken(path))
    elif result != errno.ENOENT:
        raise OSError(result, os.strerror(result), os.fspath(path))


def _identify(path: Path) -> tuple[int, int]:
    status = path.lstat()
    return status.st_dev, status.st_ino


def read_peer(sock: socket.socket) -> Peer:
    """Ask the kernel who connected, with all groups it had at that moment."""
    size = _UCRED.size
    credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    _, uid, gid = _UCRED.unpack(credentials)
    try:
        raw = sock.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, 1024)
    except OSError as error:
        if error.errno != errno.ERANGE:
            return Peer(uid, frozenset({gid}))
        raw = sock.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, 4 * _MAX_GROUPS)
    groups = (group for (group,) in struct.iter_unpack("I", raw))
    return Peer(uid, frozenset({gid, *groups}))
