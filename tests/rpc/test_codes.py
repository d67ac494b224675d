"""The table of codes covers the whole tree of errors and says each number once."""

import inspect
from collections import Counter

import pytest

from lucidtrond import errors
from lucidtrond.rpc.codes import CODES, RETRYABLE, code_of, data_of

REMOTE = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.CallError | errors.NodeError)
]
# Two classes may share a number only for these reasons.
SHARED = {
    100: {"CallError", "InvalidInput"},  # a plugin's own kinds fall back to 100
    200: {"NodeUnavailable", "NodeTimeout"},
    201: {"NodeError", "NodeRefused", "NodeLied", "CallNotRun"},
}


def test_every_error_that_a_caller_can_see_has_a_code() -> None:
    assert set(CODES) == set(REMOTE)


def test_no_code_is_given_twice_by_accident() -> None:
    shared = {code for code, times in Counter(CODES.values()).items() if times > 1}
    assert shared == set(SHARED)
    for code, names in SHARED.items():
        assert {kind.__name__ for kind in CODES if CODES[kind] == code} == names


def test_codes_stay_clear_of_those_of_the_standard() -> None:
    assert all(100 <= code < 600 for code in CODES.values())


def test_a_kind_of_error_that_a_plugin_made_goes_by_its_base() -> None:
    class OutOfTea(errors.NotFound):
        pass

    assert code_of(OutOfTea("no tea")) == CODES[errors.NotFound]


@pytest.mark.parametrize(
    ("error", "data"),
    [
        (errors.NotFound("x"), None),
        (errors.NotFound("x", id="7"), {"id": "7"}),
        (errors.TooBusy("x"), {"retryable": True}),
        (errors.TooBusy("x", retryable=False), {"retryable": False}),
        (errors.NodeTimeout("n", 3), {"retryable": True}),
        (errors.NodeLied("n", "x"), {"retryable": False}),
    ],
)
def test_data_says_whether_to_try_again_where_that_is_known(
    error: errors.CallError | errors.NodeError, data: object
) -> None:
    assert data_of(error) == data
    assert isinstance(error, RETRYABLE) or (data or {}) != {"retryable": True}
