import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.tron.address import Address
from lucidtrond.tron.permissions import (
    Key,
    Permission,
    PermissionType,
    allows,
    format_operations,
    parse_operations,
)

A, B, C = (Address(b"\x41" + bytes([n]) * 20) for n in (1, 2, 3))


@given(st.frozensets(st.integers(0, 255)))
def test_bitmaps_read_back(types: frozenset[int]) -> None:
    operations = format_operations(types)
    assert len(operations) == 32
    assert set(parse_operations(operations)) == types
    for number in range(-3, 300):
        assert allows(operations, number) == (number in types)


@given(st.binary(min_size=32, max_size=32))
def test_lists_read_back(operations: bytes) -> None:
    types = parse_operations(operations)
    assert format_operations(types) == operations
    assert list(types) == sorted(types)


def test_bits_count_from_the_low_end_of_each_byte() -> None:
    assert format_operations([0]).hex() == "01" + 62 * "0"
    assert format_operations([15]).hex() == "0080" + 60 * "0"


@pytest.mark.parametrize("types", [[-1], [256]])
def test_a_type_without_a_bit_is_refused(types: list[int]) -> None:
    with pytest.raises(ValueError, match="contract type"):
        format_operations(types)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_bitmap_of_another_size_is_refused(size: int) -> None:
    for check in (parse_operations, lambda data: allows(data, 1)):
        with pytest.raises(ValueError, match="32 bytes"):
            check(bytes(size))


def test_weights_of_distinct_known_signers_add_up() -> None:
    permission = Permission(threshold=3, keys=(Key(A, 1), Key(B, 2)))
    assert permission.weight_of([]) == 0
    assert permission.weight_of([A, A, A]) == 1
    assert permission.weight_of([A, C]) == 1
    assert not permission.is_reached_by([A, A, C])
    assert permission.is_reached_by([B, A])


def test_only_owner_and_active_permissions_sign_transactions() -> None:
    bits = format_operations([1])
    active = Permission(type=PermissionType.ACTIVE, id=2, operations=bits)
    assert active.allows(1)
    assert not active.allows(2)
    assert Permission().allows(46)
    assert not Permission(type=PermissionType.WITNESS, id=1).allows(1)
