"""A key for a question, the same however its arguments are written. Pure."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

Key = tuple[Any, ...]
"""The question's name and all its arguments in order, defaults too."""


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
        self._rest = {
            count: tuple(self._defaults[name] for name in self._names[count:])
            for count in range(len(parameters) + 1)
            if self._defaults.keys() >= {*self._names[count:]}
        }
        """What is left out where so many arguments are given, all by position."""

    def of(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Key:
        """The key for a call with these arguments, self left out."""
        if not kwargs and len(args) in self._rest:
            return (self.question, *args, *self._rest[len(args)])
        by_position = zip(self._names, args, strict=False)  # the rest are named
        arguments = {**self._defaults, **dict(by_position), **kwargs}
        return (self.question, *[arguments[name] for name in self._names])

    def of_call(self, *args: Any, **kwargs: Any) -> Key:
        """The same for arguments as they are written in a call."""
        return self.of(args, kwargs)

    def place_of(self, name: str) -> int:
        """Where the argument *name* is in a key."""
        return 1 + self._names.index(name)
