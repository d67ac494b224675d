"""Each error class is made by the code, tested, and told to somebody."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lucidtrond import api, errors
from lucidtrond.rpc.codes import CODES

ROOT: Final = Path(__file__).parents[1]
ELSEWHERE: Final = {"lucidtrond/errors.py", "lucidtrond/rpc/codes.py"}
FOR_PLUGINS: Final = {
    "SpendCap": "what a plugin's authorizer refuses with (rpc.dispatch.Authorize)",
}
"""Part of the plugin API with a number on the wire; the daemon makes none itself."""


WHO_MUST_ACT: Final = {
    errors.LucidError,
    errors.OperatorError,
    errors.CallError,
    errors.NodeError,
}
"""The branches; whatever else is there stands for one kind of failure."""


def kinds() -> dict[str, type[errors.LucidError]]:
    return {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type)
        and issubclass(kind, errors.LucidError)
        and kind not in WHO_MUST_ACT
    }


def trees(*folders: str) -> Iterator[ast.AST]:
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            if str(path.relative_to(ROOT)) not in ELSEWHERE and path != Path(__file__):
                yield ast.parse(path.read_text())


def name_of(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def made() -> set[str]:
    """Names that are called or raised."""
    names = set()
    for tree in trees("lucidtrond", "plugins"):
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=what) | ast.Raise(exc=ast.expr() as what):
                    names.add(name_of(what))
    return names


def test_each_error_is_raised_by_the_code_or_offered_to_plugins() -> None:
    wanted, here = set(kinds()), made()
    assert wanted - here == set(FOR_PLUGINS)
    assert set(FOR_PLUGINS) <= set(api.__all__)


def test_each_error_is_met_by_a_test() -> None:
    met = {name_of(node) for tree in trees("tests") for node in ast.walk(tree)}
    assert set(kinds()) - met == set()


def test_each_error_has_a_number_or_ends_the_daemon() -> None:
    for name, kind in kinds().items():
        assert (kind in CODES) != issubclass(kind, errors.OperatorError), name
