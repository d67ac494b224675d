"""All figures in one run, ours against the baseline, as JSON and as the README's table.

    .venv/bin/python contrib/bench/run.py [--rounds 3] [--seconds 3] [--runs 20]
        [--before TREE]

With ``--before`` another checkout of this project is measured in the same turns: calls,
GET and start. Writes ``results.json`` beside this file and the table into README.md
here. Needs two quiet cores and ``cc``; makes ``.venv-bench`` and ``.venv-runtime``.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import compare
import http_events
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
    "bare loop calls/s",
    "bare loop CPU µs/call",
)
BEFORE_COLUMNS = ("before calls/s", "before CPU µs/call", "ratio to before")


def cells_of(row: dict[str, Any]) -> list[str]:
    """One line of the table: medians over the rounds."""
    cells = [
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
        f"{median_of(row, 'bare', 'calls_per_s'):,.0f}",
        f"{median_of(row, 'bare', 'cpu_us_per_call')}",
    ]
    if "ratio_before" in row:
        cells += [
            f"{median_of(row, 'before', 'calls_per_s'):,.0f}",
            f"{median_of(row, 'before', 'cpu_us_per_call')}",
            f"{row['ratio_before']}",
        ]
    return cells


def line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def columns_of(rows: list[dict[str, Any]]) -> list[str]:
    columns = COLUMNS + (BEFORE_COLUMNS if "ratio_before" in rows[0] else ())
    return [
        line(columns),
        line("---" for _ in columns),
        *map(line, map(cells_of, rows)),
    ]


def reach_of(fan_out: dict[str, Any]) -> str:
    """How long after the end of its transaction the last subscriber had an event."""
    times = [event["last_us"] / 1000 for event in fan_out["events"]]
    return (
        f"{statistics.median(times):.0f} ms, median of {len(times)}"
        f" (min {min(times):.0f}, max {max(times):.0f})"
    )


def start_row(what: str, start: dict[str, Any]) -> tuple[str, str]:
    spread = f"min {start['min']}, max {start['max']}"
    return f"{what}, median of {start['runs']}", f"{start['median']} s ({spread})"


def table_of(result: dict[str, Any]) -> str:
    machine = f"{result['machine']}, Python {result['python']}"
    facts = [
        ("the daemon as a process", ""),
        ("---", "---"),
        start_row("exec to READY=1, devnet included", result["start_s"]),
        ("resident when idle", f"{result['idle_rss_mib']} MiB"),
        ("CPU when idle", f"{result['idle_cpu_percent']} %"),
        ("last of 5,000 websockets has an event", reach_of(result["fan_out"])),
        (
            "the same, the client looking every millisecond",
            reach_of(result["fan_out_to_who_looks"]),
        ),
    ]
    heading = f"Commit {result['commit'][:12]}"
    if "before" in result:
        heading += f", before: {result['before'][:12]}"
        facts.insert(3, start_row("the same, before", result["before_start_s"]))
    return "\n".join(
        [
            f"{heading}, {machine}, load {result['load']}.",
            "",
            "JSON-RPC over a Unix socket:",
            "",
            *columns_of(result["rpc"]),
            "",
            "HTTP, GET /health over TCP with keep-alive:",
            "",
            *columns_of(result["http_get"]),
            "",
            *map(line, facts),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--before", type=Path, metavar="TREE")
    options = parser.parse_args()
    result: dict[str, Any] = {
        "commit": commit_of(TOP),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }
    if options.before:
        result["before"] = commit_of(options.before)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        repeats = compare.Repeats(options.rounds, options.seconds)
        result |= measure_loads(folder, options.before, repeats)
        for key, look_us in FAN_OUTS.items():
            with compare.our_http(folder) as (_, port):
                result[key] = http_events.fan_out(
                    folder, port, subscribers=5000, events=20, look_us=look_us
                )
    result |= measure_starts(options.runs, options.before)
    result |= process.measure_idle(30, compare.runtime_python())
    (HERE / "results.json").write_text(json.dumps(result, indent=1) + "\n")
    readme = HERE / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n{table_of(result)}\n{END}{after}")
    print(table_of(result))


def commit_of(tree: Path) -> str:
    command = ["git", "rev-parse", "HEAD"]
    head = subprocess.run(command, cwd=tree, check=True, capture_output=True, text=True)
    return head.stdout.strip()


def measure_loads(
    folder: Path, before: Path | None, repeats: compare.Repeats
) -> dict[str, Any]:
    """Calls and GETs: ours, the baseline's, a bare loop's and those of *before*."""
    trees = {"ours": TOP} | ({} if before is None else {"before": before})
    with ExitStack() as running:
        sides = {
            name: running.enter_context(
                compare.our_servers(folder / name, tree, compare.runtime_python(tree))
            )
            for name, tree in trees.items()
        }
        theirs = compare.baseline_servers(folder / "baseline")
        sides["baseline"] = running.enter_context(theirs)
        bare = compare.bare_servers(folder / "bare")
        sides["bare"] = running.enter_context(bare)
        calls = {name: side.rpc for name, side in sides.items()}
        gets = {name: side.http for name, side in sides.items()}
        return {
            "rpc": compare.compare(
                folder, calls, shapes=compare.RPC_SHAPES, repeats=repeats
            ),
            "http_get": compare.compare(
                folder, gets, shapes=compare.GET_SHAPES, repeats=repeats
            ),
        }


def measure_starts(runs: int, before: Path | None) -> dict[str, Any]:
    """Starts, one of ours and one of *before* in turns."""
    trees = {"start_s": TOP}
    if before is not None:
        trees["before_start_s"] = before
    pythons = {key: compare.runtime_python(tree) for key, tree in trees.items()}
    starts: dict[str, list[float]] = {key: [] for key in trees}
    for _ in range(runs):
        for key, python in pythons.items():
            starts[key] += process.measure_start(1, python)
    return {
        key: {
            "runs": len(times),
            "min": round(min(times), 3),
            "median": round(statistics.median(times), 3),
            "max": round(max(times), 3),
        }
        for key, times in starts.items()
    }


if __name__ == "__main__":
    main()
