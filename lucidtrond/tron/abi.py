"""The contract ABI: call data, return values and log data, written and read.

Python values by type: int for integers and ``trcToken``, bool, `Address`, bytes, str,
and a tuple for arrays and tuples (lists are taken too).

Theory. A static value stands where it is, a dynamic one at the end with an offset in
its place. Data come from strangers: nothing is believed about offsets and lengths, and
the work is bounded by the size of the data, because pointing many offsets at one place
would otherwise make a small input arbitrarily large.
"""

from collections.abc import Sequence
from typing import Any, Final, assert_never

from lucidtrond.tron.abi_types import (
    WORD,
    AbiError,
    AbiType,
    AddressType,
    Array,
    Boolean,
    DynamicBytes,
    FixedBytes,
    Integer,
    Text,
    Tuple,
    head_size,
    is_dynamic,
    parse_types,
    split_types,
)
from lucidtrond.tron.address import PREFIX, Address
from lucidtrond.tron.hashing import keccak256

SELECTOR_SIZE: Final = 4
_ADDRESS_BYTES: Final = 20


def selector(signature: str) -> bytes:
    """First four bytes of call data. The text is hashed as it is, blanks included."""
    return keccak256(signature.encode())[:SELECTOR_SIZE]


def topic(signature: str) -> bytes:
    """First topic of a log, 32 bytes."""
    return keccak256(signature.encode())


def encode(types: Sequence[str], values: Sequence[Any]) -> bytes:
    """Write *values* as arguments, without a selector.

    Raises:
        AbiError: a type that is none, or a value that does not fit its type.
    """
    return _encode(parse_types(types), tuple(values))


def encode_call(signature: str, values: Sequence[Any]) -> bytes:
    """Write call data for ``transfer(address,uint256)``."""
    return selector(signature) + encode(parameters_of(signature), values)


def decode(
    types: Sequence[str], data: bytes, *, lenient: bool = False
) -> tuple[Any, ...]:
    """Read arguments or return values; bytes behind them are ignored.

    *lenient* looks only at the bits that a type needs, as the TVM does: an address
    word with anything in its upper 12 bytes is that address.

    Raises:
        AbiError: data that no encoder would write (or, lenient, can't be read).
    """
    whole = parse_types(types)
    result: tuple[Any, ...] = _Reader(data, lenient=lenient).read(whole, 0)
    return result


def parameters_of(signature: str) -> tuple[str, ...]:
    """The types in ``name(type,type)``.

    Raises:
        AbiError: not of that form.
    """
    _, bracket, rest = signature.partition("(")
    if not bracket or not rest.endswith(")"):
        raise AbiError(f"not a signature: {signature[:60]!r}")
    return split_types(rest[:-1])


def _encode(kind: AbiType, value: Any) -> bytes:  # noqa: PLR0911 - a case per type
    match kind:
        case Integer():
            return _encode_integer(kind, value)
        case Boolean():
            _expect(isinstance(value, bool), "bool", value)
            return int(value).to_bytes(WORD, "big")
        case AddressType():
            _expect(isinstance(value, Address), "address", value)
            return bytes(WORD - _ADDRESS_BYTES) + bytes(value.raw[1:])
        case FixedBytes():
            fits = isinstance(value, bytes) and len(value) == kind.size
            _expect(fits, f"{kind.size} bytes", value)
            return bytes(value).ljust(WORD, b"\0")
        case DynamicBytes():
            _expect(isinstance(value, bytes), "bytes", value)
            return _encode_blob(value)
        case Text():
            _expect(isinstance(value, str), "string", value)
            return _encode_blob(_utf8(value))
        case Array():
            return _encode_array(kind, value)
        case Tuple():
            fits = isinstance(value, tuple | list) and len(value) == len(kind.parts)
            _expect(fits, f"{len(kind.parts)} values", value)
            return _encode_sequence(kind.parts, value)
        case _:
            assert_never(kind)


def _encode_integer(kind: Integer, value: Any) -> bytes:
    name = f"{'int' if kind.signed else 'uint'}{kind.bits}"
    _expect(isinstance(value, int) and not isinstance(value, bool), name, value)
    low, high = _bounds(kind)
    _expect(low <= value <= high, name, value)
    return int(value).to_bytes(WORD, "big", signed=kind.signed)


def _bounds(kind: Integer) -> tuple[int, int]:
    if kind.signed:
        return -(1 << kind.bits - 1), (1 << kind.bits - 1) - 1
    return 0, (1 << kind.bits) - 1


