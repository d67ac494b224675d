"""Which daemon the client talks to: the socket named, the state directory's, or any.

``--state-dir`` names one daemon, by the socket that it recorded there: it or none,
since another may be on another network, with real money. Without a flag the socket
recorded in the user's own state directory is tried first, then the usual places.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from lucidtrond.cli.connection import Connection, RpcFailure, Unreachable
from lucidtrond.daemon.paths import socket_paths, state_dir
from lucidtrond.daemon.socket_record import BadRecord, read_record


def connect_to_daemon(
    *,
    socket: str | None,
    state: str | None,
    environ: Mapping[str, str] = os.environ,
) -> Connection:
    """Connect as the flags, at most one of them, and the environment say.

    Raises:
        Unreachable: the text says where we looked, and why not there.
    """
    if state is not None:
        return _connect_by_state_dir(state_dir(state, environ))
    own = state_dir(None, environ)
    candidates = socket_paths(socket, own, environ)
    if socket is None and not environ.get("LUCIDTROND_SOCKET"):
        try:
            return _connect_by_state_dir(own)
        except Unreachable as exc:
            if isinstance(exc, _DaemonStarting):
                raise
    return Connection.open(candidates)


class _DaemonStarting(Unreachable):
    """The daemon is there and does not serve yet."""


def _connect_by_state_dir(state: Path) -> Connection:
    """Connect to the daemon of a state directory, and to no other.

    Raises:
        Unreachable
    """
    start = f"start it: lucidtrond run --state-dir {state}"
    try:
        record = read_record(state)
    except BadRecord as exc:
        raise Unreachable(f"{exc}; {start}") from None
    except OSError as exc:
        raise Unreachable(
            f"the state directory {state} can't be read ({exc.strerror or exc}); if its"
            " daemon runs as another user, name its socket with --socket"
        ) from None
    if record is None:
        raise Unreachable(f"no daemon serves the state directory {state}; {start}")
    try:
        connection = Connection.open([record.path])
    except Unreachable as exc:
        if exc.refused and _is_alive(record.pid):
            raise _DaemonStarting(
                f"the daemon of {state} (process {record.pid}) is starting: it serves"
                " once a node has responded; see its log. If that process is another"
                f" program, {start}"
            ) from None
        if exc.gone and _is_alive(record.pid):
            raise Unreachable(
                f"the daemon of {state} (process {record.pid}) runs, and its socket"
                f" {record.path} was removed: restart it. If that process is another"
                f" program, {start}"
            ) from None
        raise Unreachable(f"the daemon of {state}: {exc}") from None
    try:
        instance = connection.call("daemon.info").get("instance")
    except RpcFailure as exc:
        connection.close()
        raise Unreachable(f"{record.path}: daemon.info failed: {exc}") from None
    except BaseException:
        connection.close()
        raise
    if instance != record.instance:
        connection.close()
        raise Unreachable(
            f"no daemon serves the state directory {state}: the one that used"
            f" {record.path} ended, and another is there now; {start}"
        )
    return connection


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # another user's
    return True
