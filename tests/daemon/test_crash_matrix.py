"""kill -9 before and after every step of a payment, with every fault: paid once.

What is killed is a real daemon with two endpoints; see `tests.daemon.crash`. The long
form, with the keystore locked and open everywhere, is ``contrib/crash-matrix``.
"""

import ast
import inspect
import os
from pathlib import Path
from random import Random
from types import ModuleType

import pytest

from lucidtrond.sending.journal import queries, writes
from tests.daemon.crash import points
from tests.daemon.crash.matrix import diagonal, product, run_lanes
from tests.daemon.crash.restored import RestoredLane, restored

DRAWN = 8
"""Copies to be restored, by a seed (``SEED``); all of them are a slow test."""


@pytest.mark.process
def test_a_kill_at_each_place_pays_once(tmp_path: Path) -> None:
    failures = run_lanes(diagonal(), tmp_path)
    assert not failures, "\n\n".join(failures)


@pytest.mark.process
@pytest.mark.slow
def test_a_kill_at_each_place_with_each_fault_pays_once(tmp_path: Path) -> None:
    failures = run_lanes(product(), tmp_path)
    assert not failures, "\n\n".join(failures)


@pytest.mark.process
def test_a_copy_of_each_place_is_restored_and_pays_once(tmp_path: Path) -> None:
    drawn = Random(os.environ.get("SEED", "1")).sample(restored(), DRAWN)
    failures = run_lanes(drawn, tmp_path, kind=RestoredLane)
    assert not failures, "\n\n".join(failures)


@pytest.mark.process
@pytest.mark.slow
def test_a_copy_of_every_place_is_restored_and_pays_once(tmp_path: Path) -> None:
    failures = run_lanes(restored(), tmp_path, kind=RestoredLane)
    assert not failures, "\n\n".join(failures)


def test_every_point_is_on_some_path() -> None:
    on_paths = {point for place in points.PLACES for point in place.path}
    assert on_paths == points.POINTS


def test_no_two_places_are_one() -> None:
    ways = {(place.path, place.rounds) for place in points.PLACES}
    assert len(ways) == len(points.PLACES)
    assert len({place.name for place in points.PLACES}) == len(points.PLACES)


WRITERS = {
    "insert": "intent",
    "keep_signature": "signature",
    "update": "record, inclusion, solidification, expiry",
    "insert_next": "resign",
    "_insert_attempt": "part of intent and resign",
    "authenticate": "in the transactions of intent and resign",
    "mark_adopted": "of a payment that is on the chain already",
    "supersede": "in the transaction of resign",
}
"""Who writes the journal, and the step of `points.STEPS` that it belongs to."""


def test_whoever_writes_the_journal_belongs_to_a_step() -> None:
    assert _writers(writes) | {"insert_next"} == set(WRITERS)
    assert _writers(queries) == set()


def _writers(module: ModuleType) -> set[str]:
    tree = ast.parse(inspect.getsource(module))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {function.name for function in functions if _writes(function)}


def _writes(function: ast.FunctionDef) -> bool:
    texts = [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return any(text.startswith(("INSERT", "UPDATE", "DELETE")) for text in texts)
