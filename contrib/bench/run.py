"""All figures in one run, ours against the baseline, as JSON and as the README's table.

    .venv/bin/python contrib/bench/run.py [--rounds 3] [--seconds 3] [--runs 20]

Writes ``results.json`` beside this file and the table into README.md here. Ours and
the baseline take turns, so that a machine whose speed drifts slows both; the ratio is
the median over the rounds. Needs two quiet cores and ``cc``; makes ``.venv-bench``.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import process
import rpc

HERE = Path(__file__).parent
TOP = HERE.parents[1]
SHAPES = [(1, 1), (1, 64), (100, 1), (1000, 1)]
PARAMS = {"address": "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8", "limit": 10}
MARK = '"jsonrpc"'
BEGIN, END = "<!-- figures: written by run.py -->", "<!-- end of figures -->"


def baseline_python() -> Path:
    """A virtual environment of its own for what the daemon must not depend on."""
    venv = TOP / ".venv-bench"
    if not (venv / "bin/python").exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    pip = [venv / "bin/python", "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "-r", HERE / "requirements.txt"], check=True)
    return venv / "bin/python"


@contextmanager
def server(command: list[str | Path], sock: Path) -> Iterator[int]:
    running = subprocess.Popen(command)
    try:
        while not sock.exists():
            time.sleep(0.02)
        yield running.pid
    finally:
        running.terminate()
        running.wait(10)


def http(request: bytes) -> bytes:
    head = f"POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: {len(request)}\r\n\r\n"
    return head.encode() + request


def one(
    client: Path,
    sock: Path,
    pid: int,
    *,
    request: bytes,
    shape: tuple[int, int],
    seconds: float,
) -> dict[str, Any]:
    before = rpc.cpu_s(pid)
    words = [client, sock, str(shape[0]), str(shape[1]), str(seconds), MARK]
    done = subprocess.run(words, input=request, stdout=subprocess.PIPE, check=True)
    row: dict[str, Any] = json.loads(done.stdout)
    busy = (rpc.cpu_s(pid) - before) * row["seconds"] / (row["seconds"] + 0.5)
    row["cpu_us_per_call"] = round(busy / max(row["calls"], 1) * 1e6, 1)
    return row


def compare(client: Path, room: Path, *, rounds: int, seconds: float) -> list[Any]:
    ours, theirs = room / "ours.sock", room / "baseline.sock"
    request = rpc.make_request("inline", PARAMS)
    table = []
    with (
        server([sys.executable, HERE / "rpc.py", "--serve", ours], ours) as our_pid,
        server(
            [baseline_python(), HERE / "baseline_aiohttp.py", theirs], theirs
        ) as their_pid,
    ):
        for shape in SHAPES:
            pairs = []
            for _ in range(rounds):
                a = one(
                    client, ours, our_pid, request=request, shape=shape, seconds=seconds
                )
                # aiohttp answers requests of one connection one after the other.
                b = one(
                    client,
                    theirs,
                    their_pid,
                    request=http(request),
                    shape=shape,
                    seconds=seconds,
                )
                pairs.append({"ours": a, "baseline": b})
            ratios = [
                pair["ours"]["calls_per_s"] / pair["baseline"]["calls_per_s"]
                for pair in pairs
            ]
            table.append(
                {
                    "connections": shape[0],
                    "in_flight": shape[1],
                    "ratio": round(statistics.median(ratios), 2),
                    "rounds": pairs,
                }
            )
    return table


def median_of(row: dict[str, Any], side: str, key: str) -> float:
    return statistics.median(pair[side][key] for pair in row["rounds"])


COLUMNS = (
    "connections x in flight",
    "calls/s",
    "p50 µs",
    "p99 µs",
    "worst first ms",
    "unanswered",
    "CPU µs/call",
    "baseline calls/s",
    "baseline CPU µs/call",
    "ratio",
)


def cells_of(row: dict[str, Any]) -> list[str]:
    """One line of the table: medians over the rounds."""
    return [
        f"{row['connections']} x {row['in_flight']}",
        f"{median_of(row, 'ours', 'calls_per_s'):,.0f}",
        f"{median_of(row, 'ours', 'p50_us'):.0f}",
        f"{median_of(row, 'ours', 'p99_us'):.0f}",
        f"{median_of(row, 'ours', 'worst_first_us') / 1000:.0f}",
        f"{max(pair['ours']['unanswered'] for pair in row['rounds'])}",
        f"{median_of(row, 'ours', 'cpu_us_per_call')}",
        f"{median_of(row, 'baseline', 'calls_per_s'):,.0f}",
        f"{median_of(row, 'baseline', 'cpu_us_per_call')}",
        f"{row['ratio']}",
    ]


def line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def table_of(result: dict[str, Any]) -> str:
    machine = f"{result['machine']}, Python {result['python']}"
    start = result["start_s"]
    spread = f"min {start['min']}, max {start['max']}"
    facts = (
        ("the daemon as a process", ""),
        ("---", "---"),
        (
            f"exec to READY=1, devnet included, median of {start['runs']}",
            f"{start['median']} s ({spread})",
        ),
        ("resident when idle", f"{result['idle_rss_mib']} MiB"),
        ("CPU when idle", f"{result['idle_cpu_percent']} %"),
    )
    return "\n".join(
        [
            f"Commit {result['commit'][:12]}, {machine}, load {result['load']}.",
            "",
            line(COLUMNS),
            line("---" for _ in COLUMNS),
            *(line(cells_of(row)) for row in result["rpc"]),
            "",
            *(line(each) for each in facts),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--runs", type=int, default=20)
    given = parser.parse_args()
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"],
        cwd=TOP,
        check=True,
        capture_output=True,
        text=True,
    )
    result: dict[str, Any] = {
        "commit": head.stdout.strip(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        client = rpc.build_client(room)
        result["rpc"] = compare(
            client, room, rounds=given.rounds, seconds=given.seconds
        )
    starts = process.measure_start(given.runs)
    result["start_s"] = {
        "runs": len(starts),
        "min": round(min(starts), 3),
        "median": round(statistics.median(starts), 3),
        "max": round(max(starts), 3),
    }
    result |= process.measure_idle(30)
    (HERE / "results.json").write_text(json.dumps(result, indent=1) + "\n")
    readme = HERE / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n{table_of(result)}\n{END}{after}")
    print(table_of(result))


if __name__ == "__main__":
    main()
