"""Every place with every fault, locked and open; prints what failed."""

import argparse
import tempfile
import time
from pathlib import Path

from tests.daemon.crash.matrix import everything, run_lanes


def main() -> int:
    """The number of failures, at most 1."""
    parser = argparse.ArgumentParser(prog="crash-matrix", description=__doc__)
    parser.add_argument("--lanes", type=int, default=2, metavar="N", help="at once (2)")
    parser.add_argument("--only", default="", metavar="TEXT", help="in a cell's name")
    args = parser.parse_args()
    cells = [cell for cell in everything() if args.only in cell.name]
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="crash-matrix-") as directory:
        failures = run_lanes(cells, Path(directory), args.lanes)
    print(*failures, sep="\n\n")  # noqa: T201 - a command
    took_s = time.monotonic() - started
    print(f"{len(cells)} cells in {took_s:.0f} s, {len(failures)} failed")  # noqa: T201
    return min(len(failures), 1)


if __name__ == "__main__":
    raise SystemExit(main())
