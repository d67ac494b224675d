"""Contracts about accounts themselves: making, naming, permissions."""

from enum import IntEnum

from msgspec import Struct

from lucidtrond.tron.address import Address
from lucidtrond.tron.permissions import Permission


class AccountType(IntEnum):
    """What kind of account an address holds."""

    NORMAL = 0
    ASSET_ISSUE = 1
    CONTRACT = 2


class AccountCreate(Struct, frozen=True):
    """AccountCreateContract (0): activate *account* without paying it anything."""

    owner: Address
    account: Address
    type: AccountType = AccountType.NORMAL


class AccountUpdate(Struct, frozen=True):
    """AccountUpdateContract (10): name the account."""

    owner: Address
    account_name: bytes


class SetAccountId(Struct, frozen=True):
    """SetAccountIdContract (19): give the account an id, once."""

    owner: Address
    account_id: bytes


class AccountPermissionUpdate(Struct, frozen=True):
    """AccountPermissionUpdateContract (46): replace all permissions at once."""

    owner_address: Address
    owner: Permission | None
    witness: Permission | None = None
    actives: tuple[Permission, ...] = ()
