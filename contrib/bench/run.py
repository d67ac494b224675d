"""All figures in one run, ours against the baseline, as JSON and as the README's table.

    .venv/bin/python contrib/bench/run.py [--rounds 3] [--seconds 3] [--runs 20]

Writes ``results.json`` beside this file and the table into README.md here. Needs two
quiet cores and ``cc``; makes ``.venv-bench`` and ``.venv-runtime``.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import compare
import doors
import process

HERE = Path(__file__).parent
TOP = HERE.parents[1]
FAN_OUTS = {"fan_out": 0, "fan_out_to_who_looks": 1000}
BEGIN, END = "<!-- figures: written by run.py -->", "<!-- end of figures -->"


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


def columns_of(rows: list[dict[str, Any]]) -> list[str]:
    return [
        line(COLUMNS),
        line("---" for _ in COLUMNS),
        *map(line, map(cells_of, rows)),
    ]


def reach_of(fan_out: dict[str, Any]) -> str:
    """How long after the end of its transaction the last subscriber had an event."""
    times = [event["last_us"] / 1000 for event in fan_out["events"]]
    return (
        f"{statistics.median(times):.0f} ms, median of {len(times)}"
        f" (min {min(times):.0f}, max {max(times):.0f})"
    )


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
        ("last of 5,000 websockets has an event", reach_of(result["fan_out"])),
        (
            "the same, the client looking every millisecond",
            reach_of(result["fan_out_to_who_looks"]),
        ),
    )
    return "\n".join(
        [
            f"Commit {result['commit'][:12]}, {machine}, load {result['load']}.",
            "",
            "JSON-RPC over a Unix socket:",
            "",
            *columns_of(result["rpc"]),
            "",
            "HTTP, GET /health over TCP with keep-alive:",
            "",
            *columns_of(result["http_get"]),
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
        patience = compare.Patience(given.rounds, given.seconds)
        with compare.our_doors(room) as (pid, port), compare.baseline(room) as theirs:
            result["rpc"] = compare.compare_rpc(room, theirs, patience)
            result["http_get"] = compare.compare_http(
                room, (pid, port), theirs, patience
            )
        for name, look_us in FAN_OUTS.items():
            with compare.our_doors(room) as (_, port):
                result[name] = doors.fan_out(
                    room, port, subscribers=5000, events=20, look_us=look_us
                )
    python = compare.runtime_python()
    starts = process.measure_start(given.runs, python)
    result["start_s"] = {
        "runs": len(starts),
        "min": round(min(starts), 3),
        "median": round(statistics.median(starts), 3),
        "max": round(max(starts), 3),
    }
    result |= process.measure_idle(30, python)
    (HERE / "results.json").write_text(json.dumps(result, indent=1) + "\n")
    readme = HERE / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n{table_of(result)}\n{END}{after}")
    print(table_of(result))


if __name__ == "__main__":
    main()
