"""java-tron's own JSON parser (JsonFormat): text into messages, with its errors.

Theory. A node reads bodies with this parser, whose grammar is not JSON's: it knows
comments, octal numbers and single-digit field numbers, does not undo escapes inside
bytes, takes one value for a list and a list for one value, and skips what it does not
know only when that is a scalar, ``null`` or a non-empty object or list. Whoever wants
to be told what a node would have said must read as it reads. Positions in errors are
line:column of the token, counted from 1.
"""

import re
from typing import Any, Final, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from lucidtrond.tron import javanumbers
from lucidtrond.tron.base58 import ALPHABET, InvalidBase58, decode_check
from lucidtrond.tron.jsonfields import bytes_form, is_map_entry, is_repeated

_BLANKS: Final = re.compile(r"(?:\s|#.*$)++", re.MULTILINE | re.ASCII)
_TOKEN: Final = re.compile(
    r"[a-zA-Z_][0-9a-zA-Z_+-]*+"
    r"|[.]?[0-9+-][0-9a-zA-Z_.+-]*+"
    r'|"(?:[^"\n\\]|\\.)*+(?:"|\\?$)'
    r"|'(?:[^'\n\\]|\\.)*+(?:'|\\?$)",
    re.MULTILINE | re.ASCII,
)
_NOT_IDENTIFIER: Final = re.compile(r'[^a-zA-Z0-9_."]')
_SHORT_ESCAPES: Final = {
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "\\": "\\",
    '"': '"',
    "'": "'",
}
_HEX_BLANKS: Final = str.maketrans("", "", " \n\r\t")
_ADDRESS_SIZE: Final = 21
_ADDRESS_PREFIX: Final = b"\x41"


class ParseError(ValueError):
    """JsonFormat$ParseException; its text is ``line:column: reason``."""


class NullPointer(ValueError):
    """Where java-tron dies of a NullPointerException, whose message is null."""

    def __init__(self) -> None:
        super().__init__("null")


def merge(text: str, message: Message, *, visible: bool) -> None:
    """Read *text*, one object, into *message*.

    Raises:
        ParseError: what the node would refuse, in its words.
        NullPointer: *visible*, and an address whose checksum does not fit.
        NumberFormat: an escape ``\\uXXXX`` without four hex digits.
    """
    tokens = _Tokens(text)
    tokens.consume("{")
    while not tokens.try_consume("}"):
        _merge_fields(tokens, message, visible=visible)
    if tokens.current:
        raise tokens.error(
            "Expecting the end of the stream, but there seems to be more data!  "
            "Check the input for a valid JSON format."
        )


