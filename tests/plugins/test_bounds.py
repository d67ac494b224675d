"""The bounds that `rpc.discover` publishes are those that are enforced.

Each number of each method's parameters is sent at its bounds and just beyond. Beyond,
the parameters themselves refuse it and name it; at a bound, nothing behind them does. A
number without a published bound is sent far beyond anything sensible.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest
from attrs import frozen
from trio.testing import MockClock

from lucidtrond import pluginhost
from lucidtrond.api import CallError, InvalidInput, NodeError
from lucidtrond.api.devnet import NAMES
from lucidtrond.pluginhost import BoundMethod
from lucidtrond.rpc.params import ParamsDecoder, ParamsError
from lucidtrond.sending import terms
from tests.plugins.bench import SHIPPED, make_shop, open_shipped

FAR = 2**63
WITH: Mapping[tuple[str, str], Mapping[str, Any]] = {
    # It is at least one transaction's lifetime.
    ("transfer.send", "give_up_s"): {"expires_s": terms.SHORTEST_MS / 1000},
}
"""What must be said too for a number to be taken at its bounds."""


@frozen
class Number:
    """One number among a method's parameters, with its published bounds."""

    method: str
    name: str
    lowest: float | None
    highest: float | None
    is_open: bool
    """The bounds themselves are outside."""
    is_integer: bool

    def __str__(self) -> str:
        return f"{self.method} {self.name}"

    @property
    def inside(self) -> Iterator[float]:
        """The bounds, and far out where there is none."""
        low, high = self.lowest, self.highest
        step = 1 if self.is_integer else 0.001
        yield -FAR if low is None else low + (step if self.is_open else 0)
        yield FAR if high is None else high

    @property
    def outside(self) -> Iterator[float]:
        step = 1 if self.is_integer else 0.001
        if self.lowest is not None:
            yield self.lowest - (0 if self.is_open else step)
        if self.highest is not None:
            yield self.highest + step


def _methods() -> Mapping[str, BoundMethod]:
    return {method.name: method for method in pluginhost.load(SHIPPED).methods()}


def _numbers_of(name: str, params: type[msgspec.Struct]) -> Iterator[Number]:
    [schema], components = msgspec.json.schema_components([params])
    shape = components[schema["$ref"].rpartition("/")[2]]
    for field, part in shape["properties"].items():
        for kind in part.get("anyOf", [part]):
            if kind.get("type") not in ("integer", "number"):
                continue
            yield Number(
                name,
                field,
                kind.get("minimum", kind.get("exclusiveMinimum")),
                kind.get("maximum", kind.get("exclusiveMaximum")),
                is_open="exclusiveMinimum" in kind,
                is_integer=kind["type"] == "integer",
            )


METHODS = _methods()
NUMBERS = [
    number
    for method in METHODS.values()
    if method.params is not None
    for number in _numbers_of(method.name, method.params)
]
every_number = pytest.mark.parametrize("number", NUMBERS, ids=str)


def _decode(number: Number, params: Mapping[str, Any]) -> None:
    """As the dispatcher does. Raises ParamsError, or DecodeError: no JSON."""
    raw = msgspec.Raw(json.dumps(params).encode())
    ParamsDecoder(METHODS[number.method].params).decode(raw)


def test_there_are_numbers() -> None:
    assert {"transfer.send expires_s", "block.get number"} < set(map(str, NUMBERS))
    assert len(NUMBERS) > 15


@every_number
def test_beyond_its_bounds_a_number_is_refused_by_name(number: Number) -> None:
    example = METHODS[number.method].example
    for value in number.outside:
        with pytest.raises(ParamsError, match=re.escape(f"`$.{number.name}`")):
            _decode(number, {**example, number.name: value})
    for value in (math.inf, -math.inf, math.nan):
        with pytest.raises((ParamsError, msgspec.DecodeError)):
            _decode(number, {**example, number.name: value})


@pytest.mark.parametrize(
    "number",
    [number for number in NUMBERS if not number.method.startswith("devnet.")],
    ids=str,
)
async def test_at_its_bounds_a_number_is_taken(
    number: Number, autojump_clock: MockClock
) -> None:
    async with open_shipped(restore_wait_s=86_400) as bench:
        shop = await make_shop(bench)
        for value in number.inside:
            params = {
                **METHODS[number.method].example,
                **WITH.get((number.method, number.name), {}),
                number.name: value,
            }
            if number.method.startswith("transfer."):
                params["from"] = shop.wallet_id
            _decode(number, params)
            try:
                await bench.call(number.method, params)
            except InvalidInput as refusal:
                pytest.fail(f"{number} = {value}: {refusal.message}")
            except (CallError, NodeError):
                pass  # for what else it is: there is no such block, or no keystore


@pytest.mark.parametrize("verb", sorted(NAMES))
def test_the_devnets_methods_have_the_bounds_of_its_verbs(verb: str) -> None:
    """Both are declared once, also under an older name."""
    method = METHODS[f"devnet.{verb}"]
    assert method.params is NAMES[verb].params
    assert method.result is NAMES[verb].result


def test_the_terms_of_a_payment_are_published_as_the_sender_has_them() -> None:
    [expires] = [
        number for number in NUMBERS if str(number) == "transfer.send expires_s"
    ]
    assert expires.lowest == terms.SHORTEST_MS / 1000
    assert expires.highest == terms.LONGEST_MS / 1000
    [attempts] = [
        number for number in NUMBERS if str(number) == "transfer.send attempts"
    ]
    assert attempts.highest == terms.MOST_ATTEMPTS
