"""Declarations: what is wrong with one is said where it is made."""

from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from lucidtrond.api import (
    BadDeclaration,
    BlockApplied,
    Context,
    Event,
    InvalidInput,
    NoConfig,
    Params,
    Plugin,
    Result,
)
from lucidtrond.errors import StoreError


class Ask(Params, frozen=True):
    number: int


class Answer(Result, frozen=True):
    number: int


class Lax(msgspec.Struct, frozen=True):
    number: int = 0


class Thawed(msgspec.Struct, forbid_unknown_fields=True):
    number: int = 0


class ThawedAnswer(msgspec.Struct):
    number: int = 0


class Odd(Params, frozen=True):
    number: Ask | Lax


async def good(_ctx: Context[NoConfig], params: Ask) -> Answer:
    """Double it.

    And more to say.
    """
    return Answer(number=params.number * 2)


async def bare(_ctx: Context[NoConfig]) -> Answer:
    """Give one."""
    return Answer(number=1)


def make() -> Plugin[NoConfig]:
    return Plugin("some")


def test_a_declared_method_carries_what_callers_need() -> None:
    plugin = make()
    same = plugin.method(
        "some.double",
        caller="spend",
        timeout_s=5,
        inline=True,
        example={"number": 4},
        errors=[InvalidInput],
    )(good)
    assert same is good
    [spec] = plugin.lucidtrond_manifest().methods
    assert (spec.name, spec.params, spec.result) == ("some.double", Ask, Answer)
    assert (spec.caller, spec.timeout_s, spec.inline) == ("spend", 5, True)
    assert (spec.summary, spec.errors) == ("Double it.", (InvalidInput,))
    assert spec.internal is False


async def no_result(_ctx: Context[NoConfig], params: Ask) -> int:
    """Count."""
    return params.number


async def no_struct(_ctx: Context[NoConfig], params: int) -> Answer:
    """Count."""
    return Answer(number=params)


async def lax(_ctx: Context[NoConfig], params: Lax) -> Answer:
    """Count."""
    return Answer(number=params.number)


async def thawed(_ctx: Context[NoConfig], params: Thawed) -> Answer:
    """Count."""
    return Answer(number=params.number)


async def thawed_answer(_ctx: Context[NoConfig]) -> ThawedAnswer:
    """Count."""
    return ThawedAnswer()


async def odd(_ctx: Context[NoConfig], params: Odd) -> Answer:
    """Count."""
    return Answer(number=params.number.number)


async def three(_ctx: Context[NoConfig], _params: Ask, _more: Ask) -> Answer:
    """Count."""
    return Answer(number=1)


async def silent(_ctx: Context[NoConfig]) -> Answer:
    return Answer(number=1)


def blocking(_ctx: Context[NoConfig]) -> Answer:
    """Block."""
    return Answer(number=1)


