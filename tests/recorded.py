"""Where data recorded on public networks and on a real java-tron lies, beside us.

The folder is not part of the project: tests that read it are marked ``mainnet``, and
are deselected where it is missing (`tests.conftest`); ``contrib/check`` says so.
"""

import gzip
import json
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parents[2] / "shared"
MAINNET: Final = FOLDER / "mainnet"
RUNS: Final = FOLDER / "fixtures" / "runs"


def is_here() -> bool:
    """Whether this checkout has the recorded data beside it."""
    return MAINNET.is_dir()


def read_json(path: Path) -> Any:
    """The parsed content of a ``.json`` or ``.json.gz`` file."""
    data = path.read_bytes()
    return json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
