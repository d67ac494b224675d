"""The vectors: what other implementations and real chains say our bytes must be."""

from typing import Any

import pytest

from tests.tron.vectors import CHECKS, NOT_REACHABLE_YET, load

LOADED = load()


@pytest.mark.parametrize(
    "vector",
    [vector for vector in LOADED["vectors"] if vector["kind"] not in NOT_REACHABLE_YET],
    ids=lambda vector: vector["id"],
)
def test_a_vector_holds(vector: dict[str, Any]) -> None:
    CHECKS[vector["kind"]](vector["input"], vector["expected"])


def test_every_kind_is_checked_or_listed_as_not_reachable_and_never_both() -> None:
    kinds = set(LOADED["kinds"]) | {vector["kind"] for vector in LOADED["vectors"]}
    assert kinds == set(CHECKS) | NOT_REACHABLE_YET
    assert not set(CHECKS) & NOT_REACHABLE_YET


def test_the_file_is_whole() -> None:
    ids = [vector["id"] for vector in LOADED["vectors"]]
    assert len(ids) == len(set(ids)) == LOADED["count"] > 100
