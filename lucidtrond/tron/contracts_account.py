"""Contracts about accounts themselves: making, naming, permissions."""

from enum import IntEnum

from attrs import frozen

from lucidtrond.tron.address import Address
from lucidtrond.tron.permissions import Permission


class AccountType(IntEnum):
    """What kind of account an address holds."""

    NORMAL = 0
    ASSET_ISSUE = 1
    CONTRACT = 2


@frozen
class AccountCreate:
    """AccountCreateContract (0): activate *account* without paying it anything."""

    owner: Address
    account: Address
    type: AccountType = AccountType.NORMAL


@frozen
class AccountUpdate:
    """AccountUpdateContract (10): name the account."""

    owner: Address
    account_name: bytes


@frozen
class SetAccountId:
    """SetAccountIdContract (19): give the account an id, once."""

    owner: Address
    account_id: bytes


@frozen
class AccountPermissionUpdate:
    """AccountPermissionUpdateContract (46): replace all permissions at once."""

    owner_address: Address
    owner: Permission | None
    witness: Permission | None = None
    actives: tuple[Permission, ...] = ()
