"""Every place with every fault, locked and open; prints what failed.

With --restored: at every place the state is copied, paid on, and then restored.
"""

import argparse
import tempfile
import time
from pathlib import Path

from tests.daemon.crash.matrix import Lane, everything, run_lanes
from tests.daemon.crash.restored import RestoredLane, restored


def main() -> int:
    """The number of failures, at most 1."""
    parser = argparse.ArgumentParser(prog="crash-matrix", description=__doc__)
    parser.add_argument("--lanes", type=int, default=2, metavar="N", help="at once (2)")
    parser.add_argument("--only", default="", metavar="TEXT", help="in a cell's name")
    parser.add_argument("--restored", action="store_true", help="the restore column")
    args = parser.parse_args()
    column, kind = (restored(), RestoredLane) if args.restored else (everything(), Lane)
    cells = [cell for cell in column if args.only in cell.name]
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="crash-matrix-") as directory:
        failures = run_lanes(cells, Path(directory), args.lanes, kind=kind)
    print(*failures, sep="\n\n")  # noqa: T201 - a command
    took_s = time.monotonic() - started
    print(f"{len(cells)} cells in {took_s:.0f} s, {len(failures)} failed")  # noqa: T201
    return min(len(failures), 1)


if __name__ == "__main__":
    raise SystemExit(main())
