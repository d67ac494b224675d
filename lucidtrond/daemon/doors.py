"""Where callers come in: the Unix socket's place, mode and rules."""

import grp
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lucidtrond.daemon.config import AccessConfig
from lucidtrond.errors import OperatorError
from lucidtrond.rpc.access import AccessRules
from lucidtrond.transports.unix import UnixListener, open_unix_listener

log = logging.getLogger("lucidtrond.daemon")

MODE: Final = 0o660


def access_rules(access: AccessConfig) -> AccessRules:
    """Root and we ourselves may everything, the group may read and spend."""
    return AccessRules(
        owner=os.geteuid(),
        group=_group_id(access.group),
        anybody=frozenset(access.other_users),
    )


def open_socket(candidates: Sequence[Path], access: AccessConfig) -> UnixListener:
    """Listen at the first candidate that can be created.

    Raises:
        AlreadyRunning: a daemon listens there; the next candidate is not tried.
        OperatorError: none can be created; all are named with their reasons.
    """
    failures = []
    for path in candidates:
        try:
            path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            return open_unix_listener(path, mode=MODE, group=_socket_group(access))
        except OSError as exc:
            failures.append(f"{path} ({exc.strerror or exc})")
    raise OperatorError(f"no socket can be created: {', '.join(failures)}")


def _group_id(name: str) -> int | None:
    try:
        return grp.getgrnam(name).gr_gid if name else None
    except KeyError:
        return None  # a machine without the group: only root and we ourselves


def _socket_group(access: AccessConfig) -> int | None:
    """The group that owns the socket file, if we may give it away."""
    group = _group_id(access.group)
    if group is None or os.geteuid() == 0 or group in os.getgroups():
        return group
    return None
