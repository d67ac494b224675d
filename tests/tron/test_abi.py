from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.tron import abi
from lucidtrond.tron.abi_types import AbiError, parse_type, split_types
from lucidtrond.tron.abi_values import format_value, parse_value
from lucidtrond.tron.address import Address
from tests.tron.strategies import addresses

# A second encoder, straight from the formal specification (docs.soliditylang.org,
# "Formal Specification of the Encoding"), on (type text, value) pairs.


def parts(kind: str) -> list[str]:
    inner, depth, parts, start = kind[1:-1], 0, [], 0
    for at, letter in enumerate(inner):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            parts.append(inner[start:at])
            start = at + 1
    return [*parts, inner[start:]]


def array_of(kind: str) -> tuple[str, int | None] | None:
    if not kind.endswith("]"):
        return None
    element, _, length = kind[:-1].rpartition("[")
    return element, int(length) if length else None


def dynamic(kind: str) -> bool:
    array = array_of(kind)
    if array is not None:
        return array[1] is None or dynamic(array[0])
    if kind.startswith("("):
        return any(map(dynamic, parts(kind)))
    return kind in ("bytes", "string")


def enc(kind: str, value: Any) -> bytes:  # noqa: PLR0911 - a case per type
    array = array_of(kind)
    if array is not None:
        element, length = array
        body = tuple_enc([element] * len(value), value)
        return body if length is not None else len(value).to_bytes(32, "big") + body
    if kind.startswith("("):
        return tuple_enc(parts(kind), value)
    if kind in ("bytes", "string"):
        data: bytes = value if kind == "bytes" else value.encode()
        padded = data + b"\0" * ((32 - len(data) % 32) % 32)
        return len(data).to_bytes(32, "big") + padded
    if kind == "address":
        return b"\0" * 12 + bytes(value.raw[1:])
    if kind == "bool":
        return b"\0" * 31 + (b"\1" if value else b"\0")
    if kind.startswith("bytes") or kind == "function":
        return bytes(value) + b"\0" * (32 - len(value))
    return int(value % 2**256).to_bytes(32, "big")


def tuple_enc(kinds: list[str], values: Any) -> bytes:
    encoded = [enc(kind, value) for kind, value in zip(kinds, values, strict=True)]
    heads_size = sum(
        32 if dynamic(kind) else len(data)
        for kind, data in zip(kinds, encoded, strict=True)
    )
    head, tail = b"", b""
    for kind, data in zip(kinds, encoded, strict=True):
        if dynamic(kind):
            head += (heads_size + len(tail)).to_bytes(32, "big")
            tail += data
        else:
            head += data
    return head + tail


integers = st.tuples(st.sampled_from(["int", "uint"]), st.integers(1, 32)).map(
    lambda pair: f"{pair[0]}{pair[1] * 8}"
)
fixed = st.integers(1, 32).map(lambda size: f"bytes{size}")
named = st.sampled_from(
    ["address", "bool", "bytes", "string", "function", "uint", "int", "trcToken"]
)
kinds = st.recursive(
    integers | fixed | named,
    lambda inner: (
        inner.map(lambda kind: kind + "[]")
        | st.tuples(inner, st.integers(1, 3)).map(lambda pair: f"{pair[0]}[{pair[1]}]")
        | st.lists(inner, min_size=1, max_size=3).map(
            lambda some: "(" + ",".join(some) + ")"
        )
    ),
    max_leaves=5,
)
texts = st.text(st.characters(codec="utf-8"), max_size=40)


def values_of(kind: str) -> st.SearchStrategy[Any]:
    array = array_of(kind)
    if array is not None:
        element, length = array
        low, high = (0, 3) if length is None else (length, length)
        return st.lists(values_of(element), min_size=low, max_size=high).map(tuple)
    if kind.startswith("("):
        return st.tuples(*(values_of(part) for part in parts(kind)))
    simple = {
        "address": addresses,
        "bool": st.booleans(),
        "bytes": st.binary(max_size=70),
        "string": texts,
        "function": st.binary(min_size=24, max_size=24),
        "uint": st.integers(0, 2**256 - 1),
        "trcToken": st.integers(0, 2**256 - 1),
        "int": st.integers(-(2**255), 2**255 - 1),
    }
    if kind in simple:
        return simple[kind]
    if kind.startswith("bytes"):
        size = int(kind[5:])
        return st.binary(min_size=size, max_size=size)
    if kind.startswith("uint"):
        return st.integers(0, 2 ** int(kind[4:]) - 1)
    bits = int(kind[3:])
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


