"""Measure the daemon as a process: start, resident memory, idle CPU.

    .venv/bin/python contrib/bench/process.py [--runs 20] [--idle-s 60] [--json FILE]
        [--python .venv-runtime/bin/python]

*start* is from exec to ``READY=1``, received on a notify socket as systemd would. The
first run warms the caches and is not counted. *idle* is the daemon as it starts by
default: the devnet with 27 witnesses and a block every 3 s, followed and booked.
"""

import argparse
import json
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")
READY_S = 60.0


class Daemon:
    """One daemon in *folder*, started when made; *start_s* is exec to READY=1."""

    def __init__(self, folder: Path, python: str | Path) -> None:
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        address = folder / "notify.sock"
        notify.bind(str(address))
        notify.settimeout(READY_S)
        began = time.perf_counter()
        self.process = subprocess.Popen(
            [
                *(python, "-m", "lucidtrond.cli.operator", "run"),
                *("--config", os.devnull, "--network", "devnet"),
                *("--state-dir", str(folder / "state")),
                *("--socket", str(folder / "rpc.sock")),
            ],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "SERVICE_PORT": "0",
                "NOTIFY_SOCKET": str(address),
            },
            stderr=subprocess.DEVNULL,
        )
        with notify:
            while b"READY=1" not in notify.recv(4096):
                pass
        self.start_s = time.perf_counter() - began
        address.unlink()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def rss_mib(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        [size] = [row for row in status.splitlines() if row.startswith("VmRSS")]
        return int(size.split()[1]) / 1024

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2]
        user, system = fields.split()[11:13]
        return (int(user) + int(system)) / TICKS


def measure_start(runs: int, python: str | Path = sys.executable) -> list[float]:
    seconds = []
    for _ in range(runs + 1):
        with tempfile.TemporaryDirectory() as folder:
            daemon = Daemon(Path(folder), python)
            seconds.append(daemon.start_s)
            daemon.stop()
    return seconds[1:]


def measure_idle(
    idle_s: float, python: str | Path = sys.executable
) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(Path(folder), python)
        time.sleep(5)  # what starting left behind
        cpu, began = daemon.cpu_s(), time.perf_counter()
        time.sleep(idle_s)
        used = (daemon.cpu_s() - cpu) / (time.perf_counter() - began)
        rss = daemon.rss_mib()
        daemon.stop()
    return {"idle_cpu_percent": round(used * 100, 2), "idle_rss_mib": round(rss, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--idle-s", type=float, default=60.0)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    starts = measure_start(args.runs, args.python)
    result: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "start_s": {
            "runs": len(starts),
            "min": round(min(starts), 3),
            "median": round(statistics.median(starts), 3),
            "max": round(max(starts), 3),
        },
        **measure_idle(args.idle_s, args.python),
    }
    text = json.dumps(result, indent=1)
    print(text)
    if args.json:
        args.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
