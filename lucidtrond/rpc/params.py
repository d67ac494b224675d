"""Raw ``params`` into a method's parameter type, by name or by position."""

from typing import Any, Final

import msgspec
from msgspec import Raw

_NO_PARAMS: Final = frozenset({b"", b"{}", b"[]"})
_MAX_REASON: Final = 200


class ParamsError(Exception):
    """The parameters don't fit; the text says where and why."""


class ParamsDecoder:
    """Compiled once per method.

    A Struct takes objects (unknown names are refused, whatever it says itself) and
    arrays (in the order of its fields). Another type takes arrays only. None takes
    nothing.
    """

    def __init__(self, params: Any) -> None:
        self._type = params
        self._fields: tuple[str, ...] | None = None
        self._decoder: msgspec.json.Decoder[Any] | None = None
        if params is None:
            return
        if isinstance(params, type) and issubclass(params, msgspec.Struct):
            self._fields = params.__struct_encode_fields__
            if not params.__struct_config__.forbid_unknown_fields:
                self._type = msgspec.defstruct(
                    params.__name__, [], bases=(params,), forbid_unknown_fields=True
                )
        self._decoder = msgspec.json.Decoder(self._type)

    def decode(self, raw: Raw) -> tuple[Any, ...]:
        """Give what the handler gets behind the call: one value, or none at all.

        Raises:
            ParamsError: they don't fit.
        """
        if self._decoder is None:
            if _squeeze(raw) not in _NO_PARAMS:
                raise ParamsError("it takes no parameters")
            return ()
        try:
            if self._fields is None:
                return (self._decoder.decode(raw or b"[]"),)
            data = bytes(raw) or b"{}"
            if data[0] == ord(b"["):
                return (self._by_position(msgspec.json.decode(data), self._fields),)
            return (self._decoder.decode(data),)
        except msgspec.ValidationError as error:
            raise ParamsError(str(error)[:_MAX_REASON]) from None

    def _by_position(self, values: list[Any], names: tuple[str, ...]) -> Any:
        if len(values) > len(names):
            raise ParamsError(f"it takes at most {len(names)} parameters")
        return msgspec.convert(dict(zip(names, values, strict=False)), self._type)


def _squeeze(raw: Raw) -> bytes:
    return bytes(raw).translate(None, b" \t\r\n")
