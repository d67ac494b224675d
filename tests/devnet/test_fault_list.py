"""Every fault on the list is met by a plain client and answered by the daemon."""

import argparse
import ast
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest

from lucidtrond.api.devnet import NAMES, VERBS
from lucidtrond.api.fault_rules import FaultName
from lucidtrond.devnet.standalone import add_arguments
from lucidtrond.testing.fixtures import TronDevnet

ROOT = Path(__file__).parents[2]
FAULTS: list[dict[str, Any]] = tomllib.loads(
    (ROOT / "tests/devnet/fault_list.toml").read_text()
)["fault"]
README = (ROOT / "README.md").read_text()
RULES = frozenset(get_args(FaultName))


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in tree.body if isinstance(node, kinds))


def is_test(name: str) -> bool:
    file, _, function = name.partition("::")
    return function.startswith("test_") and function in functions_of(file)


def usage() -> str:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.format_help()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault["what"])
def test_the_tests_of_a_fault_are_there(fault: dict[str, str]) -> None:
    assert is_test(fault["client"])
    assert is_test(fault["daemon"]) != fault["daemon"].startswith("not yet: ")


def test_no_fault_is_on_the_list_twice() -> None:
    assert len({fault["what"] for fault in FAULTS}) == len(FAULTS) == 27


def test_every_rule_is_on_the_list_and_it_names_nothing_else() -> None:
    how = {name for fault in FAULTS for name in fault.get("how", ())}
    assert how >= RULES
    flags = how - RULES - set(VERBS)
    assert flags == {"--genesis", "--fake-token"}
    assert all(flag in usage() for flag in flags)


def test_the_fixture_has_a_method_for_each_verb() -> None:
    assert {name for name in vars(TronDevnet) if not name.startswith("_")} == (
        set(NAMES) | {"fund_token", "control"}
    )


def test_the_readme_and_the_usage_name_what_a_chain_can_be_told() -> None:
    for name in RULES | set(VERBS):
        assert f"`{name}" in README, name
    assert "--fake-token" in README
    verbs = usage().split("/devnet/VERB:")[1].split("(see")[0]
    listed = [verb.strip() for verb in verbs.replace("\n", " ").split(",")]
    assert set(listed) == set(VERBS)