@st.composite
def arguments(draw: st.DrawFn) -> tuple[list[str], list[Any]]:
    chosen = draw(st.lists(kinds, max_size=4))
    return chosen, [draw(values_of(kind)) for kind in chosen]


@settings(max_examples=300)
@given(arguments())
def test_encoding_agrees_with_the_formal_specification(
    given_: tuple[list[str], list[Any]],
) -> None:
    types, values = given_
    assert abi.encode(types, values) == tuple_enc(types, values)


@settings(max_examples=300)
@given(arguments(), st.binary(max_size=40))
def test_decoding_undoes_encoding_in_both_modes(
    given_: tuple[list[str], list[Any]], behind: bytes
) -> None:
    types, values = given_
    data = abi.encode(types, values)
    for encoded in (data, data + behind):
        assert abi.decode(types, encoded) == tuple(values)
        assert abi.decode(types, encoded, lenient=True) == tuple(values)


@settings(max_examples=200)
@given(arguments())
def test_json_values_are_inverse_to_reading_them(
    given_: tuple[list[str], list[Any]],
) -> None:
    for kind, value in zip(*given_, strict=True):
        parsed = parse_type(kind)
        assert parse_value(parsed, format_value(parsed, value)) == value


@settings(max_examples=300)
@given(st.lists(kinds, max_size=3), st.binary(max_size=400))
def test_any_bytes_are_decoded_or_refused(types: list[str], data: bytes) -> None:
    for lenient in (False, True):
        try:
            values = abi.decode(types, data, lenient=lenient)
        except AbiError:
            continue
        if not lenient:
            # What strict reading accepts is what some encoder wrote, up to the order
            # of the dynamic parts.
            assert abi.decode(types, abi.encode(types, values)) == values


@settings(max_examples=200)
@given(arguments().filter(lambda a: a[0]), st.data())
def test_damaged_data_never_raise_anything_else(
    given_: tuple[list[str], list[Any]], data: st.DataObject
) -> None:
    types, values = given_
    encoded = bytearray(abi.encode(types, values))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(encoded) - 1))
        encoded[at] = data.draw(st.integers(0, 255))
    for lenient in (False, True):
        try:
            abi.decode(types, bytes(encoded), lenient=lenient)
        except AbiError:
            continue


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


DIRTY = [
    ("address", b"\x01" + bytes(31), Address(b"\x41" + bytes(20))),
    ("address", b"\xff" * 32, Address(b"\x41" + b"\xff" * 20)),
    ("bool", word(2), True),
    ("uint8", word(256 + 7), 7),
    ("int8", word(255), -1),
    ("int8", word(127 + 256), 127),
    ("bytes4", b"abcd" + b"\0" * 27 + b"\1", b"abcd"),
    ("bytes", word(32) + word(1) + b"ab" + bytes(30), b"a"),
    ("bytes", word(32) + word(1) + b"a", b"a"),
    ("string", word(32) + word(1) + b"\xff" + bytes(31), "\ufffd"),
]


@pytest.mark.parametrize(("kind", "data", "value"), DIRTY)
def test_dirt_is_refused_strictly_and_ignored_leniently(
    kind: str, data: bytes, value: Any
) -> None:
    with pytest.raises(AbiError):
        abi.decode([kind], data)
    assert abi.decode([kind], data, lenient=True) == (value,)


