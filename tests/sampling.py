"""A part of the tests, for a second machine: ``pytest --sample SEED:PERCENT``.

What depends on the machine (processes, SQLite, the CLI, packaging) is kept whole; of
the rest the seed draws. What boots machines of its own is left to the first one, and so
are tests marked ``slow``: one alone takes as long as all of the part.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

WHOLE: Final = ("store", "cli", "test_repository.py", "pluginhost")
"""Of what always runs, beside tests marked ``process``; the last two are packaging."""
NEVER: Final = ("systemd", "interop_runner")
"""Need root, or libraries that are not in requirements.lock."""
_SCALE: Final = 2**32


def add_option(parser: pytest.Parser) -> None:
    parser.addoption(
        "--sample",
        metavar="SEED:PERCENT",
        help="the machine-dependent tests, and of the rest so many percent",
    )


def parse(text: str) -> tuple[str, float]:
    """Seed and share (0 to 1). Raises pytest.UsageError."""
    seed, colon, percent = text.rpartition(":")
    if not (seed and colon and percent.isdecimal() and int(percent) <= 100):
        raise pytest.UsageError(f"--sample: expected SEED:PERCENT, got {text!r}")
    return seed, int(percent) / 100


def is_drawn(name: str, *, seed: str, share: float) -> bool:
    """Whether *seed* draws this test; whatever else is collected."""
    digest = hashlib.sha256(f"{seed} {name}".encode()).digest()
    return int.from_bytes(digest[:4], "big") < share * _SCALE


def keeper(tests: Path, text: str) -> Callable[[pytest.Item], bool]:
    """Say of each test below the folder *tests* whether it belongs to the part."""
    seed, share = parse(text)

    def keep(item: pytest.Item) -> bool:
        area = item.path.relative_to(tests).parts[0]
        if area in NEVER or item.get_closest_marker("slow"):
            return False
        return (
            area in WHOLE
            or item.get_closest_marker("process") is not None
            or is_drawn(item.nodeid, seed=seed, share=share)
        )

    return keep
