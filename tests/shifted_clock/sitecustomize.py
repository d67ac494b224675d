"""Shifts a Python process's wall clock; Python imports this when it starts.

See `tests.wall_clock`, which puts this folder on a process's path.
"""

import os
import time

_shift_s = int(os.environ.get("LUCIDTROND_TEST_CLOCK_SHIFT_S", "0"))
if _shift_s:
    _time, _time_ns = time.time, time.time_ns  # noqa: TID251 - what is shifted
    time.time = lambda: _time() + _shift_s  # noqa: TID251 - as above
    time.time_ns = lambda: _time_ns() + _shift_s * 1_000_000_000
