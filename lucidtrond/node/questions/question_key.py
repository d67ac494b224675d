"""A key for a question, the same however its arguments are written. Pure."""

import inspect
from collections.abc import Callable, Hashable, Mapping
from typing import Any


class QuestionKey:
    """Makes keys for calls of the method *question*."""

    def __init__(self, question: Callable[..., Any]) -> None:
        _, *parameters = inspect.signature(question).parameters.values()
        self.question = question.__name__
        self._names = tuple(parameter.name for parameter in parameters)
        self._defaults = {
            parameter.name: parameter.default
            for parameter in parameters
            if parameter.default is not parameter.empty
        }

    def arguments(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> dict[str, Any]:
        """All arguments by name, defaults too; self is none of them."""
        by_position = zip(self._names, args, strict=False)  # the rest are named
        return {**self._defaults, **dict(by_position), **kwargs}

    def of(self, arguments: Mapping[str, Any]) -> Hashable:
        """The key for what `arguments` gave."""
        return (self.question, *[arguments[name] for name in self._names])

    def of_call(self, *args: Hashable, **kwargs: Hashable) -> Hashable:
        """The key for a call with these arguments."""
        return self.of(self.arguments(args, kwargs))