def test_offsets_that_share_a_place_can_not_blow_up() -> None:
    """Each list points at itself ten times: 10^8 values out of eleven words."""
    data = word(32) + word(10) + b"".join(word(0) for _ in range(10)) + word(0)
    kind = "uint256" + "[]" * 8
    for lenient in (False, True):
        with pytest.raises(AbiError):
            abi.decode([kind], data, lenient=lenient)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("uint256", b""),
        ("uint256", bytes(31)),
        ("uint256[]", word(32) + word(2**255)),
        ("uint256[]", word(2**255)),
        ("uint256[]", word(32) + word(2) + word(1)),
        ("bytes", word(32) + word(2**64)),
        ("string[]", word(32) + word(1) + word(64)),
        ("uint256[1000000]", bytes(64)),
    ],
)
def test_data_that_end_too_early_are_refused(kind: str, data: bytes) -> None:
    for lenient in (False, True):
        with pytest.raises(AbiError):
            abi.decode([kind], data, lenient=lenient)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "uint7",
        "uint0",
        "uint264",
        "uint08",
        "bytes0",
        "bytes33",
        "int256 ",
        " bool",
        "tuple",
        "()",
        "(bool",
        "bool)",
        "(bool,)",
        "bool[0]",
        "bool[-1]",
        "bool[x]",
        "bool[][",
        "fixed128x18",
        "mapping(address=>uint256)",
        "uint256[9999999]",
        "uint256[1000000][1000000]",
        "bool" + "[]" * 40,
        "(" * 40 + "bool" + ")" * 40,
        "uint\u0668",
    ],
)
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(AbiError):
        parse_type(text)


@given(st.text("uint8bytes[](),0 boladresfg", max_size=20))
def test_any_text_is_a_type_or_refused(text: str) -> None:
    try:
        parse_type(text)
    except AbiError:
        return


UNFIT: list[tuple[str, Any]] = [
    ("uint8", 256),
    ("uint8", -1),
    ("uint8", True),
    ("uint8", "1"),
    ("uint8", 1.0),
    ("int8", 128),
    ("int8", -129),
    ("bool", 1),
    ("address", "T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb"),
    ("address", bytes(21)),
    ("bytes4", b"abc"),
    ("bytes4", b"abcde"),
    ("bytes", "00"),
    ("string", b"x"),
    ("string", "\ud800"),
    ("bool[2]", (True,)),
    ("bool[]", True),
    ("(bool,bool)", (True,)),
]


@pytest.mark.parametrize(("kind", "value"), UNFIT)
def test_a_value_that_does_not_fit_its_type_is_refused(kind: str, value: Any) -> None:
    with pytest.raises(AbiError, match="expected"):
        abi.encode([kind], [value])


def test_the_number_of_values_must_fit() -> None:
    with pytest.raises(AbiError, match="expected 1 values"):
        abi.encode(["bool"], [])


UNREADABLE: list[tuple[str, Any]] = [
    ("uint8", "x"),
    ("uint8", ""),
    ("uint8", "1_0"),
    ("uint8", " 1"),
    ("uint8", 1.5),
    ("uint8", True),
    ("uint8", "9" * 100),
    ("bool", "true"),
    ("bool", 1),
    ("address", "T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwc"),
    ("address", 5),
    ("bytes", "0x1"),
    ("bytes", "0x 1"),
    ("bytes", "0xzz"),
    ("string", 5),
    ("bool[]", "x"),
    ("(bool,bool)", [True]),
]


@pytest.mark.parametrize(("kind", "value"), UNREADABLE)
def test_json_that_can_not_mean_the_type_is_refused(kind: str, value: Any) -> None:
    with pytest.raises(AbiError):
        parse_value(parse_type(kind), value)


def test_json_numbers_may_be_numbers_digits_or_hex() -> None:
    kind = parse_type("int256")
    for value in (-255, "-255", "-0xff"):
        assert parse_value(kind, value) == -255


def test_signatures_are_hashed_as_they_are() -> None:
    """Vectors elsewhere; here the trap: a blank gives another selector."""
    assert abi.selector("transfer(address,uint256)").hex() == "a9059cbb"
    assert abi.selector("transfer(address, uint256)").hex() != "a9059cbb"
    assert abi.topic("Transfer(address,address,uint256)").hex()[:8] == "ddf252ad"


def test_parameters_of_a_signature_are_split_at_the_outermost_commas() -> None:
    assert abi.parameters_of("f()") == ()
    assert abi.parameters_of("f((uint8,bool)[],string)") == ("(uint8,bool)[]", "string")
    assert split_types("a,(b,(c,d)),e[2]") == ("a", "(b,(c,d))", "e[2]")
    for text in ("f", "f(", "f)", "f(a", "f(a))", "f((a)"):
        with pytest.raises(AbiError):
            abi.parameters_of(text)
    call = abi.encode_call("f(bool)", [True])
    assert call == abi.selector("f(bool)") + word(1)
