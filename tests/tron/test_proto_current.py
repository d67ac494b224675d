"""The generated protobuf module is what tron.proto says today."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.process
def test_the_generated_files_are_current(tmp_path: Path) -> None:
    subprocess.run(
        ["sh", ROOT / "contrib" / "protoc", tmp_path],
        env={"PYTHON": sys.executable, "PATH": "/usr/bin:/bin"},
        check=True,
        timeout=60,
    )
    for name in ("tron_pb2.py", "tron_pb2.pyi"):
        kept = ROOT / "lucidtrond" / "tron" / name
        assert (tmp_path / name).read_text() == kept.read_text(), name
