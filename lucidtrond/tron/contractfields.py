"""How our contract classes and their protobuf messages become one another.

Theory. A contract class is a msgspec Struct (forty attrs classes would add 25 ms to
every start) whose attributes are named as the message's fields are, in lower case and
with ``_address`` left out (``owner`` is ``owner_address``); its annotations say how a
field is read: `Address`, ``Address | None`` (empty bytes), an IntEnum, another such
class (a sub-message), tuples of these, and plain int, bool, bytes, str. Nothing else
needs to be written down for a new contract.
"""

import types
import typing
from collections.abc import Hashable
from enum import IntEnum
from functools import cache
from typing import Any, TypeVar, cast

from attrs import frozen
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from msgspec import Struct

from lucidtrond.tron.address import Address

T = TypeVar("T")


@frozen
class _Part:
    attribute: str
    wire: str
    kind: type
    """Address, an IntEnum, a Struct, or a plain type."""
    is_optional: bool
    is_list: bool


def read(struct: type[T], message: Message) -> T:
    """Make a *struct* from *message*.

    Raises:
        ValueError: an address of another length, a number outside its enum.
    """
    values: dict[str, Any] = {}
    for part in _parts_of(struct, message):
        value = getattr(message, part.wire)
        if part.is_list:
            values[part.attribute] = tuple(
                _read_one(part.kind, element) for element in value
            )
        elif part.is_optional and not _is_present(message, part, value):
            values[part.attribute] = None
        else:
            values[part.attribute] = _read_one(part.kind, value)
    return struct(**values)


def fill(message: Message, source: Any) -> None:
    """Write *source* into the empty *message*.

    Raises:
        ValueError: a number that the field can't hold.
    """
    for part in _parts_of(type(source), message):
        value = getattr(source, part.attribute)
        if part.is_list:
            field = getattr(message, part.wire)
            for element in value:
                if _is_message(part.kind):
                    fill(field.add(), element)
                else:
                    field.append(_plain(element))
        elif value is None:
            continue
        elif _is_message(part.kind):
            field = getattr(message, part.wire)
            field.SetInParent()
            fill(field, value)
        else:
            setattr(message, part.wire, _plain(value))


def _is_present(message: Message, part: _Part, value: Any) -> bool:
    return value != b"" if part.kind is Address else message.HasField(part.wire)


def _read_one(kind: type, value: Any) -> Any:
    if kind is Address or issubclass(kind, IntEnum):
        return kind(value)
    return read(kind, value) if _is_message(kind) else value


def _is_message(kind: type) -> bool:
    return issubclass(kind, Struct)


def _plain(value: Any) -> Any:
    if isinstance(value, Address):
        return value.raw
    return int(value) if isinstance(value, IntEnum) else value


def _parts_of(struct: type, message: Message) -> tuple[_Part, ...]:
    return _parts(cast("Hashable", struct), message.DESCRIPTOR)


@cache
def _parts(struct: type, descriptor: Descriptor) -> tuple[_Part, ...]:
    hints = typing.get_type_hints(struct)
    names = {field.name.lower(): field.name for field in descriptor.fields}
    parts = []
    for name in cast("type[Struct]", struct).__struct_fields__:
        kind, is_optional, is_list = _unwrap_hint(hints[name])
        wire = names.get(name) or names[name + "_address"]
        parts.append(_Part(name, wire, kind, is_optional, is_list))
    return tuple(parts)


def _unwrap_hint(hint: Any) -> tuple[type, bool, bool]:
    """Give (kind, is_optional, is_list) of an annotation."""
    if isinstance(hint, types.UnionType):
        [hint] = [
            member for member in typing.get_args(hint) if member is not types.NoneType
        ]
        return hint, True, False
    if typing.get_origin(hint) is tuple:
        return _unwrapped(typing.get_args(hint)[0]), False, True
    return _unwrapped(hint), False, False


def _unwrapped(hint: Any) -> type:
    """The type under a NewType (`Sun`, `UnixMillis`)."""
    while isinstance(hint, typing.NewType):
        hint = hint.__supertype__
    assert isinstance(hint, type)  # noqa: S101 - invariant: our own annotations
    return hint
