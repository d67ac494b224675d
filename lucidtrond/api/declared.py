"""What a method's declaration must be, checked when it is made."""

import inspect
import re
from collections.abc import Callable
from typing import Any, Final, TypeGuard, get_args

import msgspec

from lucidtrond.api.caller import CallerClass
from lucidtrond.api.manifest import MethodSpec
from lucidtrond.errors import CallError, NodeError

LONGEST_S: Final = 3600.0
_METHOD: Final = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*\Z")


class BadDeclaration(TypeError):
    """A declaration that can't work; the text names it and says what was wanted."""


def types_of(
    name: str, handler: Callable[..., Any]
) -> tuple[type[msgspec.Struct] | None, type[msgspec.Struct]]:
    """Read params (None without) and result type off a handler's signature.

    Raises:
        BadDeclaration: not ``async def (ctx[, params: Struct]) -> Struct``.
    """
    if not inspect.iscoroutinefunction(handler):
        raise BadDeclaration(f"method {name}: expected an async function")
    hints = inspect.get_annotations(handler, eval_str=True)
    parameters = list(inspect.signature(handler).parameters.values())
    if len(parameters) not in (1, 2):
        raise BadDeclaration(
            f"method {name}: expected (ctx) or (ctx, params), "
            f"got {len(parameters)} parameters"
        )
    result = hints.get("return")
    if not _is_struct(result):
        raise BadDeclaration(f"method {name}: expected a Struct as result")
    if len(parameters) == 1:
        return None, result
    params = hints.get(parameters[1].name)
    if not _is_struct(params):
        raise BadDeclaration(f"method {name}: expected a Struct as params")
    return params, result


def check_method(spec: MethodSpec) -> None:
    """Raises BadDeclaration unless everything a caller relies on is there."""
    problem = _problem(spec)
    if problem is not None:
        raise BadDeclaration(f"method {spec.name}: {problem}")


def _problem(spec: MethodSpec) -> str | None:  # noqa: PLR0911 - one return per rule
    if not _METHOD.match(spec.name):
        return "expected a name like area.verb in small letters"
    if not spec.summary.strip():
        return "expected a docstring"
    if spec.caller not in get_args(CallerClass):
        return f"caller: expected read, spend or admin, got {spec.caller!r}"
    if not 0 < spec.timeout_s <= LONGEST_S:
        return f"timeout_s: expected up to {LONGEST_S:.0f}, got {spec.timeout_s}"
    if not spec.result.__struct_config__.frozen:
        return f"result {spec.result.__name__}: expected frozen=True"
    for error in spec.errors:
        if not issubclass(error, CallError | NodeError):
            return f"errors: {error.__name__} is no CallError and no NodeError"
    return _problem_with_params(spec)


def _problem_with_params(spec: MethodSpec) -> str | None:
    params = spec.params
    if params is None:
        return "example: it takes no parameters" if spec.example else None
    config = params.__struct_config__
    if not (config.frozen and config.forbid_unknown_fields):
        return (
            f"params {params.__name__}: expected frozen=True and"
            " forbid_unknown_fields=True (api.Params has the second)"
        )
    try:
        decoder = msgspec.json.Decoder(params)
    except TypeError as exc:
        return f"params {params.__name__}: {exc}"
    try:
        decoder.decode(msgspec.json.encode(spec.example))
    except msgspec.ValidationError as exc:
        return f"example does not fit {params.__name__}: {exc}"
    return None


def _is_struct(kind: object) -> TypeGuard[type[msgspec.Struct]]:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
