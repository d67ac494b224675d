"""Processes whose wall clock shows another time of day; it runs on as any clock.

No test may depend on the hour at which it runs, and the chain has hours of its own
(maintenances). Set ``LUCIDTROND_TEST_CLOCK_SHIFT_S`` and ``PYTHONPATH`` as `environ_at`
says, and pytest itself and each daemon that it starts have the shifted clock.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SHIFT: Final = "LUCIDTROND_TEST_CLOCK_SHIFT_S"
FOLDER: Final = Path(__file__).parent / "shifted_clock"
_DAY_S: Final = 86_400


def environ_at(time_of_day: str) -> dict[str, str]:
    """What a process needs in its environment for its clock to show HH:MM (UTC) now."""
    hours, _, minutes = time_of_day.partition(":")
    wanted_s = int(hours) * 3600 + int(minutes) * 60
    now_s = time.time_ns() // 1_000_000_000
    return {SHIFT: str((wanted_s - now_s) % _DAY_S), "PYTHONPATH": str(FOLDER)}


def kept(environ: Mapping[str, str]) -> dict[str, str]:
    """*environ* with the shift that this process was started with, if with one."""
    shift = environ.get(SHIFT, os.environ.get(SHIFT))
    if shift is None:
        return dict(environ)
    paths = [str(FOLDER), *filter(None, [environ.get("PYTHONPATH")])]
    return {**environ, SHIFT: shift, "PYTHONPATH": os.pathsep.join(paths)}
