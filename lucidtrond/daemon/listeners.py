"""The listeners that clients connect to: paths, modes, addresses and rules."""

import contextlib
import grp
import logging
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from attrs import define

from lucidtrond.api.caller import CallerClass
from lucidtrond.daemon.config import AccessConfig, HttpConfig
from lucidtrond.daemon.socket_record import record_socket
from lucidtrond.errors import OperatorError
from lucidtrond.rpc.access import PAYING, AccessRules
from lucidtrond.transports.accept import open_tcp_listeners
from lucidtrond.transports.rpc_access import LOOPBACK, HttpAccess, is_loopback
from lucidtrond.transports.unix import UnixListener, bind_unix_listener

log = logging.getLogger("lucidtrond.daemon")

MODE: Final = 0o660
HTTP_BACKLOG: Final = 4096
READ_ONLY: Final[frozenset[CallerClass]] = frozenset({"read"})


def access_rules(access: AccessConfig) -> AccessRules:
    """Root and we ourselves may everything, the group may read and spend."""
    return AccessRules(
        owner=os.geteuid(),
        group=_group_id(access.group),
        anybody=frozenset(access.other_users),
    )


@contextlib.contextmanager
def bound_socket(
    candidates: Sequence[Path], access: AccessConfig, *, state_dir: Path, instance: str
) -> Iterator[UnixListener]:
    """Bind the socket and record it in the state directory, before anything that waits.

    Connections are refused until `UnixListener.listen`: a client can tell a daemon that
    is starting from none.

    Raises:
        AlreadyRunning, OperatorError: as `bind_socket`, or it can't be recorded.
    """
    listener = bind_socket(candidates, access)
    with contextlib.closing(listener), contextlib.ExitStack() as stack:
        record = record_socket(state_dir, listener.path, instance=instance)
        try:
            stack.enter_context(record)
        except OSError as exc:
            raise OperatorError(
                f"state directory {state_dir}: the socket can't be recorded"
                f" ({exc.strerror or exc})"
            ) from None
        yield listener


def bind_socket(candidates: Sequence[Path], access: AccessConfig) -> UnixListener:
    """Bind the first candidate that can be created; it does not listen yet.

    Raises:
        AlreadyRunning: a daemon listens there; the next candidate is not tried.
        OperatorError: none can be created; all are named with their reasons.
    """
    failures = []
    for path in candidates:
        try:
            path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            return bind_unix_listener(path, mode=MODE, group=_socket_group(access))
        except OSError as exc:
            failures.append(f"{path} ({exc.strerror or exc})")
    raise OperatorError(f"no socket can be created: {', '.join(failures)}")


@define(eq=False)
class HttpListener:
    """Listening already, so that its port is known; serving comes later."""

    sockets: list[socket.socket]
    url: str
    access: HttpAccess

    def close(self) -> None:
        for listening in self.sockets:
            listening.close()


def open_http(http: HttpConfig, *, devnet: bool) -> HttpListener | None:
    """Listen as configured; None when it is off.

    Raises:
        OperatorError: the address is taken, or is public and nobody said so.
    """
    if not http.enabled:
        return None
    local = is_loopback(http.host)
    if not local and not http.allow_public:
        raise OperatorError(
            f"[http] host = {http.host!r} can be reached from other machines, and there"
            " are no tokens yet; [http] allow_public = true lets them read"
        )
    try:
        sockets = open_tcp_listeners(http.host, http.port, backlog=HTTP_BACKLOG)
    except OSError as exc:
        raise OperatorError(
            f"[http] can't listen on {http.host}:{http.port} ({exc.strerror or exc});"
            " choose another port, or 0 for any, or enabled = false"
        ) from None
    port = sockets[0].getsockname()[1]
    shown = f"[{http.host}]" if ":" in http.host else http.host
    return HttpListener(
        sockets,
        url=f"http://{shown}:{port}",
        access=HttpAccess(
            # Test money only: there whoever is on this machine may pay with it.
            PAYING if devnet and local else READ_ONLY,
            hosts=LOOPBACK | {host.lower() for host in (http.host, *http.hosts)},
            origins=frozenset(origin.lower() for origin in http.origins),
        ),
    )


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
