"""A real daemon process for tests that start, kill and restart it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from lucidtrond.cli.connection import Connection, Unreachable
from tests import wall_clock

PASSPHRASE = "correct horse battery staple"
START_S = 30.0
STOP_S = 20.0


class DaemonProcess:
    """One state directory, in which a daemon is started as often as one likes.

    Without a *config* it runs the embedded chain, by *flags*; *restore_wait_s* bounds
    what `expires_s` may be then (None: as shipped).
    """

    def __init__(
        self,
        directory: Path,
        *flags: str,
        config: Path | None = None,
        restore_wait_s: int | None = None,
    ) -> None:
        self.state = directory / "state"
        self.socket = directory / "rpc.sock"
        self.log = directory / "daemon.log"
        if config is None:
            flags = flags or ("--block-time", "0.3", "--witnesses", "3")
            file = os.devnull
            if restore_wait_s is not None:
                file = str(directory / "sending.toml")
                Path(file).write_text(f"[sending]\nrestore_wait_s = {restore_wait_s}\n")
            self._flags = ("--config", file, "--network", "devnet", *flags)
        else:
            self._flags = ("--config", str(config), *flags)
        self.program: tuple[str, ...] = ("-m", "lucidtrond.cli.operator")
        self._process: subprocess.Popen[bytes] | None = None

    def spawn(self, **environ: str) -> subprocess.Popen[bytes]:
        """Start a process and do not wait for it."""
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [
                    *(sys.executable, *self.program, "run"),
                    *("--state-dir", str(self.state), "--socket", str(self.socket)),
                    *self._flags,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": str(self.state),
                    "SERVICE_PORT": "0",
                    **wall_clock.kept(environ),
                },
            )

    def start(self, **environ: str) -> "DaemonProcess":
        self._process = self.spawn(**environ)
        deadline = time.monotonic() + START_S
        while True:
            try:
                Connection.open([self.socket]).close()
            except Unreachable:
                assert self._process.poll() is None, self.tail()
                assert time.monotonic() < deadline, self.tail()
                time.sleep(0.01)
            else:
                return self

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def connect(self, timeout_s: float = 60.0) -> Connection:
        return Connection.open([self.socket], timeout_s=timeout_s)

    def call(self, method: str, **params: Any) -> Any:
        with self.connect() as connection:
            return connection.call(method, params)

    def fund(self, address: str, amount_sun: int) -> None:
        """Test money, in a block when this returns."""
        funded = self.call("devnet.fund", address=address, amount_sun=str(amount_sun))
        self.call("tx.wait", txid=funded["txid"], until="included")

    def fund_token(self, address: str, amount_raw: int) -> None:
        """The same with IUSD."""
        asked = {"address": address, "asset": "IUSD", "amount_raw": str(amount_raw)}
        funded = self.call("devnet.fund", **asked)
        self.call("tx.wait", txid=funded["txid"], until="included")

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, nobody is told."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(STOP_S)

    def end(self) -> None:
        """Leave no process behind, whatever happened."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def tail(self) -> str:
        return self.log.read_text()[-3000:]
