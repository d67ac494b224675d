"""A program that forks daemons which die where they are told to; see `Launcher`.

One process imports the daemon, and each daemon is a fork of it: the same code as
``lucidtrond run``, without its 0.8 s of importing. Lines of JSON on stdin and stdout.
"""

import ctypes
import gc
import json
import mmap
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final, Self

from lucidtrond.daemon.config import load_config
from lucidtrond.daemon.main import RunOptions, check, run
from lucidtrond.keystore.format import ScryptParameters
from lucidtrond.keystore.vault import Vault
from tests.daemon.crash import seams

CHEAP: Final = ScryptParameters(n=2**4, r=1, p=1)
"""Keystores made here are opened some thousand times."""
BLOCK_TIME_S: Final = 0.02
"""Blocks are made on demand here, and looked for as often."""
_PR_SET_PDEATHSIG: Final = 1


class Launcher:
    """The program, seen from the test. One daemon at a time."""

    def __init__(self, log: Path) -> None:
        with log.open("ab") as sink:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.daemon.crash.launcher"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=sink,
                env={"PATH": os.environ["PATH"], "SERVICE_PORT": "0"},
                text=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no process behind, whatever happened."""
        self._process.kill()
        self._process.communicate()

    def start(
        self, config: Path, state: Path, *, socket: Path, phrase: Path | None
    ) -> None:
        """Fork a daemon; with *phrase*, a file, it opens its keystore."""
        given = {"config": str(config), "state": str(state), "socket": str(socket)}
        self._ask("start", **given, phrase=None if phrase is None else str(phrase))

    def set_fuse(self, path: tuple[str, ...]) -> None:
        """Let the running daemon die at the end of *path*; () for nowhere."""
        self._ask("fuse", path=path)

    def ended(self) -> int | None:
        """The signal that killed it, 0 when it ended by itself, None while it runs."""
        exit_code: int | None = self._ask("ended")
        return exit_code

    def kill(self) -> None:
        """SIGKILL, here and now."""
        self._ask("kill")

    def _ask(self, verb: str, **params: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([verb, params]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the launcher is gone"
        return json.loads(line)


class _Forker:
    """The program itself."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, seams.PATH_BYTES)
        self._fuses = 0
        self._pid = 0
        seams.install(seams.Fuse(self._memory))
        defaults = Vault.__init__.__kwdefaults__
        assert defaults is not None
        assert "scrypt" in defaults
        defaults["scrypt"] = CHEAP

    def start(self, config: str, state: str, socket: str, phrase: str | None) -> None:
        flags = {"network": {"block_time_s": BLOCK_TIME_S}}
        read = load_config(file=Path(config), environ=os.environ, flags=flags)
        if not self._pid:
            check(read)  # imports the plugins
            gc.freeze()
        self.fuse([])
        self._pid = os.fork()
        if self._pid:
            return
        code = 1
        try:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            quiet = os.open(os.devnull, os.O_RDWR)
            os.dup2(quiet, 0)
            os.dup2(quiet, 1)
            options = RunOptions(
                state_dir=Path(state),
                sockets=(Path(socket),),
                passphrase_file=None if phrase is None else Path(phrase),
            )
            code = run(read, options)
        finally:
            os._exit(code)

    def fuse(self, path: list[str]) -> None:
        self._fuses += 1
        seams.write_path(self._memory, tuple(path), self._fuses)

    def ended(self) -> int | None:
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if pid == 0:
            return None
        return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)


def main() -> None:
    """Do what stdin says until it ends."""
    forker = _Forker()
    for line in sys.stdin:
        verb, params = json.loads(line)
        result = getattr(forker, verb)(**params)
        print(json.dumps(result), flush=True)  # noqa: T201 - its way to answer


if __name__ == "__main__":
    main()
