"""Invariants: what can only be wrong through a bug of ours."""

from typing import TypeVar

T = TypeVar("T")


def certain(fact: bool, why: str) -> None:  # noqa: FBT001 - reads as an assertion
    """Raises AssertionError, also under -O."""
    if not fact:
        raise AssertionError(why)


def present(value: T | None) -> T:
    """The value, where its absence is impossible."""
    if value is None:
        raise AssertionError("a row that earlier checks saw is missing")
    return value
