"""Both programs under a Python that removes assertions and docstrings."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lucidtrond.cli.interpreter import refuse_optimized

BIN = Path(sys.executable).parent
PROGRAMS = {
    "lucidtrond": ("lucidtrond.cli.operator", "plugins"),
    "lucidtron": ("lucidtrond.cli.client", "status"),
}


@pytest.mark.process
@pytest.mark.parametrize("optimize", ["1", "2"])
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("way", ["script", "module", "flag"])
def test_an_optimizing_python_is_refused_in_one_line(
    program: str, way: str, optimize: str, tmp_path: Path
) -> None:
    module, verb = PROGRAMS[program]
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    if way == "flag":
        command = [sys.executable, "-O" if optimize == "1" else "-OO", "-m", module]
    else:
        environ["PYTHONOPTIMIZE"] = optimize
        command = (
            [str(BIN / program)] if way == "script" else [sys.executable, "-m", module]
        )
    done = subprocess.run(
        [*command, verb], capture_output=True, text=True, env=environ, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert line.startswith(f"{program}: refused: python -O")


def test_an_ordinary_python_is_not_refused(capsys: pytest.CaptureFixture[str]) -> None:
    refuse_optimized("lucidtrond")
    assert capsys.readouterr().err == ""
    with pytest.raises(SystemExit, match="2"):
        refuse_optimized("lucidtrond", debug=False)
