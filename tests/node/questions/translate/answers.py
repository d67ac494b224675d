"""Recorded answers, read; and the same with one value changed."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import msgspec
from hypothesis import strategies as st

from lucidtrond.node.questions import translate, wire
from lucidtrond.tron.block import Block
from lucidtrond.tron.receipt import Receipt
from tests.node.nodes import Json, infos_json
from tests.tron.chainrun import load

BLOCKS = load()["blocks"]
WITH_RECEIPTS = [int(number) for number in load()["infos"] if number != "0"]
RICH = next(
    number
    for number in WITH_RECEIPTS
    if any("internal_transactions" in info for info in infos_json(number))
    and any("resMessage" in info for info in infos_json(number))
)
"""A block with internal transfers and a failed call."""


def read_block(printed: Json) -> Block:
    data = json.dumps(printed).encode()
    return translate.read_block(msgspec.json.decode(data, type=wire.BlockJson))


def read_receipts(printed: Json, number: int) -> tuple[Receipt, ...]:
    data = json.dumps(printed).encode()
    answer = msgspec.json.decode(data, type=tuple[wire.InfoJson, ...])
    return translate.read_receipts(answer, number)


def leaves(value: Json, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all values, the containers too."""
    if at:
        yield at
    if isinstance(value, dict):
        for key, element in value.items():
            yield from leaves(element, (*at, key))
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from leaves(element, (*at, index))


def changed(printed: Json, at: tuple[Any, ...], new: Any) -> Json:
    """A copy with one value replaced, or removed when *new* is ``...``."""
    whole = copy.deepcopy(printed)
    inner = whole
    for key in at[:-1]:
        inner = inner[key]
    if new is ...:
        del inner[at[-1]]
    else:
        inner[at[-1]] = new
    return whole


def value_at(printed: Json, at: tuple[Any, ...]) -> Json:
    for key in at:
        printed = printed[key]
    return printed


def near(value: Json) -> st.SearchStrategy[Any]:
    """Something like *value*, and sometimes something else."""
    other = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**64), 2**64),
        st.text(max_size=5),
        st.just([]),
        st.just({}),
        st.just(...),
    )
    if isinstance(value, bool):
        return st.one_of(st.just(not value), other)
    if isinstance(value, int):
        return st.one_of(st.sampled_from([value + 1, value - 1, -value, 0]), other)
    if isinstance(value, str) and value:
        edited = st.tuples(
            st.integers(0, len(value) - 1), st.sampled_from("0123456789abcdefg ")
        ).map(lambda edit: value[: edit[0]] + edit[1] + value[edit[0] + 1 :])
        cut = st.integers(0, len(value) - 1).map(lambda end: value[:end])
        return st.one_of(edited, cut, st.just(value + "00"), other)
    if isinstance(value, list) and value:
        edited_list = st.sampled_from([value[:-1], value[1:], [*value, value[0]]])
        return st.one_of(edited_list, st.just(value[::-1]), other)
    return other