class _Tokens:
    """The text as tokens, with the place of the current one."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._next = 0
        self._at = 0
        self._line = 0
        self._column = 0
        self._previous = (0, 0)
        self.current = ""
        self._skip_blanks()
        self.advance()

    def advance(self) -> None:
        self._previous = (self._line, self._column)
        passed = self._text[self._at : self._next]
        lines = passed.count("\n")
        if lines:
            self._line += lines
            self._column = len(passed) - passed.rindex("\n") - 1
        else:
            self._column += len(passed)
        self._at = self._next
        if self._next == len(self._text):
            self.current = ""
            return
        match = _TOKEN.match(self._text, self._next)
        self.current = match[0] if match else self._text[self._next]
        self._next += len(self.current)
        self._skip_blanks()

    def _skip_blanks(self) -> None:
        match = _BLANKS.match(self._text, self._next)
        if match:
            self._next = match.end()

    def error(self, reason: str) -> ParseError:
        return ParseError(f"{self._line + 1}:{self._column + 1}: {reason}")

    def error_before(self, reason: str) -> ParseError:
        line, column = self._previous
        return ParseError(f"{line + 1}:{column + 1}: {reason}")

    def try_consume(self, token: str) -> bool:
        if self.current != token:
            return False
        self.advance()
        return True

    def consume(self, token: str) -> None:
        if not self.try_consume(token):
            raise self.error(f'Expected "{token}".')

    def looks_like_integer(self) -> bool:
        return self.current[:1] in tuple("0123456789-+")

    def identifier(self) -> str:
        odd = _NOT_IDENTIFIER.search(self.current)
        if odd:
            raise self.error(f"Expected identifier. -{odd[0]}")
        name = self.current.replace('"', "")
        self.advance()
        return name

    def integer(self, bits: int) -> int:
        try:
            value = javanumbers.parse_integer(self.current, bits=bits)
        except javanumbers.NumberFormat as why:
            raise self.error(f"Couldn't parse integer: {why}") from None
        self.advance()
        return value

    def boolean(self) -> bool:
        if self.current not in ("true", "false"):
            raise self.error('Expected "true" or "false".')
        value = self.current == "true"
        self.advance()
        return value

    def quoted(self) -> str:
        """The current string without its quotes, escapes not undone; not consumed."""
        token = self.current
        if token[:1] not in ('"', "'"):
            raise self.error("Expected string.")
        if len(token) < 2 or token[-1] != token[0]:
            raise self.error("String missing ending quote.")
        return token[1:-1]

    def string(self) -> str:
        try:
            value = _unescape(self.quoted())
        except _BadEscape as why:
            raise self.error(str(why)) from None
        self.advance()
        return value

    def data(self, form: str | None) -> bytes:
        """A bytes field; *form* is how visible mode spells it, None is hex."""
        try:
            value = _read_bytes(self.quoted(), form)
        except _BadEscape as why:
            raise self.error(str(why)) from None
        self.advance()
        return value


class _BadEscape(ValueError):
    pass


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    parts: list[str] = []
    at = 0
    while at < len(text):
        if text[at] != "\\":
            parts.append(text[at])
            at += 1
            continue
        letter = text[at + 1 : at + 2]
        if letter == "":
            raise _BadEscape("Invalid escape sequence: '\\' at end of string.")
        if letter == "u":
            if at + 5 >= len(text):
                raise _BadEscape("Invalid escape sequence: '\\u' at end of string.")
            code = javanumbers.parse_digits(text[at + 2 : at + 6], radix=16)
            parts.append(chr(code & 0xFFFF))
            at += 6
        elif letter in _SHORT_ESCAPES:
            parts.append(_SHORT_ESCAPES[letter])
            at += 2
        else:
            raise _BadEscape(f"Invalid escape sequence: '\\{letter}'")
    # Two \u escapes of one character were two of java's chars.
    joined = "".join(parts).encode("utf-16-le", "surrogatepass")
    return joined.decode("utf-16-le", "replace")


def _read_bytes(text: str, form: str | None) -> bytes:
    if form == "text":
        return text.encode("utf-8", "replace")
    if form == "address":
        return _read_address(text)
    digits = text.removeprefix("0x")  # ByteArray.fromHexString
    if len(digits) % 2:
        digits = "0" + digits
    try:
        return bytes.fromhex(digits.translate(_HEX_BLANKS))
    except ValueError:
        raise _BadEscape("INVALID hex String") from None


def _read_address(text: str) -> bytes:
    for place, letter in enumerate(text):
        if letter not in ALPHABET:
            raise _BadEscape(
                f"INVALID base58 String, Illegal character {letter} at {place}"
            )
    try:
        raw = decode_check(text)
    except InvalidBase58:
        raise NullPointer from None
    if len(raw) != _ADDRESS_SIZE or not raw.startswith(_ADDRESS_PREFIX):
        raise NullPointer
    return raw


def _merge_fields(tokens: _Tokens, message: Message, *, visible: bool) -> None:
    """One field, and the next ones as long as a comma follows."""
    _merge_field(tokens, message, visible=visible)
    while tokens.try_consume(","):
        _merge_field(tokens, message, visible=visible)


def _merge_field(tokens: _Tokens, message: Message, *, visible: bool) -> None:
    name = tokens.identifier()
    # The stubs say that a descriptor may come from either of two runtimes.
    field = cast("FieldDescriptor | None", message.DESCRIPTOR.fields_by_name.get(name))
    by_number = field is None and len(name) == 1 and name in "0123456789"
    if by_number:
        by_numbers = message.DESCRIPTOR.fields_by_number
        field = cast("FieldDescriptor | None", by_numbers.get(int(name)))
    if field is None:
        _skip(tokens)
        return
    tokens.consume(":")
    if not tokens.try_consume("["):
        _merge_value(tokens, message, field, encoded=by_number, visible=visible)
        return
    while not tokens.try_consume("]"):
        _merge_value(tokens, message, field, encoded=by_number, visible=visible)
        tokens.try_consume(",")


def _skip(tokens: _Tokens) -> None:
    tokens.try_consume(":")
    if tokens.try_consume("{"):
        tokens.identifier()
        _skip(tokens)
        while tokens.try_consume(","):
            tokens.identifier()
            _skip(tokens)
        tokens.consume("}")
    elif tokens.try_consume("["):
        _skip(tokens)
        while tokens.try_consume(","):
            _skip(tokens)
        tokens.consume("]")
    elif tokens.try_consume("null"):
        return
    elif tokens.looks_like_integer():
        tokens.integer(64)
    elif tokens.current in ("true", "false"):
        tokens.advance()
    else:
        tokens.string()


def _merge_value(
    tokens: _Tokens,
    message: Message,
    field: FieldDescriptor,
    *,
    encoded: bool,
    visible: bool,
) -> None:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        _merge_object(tokens, message, field, encoded=encoded, visible=visible)
        return
    if tokens.try_consume("null"):
        return
    value = _read_scalar(tokens, field, visible=visible)
    if is_repeated(field):
        getattr(message, field.name).append(value)
    else:
        setattr(message, field.name, value)


def _merge_object(
    tokens: _Tokens,
    message: Message,
    field: FieldDescriptor,
    *,
    encoded: bool,
    visible: bool,
) -> None:
    if is_repeated(field):
        made = getattr(message, field.name).add()
    else:
        made = getattr(message, field.name)
        made.Clear()
        made.SetInParent()
    if encoded:
        data = tokens.data(None)
        try:
            made.MergeFromString(data)
        except DecodeError:
            raise tokens.error(f"Failed to build {field.full_name}") from None
        return
    tokens.consume("{")
    while not tokens.try_consume("}"):
        if not tokens.current:
            raise tokens.error('Expected "}".')
        _merge_fields(tokens, made, visible=visible)
        tokens.try_consume(",")
    if is_map_entry(made.DESCRIPTOR):
        made.key, made.value = made.key, made.value  # java writes both, zeros too


def _read_scalar(tokens: _Tokens, field: FieldDescriptor, *, visible: bool) -> Any:
    match field.type:
        case FieldDescriptor.TYPE_INT64:
            return tokens.integer(64)
        case FieldDescriptor.TYPE_INT32:
            return tokens.integer(32)
        case FieldDescriptor.TYPE_BOOL:
            return tokens.boolean()
        case FieldDescriptor.TYPE_STRING:
            return tokens.string()
        case FieldDescriptor.TYPE_BYTES:
            return tokens.data(bytes_form(field) if visible else None)
        case FieldDescriptor.TYPE_ENUM:
            return _read_enum(tokens, field)
        case _:
            raise AssertionError(f"no field of ours has type {field.type}")


def _read_enum(tokens: _Tokens, field: FieldDescriptor) -> int:
    enum = field.enum_type
    assert enum is not None  # noqa: S101 - invariant: only called for enum fields
    full_name = enum.full_name.replace("lucidtron.wire.", "protocol.")
    if tokens.looks_like_integer():
        number = tokens.integer(32)
        if number not in enum.values_by_number:
            raise tokens.error_before(
                f'Enum type "{full_name}" has no value with number {number}.'
            )
        return number
    name = tokens.identifier()
    if name.isascii() and name.isalpha() and name.islower():
        name = name.capitalize()
    if name not in enum.values_by_name:
        raise tokens.error_before(
            f'Enum type "{full_name}" has no value named "{name}".'
        )
    return int(enum.values_by_name[name].number)
