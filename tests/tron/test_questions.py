"""What a node can be asked is defined once; all others name a part of it."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from lucidtrond.node.cache import CachedNode
from lucidtrond.node.pool import NodePool
from lucidtrond.node.questions.client import NodeClient
from lucidtrond.node.questions.pool_questions import PoolQuestions
from lucidtrond.tron.questions import NodeQuestions

ROOT = Path(__file__).parents[2] / "lucidtrond"
NODE = sorted(name for name in dir(NodeQuestions) if not name.startswith("_"))
POOL = sorted(name for name in dir(PoolQuestions) if not name.startswith("_"))


def protocol_methods(path: Path) -> Iterator[str]:
    """What the protocols of one module define."""
    for definition in ast.walk(ast.parse(path.read_text())):
        if isinstance(definition, ast.ClassDef) and any(
            isinstance(base, ast.Name) and base.id == "Protocol"
            for base in definition.bases
        ):
            for method in definition.body:
                if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield method.name


def test_a_question_is_defined_in_one_protocol() -> None:
    defined = [
        name
        for path in ROOT.rglob("*.py")
        for name in protocol_methods(path)
        if name in {*NODE, *POOL}
    ]
    assert sorted(defined) == sorted({*NODE, *POOL})


@pytest.mark.parametrize("name", NODE)
@pytest.mark.parametrize("asked", [NodeClient, NodePool, CachedNode])
def test_a_question_is_asked_alike_everywhere(asked: type, name: str) -> None:
    wanted = inspect.signature(getattr(NodeQuestions, name))
    assert getattr(asked, name) is not getattr(NodeQuestions, name)
    given = inspect.signature(getattr(asked, name))
    for parameter in wanted.parameters.values():
        assert given.parameters[parameter.name].kind == parameter.kind
        assert given.parameters[parameter.name].default == parameter.default


@pytest.mark.parametrize("name", POOL)
@pytest.mark.parametrize("asked", [NodePool, CachedNode])
def test_a_question_to_several_endpoints_is_answered_by_each(
    asked: type, name: str
) -> None:
    assert getattr(asked, name) is not getattr(PoolQuestions, name)
