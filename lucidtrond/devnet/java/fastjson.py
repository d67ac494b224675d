"""The node's first JSON parser, which decides whether a body is an object at all.

Good JSON takes the quick way. What is left is read as fastjson reads it: comments,
single quotes, bare keys and trailing commas pass; the complaints that clients may see
are worded as recorded ones, rarer ones as near as can be told.
"""

import json
import re
from typing import Any, Final

from lucidtrond.devnet.java.errors import JavaError, not_a_number, null_pointer

_SPACE: Final = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_BARE_KEY: Final = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_TEXT: Final = {
    '"': re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL),
    "'": re.compile(r"'(?:[^'\\]|\\.)*'", re.DOTALL),
}
_WORDS: Final[dict[str, Any]] = {"true": True, "false": False, "null": None}


def parse_object(text: str) -> dict[str, Any]:
    """Read a body that must be an object.

    Raises:
        JavaError: JSONException, or NullPointerException for ``null``.
    """
    value = parse(text)
    if value is None:
        raise null_pointer()
    if not isinstance(value, dict):
        raise _error("can not cast to JSONObject.")
    return value


def parse(text: str) -> Any:
    """Read any JSON. Raises JavaError."""
    try:
        return json.loads(text)
    except ValueError:
        return _Lenient(text).whole()


def _error(message: str) -> JavaError:
    return JavaError("com.alibaba.fastjson.JSONException", message)


def _number(match: re.Match[str]) -> int | float:
    try:
        return float(match[0]) if match[1] or match[2] else int(match[0])
    except ValueError:  # thousands of digits, which Python won't read
        raise not_a_number(match[0]) from None


class _Lenient:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def whole(self) -> Any:
        value = self._value()
        rest = self._peek()
        if rest:
            raise _error(f"not close json text, token : {rest}")
        return value

    def _peek(self) -> str:
        match = _SPACE.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
        return self._text[self._at : self._at + 1]

    def _syntax_error(self) -> JavaError:
        at = self._at + 1
        return _error(f"syntax error, {self._place(at)}{self._text}")

    def _place(self, at: int) -> str:
        line = self._text.count("\n", 0, at) + 1
        return f"pos {at}, line {line}, column {at + 1}"

    def _value(self) -> Any:
        first = self._peek()
        if first == "{":
            return self._object()
        if first == "[":
            return self._list()
        if first in _TEXT and first:
            return self._string(first)
        if not first:
            place = self._place(len(self._text))
            raise _error(f"unterminated json string, {place}{self._text}")
        return self._word()

    def _word(self) -> Any:
        number = _NUMBER.match(self._text, self._at)
        if number is not None:
            self._at = number.end()
            return _number(number)
        for word, value in _WORDS.items():
            if self._text.startswith(word, self._at):
                self._at += len(word)
                return value
        if self._text.startswith("x", self._at):  # x'00ff' is its spelling of bytes
            following = self._text[self._at + 1 : self._at + 2] or "\x1a"
            raise _error(f"illegal state. {following}")
        raise self._syntax_error()

    def _string(self, quote: str) -> str:
        match = _TEXT[quote].match(self._text, self._at)
        if match is None:
            raise _error(f"unclosed str, {self._text[self._at + 1 :]}")
        self._at = match.end()
        return match[0][1:-1]

    def _object(self) -> dict[str, Any]:
        members: dict[str, Any] = {}
        self._at += 1
        while (first := self._peek()) != "}":
            if first == ",":
                self._at += 1
                continue
            name = self._key(first)
            if self._peek() != ":":
                raise self._syntax_error()
            self._at += 1
            members[name] = self._value()
            if self._peek() not in (",", "}"):
                raise _error(f"syntax error, position at 0, name {name}")
        self._at += 1
        return members

    def _key(self, first: str) -> str:
        if first in _TEXT and first:
            return self._string(first)
        match = _BARE_KEY.match(self._text, self._at)
        if match is None:
            raise self._syntax_error()
        self._at = match.end()
        return match[0]

    def _list(self) -> list[Any]:
        items: list[Any] = []
        self._at += 1
        while (first := self._peek()) != "]":
            if first == ",":
                self._at += 1
                continue
            items.append(self._value())
        self._at += 1
        return items
