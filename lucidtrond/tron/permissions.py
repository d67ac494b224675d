"""Who may sign for an account: permissions, weights, bitmaps of allowed contracts."""

from collections.abc import Iterable
from enum import IntEnum
from typing import Final

from msgspec import Struct

from lucidtrond.tron.address import Address

OPERATIONS_SIZE: Final = 32
_TYPE_COUNT: Final = OPERATIONS_SIZE * 8
OWNER_ID: Final = 0


class PermissionType(IntEnum):
    """Witness keys make blocks and sign no transaction."""

    OWNER = 0
    WITNESS = 1
    ACTIVE = 2


class Key(Struct, frozen=True):
    """One signer and what its signature weighs."""

    address: Address
    weight: int = 1


class Permission(Struct, frozen=True):
    """Signatures whose weights reach *threshold* act for the account.

    *operations* is the bitmap of contract types; only active permissions have one.
    """

    type: PermissionType = PermissionType.OWNER
    id: int = OWNER_ID
    permission_name: str = ""
    threshold: int = 1
    parent_id: int = 0
    operations: bytes = b""
    keys: tuple[Key, ...] = ()

    def weight_of(self, signers: Iterable[Address]) -> int:
        """Sum the weights of distinct *signers*; strangers weigh nothing."""
        weights = {key.address: key.weight for key in self.keys}
        return sum(weights.get(signer, 0) for signer in frozenset(signers))

    def is_reached_by(self, signers: Iterable[Address]) -> bool:
        """Whether these signatures are enough."""
        return self.weight_of(signers) >= self.threshold

    def allows(self, contract_type: int) -> bool:
        """Whether it may be used for this contract type."""
        if self.type is PermissionType.OWNER:
            return True
        return self.type is PermissionType.ACTIVE and allows(
            self.operations, contract_type
        )


def allows(operations: bytes, contract_type: int) -> bool:
    """Whether the bit of *contract_type* is set (Wallet.checkPermissionOperations).

    Raises:
        ValueError: the bitmap has not 32 bytes.
    """
    _check_size(operations)
    if not 0 <= contract_type < _TYPE_COUNT:
        return False
    return bool(operations[contract_type // 8] >> contract_type % 8 & 1)


def parse_operations(operations: bytes) -> tuple[int, ...]:
    """List the contract types that a bitmap allows, ascending.

    Raises:
        ValueError: the bitmap has not 32 bytes.
    """
    _check_size(operations)
    return tuple(
        contract_type
        for contract_type in range(_TYPE_COUNT)
        if allows(operations, contract_type)
    )


def format_operations(contract_types: Iterable[int]) -> bytes:
    """Make the bitmap; the inverse of `parse_operations`.

    Raises:
        ValueError: a type that has no bit.
    """
    bits = bytearray(OPERATIONS_SIZE)
    for contract_type in contract_types:
        if not 0 <= contract_type < _TYPE_COUNT:
            raise ValueError(f"contract type: expected 0 to 255, got {contract_type}")
        bits[contract_type // 8] |= 1 << contract_type % 8
    return bytes(bits)


def _check_size(operations: bytes) -> None:
    if len(operations) != OPERATIONS_SIZE:
        raise ValueError(f"operations: expected 32 bytes, got {len(operations)}")