@pytest.mark.parametrize(
    ("handler", "options", "problem"),
    [
        (blocking, {}, "expected an async function"),
        (three, {}, r"expected \(ctx\) or \(ctx, params\), got 3 parameters"),
        (no_result, {}, "expected a Struct as result"),
        (no_struct, {}, "expected a Struct as params"),
        (silent, {}, "expected a docstring"),
        (lax, {}, "params Lax: expected frozen=True and forbid_unknown_fields"),
        (thawed, {}, "params Thawed: expected frozen=True"),
        (thawed_answer, {}, "result ThawedAnswer: expected frozen=True"),
        (odd, {}, "params Odd: "),
        (good, {}, "example does not fit Ask: .*missing required field `number`"),
        (
            good,
            {"example": {"number": "1"}},
            "example does not fit Ask: Expected `int`",
        ),
        (good, {"example": {"number": 1, "x": 1}}, "unknown field `x`"),
        (bare, {"example": {"number": 1}}, "it takes no parameters"),
        (bare, {"name": "double"}, "expected a name like area.verb"),
        (bare, {"name": "some.Double"}, "expected a name like area.verb"),
        (bare, {"name": "some.double\n"}, "expected a name like area.verb"),
        (bare, {"caller": "root"}, "caller: expected read, spend or admin, got 'root'"),
        (bare, {"timeout_s": 0}, "timeout_s: expected up to 3600, got 0"),
        (bare, {"timeout_s": 3601}, "timeout_s: expected up to 3600, got 3601"),
        (bare, {"timeout_s": float("nan")}, "timeout_s: expected up to 3600, got nan"),
        (bare, {"errors": [StoreError]}, "StoreError is no CallError"),
    ],
)
def test_a_bad_method_is_refused_where_it_is_declared(
    handler: Callable[..., Any], options: dict[str, Any], problem: str
) -> None:
    plugin = make()
    name = options.pop("name", "some.method")
    with pytest.raises(BadDeclaration, match=problem) as caught:
        plugin.method(name, **options)(handler)
    assert name in str(caught.value) or repr(name) in str(caught.value)
    assert plugin.lucidtrond_manifest().methods == ()


@pytest.mark.parametrize(
    "name", ["", "Some", "some_more", "1st", "some-more", "some\n", "s" * 32]
)
def test_a_plugins_name_can_stand_in_front_of_its_tables(name: str) -> None:
    with pytest.raises(BadDeclaration, match="small letters and digits"):
        Plugin(name)


def test_nothing_is_declared_twice() -> None:
    plugin = make()
    plugin.method("some.bare")(bare)
    with pytest.raises(BadDeclaration, match=r"some\.bare: declared twice"):
        plugin.method("some.bare")(bare)

    async def serve(_ctx: Context[NoConfig], task_status: Any) -> None: ...

    async def on_block(_ctx: Context[NoConfig], _event: BlockApplied) -> None: ...

    @asynccontextmanager
    async def life(_ctx: Context[NoConfig]) -> Any:
        yield

    plugin.service(serve)
    plugin.on(BlockApplied)(on_block)
    plugin.lifespan(life)
    with pytest.raises(BadDeclaration, match=r"some\.serve: declared twice"):
        plugin.service(serve, on_crash="stop-daemon")
    with pytest.raises(BadDeclaration, match="on_block: declared twice"):
        plugin.on(BlockApplied)(on_block)
    with pytest.raises(BadDeclaration, match="one lifespan"):
        plugin.lifespan(life)


def test_handlers_and_services_are_checked_like_methods() -> None:
    plugin = make()

    class Own(Event, frozen=True, kw_only=True):
        number: int

    with pytest.raises(BadDeclaration, match=r"expected one of BlockApplied, .*Plugin"):
        plugin.on(Own)
    with pytest.raises(BadDeclaration, match="expected 2 parameters, got 1"):
        plugin.on(BlockApplied)(bare)  # type: ignore[arg-type] # that is the point
    with pytest.raises(BadDeclaration, match="expected an async function"):
        plugin.service(blocking)  # type: ignore[arg-type] # that is the point
    with pytest.raises(BadDeclaration, match="expected 2 parameters, got 1"):
        plugin.service(bare)  # type: ignore[arg-type] # that is the point


def test_migrations_are_declared_in_their_order() -> None:
    plugin = make()
    plugin.migration(1, "CREATE TABLE some_row (k INT64)")
    for version in (1, 3):
        with pytest.raises(BadDeclaration, match=f"migration {version}: expected 2"):
            plugin.migration(version, "CREATE TABLE some_other (k INT64)")


def test_a_manifest_is_a_picture_of_what_was_declared_so_far() -> None:
    plugin = make()
    plugin.method("some.double", example={"number": 1})(good)
    first, second = plugin.lucidtrond_manifest(), plugin.lucidtrond_manifest()
    assert first == second
    plugin.method("some.bare")(bare)
    assert len(first.methods) == 1