def _utf8(value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise AbiError("expected string, got lone surrogates") from None


def _encode_blob(data: bytes) -> bytes:
    return len(data).to_bytes(WORD, "big") + data + bytes(-len(data) % WORD)


def _encode_array(kind: Array, value: Any) -> bytes:
    _expect(isinstance(value, tuple | list), "a list", value)
    if kind.length is not None:
        _expect(len(value) == kind.length, f"{kind.length} elements", value)
        return _encode_sequence((kind.element,) * kind.length, value)
    count = len(value).to_bytes(WORD, "big")
    return count + _encode_sequence((kind.element,) * len(value), value)


def _encode_sequence(kinds: Sequence[AbiType], values: Sequence[Any]) -> bytes:
    offset = sum(head_size(kind) for kind in kinds)
    heads: list[bytes] = []
    tails: list[bytes] = []
    for kind, value in zip(kinds, values, strict=True):
        encoded = _encode(kind, value)
        if is_dynamic(kind):
            heads.append(offset.to_bytes(WORD, "big"))
            tails.append(encoded)
            offset += len(encoded)
        else:
            heads.append(encoded)
    return b"".join(heads + tails)


def _expect(fits: bool, wanted: str, value: Any) -> None:  # noqa: FBT001 - private
    if not fits:
        raise AbiError(f"expected {wanted}, got {str(value)[:60]!r}")


class _Reader:
    """One decoding: the data, and how many more words may be looked at."""

    def __init__(self, data: bytes, *, lenient: bool) -> None:
        self._data = data
        self._lenient = lenient
        # Canonical data use each word once; reading more is a decompression bomb.
        self._budget = -(-len(data) // WORD)

    def read(self, kind: AbiType, at: int) -> Any:  # noqa: C901, PLR0911 - a case per type
        match kind:
            case Integer():
                return self._integer(kind, at)
            case Boolean():
                return self._boolean(at)
            case AddressType():
                word = self._word(at)
                self._require_zeros(word[: WORD - _ADDRESS_BYTES], "address")
                return Address(bytes([PREFIX]) + word[WORD - _ADDRESS_BYTES :])
            case FixedBytes():
                word = self._word(at)
                self._require_zeros(word[kind.size :], f"bytes{kind.size}")
                return word[: kind.size]
            case DynamicBytes():
                return self._blob(at)
            case Text():
                return self._text(at)
            case Array(length=None):
                count = self._number(at)
                # Each element takes at least a word, so this bounds the list too.
                if count * head_size(kind.element) > len(self._data):
                    raise AbiError("an array longer than the data")
                return self._sequence((kind.element,) * count, at + WORD)
            case Array():
                return self._sequence((kind.element,) * (kind.length or 0), at)
            case Tuple():
                return self._sequence(kind.parts, at)
            case _:
                assert_never(kind)

    def _sequence(self, kinds: Sequence[AbiType], start: int) -> tuple[Any, ...]:
        values = []
        at = start
        for kind in kinds:
            place = start + self._number(at) if is_dynamic(kind) else at
            values.append(self.read(kind, place))
            at += head_size(kind)
        return tuple(values)

    def _word(self, at: int) -> bytes:
        if at + WORD > len(self._data):
            raise AbiError("the data end too early")
        self._budget -= 1
        if self._budget < 0:
            raise AbiError("the same words are used again and again")
        return self._data[at : at + WORD]

    def _number(self, at: int) -> int:
        value = int.from_bytes(self._word(at), "big")
        if value > len(self._data):
            raise AbiError("an offset or length beyond the data")
        return value

    def _integer(self, kind: Integer, at: int) -> int:
        value = int.from_bytes(self._word(at), "big", signed=kind.signed)
        low, high = _bounds(kind)
        if low <= value <= high:
            return value
        if not self._lenient:
            raise AbiError(f"an integer of more than {kind.bits} bits")
        value &= (1 << kind.bits) - 1
        return value - (1 << kind.bits) if kind.signed and value > high else value

    def _boolean(self, at: int) -> bool:
        value = int.from_bytes(self._word(at), "big")
        if value > 1 and not self._lenient:
            raise AbiError("a bool that is neither 0 nor 1")
        return value != 0

    def _blob(self, at: int) -> bytes:
        size = self._number(at)
        start = at + WORD
        padded = size + -size % WORD
        if start + size > len(self._data):
            raise AbiError("the data end too early")
        self._budget -= padded // WORD
        if self._budget < 0:
            raise AbiError("the same words are used again and again")
        if not self._lenient and start + padded > len(self._data):
            raise AbiError("the data end too early")
        self._require_zeros(self._data[start + size : start + padded], "padding")
        return self._data[start : start + size]

    def _text(self, at: int) -> str:
        data = self._blob(at)
        try:
            return data.decode(errors="replace" if self._lenient else "strict")
        except UnicodeDecodeError:
            raise AbiError("a string that is not UTF-8") from None

    def _require_zeros(self, rest: bytes, what: str) -> None:
        if not self._lenient and rest.strip(b"\0"):
            raise AbiError(f"{what}: bits that should be zero are not")
