"""Every fault on the list is met by a plain client and answered by the daemon."""

import ast
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FAULTS = tomllib.loads((ROOT / "tests/devnet/fault_list.toml").read_text())["fault"]


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(each.name for each in tree.body if isinstance(each, kinds))


def is_test(name: str) -> bool:
    file, _, function = name.partition("::")
    return function.startswith("test_") and function in functions_of(file)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault["what"])
def test_the_tests_of_a_fault_are_there(fault: dict[str, str]) -> None:
    assert is_test(fault["client"])
    assert is_test(fault["daemon"]) != fault["daemon"].startswith("not yet: ")


def test_no_fault_is_on_the_list_twice() -> None:
    assert len({each["what"] for each in FAULTS}) == len(FAULTS) >= 25
