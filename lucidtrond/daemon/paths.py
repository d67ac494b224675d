"""Where sockets and state live: one list for the daemon and its client.

Light on purpose (stdlib only): the client starts in under 100 ms.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SOCKET_NAME: Final = "rpc.sock"
SYSTEM_SOCKET: Final = Path("/run/lucidtrond") / SOCKET_NAME


def state_dir(flag: str | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The first of: the flag, systemd's directory, XDG's, the home's."""
    if flag:
        return Path(flag).expanduser().absolute()
    if given := environ.get("STATE_DIRECTORY"):
        return Path(given.partition(":")[0])
    if given := environ.get("XDG_STATE_HOME"):
        return Path(given) / "lucidtrond"
    return Path(environ.get("HOME") or "/root") / ".local/state/lucidtrond"


def socket_paths(
    flag: str | None, state: Path, environ: Mapping[str, str] = os.environ
) -> list[Path]:
    """Candidates, best first.

    The daemon takes the first it can create, the client the first where a socket is.
    A path that was named (flag or ``$LUCIDTROND_SOCKET``) is the only candidate.
    """
    if flag:
        return [Path(flag).expanduser().absolute()]
    if given := environ.get("LUCIDTROND_SOCKET"):
        return [Path(given)]
    paths = []
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        paths.append(Path(runtime) / "lucidtrond" / SOCKET_NAME)
    return [*paths, SYSTEM_SOCKET, state / SOCKET_NAME]
