"""The pages for contributors name files, modules and tests that exist."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = (".github/CONTRIBUTING.md", "contrib/docs/architecture.md")
TREES: Final = ("lucidtrond", "plugins", "tests", "contrib")
OUTSIDE: Final = {"../shared"}
"""Recorded data, which need not be here."""


def _paths() -> set[str]:
    """Files and folders of the project, by their paths from its root."""
    return {path.name for path in ROOT.iterdir()} | {
        path.relative_to(ROOT).as_posix()
        for tree in TREES
        for path in (ROOT / tree).rglob("*")
        if not {".venv", "__pycache__"} & set(path.parts)
    }


def _tests() -> set[str]:
    """The names of all test functions."""
    return {
        definition.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for definition in ast.walk(ast.parse(path.read_text()))
        if isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def absent_names(text: str, paths: set[str], tests: set[str]) -> Iterator[str]:
    """Names in backquotes that nothing has; a path may leave out where it begins."""
    endings = {path[start:] for path in paths for start in _starts(path)}
    for quoted in re.findall(r"`([^`\n]+)`", text):
        first, _, arguments = quoted.partition(" ")
        for name in (first, *re.findall(r"\btests/[\w./]+", arguments)):
            is_pattern = "NAME" in name or not re.fullmatch(r"[\w./-]+", name)
            if is_pattern or name in OUTSIDE or name.startswith(".venv"):
                continue
            if re.fullmatch(r"test_\w+", name):
                is_there = name in tests
            elif "/" in name or re.search(r"\.(py|toml|md|proto)$", name):
                is_there = name.rstrip("/") in endings
            else:
                continue
            if not is_there:
                yield name


def _starts(path: str) -> Iterator[int]:
    yield 0
    for slash in re.finditer("/", path):
        yield slash.end()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_what_exists(page: str) -> None:
    absent = list(absent_names((ROOT / page).read_text(), _paths(), _tests()))
    assert absent == [], f"{page} names what is not there"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("`chain/plan.py` and `plan.py`", []),
        ("`chain/plans.py`", ["chain/plans.py"]),
        ("`lan.py`", ["lan.py"]),
        ("`contrib/check tests/chain`, `contrib/proof 500`", ["contrib/proof"]),
        ("`.venv/bin/pytest tests/gone.py -k x`", ["tests/gone.py"]),
        ("`test_here`, `test_gone`, `tests/test_NAME.py`", ["test_gone"]),
        ("`tests/chain/`, `rpc.*`, `Plan`", []),
    ],
)
def test_a_name_of_nothing_is_seen(text: str, names: list[str]) -> None:
    paths = {"lucidtrond/chain/plan.py", "contrib/check", "tests/chain"}
    assert list(absent_names(text, paths, {"test_here"})) == names
